"""Tags of web UIs in a prompt: no words, and said."""

from __future__ import annotations

import warnings

import pytest

from sonoriff.errors import SonoriffWarning
from sonoriff.models.lora_tags import warn_of_tags
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings, generate


def test_a_tag_is_no_words() -> None:
    assert parse_prompt("<lora:night:0.8> slow jazz") == parse_prompt("slow jazz")
    assert parse_prompt("jazz <lora:night>, (piano:1.2)") == parse_prompt("jazz , (piano:1.2)")
    assert parse_prompt("a < b > c").text == "a < b > c"


def test_a_tag_that_loads_nothing_is_said() -> None:
    with pytest.warns(SonoriffWarning, match=r"<lora:night:0.8> .* --lora PATH:0.8"):
        warn_of_tags("jazz <lora:night:0.8>", ())
    with pytest.warns(SonoriffWarning, match="given with a scale of 0.5"):
        warn_of_tags("jazz <lora:night:0.8>", ("night:0.5",))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_tags("jazz <lora:night:0.80>", ("night:0.8",))


def test_a_clip_of_a_prompt_with_a_tag_is_that_without(small_model: SmallModel) -> None:
    settings = {"num_inference_steps": 1, "duration_s": 0.5}
    plain = generate(small_model, GenerateSettings(prompt="slow jazz", **settings))
    with pytest.warns(SonoriffWarning, match="loads nothing"):
        tagged = generate(
            small_model, GenerateSettings(prompt="<lora:night:0.8> slow jazz", **settings)
        )
    assert (tagged.sonogram.values == plain.sonogram.values).all()
