"""Sample sheets: sonograms with captions on one page, and their sounds beside it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from sonoriff.audio import turned_down, write_audio
from sonoriff.files import atomic_path
from sonoriff.sonogram import Sonogram, decode
from sonoriff.sonogram.params import HIFI
from sonoriff.training.data.pictures import mel_from_picture

_LABEL_HEIGHT = 16
_GAP = 6
MAX_SOUNDS = 12


def save_sheet(path: Path, rows: list[tuple[str, Tensor]], *, columns: int) -> None:
    """Write pictures (M, N) in [-1, 1] as a PNG grid, low frequencies at the bottom."""
    height, width = rows[0][1].shape
    n_rows = -(-len(rows) // columns)
    sheet = Image.new(
        "L", (columns * (width + _GAP), n_rows * (height + _LABEL_HEIGHT + _GAP)), color=32
    )
    draw = ImageDraw.Draw(sheet)
    for i, (label, picture) in enumerate(rows):
        x = (i % columns) * (width + _GAP)
        y = (i // columns) * (height + _LABEL_HEIGHT + _GAP)
        draw.text((x + 2, y + 2), label[: width // 6], fill=255)
        levels = ((picture.flip(0) + 1.0) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
        sheet.paste(Image.fromarray(levels), (x, y + _LABEL_HEIGHT))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as partial:
        sheet.save(partial, format="PNG")


def save_sounds(sheet: Path, sonograms: list[tuple[str, Sonogram]]) -> None:
    """Write the first sounds of a sheet as NN-LABEL.flac into a folder of the sheet's name."""
    folder = sheet.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for number, (label, sonogram) in enumerate(sonograms[:MAX_SOUNDS], start=1):
        slug = re.sub(r"[^a-z0-9]+", "-", label.lower())[:40].strip("-") or "anything"
        waveform = turned_down(decode(sonogram, quality="fast"))
        write_audio(folder / f"{number:02d}-{slug}.flac", waveform, sonogram.params.sample_rate)


def sonogram_from_picture(picture: Tensor) -> Sonogram:
    """Picture (M, N) in [-1, 1] of the format `hifi` as a sonogram of one channel."""
    values = mel_from_picture(picture.float().cpu().clamp(-1.0, 1.0)).numpy()[None]
    return Sonogram(np.ascontiguousarray(values, np.float32), HIFI)
