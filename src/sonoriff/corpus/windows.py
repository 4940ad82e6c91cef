"""Clips of one length cut from a waveform: level, silence, near duplicates."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

CLIP_SAMPLES = 262_144
SAMPLE_RATE = 44_100
CLIP_SECONDS = CLIP_SAMPLES / SAMPLE_RATE
_PEAK = 0.97

Waveform = npt.NDArray[np.float32]


@lru_cache(maxsize=1)
def _weighting() -> tuple[npt.NDArray[np.float64], ...]:
    """K-weighting of BS.1770 at 44.1 kHz: shelf and high-pass coefficients (b, a, b, a)."""
    import math

    def shelf() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        gain, q, centre = 10 ** (3.99984385397 / 20), 0.7071752369554193, 1681.9744509555319
        k = math.tan(math.pi * centre / SAMPLE_RATE)
        vb = gain**0.4996667741545416
        a0 = 1 + k / q + k * k
        b = [gain + vb * k / q + k * k, 2 * (k * k - gain), gain - vb * k / q + k * k]
        a = [a0, 2 * (k * k - 1), 1 - k / q + k * k]
        return np.array(b) / a0, np.array(a) / a0

    def high_pass() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        q, centre = 0.5003270373253953, 38.13547087613982
        k = math.tan(math.pi * centre / SAMPLE_RATE)
        a0 = 1 + k / q + k * k
        a = [a0, 2 * (k * k - 1), 1 - k / q + k * k]
        return np.array([1.0, -2.0, 1.0]), np.array(a) / a0

    return (*shelf(), *high_pass())


def loudness_db(waveform: Waveform) -> float:
    """K-weighted mean level without gating (BS.1770 filter), LUFS-like dB; -inf for silence."""
    from scipy.signal import lfilter

    b1, a1, b2, a2 = _weighting()
    filtered = lfilter(b2, a2, lfilter(b1, a1, waveform.astype(np.float64)))
    power = float(np.mean(filtered**2))
    return -0.691 + 10 * np.log10(power) if power > 1e-12 else float("-inf")


def levelled(waveform: Waveform, target_db: float = -18.0) -> Waveform | None:
    """The clip at `target_db` LUFS, lower where its peaks would clip; None if it is silent.

    Parameters
    ----------
    waveform : float32 (T,), or (C, T) whose mono mix gets this level: pictures are of the mix
    target_db : -30 .. -12
    """
    level = loudness_db(waveform if waveform.ndim == 1 else waveform.mean(axis=0))
    if level < -58.0:
        return None
    out = waveform * np.float32(10 ** ((target_db - level) / 20))
    peak = float(np.max(np.abs(out)))
    if peak > _PEAK:
        out = out * np.float32(_PEAK / peak)
    return np.asarray(out, np.float32)


def is_hollow(waveform: Waveform) -> bool:
    """Whether most of a clip is silence: under half its 32 parts within 42 dB of the loudest."""
    parts = waveform[: len(waveform) // 32 * 32].reshape(32, -1)
    power = np.sqrt(np.mean(parts.astype(np.float64) ** 2, axis=1)) + 1e-9
    return bool(np.sum(power > power.max() * 10 ** (-42 / 20)) < 16)


def fingerprint(waveform: Waveform) -> npt.NDArray[np.float32]:
    """A coarse picture of a clip, float32 (32 * 62,), zero mean, unit length, to find copies by."""
    size, hop = 4096, 4096
    count = max(1, (len(waveform) - size) // hop + 1)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, size)[::hop][:count]
    power = np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=1)) ** 2
    edges = np.unique(np.geomspace(4, 1600, 33).astype(int))
    bands = np.stack([power[:, a:b].sum(1) for a, b in pairwise(edges)], 1)
    picture = np.log10(bands + 1e-6)
    picture = np.maximum(picture, picture.max() - 6)
    flat = (picture - picture.mean()).ravel()
    return np.asarray(flat / (np.linalg.norm(flat) + 1e-9), np.float32)


def is_copy(print_: npt.NDArray[np.float32], others: list[npt.NDArray[np.float32]]) -> bool:
    """Whether a fingerprint is all but equal to one of the others (correlation above 0.995)."""
    return any(float(print_ @ other) > 0.995 for other in others if other.shape == print_.shape)
