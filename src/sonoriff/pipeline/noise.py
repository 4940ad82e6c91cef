"""Seeded noise: equal on every device, and a longer grid begins with the shorter one."""

from __future__ import annotations

import torch
from torch import Tensor

from sonoriff.models.protocol import Model

_MOSTLY_PARALLEL = 0.9995


def noise_grid(model: Model, width: int, seed: int) -> Tensor:
    """(1, C, H, width), normal, drawn on the CPU column by column."""
    channels, height, _ = model.latent_shape(1)
    generator = torch.Generator().manual_seed(seed)
    columns = torch.randn(width, channels, height, generator=generator)
    return columns.permute(1, 2, 0)[None].to(model.device)


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Between two noises along the sphere; share 0 is `a` itself, 1 is `b`.

    References
    ----------
    Shoemake, Animating Rotation with Quaternion Curves (1985).
    """
    if share in (0.0, 1.0):
        return a if share == 0.0 else b
    cosine = float((a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-12))
    if abs(cosine) > _MOSTLY_PARALLEL:
        return torch.lerp(a, b, share)
    angle = torch.acos(torch.tensor(cosine, dtype=torch.float64))
    before, after = (torch.sin(part * angle) / torch.sin(angle) for part in (1.0 - share, share))
    return float(before) * a + float(after) * b
