"""Keys that were asked for, and harmonics."""

import numpy as np
import pytest

from sonoriff.analysis.key import Key
from sonoriff.evaluation.judges.harmony import key_score, line_sharpness
from sonoriff.sonogram import encode
from sounds import MAJOR_CADENCE, RATE, cadence

A_MINOR = Key(9, True, correlation=1.0, margin=0.1)


@pytest.mark.parametrize(
    ("tonic", "minor", "score"),
    [
        (2, True, 1.0),  # D minor
        (9, True, 0.5),  # A minor, a fifth up
        (7, True, 0.5),  # G minor, a fifth down
        (5, False, 0.3),  # F major, the relative
        (2, False, 0.2),  # D major, the parallel
        (8, False, 0.0),
        (4, True, 0.0),
    ],
)
def test_scores_of_near_keys(tonic: int, minor: bool, score: float) -> None:
    assert key_score(Key(tonic, minor, 1.0, 0.0), 2, True) == score


def test_the_relative_counts_from_either_side() -> None:
    assert key_score(A_MINOR, 0, False) == 0.3  # A minor for C major
    assert key_score(A_MINOR, 9, None) == 1.0


def test_thin_lines_stand_out_and_smeared_ones_less() -> None:
    picture = np.asarray(encode(cadence(0, MAJOR_CADENCE)[None], RATE).values[0])
    kernel = np.ones(7) / 7
    smeared = np.apply_along_axis(lambda column: np.convolve(column, kernel, "same"), 0, picture)
    assert line_sharpness(picture) > line_sharpness(smeared) + 3.0


def test_a_line_in_pieces_is_no_line() -> None:
    picture = np.full((64, 64), -60.0)
    picture[30, :20] = 0.0
    whole = line_sharpness(picture)
    picture[30] = -60.0
    picture[30, ::5] = 0.0
    assert whole == pytest.approx(40.0)
    assert line_sharpness(picture) == 0.0
