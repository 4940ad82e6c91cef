"""Songs rendered from plans, by a tiny model of random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoriff.errors import Cancelled
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.settings import Sampling
from sonoriff.songs import render
from sonoriff.songs.plan import Section, Song
from sonoriff.songs.render import render_song

QUICK = Sampling(num_inference_steps=2)
A = Section(name="A", bars=2, energy=(2.0, 2.0), prompt="soft piano")
B = Section(name="B", bars=1, energy=(5.0, 5.0), chords="Am F", transition="crossfade")
C = Section(name="C", bars=2, energy=(3.0, 1.0), seed=9)
SONG = Song(sections=(A, B, C), bpm=240.0, style="jazz", key="A minor")


@pytest.fixture
def keyless(monkeypatch: pytest.MonkeyPatch) -> None:
    """What random weights paint has no key, though now and then one is heard in it."""
    monkeypatch.setattr(render, "key_of_latents", lambda *_: None)


def values(model: SmallModel, song: Song, cache: Path | None = None) -> np.ndarray:
    return render_song(model, song, QUICK, cache=cache).sonogram.values


@settings(max_examples=3, deadline=None)
@given(
    st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=4),
    st.floats(200, 400),
)
def test_any_plan_renders_to_exactly_its_bars(
    small_model: SmallModel, sections: list[Section], bpm: float
) -> None:
    song = Song(sections=tuple(sections), bpm=bpm)
    clip = render_song(small_model, song, QUICK)
    frames = round(song.bars * 240.0 / bpm * small_model.params.frames_per_second)
    assert clip.sonogram.n_frames == frames
    assert np.isfinite(clip.sonogram.values).all()


def test_the_same_plan_gives_the_same_song(small_model: SmallModel, tmp_path: Path) -> None:
    alone = values(small_model, SONG)
    np.testing.assert_array_equal(alone, values(small_model, SONG, tmp_path))
    np.testing.assert_array_equal(alone, values(small_model, SONG, tmp_path))
    other = replace(SONG, sections=(A, C, B))
    assert not np.array_equal(alone, values(small_model, other, tmp_path))


@pytest.mark.usefixtures("keyless")
def test_an_edit_paints_one_section_and_its_joins(small_model: SmallModel, tmp_path: Path) -> None:
    """Three sections and two joins; the last section and one join are new."""
    before = values(small_model, SONG, tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 5
    edited = replace(SONG, sections=(A, B, replace(C, seed=10)))
    after = values(small_model, edited, tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 7
    untouched = before.shape[2] // 5 * 2
    np.testing.assert_array_equal(before[..., :untouched], after[..., :untouched])
    assert not np.array_equal(before, after)


@pytest.mark.usefixtures("keyless")
def test_what_is_done_survives_a_stop(small_model: SmallModel, tmp_path: Path) -> None:
    told = []

    def stop(step: int, steps: int) -> None:
        told.append((step, steps))
        if step == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        render_song(small_model, SONG, QUICK, cache=tmp_path, on_progress=stop)
    assert len(list(tmp_path.iterdir())) == 2
    assert told[-1] == (5, 10)
    np.testing.assert_array_equal(values(small_model, SONG, tmp_path), values(small_model, SONG))


def test_a_section_in_a_far_key_is_painted_once_more(
    small_model: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second section is far off at first, the last one however often; a return is let alone."""
    near, far = ("E", "minor"), ("F#", "major")
    heard = iter([near, far, near, far, far])
    monkeypatch.setattr(render, "key_of_latents", lambda *_: next(heard))
    song = replace(SONG, sections=(A, B, C, replace(A, name="A 2", like="A")))
    made = values(small_model, song, tmp_path)
    assert next(heard, None) is None
    assert len(list(tmp_path.glob("*.npy"))) == 2 + 4 + 3
    monkeypatch.setattr(render, "key_of_latents", lambda *_: None)
    plain = values(small_model, song)
    bar = made.shape[2] // 7
    assert not np.array_equal(made[..., 2 * bar : 3 * bar], plain[..., 2 * bar : 3 * bar])
    np.testing.assert_array_equal(made[..., : bar // 2], plain[..., : bar // 2])


def test_a_damaged_cache_is_painted_again(small_model: SmallModel, tmp_path: Path) -> None:
    whole = values(small_model, SONG, tmp_path)
    for path in tmp_path.glob("*.npy"):
        path.write_bytes(path.read_bytes()[:100])
    np.testing.assert_array_equal(values(small_model, SONG, tmp_path), whole)


def test_a_return_is_the_same_music(small_model: SmallModel) -> None:
    """Four cells a bar, so that both lie alike on the grid; the middles are free of joins."""
    cell_s = small_model.params.duration_s(small_model.cell[1])
    bpm = 240.0 / (40 * cell_s)
    again = Section(name="A 2", bars=4, like="A", energy=(2.0, 2.0))
    first = replace(A, bars=4)
    middle = Section(name="B", bars=4)
    bar = 40 * small_model.cell[1]

    def distance(section: Section) -> float:
        song = Song(sections=(middle, first, middle, section, middle), bpm=bpm)
        picture = values(small_model, song)
        here, there = (picture[..., i * bar : (i + 1) * bar] for i in (6, 14))
        return float(np.abs(here - there).mean())

    same, varied = distance(again), distance(replace(again, vary=0.7))
    other = distance(replace(again, like=None, prompt=A.prompt))
    assert same < 0.05 * other
    assert same < varied < other


def test_the_end_falls_silent(small_model: SmallModel) -> None:
    clip = render_song(small_model, SONG, QUICK)
    sound = np.abs(clip.waveform[0])
    quarter = clip.sample_rate // 4  # of a second: a beat
    assert sound[-quarter // 4 :].max() < 0.1 * sound[-8 * quarter : -4 * quarter].max()


def test_a_picture_holds_its_plan(small_model: SmallModel) -> None:
    from sonoriff.songs.document import song_from_toml

    settings = render_song(small_model, SONG, QUICK).settings
    assert settings["verb"] == "song"
    assert settings["num_inference_steps"] == 2
    assert song_from_toml(settings["plan"]) == SONG
