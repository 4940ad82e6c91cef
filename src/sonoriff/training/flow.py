"""The training side of a rectified flow; see `sonoriff.diffusion.flow` for the path itself."""

from __future__ import annotations

import torch
from torch import Tensor


def mix(data: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """The point at `time` (B,) on the paths from `data` to `noise`, both (B, ...)."""
    t = time.view(-1, *[1] * (data.ndim - 1)).to(data)
    return data + t * (noise - data)


def training_times(n: int, generator: torch.Generator, *, shift: float = 1.0) -> Tensor:
    """(n,) even times in [0, 1); `shift` above 1 moves them towards noise."""
    times = torch.rand(n, generator=generator)
    return shift * times / (1.0 + (shift - 1.0) * times)
