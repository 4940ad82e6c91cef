"""The stream in a page is the stream of Python: windows, columns, samples, and what is heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exported_model import ExportedModel
from sonoriff.analysis.key import KEY_PROFILES, chroma_of_picture, key_of_chroma
from sonoriff.errors import ParameterError
from sonoriff.models.prompts import parse_prompt
from sonoriff.music import KEYS, parse_key
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt
from sonoriff.pipeline.source_analysis import LIKELY_KEY, find_key
from sonoriff.sonogram import HIFI, encode
from sonoriff.sonogram.filter_bank import row_frequencies
from sonoriff.sonogram.streaming import StreamingDecoder
from sonoriff.stream.engine import RiffState, RiffStream
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt
from tab_tools import Engine, Opened, packed

Exported = tuple[ExportedModel, Path]
# One of 255 steps of a picture's levels, in dB.
LEVEL_DB = 92.0 / 255.0
QUICK = {"num_inference_steps": 2, "guidance_scale": 2.0}
JAZZ = Scene(prompts=(WeightedPrompt("jazz, 100 bpm, in E minor"),), seed=5, **QUICK)
BLEND = Scene(
    prompts=(WeightedPrompt("dub reggae", 2.0), WeightedPrompt("(techno:1.2)")),
    negative_prompt="drums",
    seed=2**33 + 1,
    alpha=0.25,
    morph_bars=1.0,
    **QUICK,
)
TOLD = Scene(prompts=(WeightedPrompt("piano"),), energy=1, chords="Dm:2 | G7 C", **QUICK)
RIFF = Scene(mode="riff", prompts=(WeightedPrompt("funk"),), bpm=150.0, walk=0.5, bars=1, **QUICK)
SCHEDULES = {
    "flow": [Cue(JAZZ)],
    "turned": [Cue(JAZZ), Cue(BLEND, 150_001), Cue(JAZZ, 400_000)],
    "told": [Cue(TOLD), Cue(replace(TOLD, energy=5, key="F# major"), 200_000)],
    "riff": [Cue(RIFF)],
    "to a riff": [Cue(BLEND), Cue(RIFF, 120_000)],
}
N_WINDOWS = 4


@pytest.fixture(scope="module")
def engine(opened: Opened, tiny: Exported) -> Iterator[Engine]:
    with opened(tiny[1]) as engine:
        yield engine


@pytest.mark.parametrize("name", SCHEDULES)
def test_windows_columns_and_samples(engine: Engine, tiny: Exported, name: str) -> None:
    model, _ = tiny
    schedule = SceneSchedule(tuple(SCHEDULES[name]))
    engine.value(
        """
        window.stream = new engine.RiffStream(model)
        window.state = stream.start()
        window.cues = given.map(({ at, scene }) => ({ at, scene: engine.checkedScene(scene) }))
        """,
        schedule.to_dict()["cues"],
    )
    stream, decoder = RiffStream(model), StreamingDecoder(model.params)
    state = stream.start(schedule)
    for _ in range(N_WINDOWS):
        columns, samples, state = stream.next(state)
        found = engine.value(
            """
            window.made = await stream.next(cues, state)
            window.state = made.state
            return made.state.window
            """
        )
        check_window(found, state)
        levels = engine.floats("return made.columns.data").reshape(columns.shape)
        assert np.abs(levels - columns).max() <= LEVEL_DB
        sound = engine.floats("return made.samples[0]")
        assert sound.shape == samples[0].shape
        # Of the engine's own levels: in noise a difference of rounding may lead the search for
        # phases along another way, to another sound of the same picture.
        wanted = decoder.push(levels)[0]
        if sound.size:
            off = ((sound - wanted) ** 2).mean() / (wanted**2).mean()
            assert 10 * np.log10(off) < -40.0


def check_window(found: dict[str, Any], state: RiffState) -> None:
    window = state.window
    assert window is not None
    names = ("index", "first_sample", "end_sample", "seed", "bpm", "key", "first_bar_sample")
    assert {n: found[n] for n in names} == {n: getattr(window, n) for n in names}
    for name in ("alpha", "bar"):
        assert found[name] == pytest.approx(getattr(window, name))
    assert [p["text"] for p in found["prompts"]] == [p.text for p in window.prompts]
    assert [p["weight"] for p in found["prompts"]] == pytest.approx(
        [p.weight for p in window.prompts]
    )


def test_a_window_that_is_cut(engine: Engine, tiny: Exported) -> None:
    model, _ = tiny
    stream, schedule = RiffStream(model), SceneSchedule((Cue(JAZZ),))
    before = stream.next(stream.start(schedule))[2]
    after = stream.next(before)[2]
    columns, samples, state = stream.cut(before, after, before.n_cells + 13)
    found = engine.value(
        """
        const stream = new engine.RiffStream(model)
        const cues = [{ at: 0, scene: engine.checkedScene(given) }]
        const before = (await stream.next(cues, stream.start())).state
        const after = (await stream.next(cues, before)).state
        const made = stream.cut(before, after, before.cells + 13)
        return [made.columns.width, made.samples[0].length, made.state.window.end_sample]
        """,
        JAZZ.to_dict(),
    )
    assert state.window is not None
    assert found == [columns.shape[2], samples.shape[1], state.window.end_sample]


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_the_key_of_a_sound(engine: Engine, mode: str) -> None:
    rate, random = 44100, np.random.default_rng(0)
    for tonic in (0, 3, 10):
        seconds = np.arange(3 * rate) / rate
        sound = np.zeros(len(seconds), np.float32)
        for degree in np.argsort(KEY_PROFILES[mode])[-7:]:
            hz = 261.63 * 2 ** ((tonic + degree) / 12)
            loud = random.uniform(0.5, 1.0)
            sound += (loud * np.sin(2 * np.pi * hz * seconds)).astype(np.float32)
        found = engine.value("return engine.findKey(unpacked(given), 44100, 0.5)", packed(sound))
        wanted = find_key(sound, rate, LIKELY_KEY)
        assert wanted is not None
        assert found == list(wanted)
        levels = encode(sound[None], rate).values
        found = engine.value(
            """
            const levels = new engine.Grid(1, given.rows, given.width, unpacked(given.levels))
            return engine.findKeyOfPicture(levels, model.about.sonogram, 0.5)
            """,
            {"levels": packed(levels), "rows": levels.shape[1], "width": levels.shape[2]},
        )
        key = key_of_chroma(chroma_of_picture(levels[0], row_frequencies(HIFI)))
        # So many notes at once are not told apart in a picture; both ears err alike.
        assert found == [KEYS[key.tonic], key.mode]
    silence = np.zeros(1000, np.float32)
    assert (
        engine.value("return engine.findKey(unpacked(given), 44100, 0.5)", packed(silence)) is None
    )


PROMPTS = (
    "calm piano",
    "((loud) drums:1.5), [soft] flute, (bass:0)",
    "reggae:0.7 + techno:0.3",
    "tempo: 120 + drums",
    "a + b:2 + (c + d)",
    r"\(plain\) (open [mixed) brackets]",
    "(((deep:2):2):2)",
    "<lora:jazz:0.8> smooth, , , jazz ,",
    "",
    "x:0 + y:0",
    "(too loud:11)",
    "reggae:70 + techno:30",
    "in Bb minor, 120.5 bpm",
    "in a minor role at 1000 bpm",
    "lo-fi In F-sharp Major 90BPM",
)


@pytest.mark.parametrize("text", PROMPTS)
def test_prompts_tempi_and_keys(engine: Engine, text: str) -> None:
    read = """
      try {
        return engine.parsePrompt(given).map(({ spans, share }) =>
          [share, ...spans.map(({ text, weight }) => [text, weight])])
      } catch (error) {
        if (error instanceof engine.ParameterError) return null
        throw error
      }
    """
    found = engine.value(read, text)
    try:
        phrases = parse_prompt(text).phrases
    except ParameterError:
        assert found is None
        return
    assert found == [
        [pytest.approx(p.share), *([s.text, pytest.approx(s.weight)] for s in p.spans)]
        for p in phrases
    ]
    assert engine.value("return engine.wordsOf(engine.parsePrompt(given))", text) == (
        parse_prompt(text).text
    )
    assert engine.value("return engine.bpmInPrompt(given)", text) == bpm_in_prompt(text)
    key = engine.value("return engine.keyInPrompt(given)", text)
    assert (key or [None, None]) == list(key_in_prompt(text))


@pytest.mark.parametrize("text", ["D minor", "a♯ Minor", "B-flat min", "Bbm", "cb maj", "E#", "H"])
def test_names_of_keys(engine: Engine, text: str) -> None:
    read = "try { return engine.parseKey(given) } catch { return null }"
    found = engine.value(read, text)
    try:
        assert found == list(parse_key(text))
    except ParameterError:
        assert found is None
