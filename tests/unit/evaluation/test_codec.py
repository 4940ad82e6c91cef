"""Figures of a round trip, recomputed by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from sonoriff.errors import FormatError, ParameterError
from sonoriff.evaluation.codec import (
    CodecFigures,
    clip_figures,
    evaluate_codec,
    figures_json,
    level_errors_db,
    spectral_convergence_db,
    stereo_correlation_error,
    stereo_level_error_db,
    table_text,
)
from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram

MONO = CodecFigures("hifi", "fast", 3, -20.04, -25.06, 0.654, 1.234, math.nan, math.nan, 0.0344, 61)


def power(values: list[list[float]]) -> Sonogram:
    """A riffusion-v1 sonogram (C, 512, N) whose lowest row of each channel is given."""
    rows = np.zeros((len(values), 512, len(values[0])), np.float32)
    rows[:, 0] = values
    return Sonogram(rows, RIFFUSION_V1)


def decibels(level_db: float) -> Sonogram:
    return Sonogram(np.full((1, 256, 4), level_db, np.float32), HIFI)


def test_spectral_convergence_is_the_error_over_the_size() -> None:
    wanted, again = power([[3.0, 4.0]]), power([[3.0, 4.5]])
    assert spectral_convergence_db(again, wanted) == pytest.approx(20 * math.log10(0.5 / 5))
    assert spectral_convergence_db(wanted, wanted) == -math.inf
    assert spectral_convergence_db(again, power([[0.0, 0.0]])) == math.inf


def test_interior_leaves_the_ends_out() -> None:
    wanted, again = power([[1.0, 2.0, 1.0]]), power([[9.0, 2.2, 0.0]])
    assert spectral_convergence_db(again, wanted, 1) == pytest.approx(-20, abs=1e-4)


def test_level_error_of_hifi_is_in_its_own_decibels() -> None:
    assert level_errors_db(decibels(-21.5), decibels(-20.0))[0] == pytest.approx(1.5)
    assert level_errors_db(decibels(-80.0), decibels(-80.0)) == (0.0, 0.0)


def test_levels_sixty_decibels_down_count_as_silence() -> None:
    wanted, again = power([[1.0, 1e-4]]), power([[1.0, 0.0]])
    assert level_errors_db(again, wanted) == (0.0, 0.0)
    half = power([[0.5, 1e-4]])
    # One cell of 512 x 2 is 6.02 dB off; the column's distance is the root of the mean square.
    mean_db, distance_db = level_errors_db(half, wanted)
    assert mean_db == pytest.approx(6.0206 / 1024, rel=1e-4)
    assert distance_db == pytest.approx(6.0206 / math.sqrt(512) / 2, rel=1e-4)


def test_stereo_level_error_is_that_of_the_difference_between_the_channels() -> None:
    wanted, again = power([[1.0], [0.5]]), power([[0.5], [0.5]])
    assert stereo_level_error_db(again, wanted) == pytest.approx(6.0206, rel=1e-4)
    louder = power([[2.0], [1.0]])
    assert stereo_level_error_db(louder, wanted) == pytest.approx(0.0, abs=1e-6)
    assert math.isnan(stereo_level_error_db(power([[1.0]]), power([[1.0]])))


def test_stereo_correlation_error_of_a_turned_channel_is_two() -> None:
    noise = np.random.default_rng(0).standard_normal(44100).astype(np.float32)
    same, turned = np.stack([noise, noise]), np.stack([noise, -noise])
    assert stereo_correlation_error(same, same) == pytest.approx(0.0, abs=1e-5)
    assert stereo_correlation_error(turned, same) == pytest.approx(2.0, abs=1e-4)
    assert math.isnan(stereo_correlation_error(same[:1], same[:1]))


def test_a_silent_clip_has_no_error() -> None:
    figures = clip_figures(np.zeros((1, 20_000), np.float32), 44100, HIFI, "fast")
    assert (figures["mel_error_db"], figures["convergence_db"]) == (0.0, -math.inf)


def test_the_table_shows_what_does_not_apply_as_a_dash() -> None:
    head, rule, row = table_text([MONO]).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == 12
    assert row == "| hifi | fast | 3 | -20.0 | -25.1 | 0.65 | 1.23 | - | - | 0.034 | 61 |"


def test_json_has_every_figure() -> None:
    (row,) = json.loads(figures_json([MONO]))["rows"]
    assert row["mel_error_db"] == 0.654
    assert row["stereo_level_db"] is None


def test_nothing_unknown_and_unreadable_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no sound"):
        evaluate_codec([])
    with pytest.raises(ParameterError, match="format"):
        evaluate_codec([tmp_path / "a.wav"], formats=["tape"])
    broken = tmp_path / "broken.wav"
    broken.write_text("no music", encoding="utf-8")
    with pytest.raises(FormatError, match=r"broken\.wav"):
        evaluate_codec([broken], formats=["hifi"], qualities=["fast"])
