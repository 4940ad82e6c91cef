"""Seeded noise: a longer grid begins with the shorter one."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sonoriff.diffusion.noise import normal_noise
from sonoriff.models.protocol import Model

FloatArray = npt.NDArray[np.float32]
_MOSTLY_PARALLEL = 0.9995
# Pan and width, and what their seed differs in from that of the music.
_SIDES, _SIDE_SEED = 2, 0x5EED51DE


def noise_grid(model: Model, width: int, seed: int) -> FloatArray:
    """(1, C, H, width), normal, drawn column by column; that of pan and width by itself.

    So a seed's music is that of the mono model, and only where it stands is new.
    """
    channels, height, _ = model.latent_shape(1)
    if not model.stereo:
        return _columns(seed, channels, height, width)
    parts = (
        _columns(seed, channels - _SIDES, height, width),
        _columns(seed ^ _SIDE_SEED, _SIDES, height, width),
    )
    return np.concatenate(parts, axis=1)


def _columns(seed: int, channels: int, height: int, width: int) -> FloatArray:
    columns = normal_noise(seed, width * channels * height).reshape(width, channels, height)
    return np.ascontiguousarray(columns.transpose(1, 2, 0))[None]


def slerp(a: FloatArray, b: FloatArray, share: float) -> FloatArray:
    """Between two noises along the sphere; share 0 is `a` itself, 1 is `b`.

    References
    ----------
    Shoemake, Animating Rotation with Quaternion Curves (1985).
    """
    if share in (0.0, 1.0):
        return a if share == 0.0 else b
    lengths = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    cosine = float(np.sum(a * b)) / max(lengths, 1e-12)
    if abs(cosine) > _MOSTLY_PARALLEL:
        return a + share * (b - a)
    angle = math.acos(cosine)
    before, after = (math.sin(part * angle) / math.sin(angle) for part in (1.0 - share, share))
    return before * a + after * b
