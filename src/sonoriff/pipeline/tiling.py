"""Tiling: windows over long and circular grids."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Columns = npt.NDArray[np.int64]


def window_starts(width: int, window: int, overlap: int) -> list[int]:
    """Starts of windows that cover `width`, each sharing at least `overlap` with the next."""
    if width <= window:
        return [0]
    count = -(-(width - overlap) // (window - overlap))
    return [round(i * (width - window) / (count - 1)) for i in range(count)]


def window_columns(
    width: int, window: int, overlap: int, *, circular: bool = False
) -> list[Columns]:
    """Columns of each window, int64 (window,), in the order in which they sound.

    Parameters
    ----------
    width : columns of the grid
    window : columns that the model was trained on
    overlap : columns that neighbours share at least
    circular : the last column is followed by the first. A grid shorter than a window is then seen
        twice, from its start and from its middle, so that its join lies inside a window
    """
    if not circular:
        starts = window_starts(width, window, overlap)
        return [np.arange(s, min(s + window, width)) for s in starts]
    size = min(window, width)
    count = max(2, math.ceil(width / max(1, size - max(overlap, size // 2))))
    starts = [round(i * width / count) for i in range(count)]
    return [(np.arange(size) + s) % width for s in starts]


def fade(window: int, overlap: int) -> FloatArray:
    """(window,) weights: rise and fall over `overlap`, never zero."""
    overlap = min(overlap, window)
    ramp = ((np.arange(overlap) + 0.5) / max(1, overlap)).astype(np.float32)
    weights = np.ones(window, np.float32)
    weights[:overlap] = ramp
    weights[window - overlap :] = np.minimum(weights[window - overlap :], ramp[::-1])
    return weights


def merged(parts: list[FloatArray], columns: list[Columns], width: int, overlap: int) -> FloatArray:
    """Parts (B, C, H, window) as one grid (B, C, H, width), faded into each other.

    References
    ----------
    Bar-Tal et al., MultiDiffusion (2023): every step sees the whole piece, so that there is no
    join to hear, only places where two windows agree.
    """
    if len(parts) == 1 and len(columns[0]) == width:
        return parts[0]
    first = parts[0]
    total = np.zeros((*first.shape[:3], width), np.float32)
    weight = np.zeros(width, np.float32)
    for part, places in zip(parts, columns, strict=True):
        weights = fade(len(places), overlap)
        total[..., places] += part * weights
        weight[places] += weights
    np.divide(total, weight, out=total)
    return total
