"""Where a band stands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sonoriff_composer.electronic.mixer import seated, wet_sides
from sonoriff_composer.score import seeded
from sonoriff_composer.stage import Seat, seats

ROLES = ("drums", "bass", "lead", "chords", "pad", "arpeggio", "chords")


@pytest.mark.parametrize("seed", range(20))
def test_low_and_loud_is_in_the_middle_and_others_in_turn(seed: int) -> None:
    stage = seats(ROLES, seeded("stage", seed))
    assert stage[0].pan == stage[1].pan == 0.0
    assert stage[1].width == 0.0
    others = [seat.pan for seat in stage[2:]]
    assert all(a * b < 0 for a, b in pairwise(others))
    assert max(map(abs, others)) <= 0.7
    assert stage == seats(ROLES, seeded("stage", seed))


def test_the_mean_of_both_sides_is_the_sound_itself() -> None:
    sound = np.random.default_rng(1).standard_normal(44_100).astype(np.float32)
    both = seated(sound, Seat(0.4, 0.5))
    np.testing.assert_allclose(both.mean(axis=0), sound, atol=1e-5)
    left, right = (float(np.mean(side**2)) for side in both)
    assert right > 2 * left
    np.testing.assert_array_equal(*seated(sound, Seat()))


def test_a_room_has_two_sides() -> None:
    stroke = np.zeros(22_050, np.float32)
    stroke[100] = 1.0
    left, right = wet_sides(stroke, 0.5, np.random.default_rng(2))
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.3
    assert np.abs(left[:100]).max() < 1e-4
