"""Beats found where there are some, and cuts made on them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sonoriff.analysis.beats import find_beats
from sonoriff.corpus.slicing import cuts_in, find_cuts, repeated, sections, spread
from sonoriff.corpus.windows import CLIP_SAMPLES, SAMPLE_RATE


def clicks(bpm: float, seconds: float) -> np.ndarray:
    """A drum on every beat, lower and louder on every fourth."""
    rng = np.random.default_rng(1)
    out = (rng.standard_normal(round(seconds * SAMPLE_RATE)) * 0.001).astype(np.float32)
    t = np.arange(4_000) / SAMPLE_RATE
    for beat in range(int(seconds * bpm / 60)):
        at = round(beat * 60 / bpm * SAMPLE_RATE)
        hit = np.exp(-t / 0.02) * np.sin(2 * np.pi * (60 if beat % 4 == 0 else 900) * t)
        hit *= 0.8 if beat % 4 == 0 else 0.4
        out[at : at + 4_000] += hit[: len(out) - at].astype(np.float32)
    return out


@pytest.mark.parametrize("bpm", [84.0, 100.0, 128.0, 140.0])
def test_tempo_and_bars_of_a_steady_drum(bpm: float) -> None:
    beats = find_beats(clicks(bpm, 20))
    assert beats.found
    assert beats.bpm == pytest.approx(bpm, rel=0.01)
    bar = 4 * 60 / bpm
    errors = [min(t % bar, bar - t % bar) for t in beats.bars_s[1:-1]]
    assert np.median(errors) < 0.03


def test_noise_silence_and_short_sound_have_no_beat() -> None:
    rng = np.random.default_rng(2)
    assert not find_beats((rng.standard_normal(SAMPLE_RATE * 20) * 0.1).astype(np.float32)).found
    assert find_beats(np.zeros(SAMPLE_RATE * 10, np.float32)).bpm == 0
    assert find_beats(np.ones(100, np.float32)).beats_s == ()


def test_cuts_lie_on_bars_and_never_overlap() -> None:
    wave = clicks(120.0, 40)
    cuts = find_cuts(wave)
    assert len(cuts) >= 4
    assert all(c.on_bar and c.bpm == pytest.approx(120, rel=0.01) for c in cuts)
    assert all(abs(c.start / SAMPLE_RATE % 2.0 - 1.0) > 0.95 for c in cuts)
    assert all(b.start - a.start >= CLIP_SAMPLES for a, b in pairwise(cuts))
    assert cuts[-1].start + CLIP_SAMPLES <= len(wave)


def test_without_a_beat_cuts_are_even_and_the_most_is_kept() -> None:
    rng = np.random.default_rng(3)
    wave = (rng.standard_normal(CLIP_SAMPLES * 7 + 999) * 0.1).astype(np.float32)
    beats = find_beats(wave)
    cuts = cuts_in(0, len(wave), beats)
    assert len(cuts) == 7
    assert all(c.bpm is None for c in cuts)
    assert [c.start for c in spread(cuts, 3)] == [cuts[0].start, cuts[3].start, cuts[6].start]
    assert find_cuts(wave[: CLIP_SAMPLES - 1]) == []


def test_long_sound_is_cut_in_sections_and_short_sound_repeated() -> None:
    assert sections(np.zeros(SAMPLE_RATE * 150, np.float32))[-1][1] == SAMPLE_RATE * 150
    assert len(sections(np.zeros(SAMPLE_RATE * 150, np.float32))) in (2, 3)
    short = repeated(np.array([1, 2, 3], np.float32))
    assert len(short) == CLIP_SAMPLES
    assert short[:5].tolist() == [1, 2, 3, 1, 2]
