"""Plans of songs: what is refused, and what a returning section takes over."""

from __future__ import annotations

from typing import Any

import pytest

from sonoriff.errors import ParameterError
from sonoriff.songs.plan import Section, Song


def song(*sections: Section, **values: Any) -> Song:
    return Song(sections=sections, **{"bpm": 120.0, **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bars": 0}, r"bars must be in \[1, 256\], got 0"),
        ({"bars": 1000}, r"bars must be in \[1, 256\]"),
        ({"name": " "}, "name has 1 to"),
        ({"energy": (0.0, 2.0)}, r"energy must be in \[1, 5\]"),
        ({"energy": "loud"}, "energy must be of type"),
        ({"vary": 1.5}, r"vary must be in \[0, 1\]"),
        ({"transition": "slide"}, "transition must be one of cut, crossfade"),
        ({"chords": "H7"}, "H7"),
        ({"seed": -1}, "seed must be in"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Section(**{"name": "verse", "bars": 4, **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bpm": 5.0}, "bpm must be in"),
        ({"key": "H minor"}, "a key is a letter and a mode"),
        ({"seed": 2**62}, "seed must be in"),
        ({"style": "a" * 2001}, "at most 2000 characters"),
    ],
)
def test_a_song_that_makes_no_sense_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        song(Section(name="verse", bars=4), **values)


def test_a_song_has_a_section_and_an_end() -> None:
    with pytest.raises(ParameterError, match="1 to 200 sections"):
        song()
    with pytest.raises(ParameterError, match="1 to 200 sections"):
        song(*[Section(name="verse", bars=1)] * 201)
    with pytest.raises(ParameterError, match="lasts 1024 s; 600 s is the limit"):
        song(*[Section(name="verse", bars=256)] * 2)


@pytest.mark.parametrize("like", ["chorus", "verse", "itself"])
def test_a_section_is_like_an_earlier_one_only(like: str) -> None:
    with pytest.raises(ParameterError, match="no section before it has that name"):
        song(Section(name="itself", bars=4, like=like), Section(name="verse", bars=4))


def test_a_return_takes_what_it_does_not_say() -> None:
    made = song(
        Section(name="verse", bars=4, prompt="soft piano", energy=(2.0, 2.0), chords="Am F"),
        Section(name="verse 2", bars=8, like="verse", energy=(4.0, 4.0)),
        Section(name="verse 3", bars=4, like="verse 2", chords="C G"),
        style="jazz",
        seed=7,
    )
    last = made.resolved(2)
    assert (last.prompt, last.energy, last.chords) == ("soft piano", (4.0, 4.0), "C G")
    assert [made.original(i) for i in range(3)] == [0, 0, 0]
    assert made.prompt_of(2) == "jazz, soft piano"
    assert made.seed_of(0) == 7
    assert made.first_bars() == [0, 4, 12, 16]
    assert made.duration_s == 32.0


def test_a_prompt_may_stand_alone() -> None:
    made = song(Section(name="break", bars=2, prompt="rain", alone=True), style="techno")
    assert made.prompt_of(0) == "rain"
