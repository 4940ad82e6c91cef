"""The last step of a song."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.audio.limiter import true_peak
from sonoriff.audio.loudness import loudness_lufs
from sonoriff.errors import ParameterError
from sonoriff.songs.mastering import mastered

RATE = 44_100


def bursts(crest: float) -> np.ndarray:
    """Noise with a stroke each second, `crest` times as high."""
    sound = np.random.default_rng(0).normal(size=(1, 8 * RATE)).astype(np.float32) * 0.02
    for second in range(8):
        sound[:, second * RATE + 100 : second * RATE + 300] *= crest
    return sound


def test_the_loudness_is_met_and_peaks_stay_below_the_limit() -> None:
    made = mastered(bursts(5.0), RATE, -18.0)
    assert loudness_lufs(made, RATE) == pytest.approx(-18.0, abs=0.3)
    assert true_peak(made) <= 10 ** (-1 / 20) * 1.01


def test_what_is_very_peaky_comes_out_softer_rather_than_crushed() -> None:
    made = mastered(bursts(40.0), RATE, -10.0)
    assert loudness_lufs(made, RATE) < -11.0
    assert true_peak(made) <= 10 ** (-1 / 20) * 1.01


def test_silence_stays_and_nonsense_is_refused() -> None:
    silence = np.zeros((1, RATE), np.float32)
    np.testing.assert_array_equal(mastered(silence, RATE), silence)
    with pytest.raises(ParameterError, match=r"in \[-70, 0\] LUFS, got 3"):
        mastered(silence, RATE, 3.0)
