"""Loudness after ITU-R BS.1770."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sonoriff.audio import loudness_lufs, set_loudness, turned_down
from sonoriff.errors import ParameterError

RATE = 48000


def _sine(amplitude: float, duration_s: float, frequency_hz: float = 997.0) -> np.ndarray:
    time_s = np.arange(round(duration_s * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)[None]


def test_the_standards_own_example() -> None:
    """BS.1770: a 0 dBFS sine at 997 Hz in one channel measures -3.01 LUFS.

    The tolerance is that of EBU Tech 3341, 0.1 LU.
    """
    assert loudness_lufs(_sine(1.0, 5.0), RATE) == pytest.approx(-3.01, abs=0.1)


def test_two_channels_are_three_decibels_louder() -> None:
    mono = _sine(0.1, 2.0)
    both = np.repeat(mono, 2, axis=0)
    assert loudness_lufs(both, RATE) - loudness_lufs(mono, RATE) == pytest.approx(3.01, abs=0.01)


@pytest.mark.parametrize("duration_s", [0.02, 0.1, 0.3, 0.39999, 0.4])
def test_a_clip_shorter_than_the_block_is_measured(duration_s: float) -> None:
    assert loudness_lufs(_sine(0.5, duration_s), RATE) == pytest.approx(-9.03, abs=0.5)


@pytest.mark.parametrize("n_samples", [1, 2, 19199, 19200, 19201])
def test_no_length_is_too_odd(n_samples: int) -> None:
    waveform = np.full((1, n_samples), 0.5, np.float32)
    assert isinstance(loudness_lufs(waveform, RATE), float)


@pytest.mark.parametrize("level", [0.0, 1e-6])
@pytest.mark.parametrize("n_samples", [1, 100, 48000])
def test_silence_and_sound_below_the_gate_have_no_loudness(level: float, n_samples: int) -> None:
    waveform = np.full((2, n_samples), level, np.float32)
    assert loudness_lufs(waveform, RATE) == -math.inf


def test_surround_is_measured_as_it_is_heard_in_stereo() -> None:
    assert math.isfinite(loudness_lufs(np.repeat(_sine(0.5, 1.0), 8, axis=0), RATE))


def test_setting_reaches_the_target() -> None:
    louder = set_loudness(_sine(0.01, 2.0), RATE, -14.0)
    assert loudness_lufs(louder, RATE) == pytest.approx(-14.0, abs=0.01)


def test_peaky_sound_is_not_clipped() -> None:
    """Defect of Riffusion: its post-filter clips where the crest factor is over 12 dB."""
    waveform = _sine(0.05, 2.0)
    waveform[0, 1000::24000] = 0.9
    result = set_loudness(waveform, RATE, -6.0)
    assert np.abs(result).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)
    # One gain for all: the shape is what it was.
    np.testing.assert_allclose(result / np.abs(result).max(), waveform / 0.9, atol=1e-5)


def test_only_what_passes_full_scale_is_turned_down() -> None:
    loud = 3.0 * _sine(1.0, 0.1)
    np.testing.assert_allclose(turned_down(loud), loud / 3.0 * 10 ** (-1 / 20), rtol=1e-4)
    quiet = _sine(0.99, 0.1)
    assert turned_down(quiet) is quiet


def test_silence_stays_silence() -> None:
    """Defect of Riffusion: silent sound divides by zero."""
    silence = np.zeros((1, 1000), np.float32)
    np.testing.assert_array_equal(set_loudness(silence, RATE, -14.0), silence)


@pytest.mark.parametrize("target_lufs", [1.0, -71.0, math.nan])
def test_an_impossible_target_is_refused(target_lufs: float) -> None:
    with pytest.raises(ParameterError, match="target_lufs"):
        set_loudness(_sine(0.1, 1.0), RATE, target_lufs)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_long_sound_is_measured_in_chunks_as_pyloudnorm_does_at_once(channels: int) -> None:
    from pyloudnorm import Meter

    rng = np.random.default_rng(0)
    length = int(61.3 * RATE)
    # Blocks far apart in level, so that both gates have something to leave out.
    levels = np.repeat(rng.choice([1e-5, 0.01, 0.3], length // 4410 + 1), 4410)[:length]
    noise = (0.3 * levels * rng.normal(size=(channels, length))).astype(np.float32)
    expected = Meter(RATE).integrated_loudness(noise.T.astype(np.float64))
    assert loudness_lufs(noise, RATE) == pytest.approx(expected, abs=1e-3)
    assert loudness_lufs(np.float32(1e-6) * noise, RATE) == -np.inf
