"""The front door: what it gives, what it refuses, and that it shows what it takes."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sonoriff
from sonoriff.api import Clip, Sonoriff, load
from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.remix import RemixSettings, remix
from sonoriff.pipeline.verbs import VERBS
from sonoriff.stream.scene import Scene

FEW = {"num_inference_steps": 2}


@pytest.fixture(scope="module")
def model(small_model: SmallModel) -> Sonoriff:
    return Sonoriff(small_model)


def test_importing_loads_nothing_heavy() -> None:
    script = (
        "import sys, sonoriff; print([n for n in ('torch', 'numba', 'matplotlib', 'scipy', 'numpy')"
        " if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_front_door_is_there() -> None:
    for name in sonoriff.__all__:
        assert getattr(sonoriff, name) is not None
        assert name in dir(sonoriff)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sonoriff.nothing


def test_a_clip_is_that_of_the_verb(model: Sonoriff, small_model: SmallModel) -> None:
    clip = model.generate("techno", seed=3, **FEW)
    assert isinstance(clip, Clip)
    same = generate(small_model, GenerateSettings(prompt="techno", seed=3, **FEW))
    assert np.array_equal(clip.sonogram.values, same.sonogram.values)
    assert clip.settings["prompt"] == "techno"
    assert clip.waveform.shape[1] / clip.sample_rate == pytest.approx(5.94, abs=0.01)


def test_a_count_and_several_prompts_give_lists(model: Sonoriff) -> None:
    two = model.generate("techno", count=2, seed=5, **FEW)
    assert [clip.settings["seed"] for clip in two] == [5, 6]
    several = model.generate(["techno", "harp"], seed=1, **FEW)
    assert [clip.settings["prompt"] for clip in several] == ["techno", "harp"]
    assert len(model.generate("techno", count=1, **FEW)) == 1
    assert model.generate([], **FEW) == []


def test_clips_go_on_to_other_verbs(model: Sonoriff, small_model: SmallModel) -> None:
    clip = model.generate("techno", **FEW)
    other = clip.remix("church organ", strength=0.5, **FEW)
    wanted = remix(
        small_model, clip.sonogram, RemixSettings(prompt="church organ", strength=0.5, **FEW)
    )
    assert np.array_equal(other.sonogram.values, wanted.sonogram.values)
    assert clip.inpaint("harp", times=((1.0, 2.0),), **FEW).settings["verb"] == "inpaint"
    assert clip.extend(8.0, **FEW).sonogram.duration_s == pytest.approx(8.0, abs=0.02)
    assert model.loop("techno", bars=1, bpm=120.0, **FEW).settings["verb"] == "loop"
    assert model.morph(["techno", "harp"], clips=3, **FEW).settings["verb"] == "morph"


def test_sources_are_clips_sonograms_paths_and_waveforms(model: Sonoriff, tmp_path: Path) -> None:
    clip = model.generate("techno", **FEW)
    clip.save(tmp_path / "clip.png")
    wave = np.sin(np.arange(44_100) / 20, dtype=np.float32)[None]
    for source in (clip, clip.sonogram, tmp_path / "clip.png", (wave, 44_100)):
        assert model.remix(source, prompt="harp", **FEW).settings["verb"] == "remix"


def test_a_stream_goes_on_and_on(model: Sonoriff) -> None:
    chunks = list(islice(model.stream("techno", bpm=120.0, num_inference_steps=1), 3))
    assert all(chunk.ndim == 2 and chunk.dtype == np.float32 for chunk in chunks)
    blend = model.stream([("techno", 2.0), "harp"], num_inference_steps=1)
    assert next(blend).shape[0] == 2


def test_a_clip_that_was_loaded_says_what_it_lacks(model: Sonoriff, tmp_path: Path) -> None:
    model.generate("techno", **FEW).save(tmp_path / "clip.png")
    clip = sonoriff.Clip.load(tmp_path / "clip.png")
    assert clip.settings["prompt"] == "techno"
    with pytest.raises(ParameterError, match=r"sonoriff.load\(\) one"):
        clip.remix("harp")


def test_a_notebook_is_shown_a_picture_and_a_player(model: Sonoriff) -> None:
    shown = model.generate("techno", **FEW)._repr_html_()
    assert "<img src=" in shown
    assert "<audio controls" in shown


@pytest.mark.parametrize("name", [*VERBS, "stream"])
def test_signatures_are_those_of_the_settings(name: str) -> None:
    settings_class: Any = Scene if name == "stream" else VERBS[name].settings_class
    shown = inspect.signature(getattr(Sonoriff, name)).parameters
    for field in fields(settings_class):
        if name == "stream" and field.name == "prompts":
            continue
        assert field.name in shown
        if field.name not in ("prompt", "points", "duration_s"):
            assert shown[field.name].default == field.default
            assert shown[field.name].kind is inspect.Parameter.KEYWORD_ONLY
    own = {f.name for f in fields(settings_class)}
    assert set(shown) - own <= {"self", "source", "sources", "count", "on_progress", "prompt"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda m: m.generate(7), "prompt must be of type str"),
        (lambda m: m.generate("x", sed=1), "generate takes no 'sed'"),
        (lambda m: m.generate("x", seed=-1), "seed must be in"),
        (lambda m: m.generate("x", chords="Hm7x"), "'Hm7x' is no chord"),
        (lambda m: m.generate("x", energy=9), r"energy must be in \[1, 5\]"),
        (lambda m: m.remix(7), "a source is a clip"),
        (lambda m: m.remix("nowhere.wav"), "there is no file nowhere.wav|nowhere.wav"),
        (lambda m: m.extend("x.png"), "extend: .*duration_s"),
        (lambda m: m.morph("techno"), "two prompts or more"),
        (lambda m: m.stream(7), "a prompt is text"),
        (lambda m: m.stream("x", mode="walk"), "mode must be"),
        (lambda _: load(7), "named by text or a path"),
    ],
)
def test_bad_input_is_said(model: Sonoriff, call: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        call(model)


def test_models_and_devices_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no device 'tpu9'"):
        load(device="tpu9")
    with pytest.raises(CheckpointError, match="holds no model"):
        load(tmp_path)
    # A failure leaves nothing behind that the next call would trip over.
    assert load(device="auto").name == "sonoriff-small"


def test_a_song_is_rendered_from_a_plan_or_its_file(model: Sonoriff, tmp_path: Path) -> None:
    from sonoriff.songs.document import save_song
    from sonoriff.songs.plan import Section, Song

    plan = Song(sections=(Section(name="a", bars=1),), bpm=300.0, key="C major")
    save_song(tmp_path / "song.toml", plan)
    clip = model.song(plan, **FEW)
    assert clip.settings["verb"] == "song"
    again = model.song(tmp_path / "song.toml", cache=tmp_path / "cache", **FEW)
    assert np.array_equal(clip.sonogram.values, again.sonogram.values)
    wished = model.song("jazz, 240 bpm", length_s=10.0, **FEW)
    assert wished.sonogram.duration_s == pytest.approx(10.0, abs=0.02)
    with pytest.raises(ParameterError, match="length_s belongs to a wish"):
        model.song(plan, length_s=10.0)
    with pytest.raises(ParameterError, match="a song is a plan or the path of one"):
        model.song(7)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="unexpected keyword"):
        model.song(plan, speed=2)
