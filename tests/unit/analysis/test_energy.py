"""Energy rises with what sounds and with what begins."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.analysis.energy import STEPS, energy_of_picture, step_of_energy


def picture(share: float, strokes: int) -> np.ndarray:
    """dB: a share of the rows sounds, with so many strokes in six seconds."""
    out = np.full((256, 512), -90.0)
    out[: round(256 * share)] = -40.0
    for column in np.linspace(4, 500, strokes).astype(int):
        out[:, column : column + 6] = -25.0
    return out


def test_silence_is_the_calmest_and_a_wall_of_strokes_the_fullest() -> None:
    silent = energy_of_picture(np.full((256, 512), -100.0))
    assert silent == pytest.approx(-0.479 / 0.160 - 1.506 / 0.573)
    assert step_of_energy(silent) == 1
    assert step_of_energy(energy_of_picture(picture(0.9, 60))) == STEPS


def test_more_rows_and_more_strokes_are_more_energy() -> None:
    assert energy_of_picture(picture(0.3, 8)) < energy_of_picture(picture(0.6, 8))
    assert energy_of_picture(picture(0.3, 8)) < energy_of_picture(picture(0.3, 24))


def test_steps_go_from_one_to_five() -> None:
    steps = [step_of_energy(e) for e in np.linspace(-6, 6, 200)]
    assert steps == sorted(steps)
    assert set(steps) == {1, 2, 3, 4, 5}


def test_one_column_is_energy_enough_to_measure() -> None:
    assert np.isfinite(energy_of_picture(np.full((256, 1), -30.0)))
