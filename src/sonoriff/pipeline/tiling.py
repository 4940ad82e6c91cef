"""Tiling: windows over long and circular grids."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def window_starts(width: int, window: int, overlap: int) -> list[int]:
    """Starts of windows that cover `width`, each sharing at least `overlap` with the next."""
    if width <= window:
        return [0]
    count = -(-(width - overlap) // (window - overlap))
    return [round(i * (width - window) / (count - 1)) for i in range(count)]


def window_columns(
    width: int, window: int, overlap: int, *, circular: bool = False
) -> list[Tensor]:
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
        return [torch.arange(s, min(s + window, width)) for s in starts]
    size = min(window, width)
    count = max(2, math.ceil(width / max(1, size - max(overlap, size // 2))))
    starts = [round(i * width / count) for i in range(count)]
    return [(torch.arange(size) + s) % width for s in starts]


def fade(window: int, overlap: int) -> Tensor:
    """(window,) weights: rise and fall over `overlap`, never zero."""
    overlap = min(overlap, window)
    ramp = (torch.arange(overlap) + 0.5) / max(1, overlap)
    weights = torch.ones(window)
    weights[:overlap] = ramp
    weights[window - overlap :] = torch.minimum(weights[window - overlap :], ramp.flip(0))
    return weights


def merged(parts: list[Tensor], columns: list[Tensor], width: int, overlap: int) -> Tensor:
    """Parts (B, C, H, window) as one grid (B, C, H, width), faded into each other.

    References
    ----------
    Bar-Tal et al., MultiDiffusion (2023): every step sees the whole piece, so that there is no
    join to hear, only places where two windows agree.
    """
    if len(parts) == 1 and len(columns[0]) == width:
        return parts[0]
    first = parts[0]
    total = first.new_zeros(*first.shape[:3], width)
    weight = first.new_zeros(width)
    for part, places in zip(parts, columns, strict=True):
        weights = fade(len(places), overlap).to(first)
        at = places.to(first.device)
        total[..., at] += part * weights
        weight[at] += weights
    return total / weight
