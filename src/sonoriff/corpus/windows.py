"""Clips of one length cut from a waveform: level, silence, near duplicates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sonoriff.audio.loudness import level_lufs

CLIP_SAMPLES = 262_144
SAMPLE_RATE = 44_100
CLIP_SECONDS = CLIP_SAMPLES / SAMPLE_RATE
_PEAK = 0.97

Waveform = npt.NDArray[np.float32]


def levelled(waveform: Waveform, target_db: float = -18.0) -> Waveform | None:
    """The clip at `target_db` LUFS, lower where its peaks would clip; None if it is silent.

    Parameters
    ----------
    waveform : float32 (T,), or (C, T) whose mono mix gets this level: pictures are of the mix
    target_db : -30 .. -12
    """
    level = level_lufs(waveform if waveform.ndim == 1 else waveform.mean(axis=0), SAMPLE_RATE)
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
