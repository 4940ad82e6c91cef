"""A sheet to look at and listen to: many prompts, some seeds each."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonoriff.files import atomic_path, write_text
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.generate import GenerateSettings, generate

# Styles, single instruments, tempo, key, moods, things left out: what people type first.
PROMPTS = (
    "smooth tropical dance jazz",
    "techno, 132 bpm",
    "acoustic folk fiddle solo",
    "church organ, in D minor",
    "lo-fi hip hop beat, 80 bpm",
    "bebop with tenor saxophone solo",
    "solo piano ballad, slow and sad",
    "drum and bass, 174 bpm",
    "bossa nova with nylon guitar",
    "heavy metal, distorted guitar",
    "ambient, calm, no drums",
    "salsa with trumpet and congas",
    "orchestral strings, in C major",
    "reggae with organ",
    "chiptune, fast and playful",
    "country, banjo and fiddle",
    "trance with synth lead, 138 bpm",
    "ragtime piano",
    "funk with slap bass",
    "waltz, in A minor",
    "church bells",
    "drum loop, 100 bpm",
    "flute and harp, peaceful",
    "typing on a keyboard",
)
SEEDS = (0, 1, 2, 3)
OnClip = Callable[[str, int, int], None]
_GAP, _LABEL = 4, 14


def sheet_settings(
    template: GenerateSettings, n_prompts: int = len(PROMPTS)
) -> list[GenerateSettings]:
    """The first prompts with every seed, prompt by prompt; the rest as in `template`."""
    return [
        replace(template, prompt=prompt, seed=seed)
        for prompt in PROMPTS[:n_prompts]
        for seed in SEEDS
    ]


def write_sheet(
    model: SmallModel,
    settings: Sequence[GenerateSettings],
    folder: Path,
    *,
    columns: int = len(SEEDS),
    on_clip: OnClip | None = None,
) -> None:
    """Make the clips and write them.

    Parameters
    ----------
    settings : the clips, row by row; a row has one prompt
    folder : gets ``sheet.png`` (all pictures), ``index.html`` (pictures with players), and a
        ``.flac`` and a ``.png`` for each clip
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures, names = [], []
    for i, each in enumerate(settings):
        clip = generate(model, each)
        name = f"{i // columns + 1:02d}-{_slug(each.prompt)}-{each.seed}"
        clip.save(folder / f"{name}.flac")
        clip.save(folder / f"{name}.png")
        pictures.append(_levels(clip))
        names.append(name)
        if on_clip:
            on_clip("sheet", i + 1, len(settings))
    prompts = [each.prompt for each in settings[::columns]]
    _write_picture(folder / "sheet.png", prompts, pictures, columns)
    write_text(folder / "index.html", _page(model, prompts, names, columns))


def _slug(prompt: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")[:40] or "anything"


def _levels(clip: Clip) -> npt.NDArray[np.uint8]:
    """The picture at half size, low frequencies at the bottom, uint8 (M / 2, N / 2)."""
    params = clip.sonogram.params
    values = clip.sonogram.mono
    rows, columns = (n // 2 for n in values.shape)
    small = values[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).max(axis=(1, 3))
    shares = (small - params.db_min) / (params.db_max - params.db_min)
    return np.asarray((255.0 * shares.clip(0.0, 1.0)).round()[::-1], np.uint8)


def _write_picture(
    path: Path, prompts: Sequence[str], pictures: Sequence[npt.NDArray[np.uint8]], columns: int
) -> None:
    from matplotlib import colormaps
    from PIL import Image, ImageDraw

    height, width = pictures[0].shape
    pitch_x, pitch_y = width + _GAP, height + _LABEL + _GAP
    sheet = Image.new("RGB", (columns * pitch_x, len(prompts) * pitch_y), (24, 24, 28))
    draw = ImageDraw.Draw(sheet)
    palette = (255.0 * colormaps["magma"](np.arange(256))[:, :3]).astype(np.uint8)
    for i, picture in enumerate(pictures):
        x, y = (i % columns) * pitch_x, (i // columns) * pitch_y
        if i % columns == 0:
            draw.text((x + 2, y), prompts[i // columns], fill=(230, 230, 230))
        sheet.paste(Image.fromarray(palette[picture]), (x, y + _LABEL))
    with atomic_path(path) as partial:
        sheet.save(partial, format="PNG")


def _page(model: SmallModel, prompts: Sequence[str], names: Sequence[str], columns: int) -> str:
    title = html.escape(f"{model.facts.get('name', 'small')}: {len(names)} riffs")
    sections = []
    for i, prompt in enumerate(prompts):
        cells = "".join(
            f'<figure><img src="{name}.png" alt="" loading="lazy">'
            f'<audio src="{name}.flac" controls preload="none"></audio></figure>'
            for name in names[i * columns : (i + 1) * columns]
        )
        sections.append(f"<section><h2>{html.escape(prompt)}</h2><div>{cells}</div></section>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>"
        "body{font:15px sans-serif;background:#18181c;color:#e8e8e8;margin:1.5rem}"
        "h2{font-size:1rem;margin:1.2rem 0 .4rem}"
        "div{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr))}"
        "figure{margin:0}img,audio{display:block;width:100%}"
        f"</style></head><body><h1>{title}</h1>\n" + "\n".join(sections) + "\n</body></html>\n"
    )
