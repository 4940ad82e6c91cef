"""Level, silence and near copies of clips."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from sonoriff.audio.loudness import level_lufs
from sonoriff.corpus.windows import (
    CLIP_SAMPLES,
    SAMPLE_RATE,
    fingerprint,
    is_copy,
    is_hollow,
    levelled,
)

RNG = np.random.default_rng(0)
NOISE = (RNG.standard_normal(CLIP_SAMPLES) * 0.1).astype(np.float32)
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(CLIP_SAMPLES) / 44_100)).astype(np.float32)


@pytest.mark.parametrize("wave", [NOISE, TONE], ids=["noise", "tone"])
def test_loudness_agrees_with_pyloudnorm(wave: np.ndarray) -> None:
    theirs = pyloudnorm.Meter(44_100).integrated_loudness(wave.astype(np.float64))
    assert level_lufs(wave, SAMPLE_RATE) == pytest.approx(theirs, abs=0.1)


def test_level_is_reached_without_clipping() -> None:
    out = levelled(NOISE, -18.0)
    assert out is not None
    assert level_lufs(out, SAMPLE_RATE) == pytest.approx(-18.0, abs=0.05)
    clicks = np.zeros(CLIP_SAMPLES, np.float32)
    clicks[::5000] = 0.2
    out = levelled(clicks, -12.0)
    assert out is not None
    assert np.abs(out).max() <= 0.9701


def test_silence_has_no_level_and_is_hollow() -> None:
    silent = np.zeros(CLIP_SAMPLES, np.float32)
    assert levelled(silent) is None
    late = silent.copy()
    late[-CLIP_SAMPLES // 4 :] = NOISE[: CLIP_SAMPLES // 4]
    assert is_hollow(late)
    assert not is_hollow(NOISE)


def test_copies_are_found_at_any_level_and_others_are_not() -> None:
    from sonoriff.corpus.importer import small_print

    marks = [fingerprint(TONE)]
    assert is_copy(fingerprint(TONE * np.float32(0.5)), marks)
    assert not is_copy(fingerprint(NOISE), marks)
    assert float(small_print(TONE) @ small_print(TONE * np.float32(0.3))) > 0.999
    assert small_print(TONE).shape == (240,)
