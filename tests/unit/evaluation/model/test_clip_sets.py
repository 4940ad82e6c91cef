"""Kept measures belong to what made the clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sonoriff.evaluation.model.clip_sets import ceiling_row, model_row, sampling_facts
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings

ASKED = GenerateSettings(prompt="jazz", num_inference_steps=2)


def recipe(model: SmallModel, settings: GenerateSettings) -> object:
    return model_row("model", model, [settings]).recipe


def test_other_defaults_of_the_model_are_another_row(small_model: SmallModel) -> None:
    for change in ({"guidance_scale": 7.0}, {"shift": 1.0}, {"paced_share": 0.0}):
        other = replace(small_model, defaults=replace(small_model.defaults, **change))
        assert recipe(other, ASKED) != recipe(small_model, ASKED)


def test_a_default_that_is_asked_for_is_the_same_row(small_model: SmallModel) -> None:
    said = replace(ASKED, guidance_scale=small_model.defaults.guidance_scale, sampler="ab2")
    assert recipe(small_model, said) == recipe(small_model, ASKED)
    strong = replace(small_model, defaults=replace(small_model.defaults, guidance_scale=7.0))
    assert recipe(strong, said) == recipe(small_model, said)


def test_facts_state_what_was_painted_with(small_model: SmallModel) -> None:
    facts = sampling_facts(ASKED, small_model)
    assert facts["num_inference_steps"] == 2
    assert facts["guidance_scale"] == small_model.defaults.guidance_scale
    assert facts["guidance_interval"] == small_model.defaults.guidance_interval
    assert not {"prompt", "seed"} & set(facts)


def test_the_same_weights_in_another_precision_are_another_ceiling(
    small_model: SmallModel, tmp_path: Path
) -> None:
    small_model.save_pretrained(tmp_path / "model")
    half, full = (
        SmallModel.from_pretrained(tmp_path / "model", precision=precision)
        for precision in ("int8", "float32")
    )
    entries = [{"file_name": "a.flac"}]
    first, second = (ceiling_row("ceiling", tmp_path, entries, model) for model in (half, full))
    assert first.recipe["autoencoder"] == second.recipe["autoencoder"]
    assert first.recipe != second.recipe
