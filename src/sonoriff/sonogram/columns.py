"""Waveform to mel columns on the processor, eight columns side by side."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.decode_grid import SparseBank, hann
from sonoriff.sonogram.filter_bank import AMPLITUDE_FLOOR, mel_filter_bank
from sonoriff.sonogram.kernels import mel_columns
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.transform import is_smooth, transform_plan

FloatArray = npt.NDArray[np.float32]

# Enough to fill the lanes, few enough to stay in the cache.
_COLUMNS_AT_ONCE = 128


def has_fast_columns(params: SonogramParams) -> bool:
    """Whether the transform of a format is one that the lanes have: riffusion-v1's is not."""
    return params.n_fft % 2 == 0 and is_smooth(params.n_fft)


@lru_cache(maxsize=8)
def _bank(params: SonogramParams) -> SparseBank:
    return SparseBank.from_dense(mel_filter_bank(params).astype(np.float64))


def log_mel(waveform: FloatArray, params: SonogramParams) -> FloatArray:
    """`mel_from_waveform` of the "log" scale.

    float32 (C, T) -> float32 (C, M, N).
    """
    n_channels, length = waveform.shape
    n_frames = -(-length // params.hop_length)
    before = (params.n_fft - params.win_length) // 2
    left = (params.n_fft - params.hop_length) // 2 - before
    total = left + n_frames * params.hop_length + params.win_length
    heard = np.zeros((n_channels, total), np.float32)
    heard[:, left : left + length] = waveform
    mel = linear_mel(heard, n_frames, params)
    mel *= np.float32(4.0 / params.win_length)
    np.maximum(mel, np.float32(AMPLITUDE_FLOOR), out=mel)
    np.log10(mel, out=mel)
    mel *= np.float32(20.0)
    return np.clip(mel, params.db_min, params.db_max, out=mel)


def linear_mel(heard: FloatArray, n_frames: int, params: SonogramParams) -> FloatArray:
    """Mel amplitude of windowed frames.

    Parameters
    ----------
    heard : float32 (C, >= (N - 1) hop + win), frame 0 at sample 0

    Returns
    -------
    float32 (C, M, N)
    """
    bank, plan, hop = _bank(params), transform_plan(params.n_fft), params.hop_length
    window = hann(params.win_length)
    result = np.empty((len(heard), params.n_mels, n_frames), np.float32)
    for channel, samples in enumerate(heard):
        for first in range(0, n_frames, _COLUMNS_AT_ONCE):
            stop = min(first + _COLUMNS_AT_ONCE, n_frames)
            piece = samples[first * hop : (stop - 1) * hop + params.win_length]
            result[channel, :, first:stop] = mel_columns(
                np.ascontiguousarray(piece),
                stop - first,
                hop,
                window,
                bank.start,
                bank.stop,
                bank.weights,
                plan,
            )
    return result
