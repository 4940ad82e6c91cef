"""Loops as circles: their join, and their columns at another length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sonoriff.pipeline.circular import circle_resampled
from sonoriff.sonogram import HIFI, Sonogram
from sonoriff.sonogram.codec import encode


def test_the_join_of_a_loop_is_like_any_other_place() -> None:
    from sonoriff.pipeline.circular import decode_loop

    n_frames = 128
    rng = np.random.default_rng(0)
    levels = (
        -40 + 6 * np.sin(2 * np.pi * np.arange(n_frames) / n_frames) + rng.normal(0, 1, (256, 1))
    )
    sonogram = Sonogram(levels[None].astype(np.float32), HIFI)
    waveform = decode_loop(sonogram, n_frames * HIFI.hop_length)[0]
    steps = np.abs(np.diff(np.concatenate([waveform, waveform[:1]])))
    assert steps[-1] < 6 * steps.std()
    turned = np.roll(waveform, len(waveform) // 2)
    again = encode(turned[None], HIFI.sample_rate).values[0]
    middle = slice(n_frames // 2 - 3, n_frames // 2 + 3)
    expected = np.roll(levels, n_frames // 2, axis=1)
    inner = slice(20, 200)
    at_join = np.abs(again[inner, middle] - expected[inner, middle]).mean()
    elsewhere = np.abs(again[inner, 20:44] - expected[inner, 20:44]).mean()
    assert at_join < 1.5 * elsewhere + 0.5


@pytest.mark.parametrize("length", [7, 8, 9])
@pytest.mark.parametrize("n", [13, 14])
def test_a_circle_keeps_every_frequency_that_it_holds(length: int, n: int) -> None:
    for waves in range((length + 1) // 2):
        turn = np.cos(2 * np.pi * waves * np.arange(length) / length + 0.3).astype(np.float32)
        wanted = np.cos(2 * np.pi * waves * np.arange(n) / n + 0.3)
        np.testing.assert_allclose(circle_resampled(turn, n), wanted, atol=1e-5)


def test_onsets_of_a_loop_stay_as_sharp_at_another_length() -> None:
    def strokes(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        return np.exp(-((places % 81 - 40.0) ** 2) / 8.0).astype(np.float32)

    shorter = circle_resampled(strokes(np.arange(648.0))[None], 646)[0]
    truth = strokes(np.arange(646) * (648 / 646))
    # Straight lines between columns would be 0.03 off.
    np.testing.assert_allclose(shorter, truth, atol=1e-4)
