"""A state in bytes is the state."""

import json
import pickletools
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from sonoriff.errors import FormatError
from sonoriff.models.small.model import SmallModel
from sonoriff.stream.engine import RiffState, RiffStream
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt
from sonoriff.stream.stored import bytes_from_state, state_from_bytes

FLOW = Scene(prompts=(WeightedPrompt("a"), WeightedPrompt("b", 0.3)), num_inference_steps=2)
RIFF = Scene(mode="riff", bpm=110.0, num_inference_steps=2)


def state_after(model: SmallModel, n: int, scene: Scene = FLOW) -> RiffState:
    stream = RiffStream(model)
    state = stream.start(SceneSchedule((Cue(scene),)))
    for _ in range(n):
        _, _, state = stream.next(state)
    return state


@pytest.mark.parametrize("scene", [FLOW, RIFF])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_the_same_stream_follows(small_model: SmallModel, scene: Scene, n: int) -> None:
    state = state_after(small_model, n, scene)
    again = state_from_bytes(bytes_from_state(state), small_model)
    assert again.schedule == state.schedule
    assert again.window == state.window
    assert again.course == state.course
    stream = RiffStream(small_model)
    for _ in range(2):
        columns, samples, state = stream.next(state)
        columns2, samples2, again = stream.next(again)
        assert np.array_equal(columns, columns2)
        assert np.array_equal(samples, samples2)
    assert np.array_equal(stream.finish(state)[1], stream.finish(again)[1])


def test_a_stored_window_can_be_cut(small_model: SmallModel) -> None:
    stream, before = RiffStream(small_model), state_after(small_model, 1)
    _, _, after = stream.next(before)
    stored = [state_from_bytes(bytes_from_state(s), small_model) for s in (before, after)]
    assert np.array_equal(stream.cut(*stored, 50)[1], stream.cut(before, after, 50)[1])


def test_it_is_no_pickle(small_model: SmallModel) -> None:
    data = bytes_from_state(state_after(small_model, 1))
    with pytest.raises(ValueError, match="at position"):
        list(pickletools.genops(data))


def changed(data: bytes, **facts: Any) -> bytes:
    tensors = load(data)
    known = json.loads(bytes(tensors["facts"]))
    for path, value in facts.items():
        place = known
        *parents, last = path.split("__")
        for parent in parents:
            place = place[parent]
        place[last] = value
    tensors["facts"] = np.frombuffer(json.dumps(known).encode(), np.uint8)
    return save(tensors)


@pytest.mark.parametrize(
    "facts",
    [
        {"version": 1},
        {"course__key": ["H", "minor"]},
        {"n_cells": -1},
        {"n_cells": 1.5},
        {"n_samples": "1"},
        {"window": {"index": 0}},
        {"course__bars": {"bpm": 0}},
        {"course__walk": {"seed": 2**70, "alpha": 0.0}},
        {"course__scene__prompts": []},
        {"schedule": {"cues": []}},
        {"decoder__planes": 4},
        {"decoder__random": {"bit_generator": "MT19937"}},
        {"decoder__n_columns": 1e9},
        {"decoder__flushed": 0},
    ],
)
def test_wrong_facts_are_refused(small_model: SmallModel, facts: dict[str, Any]) -> None:
    data = changed(bytes_from_state(state_after(small_model, 1)), **facts)
    with pytest.raises(FormatError):
        state_from_bytes(data, small_model)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("latents", np.zeros((1, 3, 8, 5), np.float32)),
        ("latents", np.full((1, 4, 8, 5), np.nan, np.float32)),
        ("latents", np.zeros((1, 4, 8, 5), np.float64)),
        ("columns", np.zeros((1, 255, 3), np.float32)),
        ("decoder.0.mel", np.zeros((1, 4, 255), np.float32)),
        ("decoder.start.phase", np.zeros((3,), np.float32)),
        ("decoder.1.earlier", np.zeros((1, 4, 7), np.float32)),
        ("decoder.last.upsampling.carry", np.zeros((2, 7), np.float32)),
    ],
)
def test_wrong_arrays_are_refused(
    small_model: SmallModel, name: str, array: np.ndarray[Any, Any]
) -> None:
    tensors = load(bytes_from_state(state_after(small_model, 2)))
    assert name in tensors
    with pytest.raises(FormatError):
        state_from_bytes(save({**tensors, name: array}), small_model)


@pytest.mark.parametrize("data", [b"", b"x", b"\x80\x04N.", b"\xff" * 100, bytes(200)])
def test_garbage_is_refused(small_model: SmallModel, data: bytes) -> None:
    with pytest.raises(FormatError):
        state_from_bytes(data, small_model)


@pytest.mark.parametrize("stop", [8, 100, 1000, -1])
def test_a_part_is_refused(small_model: SmallModel, stop: int) -> None:
    with pytest.raises(FormatError):
        state_from_bytes(bytes_from_state(state_after(small_model, 1))[:stop], small_model)
