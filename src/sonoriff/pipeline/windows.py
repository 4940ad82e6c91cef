"""One velocity for a long grid out of windows of the length that the model was trained on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def window_starts(width: int, window: int, overlap: int) -> list[int]:
    """Starts of windows that cover `width`, each sharing at least `overlap` with the next."""
    if width <= window:
        return [0]
    count = -(-(width - overlap) // (window - overlap))
    return [round(i * (width - window) / (count - 1)) for i in range(count)]


def windowed(
    velocity: Callable[[Tensor, float], Tensor], window: int, overlap: int
) -> Callable[[Tensor, float], Tensor]:
    """A velocity for any width: windows evaluated together and faded into each other.

    Every step sees the whole piece, so that there is no join to hear, only places where two
    windows agree.

    References
    ----------
    Bar-Tal et al., MultiDiffusion (2023).
    """

    def whole(x: Tensor, time: float) -> Tensor:
        width = x.shape[-1]
        starts = window_starts(width, window, overlap)
        if len(starts) == 1:
            return velocity(x, time)
        parts = torch.cat([x[..., s : s + window] for s in starts])
        fade = _fade(window, overlap).to(x)
        total, weight = torch.zeros_like(x), torch.zeros(width, dtype=x.dtype, device=x.device)
        for s, part in zip(starts, torch.split(velocity(parts, time), len(x)), strict=True):
            total[..., s : s + window] += part * fade
            weight[s : s + window] += fade
        return total / weight

    return whole


def _fade(window: int, overlap: int) -> Tensor:
    """(window,) weights: rise and fall over `overlap`, never zero."""
    ramp = (torch.arange(overlap) + 0.5) / max(1, overlap)
    fade = torch.ones(window)
    fade[:overlap] = ramp
    fade[window - overlap :] = torch.minimum(fade[window - overlap :], ramp.flip(0))
    return fade
