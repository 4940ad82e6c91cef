"""The forward transform of the "log" scale as something to differentiate."""

from __future__ import annotations

import torch
from torch import Tensor

from sonoriff.sonogram.filter_bank import AMPLITUDE_FLOOR, mel_filter_bank
from sonoriff.sonogram.params import SonogramParams


def log_mel(waveform: Tensor, params: SonogramParams) -> Tensor:
    """What `sonoriff.sonogram.mel.mel_from_waveform` gives, (C, T) -> (C, M, N) in dB."""
    n_frames = -(-waveform.shape[1] // params.hop_length)
    left = (params.win_length - params.hop_length) // 2
    total = (n_frames - 1) * params.hop_length + params.win_length
    padded = torch.nn.functional.pad(waveform, (left, total - left - waveform.shape[1]))
    window = torch.hann_window(params.win_length, device=waveform.device)
    frames = padded.unfold(1, params.win_length, params.hop_length) * window
    magnitude = torch.fft.rfft(frames, params.n_fft).abs()
    bank = torch.from_numpy(mel_filter_bank(params).copy()).to(waveform.device)
    # A Hann window sums to half its length: a full-scale sine reads 1.
    mel = (magnitude @ bank.T).transpose(1, 2) * (4.0 / params.win_length)
    decibels = 20.0 * torch.log10(mel.clamp_min(AMPLITUDE_FLOOR))
    return decibels.clamp(params.db_min, params.db_max)
