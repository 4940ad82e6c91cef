"""What is longer than a window stays in one key: the bundled model, a few steps."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from sonoriff.models.prompts import Prompt
from sonoriff.models.protocol import Conditioning, MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.loop import LoopSettings, loop
from sonoriff.pipeline.settings import Sampling
from sonoriff.pipeline.source_analysis import LIKELY_KEY, find_key
from sonoriff.stream.engine import RiffState, RiffStream
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt

RATE = 44_100
ORGAN = "solo church organ"


class Listening(SmallModel):
    """Remembers which keys it was told for prompts that are not empty."""

    def encode_prompt(self, prompt: Prompt, facts: MusicAttributes) -> Conditioning:
        self.__dict__.setdefault("told", []).append((facts.key, facts.mode))
        return super().encode_prompt(prompt, facts)

    @property
    def last_told(self) -> tuple[str | None, str | None]:
        told: list[tuple[str | None, str | None]] = [
            key for key in self.__dict__["told"] if key[0] is not None
        ]
        return told[-1] if told else (None, None)


@pytest.fixture
def model() -> Listening:
    bundled = load_model()
    assert isinstance(bundled, SmallModel)
    return Listening(**{field.name: getattr(bundled, field.name) for field in fields(SmallModel)})


def test_a_long_clip_is_painted_in_the_key_of_its_beginning(model: Listening) -> None:
    short = generate(model, GenerateSettings(prompt=ORGAN, num_inference_steps=4))
    assert model.last_told == (None, None), "a single window has the key that it likes"
    key = find_key(short.waveform[0], RATE, LIKELY_KEY)
    assert key is not None
    steps: list[tuple[int, int]] = []
    generate(
        model,
        GenerateSettings(prompt=ORGAN, num_inference_steps=8, duration_s=9.0),
        on_progress=lambda i, n: steps.append((i, n)),
    )
    assert model.last_told == key
    assert steps == [(i, 12) for i in range(1, 13)], "the sketch is part of the work"


@pytest.mark.parametrize(
    "settings",
    [
        GenerateSettings(prompt=f"{ORGAN} in E major", num_inference_steps=1, duration_s=9.0),
        LoopSettings(prompt=ORGAN, key="E major", num_inference_steps=1, bpm=100.0),
    ],
)
def test_a_key_that_is_named_is_the_key(model: Listening, settings: Sampling) -> None:
    if isinstance(settings, LoopSettings):
        loop(model, settings)
    elif isinstance(settings, GenerateSettings):
        generate(model, settings)
    assert model.last_told == ("E", "major")


def test_a_long_loop_is_in_one_key(model: Listening) -> None:
    loop(model, LoopSettings(prompt=ORGAN, num_inference_steps=4, bpm=60.0, bars=3))
    assert model.last_told != (None, None)


def windows(stream: RiffStream, state: RiffState, count: int) -> tuple[list[str | None], RiffState]:
    keys = []
    for _ in range(count):
        _, _, state = stream.next(state)
        assert state.window is not None
        keys.append(state.window.key)
    return keys, state


def scene(prompt: str, key: str | None = None) -> Scene:
    return Scene(prompts=(WeightedPrompt(prompt),), key=key, num_inference_steps=4)


def test_a_stream_goes_on_in_the_key_it_is_heard_in(model: Listening) -> None:
    stream = RiffStream(model)
    start = stream.start(SceneSchedule((Cue(scene(ORGAN)),)))
    _, samples, _ = stream.next(start)
    key = find_key(np.asarray(samples[0]), RATE, LIKELY_KEY)
    assert key is not None
    (first, second, third), state = windows(stream, start, 3)
    assert (first, second, third) == (None, " ".join(key), " ".join(key))
    assert model.last_told == key
    now = stream.next_sample(state)
    other = state.with_schedule(state.schedule.with_scene(scene("jazz"), now))
    assert windows(stream, other, 1)[0] == [second], "another style, the same key"
    named = state.with_schedule(state.schedule.with_scene(scene("jazz in B major"), now))
    assert windows(stream, named, 1)[0] == ["B major"]
    asked = state.with_schedule(state.schedule.with_scene(scene("jazz", "Bb"), now))
    keys, state = windows(stream, asked, 1)
    assert keys == ["A#"]
    back = state.with_schedule(state.schedule.with_scene(scene("jazz"), stream.next_sample(state)))
    (heard_anew, after), _ = windows(stream, back, 2)
    assert heard_anew is None, "the music left its first key"
    assert after is not None
