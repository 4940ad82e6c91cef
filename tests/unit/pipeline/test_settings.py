"""Settings that are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sonoriff.errors import ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import (
    GenerateSettings,
    generate,
)

QUICK = GenerateSettings(prompt="jazz", seed=3, num_inference_steps=3, duration_s=1.5)


def test_a_sampler_of_another_kind_of_model_is_refused(small_model: SmallModel) -> None:
    with pytest.raises(ParameterError, match="works with the samplers"):
        generate(small_model, replace(QUICK, sampler="lcm"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_inference_steps": 0},
        {"guidance_scale": -1.0},
        {"seed": -1},
        {"sampler": "magic"},
        {"duration_s": 0.0},
        {"duration_s": 9999.0},
        {"guidance_interval": (0.9, 0.1)},
        {"shift": 0.0},
        {"seed": 1.5},
        {"prompt": 5},
        {"bpm": "120"},
        {"num_inference_steps": True},
        {"guidance_interval": (0.1,)},
    ],
)
def test_settings_out_of_range_or_of_another_type_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        replace(QUICK, **wrong)
    with pytest.raises(ParameterError):
        GenerateSettings.from_dict({**QUICK.to_dict(), **wrong})
