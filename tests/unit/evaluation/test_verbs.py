"""Seam scores on sounds with and without a seam, and the figures of the verbs on a tiny model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sonoriff.errors import ParameterError
from sonoriff.evaluation.seams import seam_scores
from sonoriff.evaluation.verbs import (
    PipelineSettings,
    evaluate_pipeline,
    evaluate_samplers,
    evaluations,
    figures_json,
    measure_lines,
    sampler_lines,
)
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings, generate

RATE = 44_100


def tones(frequency: float, seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.normal(size=len(t))
    return (0.3 * np.sin(2 * np.pi * frequency * t) + noise).astype(np.float32)[None]


def test_a_sound_that_goes_on_has_no_seam() -> None:
    ((score,), _) = seam_scores(tones(440, 4.0), RATE, [2.0])
    assert score < 2


def test_a_click_and_a_change_of_tone_are_seams() -> None:
    clicked = tones(440, 4.0)
    clicked[:, 2 * RATE] = 1.0
    changed = np.concatenate([tones(440, 2.0), tones(660, 2.0)], axis=1)
    for sound in (clicked, changed):
        (at_join, elsewhere), _ = seam_scores(sound, RATE, [2.0, 1.0])
        assert at_join > 5
        assert elsewhere < 2


def test_places_without_a_join_are_scored_as_joins_are() -> None:
    rng = np.random.default_rng(2)
    struck = tones(440, 6.0)
    for beat in range(1, 12):
        place = round(0.5 * beat * RATE)
        struck[:, place : place + 2000] += rng.uniform(0.1, 0.3) * rng.normal(size=2000)
    beats = [0.5 * i for i in range(12)]
    at_joins, elsewhere = seam_scores(struck, RATE, [3.0], beats)
    assert len(at_joins) == 1
    assert 5 <= len(elsewhere) <= 10, "every beat that is no join and no edge"
    assert abs(float(np.mean(elsewhere))) < 0.5
    assert max(elsewhere) > 1, "a strong beat stands out without any seam"


def test_a_join_on_a_beat_is_compared_with_the_other_beats() -> None:
    beats = [0.5 * i for i in range(8)]
    struck = tones(440, 4.0)
    rng = np.random.default_rng(1)
    for beat in beats:
        place = round(beat * RATE)
        struck[:, place : place + 2000] += rng.uniform(0.15, 0.2) * rng.normal(size=2000)
    assert seam_scores(struck, RATE, [2.0])[0][0] > 2
    assert abs(seam_scores(struck, RATE, [2.0], beats)[0][0]) < 2
    struck[:, 2 * RATE : 2 * RATE + 2000] *= 4.0
    assert seam_scores(struck, RATE, [2.0], beats)[0][0] > 5


def test_where_nothing_can_be_said_that_is_said() -> None:
    with pytest.raises(ParameterError, match="too short"):
        seam_scores(tones(440, 0.5), RATE, [0.25])
    with pytest.raises(ParameterError, match="outside"):
        seam_scores(tones(440, 2.0), RATE, [3.0])


def test_figures_of_the_verbs(small_model: SmallModel) -> None:
    model = replace(small_model, window_frames=64)
    settings = PipelineSettings(prompts=("jazz",), seeds=1, num_inference_steps=1)
    seen: list[tuple[int, int]] = []
    found = evaluate_pipeline(model, settings, on_progress=lambda i, n: seen.append((i, n)))
    measures = [next(found)]
    assert seen == [(1, 8)], "the first figure comes before the other parts are begun"
    measures += found
    assert seen == [(i, 8) for i in range(1, 9)]
    figures = {measure.name: measure.worst for measure in measures}
    assert figures["same seed again, greatest difference"] == 0
    assert figures["changed outside the span of an inpainting"] == 0
    assert figures["changed outside the band of an inpainting"] == 0
    assert figures["distance from the source, strength 0, %"] == 0
    assert figures["distance from the source, strength 1, %"] > 0
    counts = {measure.name: measure.count for measure in measures}
    assert counts["seam, morph, z"] == 4
    for verb in ("long generate", "extend at the end", "extend at the start", "loop"):
        assert np.isfinite(figures[f"seam, {verb}, z"])
        assert np.isfinite(figures[f"places without a join, {verb}, z"])
    for verb in ("long generate", "extend at the end", "extend at the start", "stream"):
        assert -1 <= figures[f"{verb}, likeness of its parts' notes"] <= 1
    assert len(list(measure_lines(measures))) == len(measures) + 2
    assert json.loads(figures_json(model, measures, []))["model"] == "tiny"


def test_more_steps_come_nearer_to_the_truth(small_model: SmallModel) -> None:
    model = replace(small_model, window_frames=32)
    settings = PipelineSettings(prompts=("jazz",), seeds=1)
    rows = list(evaluate_samplers(model, settings, steps=(2, 8), truth_steps=32))
    by_sampler = {(row.sampler, row.steps): row for row in rows}
    assert by_sampler["ddim", 8].share < by_sampler["ddim", 2].share
    assert by_sampler["heun", 8].evaluations == 15
    assert len(list(sampler_lines(rows))) == len(rows) + 4
    *_, last = sampler_lines([replace(row, share=0.05) for row in rows])
    assert last.endswith(f"{rows[0].sampler}, 2 steps.")


@pytest.mark.parametrize("sampler", ["ab2", "euler", "heun", "ddim", "dpm++"])
def test_evaluations_are_those_that_the_sampler_makes(
    small_model: SmallModel, sampler: str
) -> None:
    times: list[float] = []
    real = small_model.predict
    spy = replace(small_model, window_frames=32)
    spy.predict = lambda x, time, *rest: times.append(time) or real(x, time, *rest)  # type: ignore[method-assign]
    for steps in (1, 2, 5):
        times.clear()
        generate(spy, GenerateSettings(prompt="jazz", sampler=sampler, num_inference_steps=steps))
        assert len(times) == evaluations(sampler, steps)


def test_settings_without_a_case_are_refused() -> None:
    with pytest.raises(ParameterError, match="at least"):
        PipelineSettings(prompts=())
