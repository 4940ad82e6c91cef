"""The limiter: no peak above the limit, also between samples, and nothing changed elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoriff.audio.limiter import limited, true_peak
from sonoriff.errors import ParameterError

RATE = 44_100
LIMIT = 10 ** (-1 / 20)


def test_a_peak_between_two_samples_is_seen() -> None:
    """A tone of a quarter of the rate, sampled at 45 degrees, is 3 dB higher than its samples."""
    tone = np.sin(np.pi / 2 * np.arange(4096) + np.pi / 4).astype(np.float32)[None]
    tone *= np.hanning(4096).astype(np.float32)
    assert np.abs(tone).max() == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert true_peak(tone) == pytest.approx(1.0, abs=0.01)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.1, 4.0), st.integers(1, 2), st.integers(1, 60_000))
def test_no_true_peak_passes_the_limit(seed: int, level: float, channels: int, count: int) -> None:
    noise = np.random.default_rng(seed).normal(size=(channels, count)).astype(np.float32)
    made = limited(level * noise, RATE)
    assert made.shape == noise.shape
    assert true_peak(made) <= LIMIT * 1.01
    assert np.abs(made).max() <= LIMIT


def test_soft_sound_is_left_alone_and_channels_share_the_gain() -> None:
    t = np.arange(2 * RATE) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 220 * t).astype(np.float32)
    sound = np.stack([tone, 0.5 * tone])
    np.testing.assert_array_equal(limited(sound, RATE), sound)
    loud = sound.copy()
    loud[0, RATE : RATE + 200] *= 4
    made = limited(loud, RATE)
    np.testing.assert_array_equal(made[:, : RATE - 3000], loud[:, : RATE - 3000])
    np.testing.assert_array_equal(made[:, RATE + 3200 :], loud[:, RATE + 3200 :])
    ratio = made[:, RATE : RATE + 200] / np.where(loud == 0, 1, loud)[:, RATE : RATE + 200]
    np.testing.assert_allclose(ratio[0, 1:], ratio[1, 1:], rtol=1e-5)


def test_the_gain_is_the_same_wherever_a_block_ends() -> None:
    """Twelve seconds are two blocks; the second one's peak reaches back into the first."""
    rng = np.random.default_rng(3)
    sound = 0.1 * rng.normal(size=(1, 12 * RATE)).astype(np.float32)
    sound[:, 10 * RATE - 500 : 10 * RATE + 500] *= 12
    whole = limited(sound, RATE)
    part = limited(sound[:, 8 * RATE :], RATE)
    np.testing.assert_allclose(whole[:, 9 * RATE :], part[:, RATE:], atol=1e-6)


def test_what_is_no_sound_is_refused() -> None:
    with pytest.raises(ParameterError):
        limited(np.full((1, 4), np.nan, np.float32), RATE)
