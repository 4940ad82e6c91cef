"""What a window of a stream is told, by the scene and by what was heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.small.model import SmallModel
from sonoriff.stream.engine import RiffStream
from sonoriff.stream.position import StreamPosition
from sonoriff.stream.scene import Scene, SceneSchedule, WeightedPrompt
from sonoriff.stream.window_planner import WindowPlanner

SCENE = Scene(prompts=(WeightedPrompt("piano"),), bpm=120.0, num_inference_steps=2)


def told(model: SmallModel, scene: Scene, heard: tuple[str, str] | None = None) -> MusicAttributes:
    position = replace(StreamPosition.begun(scene, 44100), key=heard)
    return WindowPlanner(model)._facts("piano", position)


def test_a_scene_tells_energy_chords_and_the_usual_kind(small_model: SmallModel) -> None:
    facts = told(small_model, replace(SCENE, energy=4, chords="Am:2 F"))
    assert (facts.bpm, facts.energy, facts.kind) == (120.0, 4, "recorded")
    assert facts.chords is not None
    assert [(chord.root, beats) for chord, beats in facts.chords] == [(9, 8), (5, 4)]


def test_chords_win_over_keys(small_model: SmallModel) -> None:
    heard = ("F#", "major")
    assert told(small_model, SCENE, heard).key == "F#"
    assert told(small_model, replace(SCENE, chords="Am F"), heard).key is None
    assert told(small_model, replace(SCENE, chords="Am F", key="F# major")).key is None
    assert told(small_model, replace(SCENE, chords="Am F", key="A minor")).key == "A"


@pytest.mark.parametrize("change", [{"energy": 5}, {"energy": 1}, {"chords": "F#m7b5"}])
def test_energy_and_chords_change_what_is_painted(
    small_model: SmallModel, change: dict[str, object]
) -> None:
    def columns(scene: Scene) -> np.ndarray:
        stream = RiffStream(small_model)
        return stream.next(
            stream.start(SceneSchedule.from_dict({"cues": [{"at": 0, "scene": scene.to_dict()}]}))
        )[0]

    changed = replace(SCENE, **change)  # type: ignore[arg-type]
    assert not np.array_equal(columns(SCENE), columns(changed))
