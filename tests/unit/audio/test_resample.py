"""Sample rates."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.audio import resample
from sonoriff.errors import ParameterError


def _sine(frequency_hz: float, sample_rate: int, n_samples: int) -> np.ndarray:
    time_s = np.arange(n_samples) / sample_rate
    return (0.5 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)[None]


@pytest.mark.parametrize(("from_rate", "to_rate"), [(48000, 44100), (22050, 44100), (44100, 48000)])
def test_a_sine_stays_the_same_sine(from_rate: int, to_rate: int) -> None:
    result = resample(_sine(1000.0, from_rate, from_rate), from_rate, to_rate, quality="VHQ")
    expected = _sine(1000.0, to_rate, to_rate)
    inner = slice(2000, -2000)  # the filter rings where the sine begins and ends
    assert np.abs(result[:, inner] - expected[:, inner]).max() < 1e-5


def test_what_the_new_rate_cannot_hold_is_gone() -> None:
    result = resample(_sine(15000.0, 44100, 44100), 44100, 22050)
    assert np.abs(result[:, 1000:-1000]).max() < 1e-4


@pytest.mark.parametrize("n_samples", [1, 2, 3, 100])
@pytest.mark.parametrize(("from_rate", "to_rate"), [(48000, 8000), (8000, 48000), (44100, 48000)])
def test_the_length_is_rounded_and_never_nothing(
    n_samples: int, from_rate: int, to_rate: int
) -> None:
    result = resample(np.ones((2, n_samples), np.float32), from_rate, to_rate)
    assert result.shape == (2, max(1, round(n_samples * to_rate / from_rate)))
    assert result.dtype == np.float32


def test_the_same_rate_gives_the_same_samples() -> None:
    waveform = _sine(440.0, 44100, 10)
    assert resample(waveform, 44100, 44100) is waveform


@pytest.mark.parametrize("rate", [0, -1, 44100.5, True, 10**9])
def test_an_impossible_rate_is_refused(rate: object) -> None:
    with pytest.raises(ParameterError, match="sample_rate"):
        resample(np.zeros((1, 4), np.float32), 44100, rate)  # type: ignore[arg-type]
