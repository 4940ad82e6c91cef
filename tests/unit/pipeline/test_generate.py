"""Text to music, on a tiny model with random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from painted import values
from sonoriff.errors import Cancelled
from sonoriff.models.protocol import Model
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import (
    GenerateSettings,
    generate,
    generate_many,
)
from sonoriff.pipeline.guides import guide_from_settings

QUICK = GenerateSettings(prompt="jazz", seed=3, num_inference_steps=3, duration_s=1.5)


SHORT = replace(QUICK, duration_s=0.3)


def test_the_small_model_is_a_model(small_model: SmallModel) -> None:
    assert isinstance(small_model, Model)


def test_the_same_settings_give_the_same_clip(small_model: SmallModel) -> None:
    first, second, other = (
        values(generate(small_model, s)) for s in (QUICK, QUICK, replace(QUICK, seed=4))
    )
    assert np.array_equal(first, second)
    assert np.abs(first - other).mean() > 1


def test_seeds_in_a_batch_give_the_clips_that_they_give_alone(small_model: SmallModel) -> None:
    together = list(generate_many(small_model, QUICK, 3, batch_size=2))
    assert [c.settings["seed"] for c in together] == [3, 4, 5]
    for clip in together:
        alone = generate(small_model, replace(QUICK, seed=clip.settings["seed"]))
        np.testing.assert_allclose(values(clip), values(alone), atol=0.01)


def test_a_long_clip_has_the_length_that_was_asked(small_model: SmallModel) -> None:
    clip = generate(small_model, replace(QUICK, duration_s=14.0, num_inference_steps=1))
    assert clip.sonogram.duration_s == pytest.approx(14.0, abs=0.006)


@pytest.mark.parametrize("field", ["prompt", "negative_prompt", "bpm", "key", "guidance_scale"])
def test_every_wish_is_heard(small_model: SmallModel, field: str) -> None:
    wish = {"prompt": "(techno:1.4)", "negative_prompt": "drums", "bpm": 90.0, "key": "D minor"}
    changed = replace(QUICK, **{field: wish.get(field, 9.0)})
    assert not np.array_equal(
        values(generate(small_model, QUICK)), values(generate(small_model, changed))
    )


def test_without_a_prompt_guidance_changes_nothing(small_model: SmallModel) -> None:
    empty = replace(QUICK, prompt="")
    guided = generate(small_model, replace(empty, guidance_scale=9.0))
    np.testing.assert_array_equal(values(generate(small_model, empty)), values(guided))


def test_guidance_pushes_away_from_the_negative_prompt_in_part_at_the_same_tempo(
    small_model: SmallModel,
) -> None:
    settings = replace(QUICK, prompt="techno, 128 bpm", negative_prompt="flute").resolved(
        small_model
    )
    negative = guide_from_settings(small_model, settings).negative
    assert [(term.weight, term.embedding.bpm.item()) for term in negative] == [
        (0.6, 0.0),
        (0.4, 128.0),
    ]
    assert np.array_equal(negative[0].embedding.text, negative[1].embedding.text)


def test_guidance_acts_where_the_model_says(small_model: SmallModel) -> None:
    low, high = small_model.defaults.guidance_interval
    six = replace(QUICK, num_inference_steps=6)
    own, same, whole = (
        values(generate(small_model, replace(six, guidance_interval=interval)))
        for interval in (None, (low, high), (0.0, 1.0))
    )
    assert np.array_equal(own, same)
    assert not np.array_equal(own, whole)


def test_a_blend_lies_between_its_parts_and_ends_at_them(small_model: SmallModel) -> None:
    def made(prompt: str) -> np.ndarray:
        return values(generate(small_model, replace(QUICK, prompt=prompt)))

    assert np.array_equal(made("techno:1 + jazz:0"), made("techno"))
    near, far = (np.abs(made(p) - made("techno")).mean() for p in ("techno:9 + jazz:1", "jazz"))
    assert 0 < near < far


@pytest.fixture(scope="module")
def truth(small_model: SmallModel) -> np.ndarray:
    return values(generate(small_model, replace(SHORT, sampler="heun", num_inference_steps=40)))


@pytest.mark.parametrize("sampler", ["euler", "heun", "ab2", "ddim", "dpm++"])
def test_every_sampler_goes_to_the_same_picture(
    small_model: SmallModel, truth: np.ndarray, sampler: str
) -> None:
    rough, fine = (
        values(generate(small_model, replace(SHORT, sampler=sampler, num_inference_steps=n)))
        for n in (5, 20)
    )
    assert np.abs(fine - truth).mean() < 0.5 * np.abs(rough - truth).mean()


def test_progress_is_told_and_stops_the_work(small_model: SmallModel) -> None:
    seen: list[tuple[int, int]] = []
    list(generate_many(small_model, QUICK, 2, on_progress=lambda i, n: seen.append((i, n))))
    assert seen == [(i, 6) for i in range(1, 7)]

    def stop(step: int, _steps: int) -> None:
        if step == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        generate(small_model, QUICK, on_progress=stop)
