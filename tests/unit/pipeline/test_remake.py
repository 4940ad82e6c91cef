"""Riffs made again from their pictures, on a tiny model with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from painted import sweep, values
from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.generate import (
    GenerateSettings,
    generate,
)
from sonoriff.pipeline.remake import remake
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.sonogram import Sonogram

QUICK = GenerateSettings(prompt="jazz", seed=3, num_inference_steps=3, duration_s=1.5)


@pytest.fixture(scope="module")
def source() -> Sonogram:
    return sweep(3.0)


def test_a_saved_riff_is_made_again_from_its_picture(
    small_model: SmallModel, source: Sonogram, tmp_path: Path
) -> None:
    first = generate(small_model, replace(QUICK, bpm=100.0, prompt="(jazz:1.2) + funk"))
    first.save(tmp_path / "riff.png")
    loaded = Clip.load(tmp_path / "riff.png")
    np.testing.assert_array_equal(values(remake(small_model, loaded)), values(first))
    other = remake(small_model, loaded, seed=9)
    assert other.settings["seed"] == 9
    remixed = remix(small_model, source, RemixSettings(num_inference_steps=2, strength=0.5))
    remixed.save(tmp_path / "remix.png")
    again = Clip.load(tmp_path / "remix.png")
    with pytest.raises(ParameterError, match="give that as the source"):
        remake(small_model, again)
    np.testing.assert_array_equal(values(remake(small_model, again, source)), values(remixed))
    for made in (loaded, again):
        with pytest.raises(ParameterError, match="no setting 'sead'"):
            remake(small_model, made, source, sead=9)


def test_a_picture_without_settings_is_refused(small_model: SmallModel, source: Sonogram) -> None:
    with pytest.raises(ParameterError, match="no settings"):
        remake(small_model, Clip(source))
