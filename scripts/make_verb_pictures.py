"""Draw what the six verbs make, with axes, into docs/pictures/: one small PNG for each verb.

Usage: python scripts/make_verb_pictures.py [--model MODEL] [--output FOLDER] [--verbs remix,loop]

Run it again when the bundled model has changed; docs/pipeline.md shows what it drew. Two cores need
about two minutes.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from sonoriff.models.protocol import Model
from sonoriff.models.registry import load_model
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.extend import ExtendSettings, extend
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.inpaint import InpaintSettings, inpaint
from sonoriff.pipeline.loop import LoopSettings, loop
from sonoriff.pipeline.morph import MorphPoint, MorphSettings, morph
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.sonogram.plot import decibels_from_sonogram, row_from_hz

TARGET = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PROMPT, OTHER = "smooth jazz piano trio, 100 bpm", "techno, 128 bpm"
TICKS_HZ = (100, 500, 2000, 8000)
SPAN_S, BAND_HZ = (2.0, 4.0), (200.0, 3000.0)
COLOURS = 32
DPI = 80


@dataclass(frozen=True)
class Panel:
    """One sonogram with what it is, and places in it that matter, in seconds."""

    title: str
    clip: Clip
    marks_s: tuple[float, ...] = ()
    times: int = 1


def source(model: Model) -> Clip:
    """What remix, inpaint and extend start from."""
    return generate(model, GenerateSettings(prompt=PROMPT, seed=1))


def generated(model: Model) -> list[Panel]:
    """A clip of one window, and a longer one."""
    settings = GenerateSettings(prompt=PROMPT, seed=1, duration_s=12.0)
    return [
        Panel(f"generate “{PROMPT}”, one window", source(model)),
        Panel("generate ... --duration 12", generate(model, settings)),
    ]


def remixed(model: Model) -> list[Panel]:
    """A source and how it leaves itself as the strength grows."""
    start = source(model)
    panels = [Panel("the source", start)]
    for strength in (0.3, 0.6, 1.0):
        settings = RemixSettings(prompt=OTHER, seed=2, strength=strength)
        title = f"remix “{OTHER}” --strength {strength:g}"
        panels.append(Panel(title, remix(model, start, settings)))
    return panels


def inpainted(model: Model) -> list[Panel]:
    """A span, a band, and what they have in common."""
    start = source(model)
    panels = [Panel("the source", start)]
    for times, bands in (((SPAN_S,), ()), ((), (BAND_HZ,)), ((SPAN_S,), (BAND_HZ,))):
        settings = InpaintSettings(prompt="saxophone", seed=2, times=times, bands=bands)
        options = [f"--time {a:g}:{b:g}" for a, b in times]
        options += [f"--band {a:g}:{b:g}" for a, b in bands]
        made = inpaint(model, start, settings)
        panels.append(
            Panel(f"inpaint “saxophone” {' '.join(options)}", made, SPAN_S if times else ())
        )
    return panels


def extended(model: Model) -> list[Panel]:
    """A source with more after it, and with more before it."""
    start = source(model)
    length = start.sonogram.duration_s
    after = ExtendSettings(prompt=PROMPT, seed=2, duration_s=2 * length)
    before = ExtendSettings(prompt=PROMPT, seed=2, duration_s=2 * length, side="start")
    return [
        Panel("extend, the source comes first", extend(model, start, after), (length,)),
        Panel("extend --side start, the source ends it", extend(model, start, before), (length,)),
    ]


def morphed(model: Model) -> list[Panel]:
    """A way of five clips."""
    points = (MorphPoint(prompt=PROMPT), MorphPoint(prompt=OTHER, seed=2))
    way = morph(model, MorphSettings(points=points, clips=5, seed=1))
    length = way.clips[0].sonogram.duration_s
    joins = tuple(i * length for i in range(1, 5))
    return [Panel(f"morph “{PROMPT}” “{OTHER}” --clips 5", way.joined, joins)]


def looped(model: Model) -> list[Panel]:
    """A loop, drawn twice round."""
    made = loop(model, LoopSettings(prompt=OTHER, seed=1, bars=2))
    join = made.sonogram.duration_s
    return [Panel(f"generate “{OTHER}” --loop --bars 2, twice round", made, (join,), times=2)]


VERBS: dict[str, Callable[[Model], list[Panel]]] = {
    "generate": generated,
    "remix": remixed,
    "inpaint": inpainted,
    "extend": extended,
    "morph": morphed,
    "loop": looped,
}


def picture(panels: Sequence[Panel]) -> Image.Image:
    """The panels below each other, in few colours, so that the file is small."""
    figure = Figure(figsize=(9, 0.3 + 1.75 * len(panels)), layout="constrained", dpi=DPI)
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axis, panel in zip(axes, panels, strict=True):
        sonogram = panel.clip.sonogram
        levels = np.tile(decibels_from_sonogram(sonogram).max(axis=0), (1, panel.times))
        seconds = sonogram.duration_s * panel.times
        axis.imshow(
            levels,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=float(levels.max()) - 70.0,
            extent=(0.0, seconds, -0.5, len(levels) - 0.5),
        )
        axis.set_yticks([row_from_hz(hz, sonogram.params) for hz in TICKS_HZ])
        axis.set_yticklabels([f"{hz:,}" for hz in TICKS_HZ])
        axis.set_ylabel("Hz")
        axis.set_title(panel.title, loc="left", fontsize=9)
        for mark in panel.marks_s:
            axis.axvline(mark, color="white", linewidth=0.8, linestyle=":")
    axes[-1].set_xlabel("s")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


def main() -> None:
    """Draw the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--model", help="the bundled one where none is named")
    parser.add_argument("--output", type=Path, default=TARGET)
    parser.add_argument("--verbs", default=",".join(VERBS))
    options = parser.parse_args()
    wanted = options.verbs.split(",")
    if unknown := set(wanted) - set(VERBS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(VERBS)}")
    options.output.mkdir(parents=True, exist_ok=True)
    model = load_model(options.model)
    for verb in wanted:
        target = options.output / f"{verb}.png"
        picture(VERBS[verb](model)).save(target, optimize=True)
        print(f"{target}: {target.stat().st_size / 1024:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
