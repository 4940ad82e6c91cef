"""Waveform to mel spectrum: the forward transform."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from sonoriff.errors import ParameterError
from sonoriff.sonogram.columns import has_fast_columns, log_mel
from sonoriff.sonogram.decode_grid import hann
from sonoriff.sonogram.filter_bank import AMPLITUDE_FLOOR, mel_filter_bank
from sonoriff.sonogram.params import SonogramParams

FloatArray = npt.NDArray[np.float32]
# A few spectra at a time stay in the cache: twice as fast as all at once.
_COLUMNS_AT_ONCE = 128


def mel_from_waveform(waveform: FloatArray, params: SonogramParams) -> FloatArray:
    """Mel values of a waveform.

    Parameters
    ----------
    waveform : float32 (C, T), [-1, 1], at ``params.sample_rate`` Hz

    Returns
    -------
    float32 (C, M, N), N = ceil(T / hop_length); column n is centred on sample
    ``(n + 1/2) hop_length`` for the "log" scale (so that N columns cover exactly N hops) and on
    ``n hop_length`` for the "power" scale (as Riffusion's picture has it). Linear amplitude for
    the "power" scale; dB, clipped to [db_min, db_max], for the "log" scale, where a full-scale
    sine is about 0 dB.

    Raises
    ------
    ParameterError
        wrong rank, empty, or non-finite samples
    """
    if waveform.ndim != 2 or waveform.size == 0:
        raise ParameterError(f"waveform must be (channels, samples), got {waveform.shape}")
    # NaN and infinity both show in the extremes, which one pass each finds.
    if not np.isfinite([waveform.min(), waveform.max()]).all():
        raise ParameterError("waveform holds NaN or infinite samples")
    if params.scale == "power":
        return _power_mel(waveform, params)
    return log_mel(waveform, params) if has_fast_columns(params) else _log_mel(waveform, params)


def _linear_mel(padded: FloatArray, n_frames: int, params: SonogramParams) -> FloatArray:
    """Mel amplitude (C, M, N) of N columns, in blocks: a spectrum is far larger than its mel."""
    bank = mel_filter_bank(params)
    # Nothing above the last filter is needed: for riffusion-v1 that is more than half.
    n_bins = int(np.flatnonzero(bank.any(axis=0))[-1]) + 1
    columns_to_mel = np.ascontiguousarray(bank[:, :n_bins].T)
    mel = np.empty((len(padded), params.n_mels, n_frames), np.float32)
    for start in range(0, n_frames, _COLUMNS_AT_ONCE):
        stop = min(start + _COLUMNS_AT_ONCE, n_frames)
        first, last = start * params.hop_length, (stop - 1) * params.hop_length + params.n_fft
        magnitude = _magnitude(padded[:, first:last], params, n_bins)
        mel[:, :, start:stop] = (magnitude @ columns_to_mel).swapaxes(1, 2)
    return mel


def _magnitude(padded: FloatArray, params: SonogramParams, n_bins: int) -> FloatArray:
    """The first `n_bins` of each windowed frame's spectrum, (C, N, n_bins)."""
    # The window stands in the middle of its frame; where it stands does not change a magnitude.
    before = (params.n_fft - params.win_length) // 2
    after = params.n_fft - params.win_length - before
    heard = padded[:, before : padded.shape[1] - after]
    frames = sliding_window_view(heard, params.win_length, axis=1)[:, :: params.hop_length]
    magnitude: FloatArray = np.abs(
        np.fft.rfft(frames * hann(params.win_length), params.n_fft)[..., :n_bins]
    )
    return magnitude


def _power_mel(waveform: FloatArray, params: SonogramParams) -> FloatArray:
    half = params.n_fft // 2
    edges = ((0, 0), (half, half))
    mirrored = waveform.shape[1] > half
    padded = np.pad(waveform, edges, mode="reflect") if mirrored else np.pad(waveform, edges)
    n_frames = -(-waveform.shape[1] // params.hop_length)
    return _linear_mel(padded, n_frames, params)


def _log_mel(waveform: FloatArray, params: SonogramParams) -> FloatArray:
    n_frames = -(-waveform.shape[1] // params.hop_length)
    left = (params.n_fft - params.hop_length) // 2
    total = (n_frames - 1) * params.hop_length + params.n_fft
    padded = np.pad(waveform, ((0, 0), (left, total - left - waveform.shape[1])))
    # A Hann window sums to half its length: a full-scale sine reads 1.
    mel = _linear_mel(padded, n_frames, params) * np.float32(4.0 / params.win_length)
    decibels = 20.0 * np.log10(np.maximum(mel, np.float32(AMPLITUDE_FLOOR)))
    return np.asarray(np.clip(decibels, params.db_min, params.db_max), np.float32)
