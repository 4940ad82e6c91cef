"""Sample sheets: sonograms with captions on one page."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw
from torch import Tensor

from sonoriff.files import atomic_path

_LABEL_HEIGHT = 16
_GAP = 6


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
