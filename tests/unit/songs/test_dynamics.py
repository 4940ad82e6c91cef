"""Levels of sections, on pictures of noise."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from sonoriff.analysis.energy import energy_of_picture
from sonoriff.songs.dynamics import gain_curve_db, level_sections, make_louder, section_gains_db
from sonoriff.songs.plan import Section, Song
from sonoriff.sonogram.params import HIFI, RIFFUSION_V1

FPS = HIFI.frames_per_second
A = Section(name="A", bars=2, energy=(2.0, 2.0))
B = Section(name="B", bars=2, energy=(5.0, 5.0))
C = Section(name="C", bars=2, energy=(3.0, 1.0))
SONG = Song(sections=(A, B, C), bpm=120.0)
BOUNDS = [round(i * 4 * FPS) for i in range(4)]


def noise(level_db: float = -40.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (level_db + 6 * rng.normal(size=(1, 256, BOUNDS[-1]))).astype(np.float32)


def test_what_was_painted_too_calm_becomes_louder() -> None:
    """All sections are alike, so their levels make all of the difference."""
    first, second, last = section_gains_db(noise(), HIFI, SONG, BOUNDS)
    assert first is not None
    assert second is not None
    assert last is not None
    assert first == (-4.0, -4.0), "the first section is the measure"
    assert second[0] == pytest.approx(2.0 + 6.0, abs=0.2), "6 dB is the most that is made up for"
    assert last[0] - last[1] == pytest.approx(4.0)
    values = noise(-62.0)
    level_sections(values, HIFI, SONG)
    made = values[0]
    energies = [energy_of_picture(made[:, a + 60 : b - 180]) for a, b in itertools.pairwise(BOUNDS)]
    assert energies[1] > energies[0] + 0.5
    assert energies[2] < energies[1]


def test_an_edit_changes_no_level_elsewhere() -> None:
    values, song = noise(), replace(SONG, sections=(A, replace(B, energy=(2.0, 3.0)), C))
    before = section_gains_db(values, HIFI, song, BOUNDS)
    values[..., BOUNDS[1] : BOUNDS[2]] -= 2.0
    after = section_gains_db(values, HIFI, song, BOUNDS)
    assert (before[0], before[2]) == (after[0], after[2])
    assert before[1] != after[1]


def test_a_section_without_energy_keeps_its_level() -> None:
    song = replace(SONG, sections=(replace(A, energy=None), B))
    gains = section_gains_db(noise(), HIFI, song, BOUNDS[:3])
    assert gains[0] is None
    assert gains[1] == (2.0, 2.0)


def test_the_gain_rises_before_a_line_and_falls_after_it() -> None:
    curve = gain_curve_db([(-4.0, -4.0), (2.0, 2.0), (-2.0, -4.0)], [0, 400, 800, 1200], 200.0)
    assert curve[0] == -4
    assert curve[200] == pytest.approx(-4)
    assert -4 < curve[300] < 0
    assert curve[399] == pytest.approx(2)
    assert np.abs(np.diff(curve)).max() < 0.2
    assert curve[799] == 2
    assert curve[800] == pytest.approx(2)
    assert curve[825] == pytest.approx(-2, abs=0.2)
    assert curve[-1] == -4


@pytest.mark.parametrize("params", [HIFI, RIFFUSION_V1])
def test_a_gain_is_that_of_the_sound(params: object) -> None:
    assert params in (HIFI, RIFFUSION_V1)
    chosen = HIFI if params is HIFI else RIFFUSION_V1
    values = np.full((1, chosen.n_mels, 4), -30.0 if chosen is HIFI else 2.0, np.float32)
    values[0, 0] = chosen.db_min if chosen is HIFI else 0.0
    made = values.copy()
    make_louder(made, chosen, np.array([0.0, -6.0, 6.0, -500.0], np.float32))
    if chosen is HIFI:
        np.testing.assert_allclose(made[0, 1], [-30, -36, -24, HIFI.db_min])
    else:
        np.testing.assert_allclose(made[0, 1], 2.0 * 10 ** (np.array([0, -6, 6, -500]) / 20))
    np.testing.assert_array_equal(made[0, 0], values[0, 0])


def test_the_last_bar_fades() -> None:
    made = noise()
    level_sections(made, HIFI, replace(SONG, sections=(replace(A, energy=None),)))
    bar = round(2 * FPS)
    np.testing.assert_array_equal(made[..., : -bar - 1], noise()[..., : -bar - 1])
    assert made[..., -1].mean() < made[..., -bar].mean() - 30
