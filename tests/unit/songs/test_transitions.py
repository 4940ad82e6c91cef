"""Risers and fills, on an even picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sonoriff.songs.plan import Section, Song
from sonoriff.songs.transitions import add_transitions
from sonoriff.sonogram.filter_bank import row_frequencies
from sonoriff.sonogram.params import HIFI, RIFFUSION_V1, SonogramParams

BAR = round(2 * HIFI.frames_per_second)


def song(transition: str, bars: int = 1) -> Song:
    first = Section(name="A", bars=2, transition=transition, transition_bars=bars)
    return Song(sections=(first, Section(name="B", bars=2, transition=transition)), bpm=120.0)


def even(params: SonogramParams = HIFI) -> np.ndarray:
    frames = round(8 * params.frames_per_second)
    return np.full((1, params.n_mels, frames), -40.0 if params is HIFI else 0.1, np.float32)


def painted(plan: Song, params: SonogramParams = HIFI) -> np.ndarray:
    values = even(params)
    add_transitions(values, params, plan)
    return values


@pytest.mark.parametrize("transition", ["cut", "crossfade"])
def test_other_transitions_paint_nothing(transition: str) -> None:
    np.testing.assert_array_equal(painted(song(transition)), even())


@pytest.mark.parametrize(("transition", "width"), [("riser", 2 * BAR), ("fill", BAR // 2)])
@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
def test_only_the_bars_before_the_line_change(
    transition: str, width: int, params: SonogramParams
) -> None:
    made = painted(song(transition, 2), params)
    rate = params.frames_per_second / HIFI.frames_per_second
    line, first = round(2 * BAR * rate), round((2 * BAR - width) * rate)
    plain = even(params)
    np.testing.assert_array_equal(made[..., : max(0, first - 1)], plain[..., : max(0, first - 1)])
    np.testing.assert_array_equal(made[..., line + 1 :], plain[..., line + 1 :])
    assert (made >= plain - 1e-5).all()
    assert made[..., line - 10 : line].mean() > plain.mean()


def test_a_riser_climbs_and_grows() -> None:
    made = painted(song("riser", 2))[0, :, : 2 * BAR]
    power = 10 ** (made / 10) - 1e-4
    hz = np.log2(np.maximum(row_frequencies(HIFI), 1))

    def middle(first: int) -> float:
        part = power[:, first : first + BAR // 4].sum(axis=1)
        return float((part * hz).sum() / part.sum())

    places = [middle(i * BAR // 4) for i in range(1, 8)]
    assert (np.diff(places) > 0).all()
    assert power[:, -BAR // 4 :].sum() > 10 * power[:, : BAR // 4].sum()


def test_a_fill_has_eight_strokes() -> None:
    made = painted(song("fill"))[0, :, 2 * BAR - BAR // 2 : 2 * BAR]
    level = (10 ** (made / 10)).sum(axis=0)
    # Ends of strokes against their beginnings, on the grid of sixteenths.
    step = BAR / 16
    starts, ends = ([level[round(i * step) + d] for i in range(8)] for d in (2, round(step) - 3))
    assert (np.array(starts) > np.array(ends)).all()
    assert starts[-1] > starts[0]


def test_the_same_seed_paints_the_same() -> None:
    a, b = (painted(song("riser")) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    other = painted(replace(song("riser"), seed=5))
    assert not np.array_equal(a, other)
