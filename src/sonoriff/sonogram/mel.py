"""Waveform to mel spectrum: filter banks and the forward transform."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from sonoriff.errors import ParameterError
from sonoriff.sonogram.params import SonogramParams

AMPLITUDE_FLOOR = 1e-10
# A few spectra at a time stay in the cache: twice as fast as all at once.
_COLUMNS_AT_ONCE = 128


def mel_from_hz(frequency_hz: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    """HTK mel: 2595 log10(1 + f / 700)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(frequency_hz) / 700.0))


def hz_from_mel(mel: npt.NDArray[np.float64] | float) -> npt.NDArray[np.float64]:
    """Inverse of `mel_from_hz`."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mel) / 2595.0) - 1.0))


def row_frequencies(params: SonogramParams) -> npt.NDArray[np.float64]:
    """Middle of each row in Hz, float64 (M,)."""
    low, high = mel_from_hz(params.f_min), mel_from_hz(params.f_max)
    return hz_from_mel(np.linspace(low, high, params.n_mels + 2)[1:-1])


@lru_cache(maxsize=8)
def mel_filter_bank(params: SonogramParams) -> npt.NDArray[np.float32]:
    """Triangular filters, peak 1, equally spaced in mel.

    Returns
    -------
    float32 (M, F), F = 1 + n_fft // 2; read-only. For the "log" scale a filter narrower than
    a bin is widened until it sums to one, so that no row is empty (the picture is then an
    interpolation of the spectrum, not a row of holes).

    References
    ----------
    Young et al., The HTK Book (2006), section 5.4.
    """
    edges = hz_from_mel(
        np.linspace(mel_from_hz(params.f_min), mel_from_hz(params.f_max), params.n_mels + 2)
    )
    n_bins = 1 + params.n_fft // 2
    bins = np.linspace(0.0, params.sample_rate // 2, n_bins)
    if params.scale == "log":
        bank = _interpolating_bank(edges, bins)
    else:
        rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
        falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
        bank = np.maximum(0.0, np.minimum(rising, falling))
    result = bank.astype(np.float32)
    result.setflags(write=False)
    return result


def _interpolating_bank(
    edges: npt.NDArray[np.float64], bins: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Rows of unit sum; half-width at least one bin."""
    step = bins[1] - bins[0]
    centre = edges[1:-1, None]
    left = np.maximum(centre - edges[:-2, None], step)
    right = np.maximum(edges[2:, None] - centre, step)
    distance = bins[None] - centre
    bank = np.maximum(0.0, 1.0 - np.where(distance < 0, -distance / left, distance / right))
    return np.asarray(bank / bank.sum(axis=1, keepdims=True))


@lru_cache(maxsize=8)
def _torch_bank(params: SonogramParams, device: str) -> torch.Tensor:
    return torch.from_numpy(mel_filter_bank(params).copy()).to(device)


def mel_from_waveform(waveform: torch.Tensor, params: SonogramParams) -> torch.Tensor:
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
    if waveform.ndim != 2 or waveform.numel() == 0:
        raise ParameterError(f"waveform must be (channels, samples), got {tuple(waveform.shape)}")
    # NaN and infinity both show in the extremes, which one pass finds.
    if not torch.isfinite(torch.stack(torch.aminmax(waveform.detach()))).all():
        raise ParameterError("waveform holds NaN or infinite samples")
    if params.scale == "power":
        return _power_mel(waveform, params)
    if waveform.device.type == "cpu" and not waveform.requires_grad:
        # Not at the top: that module takes its bank from this one.
        from sonoriff.sonogram.columns import has_fast_columns, log_mel

        if has_fast_columns(params):
            return torch.from_numpy(log_mel(waveform.numpy(), params))
    return _log_mel(waveform, params)


def _linear_mel(padded: torch.Tensor, n_frames: int, params: SonogramParams) -> torch.Tensor:
    """Mel amplitude (C, M, N) of N columns, in blocks: a spectrum is far larger than its mel."""
    bank = _torch_bank(params, str(padded.device))
    # Nothing above the last filter is needed: for riffusion-v1 that is more than half.
    n_bins = int(torch.count_nonzero(bank.any(dim=0).flip(0).cumsum(0)))
    columns_to_mel = bank[:, :n_bins].T
    blocks = []
    for start in range(0, n_frames, _COLUMNS_AT_ONCE):
        stop = min(start + _COLUMNS_AT_ONCE, n_frames)
        first, last = start * params.hop_length, (stop - 1) * params.hop_length + params.n_fft
        blocks.append(_magnitude(padded[:, first:last], params, n_bins) @ columns_to_mel)
    return torch.cat(blocks, dim=1).transpose(1, 2).contiguous()


def _magnitude(padded: torch.Tensor, params: SonogramParams, n_bins: int) -> torch.Tensor:
    """The first `n_bins` of each windowed frame's spectrum, (C, N, n_bins)."""
    window = torch.hann_window(params.win_length, device=padded.device)
    # The window stands in the middle of its frame; where it stands does not change a magnitude.
    before = (params.n_fft - params.win_length) // 2
    after = params.n_fft - params.win_length - before
    heard = padded[:, before : padded.shape[1] - after]
    frames = heard.unfold(1, params.win_length, params.hop_length) * window
    magnitude: torch.Tensor = torch.fft.rfft(frames, params.n_fft)[..., :n_bins].abs()
    return magnitude


def _power_mel(waveform: torch.Tensor, params: SonogramParams) -> torch.Tensor:
    half = params.n_fft // 2
    mode = "reflect" if waveform.shape[1] > half else "constant"
    padded = torch.nn.functional.pad(waveform, (half, half), mode=mode)
    n_frames = -(-waveform.shape[1] // params.hop_length)
    return _linear_mel(padded, n_frames, params)


def _log_mel(waveform: torch.Tensor, params: SonogramParams) -> torch.Tensor:
    n_frames = -(-waveform.shape[1] // params.hop_length)
    left = (params.n_fft - params.hop_length) // 2
    total = (n_frames - 1) * params.hop_length + params.n_fft
    padded = torch.nn.functional.pad(waveform, (left, total - left - waveform.shape[1]))
    # A Hann window sums to half its length: a full-scale sine reads 1.
    mel = _linear_mel(padded, n_frames, params) * (4.0 / params.win_length)
    decibels = 20.0 * torch.log10(mel.clamp_min(AMPLITUDE_FLOOR))
    return decibels.clamp(params.db_min, params.db_max)
