"""Rectified flow: a straight path between data (time 0) and noise (time 1).

The velocity along the path is noise minus data, so that ``x_t = (1 - t) data + t noise``.

References
----------
Liu et al., Flow Straight and Fast (2022); Lipman et al., Flow Matching (2022); Esser et al.,
Scaling Rectified Flow Transformers (2024) for the shift.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonoriff.errors import ParameterError


def mix(data: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """The point at `time` (B,) on the paths from `data` to `noise`, both (B, ...)."""
    t = time.view(-1, *[1] * (data.ndim - 1)).to(data)
    return data + t * (noise - data)


def data_from_velocity(x: Tensor, velocity: Tensor, time: float) -> Tensor:
    """Where the straight line from `x` at `time` meets the data."""
    return x - time * velocity


def training_times(n: int, generator: torch.Generator, *, shift: float = 1.0) -> Tensor:
    """(n,) even times in [0, 1); `shift` above 1 moves them towards noise."""
    times = torch.rand(n, generator=generator)
    return shift * times / (1.0 + (shift - 1.0) * times)


def sampling_times(num_inference_steps: int, *, start: float = 1.0, shift: float = 1.0) -> Tensor:
    """(steps + 1,) falling times from `start` to 0.

    Parameters
    ----------
    num_inference_steps : >= 1
    start : in (0, 1], where the path begins; below 1 for image-to-image
    shift : > 0; above 1 spends more of the steps near the noise
    """
    if num_inference_steps < 1 or not 0 < start <= 1 or shift <= 0:
        raise ParameterError(
            "need num_inference_steps >= 1, 0 < start <= 1 and shift > 0; "
            f"got {num_inference_steps}, {start}, {shift}"
        )
    times = torch.linspace(1.0, 0.0, num_inference_steps + 1)
    times = shift * times / (1.0 + (shift - 1.0) * times)
    return times * start
