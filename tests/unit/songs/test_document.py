"""Songs as TOML: read by line, written back with comments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoriff.errors import FormatError, ParameterError
from sonoriff.songs.document import (
    dict_from_song,
    edit_section,
    load_song,
    save_song,
    song_from_dict,
    song_from_toml,
    toml_from_song,
)
from sonoriff.songs.plan import Section, Song

PLAN = """# A quiet one.
bpm = 84
key = "A minor"
style = "lo-fi hip hop"

[[section]]
name = "intro"  # only the piano
bars = 4
energy = [1, 2]

[[section]]
name = "verse"
bars = 8
"""

ENERGY = st.floats(1, 5, allow_nan=False)
SECTIONS = st.builds(
    Section,
    name=st.text("abc \"'\\\n\té", min_size=1, max_size=9).filter(str.strip),
    bars=st.integers(1, 16),
    energy=st.none() | st.tuples(ENERGY, ENERGY),
    prompt=st.text(max_size=20),
    alone=st.booleans(),
    chords=st.none() | st.sampled_from(["Am F C G", "C:2 | G7"]),
    seed=st.none() | st.integers(0, 2**63 - 1),
    vary=st.floats(0, 1),
    transition=st.sampled_from(["cut", "crossfade", "riser", "fill"]),
    transition_bars=st.integers(1, 8),
)


@settings(deadline=None)
@given(st.lists(SECTIONS, min_size=1, max_size=5), st.floats(60, 300), st.integers(0, 2**62 - 1))
def test_a_plan_survives_its_file(sections: list[Section], bpm: float, seed: int) -> None:
    song = Song(sections=tuple(sections), bpm=bpm, seed=seed, style="a, b", key="Bb minor")
    assert song_from_toml(toml_from_song(song)) == song


def test_a_plan_is_read() -> None:
    song = song_from_toml(PLAN)
    assert song.bpm == 84
    assert song.key == "A minor"
    assert song.seed == 0
    assert [s.name for s in song.sections] == ["intro", "verse"]
    assert song.sections[0].energy == (1.0, 2.0)
    assert song_from_toml(PLAN.replace("[1, 2]", "3")).sections[0].energy == (3.0, 3.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bars = 8", "bras = 8", r"line 11, section 2: unknown key 'bras': 'bars' was meant\?"),
        ("bars = 8", "bars = 0", r"line 11, section 2: bars must be in"),
        ("bars = 8", 'bars = "8"', r"line 11, section 2: bars must be of type int"),
        ("bars = 8", "", r"line 11, section 2: bars must be given"),
        ("[1, 2]", '"loud"', r"line 6, section 1: energy is a number from 1 to 5"),
        ("[1, 2]", "nan", r"line 6, section 1: energy is a number from 1 to 5"),
        ("[1, 2]", "[1, 2, 3]", r"line 6, section 1: energy is a number"),
        ("bpm = 84", "bpm = 5", "bpm must be in"),
        ("bpm = 84", "tempo = 84", "unknown key 'tempo'"),
        ("bpm = 84", "bpm = 84\nschema = 2", "has schema 2; this version reads 1: update"),
        ("bpm = 84", "", "bpm must be given"),
        ("bars = 8", "bars = ", "line 13"),
        ("[[section]]", "[section]", "section"),
    ],
)
def test_a_mistake_is_said_by_line(old: str, new: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        song_from_toml(PLAN.replace(old, new))


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(FormatError):
        song_from_toml("bpm = " + "[" * 100_000)


def test_an_edit_keeps_comments_and_order(tmp_path: Path) -> None:
    path = tmp_path / "song.toml"
    path.write_text(PLAN, encoding="utf-8")
    song = edit_section(path, 1, seed=5, energy=None)
    assert song == load_song(path)
    assert song.sections[0].seed == 5
    assert song.sections[0].energy is None
    expected = PLAN.replace("energy = [1, 2]\n", "seed = 5\n")
    assert path.read_text(encoding="utf-8").split() == expected.split()


def test_an_edit_that_makes_no_song_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "song.toml"
    path.write_text(PLAN, encoding="utf-8")
    with pytest.raises(FormatError, match="bars must be in"):
        edit_section(path, 2, bars=0)
    with pytest.raises(ParameterError, match="sections 1 to 2, got 3"):
        edit_section(path, 3, bars=4)
    assert path.read_text(encoding="utf-8") == PLAN


def test_what_is_no_plan_is_told(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="there is no file"):
        load_song(tmp_path / "none.toml")
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * 1_000_001)
    with pytest.raises(FormatError, match="larger than 1 MB"):
        load_song(large)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not UTF-8"):
        load_song(binary)


def test_a_new_file_reads_back(tmp_path: Path) -> None:
    song = song_from_toml(PLAN)
    save_song(tmp_path / "song.toml", song)
    assert load_song(tmp_path / "song.toml") == song


@settings(deadline=None)
@given(st.lists(SECTIONS, min_size=1, max_size=3), st.floats(60, 300))
def test_a_song_survives_json(sections: list[Section], bpm: float) -> None:
    song = Song(sections=tuple(sections), bpm=bpm, title="x")
    assert song_from_dict(json.loads(json.dumps(dict_from_song(song)))) == song
