"""Strokes where sections meet, on a picture that is struck in every bar."""

from __future__ import annotations

import numpy as np

from sonoriff.songs.joins import soften_joins
from sonoriff.songs.plan import Section, Song
from sonoriff.sonogram.params import HIFI, RIFFUSION_V1

SONG = Song(sections=(Section(name="A", bars=4), Section(name="B", bars=4)), bpm=120.0)
BAR = 2 * HIFI.frames_per_second
LINE = round(4 * BAR)


def struck(strokes_db: dict[int, float]) -> np.ndarray:
    """Three channels; each bar rises by 6 dB or as much as is said, and decays."""
    values = np.full((3, 64, round(8 * BAR)), -60.0, np.float32)
    for bar in range(8):
        first, last = round(bar * BAR), round((bar + 1) * BAR)
        course = strokes_db.get(bar, 6.0) * np.exp(-np.arange(last - first) / 40.0)
        values[..., first:last] += course.astype(np.float32)
    return values


def greatest_rise(values: np.ndarray, line: int) -> float:
    return float(np.diff(values[-1, 0, line - 4 : line + 4]).max())


def test_a_join_rises_as_the_other_bars_do_and_comes_as_far() -> None:
    values = struck({4: 24.0})
    before = values.copy()
    soften_joins(values, HIFI, SONG)
    assert greatest_rise(before, LINE) > 20
    assert 5.0 < greatest_rise(values, LINE) < 7.0
    changed = np.flatnonzero((values != before).any(axis=(0, 1)))
    assert changed[0] >= LINE
    assert changed[-1] < LINE + 20
    np.testing.assert_array_equal(values[0], values[2])


def test_what_rises_no_more_than_the_others_is_let_alone() -> None:
    values = struck({2: 24.0})
    before = values.copy()
    soften_joins(values, HIFI, SONG)
    np.testing.assert_array_equal(values, before)


def test_short_songs_and_amplitudes_are_let_alone() -> None:
    values = struck({4: 24.0})
    before = values.copy()
    soften_joins(values, RIFFUSION_V1, SONG)
    few = (Section(name="A", bars=4), Section(name="B", bars=1))
    soften_joins(values, HIFI, Song(sections=few, bpm=120.0))
    np.testing.assert_array_equal(values, before)
