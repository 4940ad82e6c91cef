"""Scenes and schedules refuse nonsense and survive JSON."""

import json
import math
from typing import Any

import pytest

from sonoriff.errors import ParameterError
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "loop"},
        {"prompts": ()},
        {"prompts": tuple(WeightedPrompt(str(i)) for i in range(5))},
        {"negative_prompt": "x" * 501},
        {"bpm": 29.9},
        {"bpm": math.nan},
        {"key": "H minor"},
        {"energy": 6},
        {"energy": 2.5},
        {"chords": "Hm7x"},
        {"chords": " "},
        {"chords": "Am " * 200},
        {"seed": -1},
        {"seed": 2**53},
        {"seed": 1.5},
        {"num_inference_steps": 8.5},
        {"alpha": 1.0},
        {"walk": 1.1},
        {"strength": 0.0},
        {"bars": 3},
        {"morph_bars": math.inf},
        {"guidance_scale": 0.5},
        {"num_inference_steps": 0},
    ],
)
def test_scenes_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Scene(**wrong)


def test_a_weight_that_no_model_can_be_told_is_refused_at_once() -> None:
    with pytest.raises(ParameterError, match="weight"):
        WeightedPrompt("(organ:11)")


def test_schedules_survive_json() -> None:
    scene = Scene(mode="riff", prompts=(WeightedPrompt("a", 2.0), WeightedPrompt("b")), bpm=90.5)
    schedule = SceneSchedule((Cue(Scene()), Cue(scene, 4096)))
    assert SceneSchedule.from_dict(json.loads(json.dumps(schedule.to_dict()))) == schedule


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"cues": 3},
        {"cues": []},
        {"cues": [{"at": 5, "scene": {}}]},
        {"cues": [{"at": 0, "scene": {"tempo": 3}}]},
        {"cues": [{"at": 0, "scene": {"bpm": "fast"}}]},
    ],
)
def test_foreign_schedules_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        SceneSchedule.from_dict(wrong)


def test_a_new_scene_replaces_those_planned_after_it() -> None:
    a, b, c = (Scene(seed=i) for i in range(3))
    schedule = SceneSchedule((Cue(a), Cue(b, 100))).with_scene(c, 50)
    assert [schedule.scene_at(s) for s in (0, 49, 50, 1000)] == [a, a, c, c]
    assert SceneSchedule((Cue(a),)).with_scene(b, 0).scene_at(0) == b
