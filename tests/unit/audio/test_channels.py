"""Downmixes."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.audio import to_mono, to_stereo, with_channels
from sonoriff.errors import ParameterError


def test_mono_is_the_mean_of_two() -> None:
    waveform = np.array([[1.0, 0.5], [0.0, -0.5]], np.float32)
    np.testing.assert_array_equal(to_mono(waveform), [[0.5, 0.0]])


def test_one_channel_goes_to_both_sides() -> None:
    waveform = np.array([[0.25, -1.0]], np.float32)
    np.testing.assert_array_equal(to_stereo(waveform), np.repeat(waveform, 2, axis=0))


@pytest.mark.parametrize(
    ("n_channels", "left", "right"),
    [
        (6, [1.0, 0.0, 0.7071, 0.0, 0.7071, 0.0], [0.0, 1.0, 0.7071, 0.0, 0.0, 0.7071]),
        (
            8,
            [1.0, 0.0, 0.7071, 0.0, 0.7071, 0.0, 0.7071, 0.0],
            [0.0, 1.0, 0.7071, 0.0, 0.0, 0.7071, 0.0, 0.7071],
        ),
    ],
)
def test_surround_is_mixed_as_bs775_says(
    n_channels: int, left: list[float], right: list[float]
) -> None:
    mixed = to_stereo(np.eye(n_channels, dtype=np.float32))
    expected = np.array([left, right]) / sum(left)
    np.testing.assert_allclose(mixed, expected, atol=1e-4)


def test_full_scale_surround_does_not_clip() -> None:
    assert np.abs(to_stereo(np.ones((8, 3), np.float32))).max() == pytest.approx(1.0)


def test_an_unknown_layout_is_averaged() -> None:
    waveform = np.array([[3.0], [0.0], [0.0]], np.float32)
    np.testing.assert_array_equal(to_stereo(waveform), [[1.0], [1.0]])


def test_with_channels_knows_one_and_two() -> None:
    waveform = np.zeros((5, 4), np.float32)
    assert with_channels(waveform, 1).shape == (1, 4)
    assert with_channels(waveform, 2).shape == (2, 4)
    with pytest.raises(ParameterError, match="1 or 2"):
        with_channels(waveform, 3)


@pytest.mark.parametrize(
    ("waveform", "reason"),
    [
        (np.zeros((0, 5), np.float32), "shape"),
        (np.zeros((1, 0), np.float32), "shape"),
        (np.zeros(5, np.float32), "shape"),
        (np.zeros((1, 5), np.int16), "floats"),
        (np.array([[0.0, np.nan]], np.float32), "NaN"),
        (np.array([[np.inf, -np.inf]], np.float32), "NaN"),
    ],
)
def test_what_is_no_waveform_is_refused(waveform: np.ndarray, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        to_mono(waveform)
