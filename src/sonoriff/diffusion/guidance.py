"""Classifier-free guidance.

References
----------
Ho & Salimans, Classifier-Free Diffusion Guidance (2022); Kynkäänniemi et al., Applying Guidance
in a Limited Interval (2024).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sonoriff.diffusion.samplers import Velocity


def guided(
    both: Callable[[Tensor, float], Tensor],
    positive: Velocity,
    guidance_scale: float,
    *,
    interval: tuple[float, float] = (0.0, 1.0),
    rescale: float = 0.0,
) -> Velocity:
    """A velocity pushed away from the negative prompt.

    Parameters
    ----------
    both : ``(x of 2B, time)`` -> (2B, ...), negative half first; one evaluation for two branches
    positive : ``(x of B, time)`` -> (B, ...), used where guidance is off
    guidance_scale : 1 is off, 0 is the negative branch alone
    interval : times (low, high) between which guidance acts
    rescale : share in [0, 1] by which the result's spread is pulled back to the positive branch's
        (Lin et al., Common Diffusion Noise Schedules, 2023)
    """
    low, high = interval

    def velocity(x: Tensor, time: float) -> Tensor:
        if guidance_scale == 1.0 or not low <= time <= high:
            return positive(x, time)
        negative, wanted = both(torch.cat([x, x]), time).chunk(2)
        pushed = negative + guidance_scale * (wanted - negative)
        if rescale > 0:
            dims = tuple(range(1, x.ndim))
            ratio = wanted.std(dims, keepdim=True) / pushed.std(dims, keepdim=True)
            pushed = pushed * (rescale * ratio + (1.0 - rescale))
        return pushed

    return velocity
