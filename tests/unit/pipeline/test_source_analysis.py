"""The tempo, the bars and the key of a source."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.extend import ExtendSettings, extend
from sonoriff.pipeline.settings import Sampling
from sonoriff.pipeline.source_analysis import Pulse, guide_as_heard, listen
from sonoriff.sonogram import Sonogram, encode
from sounds import MAJOR_CADENCE, MINOR_CADENCE, RATE, cadence, drums


def heard_drums(bpm: float, seconds: float, bar_s: float) -> Sonogram:
    return encode(drums(bpm, seconds, bar_s).astype(np.float32)[None], RATE)


def tone(seconds: float) -> Sonogram:
    time = np.arange(round(seconds * RATE)) / RATE
    return encode((0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[None], RATE)


@pytest.mark.parametrize(("bpm", "bar_s"), [(92.0, 0.0), (120.0, 0.7), (120.0, 1.6)])
def test_the_pulse_of_drums_is_found_anywhere(
    small_model: SmallModel, bpm: float, bar_s: float
) -> None:
    source = heard_drums(bpm, 30.0, bar_s)
    for near_s in (0.0, 14.0, 30.0):
        pulse = listen(small_model, source, near_s).pulse
        assert pulse is not None
        assert pulse.bpm == pytest.approx(bpm, rel=0.01)
        assert abs((near_s - bar_s - pulse.since_bar_s(near_s) + 0.1) % (240.0 / bpm)) < 0.2


def test_a_tone_has_none(small_model: SmallModel) -> None:
    assert listen(small_model, tone(8.0), 4.0).pulse is None
    assert listen(small_model, tone(1.0), 0.5).pulse is None


def test_before_the_source_bars_are_counted_backwards() -> None:
    pulse = Pulse(120.0, 0.5)
    assert pulse.since_bar_s(0.5) == 0
    assert pulse.since_bar_s(0.0) == pytest.approx(1.5)
    assert pulse.since_bar_s(-1.6) == pytest.approx(1.9)


def told(model: SmallModel, prompt: str, source: Sonogram) -> tuple[float, float | None]:
    """The tempo and the place in the bar that the model is told at the source's first column."""
    settings = Sampling(prompt=prompt).resolved(model)
    guide, since = guide_as_heard(model, settings, listen(model, source, 4.0))
    return guide.positive[0].embedding.bpm.item(), since


def test_the_source_decides_the_tempo_unless_the_prompt_does(small_model: SmallModel) -> None:
    source = heard_drums(120.0, 8.0, 0.5)
    bpm, since = told(small_model, "jazz", source)
    assert bpm == pytest.approx(120, rel=0.01)
    assert since == pytest.approx(1.5, abs=0.1)
    bpm, since = told(small_model, "jazz, 121 bpm", source)
    assert (bpm, since is None) == (121, False)
    assert told(small_model, "jazz, 90 bpm", source) == (90, None)
    assert told(small_model, "jazz", tone(8.0)) == (0, None)


def test_the_key_is_that_near_the_place(small_model: SmallModel) -> None:
    other = np.concatenate([cadence(9, MINOR_CADENCE)] * 3 + [cadence(2, MAJOR_CADENCE)] * 3)
    source = encode(other.astype(np.float32)[None], RATE)
    assert listen(small_model, source, 0.0).key == ("A", "minor")
    assert listen(small_model, source, 24.0).key == ("D", "major")
    assert listen(small_model, source, 20.0).key == ("D", "major")
    assert listen(small_model, heard_drums(120.0, 8.0, 0.0), 4.0).key is None


def test_the_source_decides_the_key_unless_the_prompt_does(small_model: SmallModel) -> None:
    source = encode(cadence(3, MINOR_CADENCE).astype(np.float32)[None], RATE)
    for prompt, key, mode in (("jazz", 3, 1), ("jazz in G major", 7, 0)):
        settings = Sampling(prompt=prompt).resolved(small_model)
        guide, _ = guide_as_heard(small_model, settings, listen(small_model, source, 2.0))
        row = guide.positive[0].embedding
        assert (row.key.item(), row.mode.item()) == (key, mode)
        assert [term.embedding.key.item() for term in guide.negative] == [-1] * len(guide.negative)


def test_what_is_added_hears_the_beat(small_model: SmallModel) -> None:
    settings = ExtendSettings(prompt="jazz", duration_s=10.0, num_inference_steps=1)
    heard = []

    class Listening(SmallModel):
        def encode_prompt(self, prompt, facts: MusicAttributes):  # type: ignore[no-untyped-def]
            heard.append(facts.bpm)
            return super().encode_prompt(prompt, facts)

    fields = {name: getattr(small_model, name) for name in small_model.__dataclass_fields__}
    extend(Listening(**fields), heard_drums(100.0, 8.0, 0.0), settings)
    assert heard[0] == pytest.approx(100, rel=0.01)
