"""Remix, on a tiny model with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from painted import sweep, values
from sonoriff.audio import write_audio
from sonoriff.errors import FormatError, ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import (
    GenerateSettings,
    generate,
)
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.sonogram import HIFI, Sonogram


@pytest.fixture(scope="module")
def source() -> Sonogram:
    return sweep(3.0)


def test_remix_at_zero_is_the_source_and_at_one_ignores_it(
    small_model: SmallModel, source: Sonogram
) -> None:
    settings = RemixSettings(prompt="jazz", seed=3, num_inference_steps=4)
    kept = remix(small_model, source, replace(settings, strength=0.0))
    np.testing.assert_array_equal(values(kept), source.values)
    made = remix(small_model, source, replace(settings, strength=1.0))
    duration = source.duration_s
    free = GenerateSettings(prompt="jazz", seed=3, num_inference_steps=4, duration_s=duration)
    # The latents lie otherwise in memory, which rounds otherwise.
    # The source is mono: what is painted over it is the middle of what there would be.
    assert len(source.values) == len(values(made)) == 1
    middle = values(generate(small_model, free))[2:]
    np.testing.assert_allclose(values(made), middle, atol=1e-3)


def test_distance_from_the_source_grows_with_strength(
    small_model: SmallModel, source: Sonogram
) -> None:
    def made(strength: float) -> np.ndarray:
        settings = RemixSettings(prompt="jazz", num_inference_steps=8, strength=strength)
        return values(remix(small_model, source, settings))

    coded = made(1e-6)
    distances = [np.abs(made(s) - coded).mean() for s in (0.1, 0.4, 0.7, 1.0)]
    assert distances == sorted(distances)
    assert distances[-1] > 2 * distances[0]


def test_remix_takes_stereo_of_any_length_from_a_file(
    small_model: SmallModel, tmp_path: Path
) -> None:
    waveform = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 33_000)).astype(np.float32)
    write_audio(tmp_path / "in.wav", waveform, 22_050)
    clip = remix(small_model, tmp_path / "in.wav", RemixSettings(num_inference_steps=2))
    assert clip.sonogram.n_channels == 2
    assert clip.sonogram.duration_s == pytest.approx(33_000 / 22_050, abs=0.012)
    assert clip.settings["source"] == "in.wav"


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_a_strength_out_of_range_is_refused(strength: float) -> None:
    with pytest.raises(ParameterError, match="strength"):
        RemixSettings(strength=strength)


def test_a_missing_source_or_one_with_nan_is_refused(
    small_model: SmallModel, tmp_path: Path
) -> None:
    settings = RemixSettings(num_inference_steps=1)
    with pytest.raises(ParameterError, match="no file"):
        remix(small_model, tmp_path / "none.wav", settings)
    (tmp_path / "notes.txt").write_text("no music")
    with pytest.raises(FormatError):
        remix(small_model, tmp_path / "notes.txt", settings)
    broken = np.full((1, 256, 64), np.nan, np.float32)
    with pytest.raises(ParameterError, match="finite"):
        remix(small_model, Sonogram(broken, HIFI), settings)
