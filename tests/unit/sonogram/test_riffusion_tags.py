"""Riffusion's EXIF tags."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sonoriff.errors import FormatError
from sonoriff.sonogram import RIFFUSION_V1
from sonoriff.sonogram.riffusion_tags import Tag, facts_from_tags, tags_from_params


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sample_rate": 22050, "hop_length": 220, "win_length": 2205, "n_fft": 8820},
        {"sample_rate": 48000, "hop_length": 512, "win_length": 2048, "n_fft": 4096},
        {"f_min": 20.5, "f_max": 12345.6, "n_mels": 300, "power_for_image": 0.35},
    ],
)
def test_tags_and_parameters_are_inverses(changes: dict[str, Any]) -> None:
    params = dataclasses.replace(RIFFUSION_V1, **changes)
    facts = facts_from_tags(tags_from_params(params, 2, 123.0))
    assert facts is not None
    assert dataclasses.replace(facts.params, name=params.name) == params
    assert facts.params.name == ("riffusion-v1-custom" if changes else "riffusion-v1")
    assert (facts.n_channels, facts.max_value) == (2, 123.0)


def test_whole_milliseconds_stay_whole() -> None:
    """At 22.05 kHz, 10 ms are 220.5 samples; Riffusion writes 10 and computes 220."""
    params = dataclasses.replace(RIFFUSION_V1, sample_rate=22050, hop_length=220)
    assert tags_from_params(params, 1, 1.0)[Tag.STEP_SIZE_MS] == 10


def test_foreign_tags_are_passed_over() -> None:
    tags = {**tags_from_params(RIFFUSION_V1, 1, 5.0), 274: 6, 306: "2022:12:15"}
    facts = facts_from_tags(tags)
    assert facts is not None
    assert (facts.params, facts.n_channels) == (RIFFUSION_V1, 1)
    assert facts_from_tags({274: 6}) is None


def test_an_impossible_number_names_its_tag() -> None:
    with pytest.raises(FormatError, match="STEP_SIZE_MS must be a number"):
        facts_from_tags({**tags_from_params(RIFFUSION_V1, 1, 5.0), Tag.STEP_SIZE_MS: "ten"})
