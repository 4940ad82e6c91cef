"""Waveform to mel spectrum: the forward transform."""

from __future__ import annotations

from functools import lru_cache

import torch

from sonoriff.errors import ParameterError
from sonoriff.sonogram.columns import has_fast_columns, log_mel
from sonoriff.sonogram.filter_bank import AMPLITUDE_FLOOR, mel_filter_bank
from sonoriff.sonogram.params import SonogramParams

# A few spectra at a time stay in the cache: twice as fast as all at once.
_COLUMNS_AT_ONCE = 128


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
    plain = waveform.device.type == "cpu" and not waveform.requires_grad
    if plain and has_fast_columns(params):
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
