"""Riffs keep their bars at any tempo."""

import numpy as np
import pytest

from sonoriff.stream.position import Bars
from sonoriff.stream.riff import Riff

RATE, HOP, CELL = 44100, 512, 4096


@pytest.mark.parametrize("bpm", [30.0, 61.7, 90.0, 120.0, 133.3, 300.0])
@pytest.mark.parametrize("n_bars", [None, 1, 4])
def test_passes_follow_the_beat_without_drift(bpm: float, n_bars: int | None) -> None:
    origin = 3 * CELL
    riff = Riff.begun(Bars(bpm, origin, RATE), HOP, n_bars, 47 * CELL)
    assert riff.unit_beats * 60 / bpm * RATE <= 47 * CELL
    cell, passes = 3, 0
    bar_samples = 240 / bpm * RATE
    while passes < 5:
        if riff.place == 0:
            beats = riff.n_units * riff.unit_beats * passes
            exact = origin + beats * bar_samples / 4
            assert abs(riff.first_frame * HOP - exact) <= HOP / 2
            passes += 1
        end = round(riff.unit_end / CELL)
        # Column numbers as picture: whatever is recorded says where it came from.
        first = max(0, cell - 4) * 8
        picture = np.arange(first, (end + 1) * 8, dtype=np.float32)[None, None, None]
        riff, cell = riff.played(picture, first), end
    assert riff.n_units * riff.unit_beats == 4 * (n_bars or max(1, riff.unit_beats // 4))


def test_the_guide_is_the_first_pass_laid_end_to_end() -> None:
    riff = Riff.begun(Bars(100.0, 0, RATE), HOP, 1, 47 * CELL)
    end = round(riff.unit_end / CELL)
    riff = riff.played(np.arange((end + 1) * 8, dtype=np.float32)[None, None, None], 0)
    length = riff.first_frame
    assert length == round(2.4 * RATE / HOP)
    guide = riff.guide(length - 3, 2 * length + 2)
    assert guide is not None
    places = guide.flatten().tolist()
    assert places[:3] == [length - 3, length - 2, length - 1]
    assert places[3 : 3 + length] == list(range(length))
    assert places[3 + length :] == [0, 1]


def test_a_renewed_riff_is_the_one_last_played() -> None:
    from dataclasses import replace

    riff = Riff.begun(Bars(100.0, 0, RATE), HOP, 1, 47 * CELL)
    for value in (1.0, 2.0):
        cells = round(riff.unit_end / CELL) + 1
        riff = riff.played(np.full((1, 1, 1, cells * 8), value, np.float32), 0)
    assert riff.picture is not None
    assert set(riff.picture.flatten().tolist()) == {1.0}
    cells = round(riff.unit_end / CELL) + 1
    riff = replace(riff, renewing=True).played(np.full((1, 1, 1, cells * 8), 3.0, np.float32), 0)
    assert riff.picture is not None
    assert set(riff.picture.flatten().tolist()) == {3.0}
    assert not riff.renewing
