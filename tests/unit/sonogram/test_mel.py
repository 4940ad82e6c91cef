"""A long sound is transformed in blocks of columns, which must not show."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sonoriff.sonogram import HIFI, RIFFUSION_V1, SonogramParams
from sonoriff.sonogram.filter_bank import mel_filter_bank
from sonoriff.sonogram.mel import mel_from_waveform

SMALL = {"hop_length": 32, "win_length": 128, "n_fft": 256, "n_mels": 8}


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
@pytest.mark.parametrize("n_frames", [127, 128, 129, 500])
def test_blocks_join_without_a_seam(params: SonogramParams, n_frames: int) -> None:
    small = dataclasses.replace(params, **SMALL)
    waveform = np.random.default_rng(1).standard_normal((1, n_frames * 32), np.float32) / 10
    mel = mel_from_waveform(waveform, small)
    assert mel.shape == (1, 8, n_frames)
    # One column a time, by the definition.
    left = small.n_fft // 2 if small.scale == "power" else (small.n_fft - 32) // 2
    window = np.zeros(small.n_fft)
    window[64:192] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 128)
    padded = np.pad(waveform[0].astype(np.float64), left, mode="reflect")
    for column in (60, 110, 126, 127, 128, 140, 255, 256, 400):
        if column >= n_frames - 8:
            continue
        frame = padded[column * 32 : column * 32 + small.n_fft] * window
        expected = mel_filter_bank(small) @ np.abs(np.fft.rfft(frame))
        if small.scale == "log":
            expected = 20 * np.log10(expected * 4 / 128)
        np.testing.assert_allclose(mel[0, :, column], expected, rtol=1e-4, atol=1e-3)
