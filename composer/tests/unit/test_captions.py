"""Captions say what the facts say and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sonoriff.corpus.manifest import ClipLabels
from sonoriff_composer.captions import captions_for, moods_of
from sonoriff_composer.score import seeded

TECHNO = ClipLabels(
    genre="techno", style="techno", instruments=("drums", "synth bass"), bpm=130.0, key="D",
    mode="minor", beats_per_bar=4, drums=True, kind="render",
)  # fmt: skip
PIANO = ClipLabels(
    genre="new age", style="new age piano", instruments=("piano",), lead="piano", bpm=66.0,
    key="Bb", mode="major", beats_per_bar=4, drums=False, kind="render",
)  # fmt: skip


def written(facts: ClipLabels, count: int = 60) -> list[str]:
    return [c for seed in range(count) for c in captions_for(seeded(seed), facts)]


def test_four_to_six_different_captions_repeatable() -> None:
    for seed in range(30):
        captions = captions_for(seeded(seed), TECHNO)
        assert 4 <= len(captions) <= 6
        assert len({c.lower() for c in captions}) == len(captions)
        assert captions == captions_for(seeded(seed), TECHNO)


def test_forms_vary() -> None:
    captions = written(TECHNO)
    assert "techno" in captions
    assert any("130 bpm" in c for c in captions)
    assert any("D minor" in c for c in captions)
    assert any(c.startswith("A ") and c.endswith(".") for c in captions)
    assert any("synth bass" in c and "techno" not in c for c in captions)
    assert len(set(captions)) > 100


@pytest.mark.parametrize("words", ["no drums", "without drums", "no percussion"])
def test_no_drums_is_said_only_where_there_are_none(words: str) -> None:
    # "techno drums" holds the letters of "no drums"
    assert not any(re.search(rf"\b{words}", c) for c in written(TECHNO))
    assert any(words in c for c in written(PIANO))


def test_unknown_facts_are_not_mentioned() -> None:
    unknown = replace(TECHNO, bpm=None, key=None, mode=None)
    assert not any(
        "bpm" in c.lower() or "minor" in c or "beats per minute" in c for c in written(unknown)
    )


def test_a_single_player_is_a_solo_and_a_section_is_not() -> None:
    assert any("solo piano" in c or "piano alone" in c for c in written(PIANO))
    strings = replace(PIANO, instruments=("strings",), lead=None, genre="orchestral", style="x")
    assert not any("solo" in c or "unaccompanied" in c for c in written(strings))


def test_every_caption_says_more_than_mood_and_tempo() -> None:
    for caption in written(replace(TECHNO, instruments=())):
        assert "techno" in caption.lower()


def test_moods_follow_from_the_facts() -> None:
    assert {"driving", "dark"} <= set(moods_of(TECHNO))
    slow = moods_of(replace(PIANO, bpm=60.0, mode="minor"))
    assert {"slow", "sad", "melancholic", "intimate"} <= set(slow)
    assert "happy" not in slow
    fast = moods_of(ClipLabels(genre="polka", bpm=132.0, mode="major", drums=True))
    assert "happy" in fast
    assert "happy" not in moods_of(ClipLabels(genre="tango", bpm=132.0, mode="major", drums=True))


def test_known_phrases_are_kept() -> None:
    assert "epic battle music" in captions_for(
        seeded(1), ClipLabels(genre="orchestral"), ("epic battle music",)
    )


def test_nothing_is_said_twice_in_a_caption() -> None:
    blues = replace(PIANO, genre="blues", style="slow blues", bpm=60.0)
    cha = replace(PIANO, genre="cha cha", style="cha cha", bpm=120.0)
    guitar = replace(
        PIANO, genre="flamenco", style="flamenco guitar", instruments=("nylon guitar", "drums"),
        lead="nylon guitar", drums=True,
    )  # fmt: skip
    lead = replace(TECHNO, lead="synth lead", instruments=("synth lead", "drums"))
    twice = re.compile(r"\b(\w+)[ ,]+\1\b|bluesy blues|guitar with .*guitar|lead synth lead")
    found = [c for facts in (blues, guitar, lead) for c in written(facts) if twice.search(c)]
    assert found == []
    assert "cha cha" in written(cha)
    assert not any(re.search(r"(?<!cha[ -])\bcha(?![ -]cha)", c) for c in written(cha))


def test_hands_on_skins_are_not_denied() -> None:
    congas = replace(PIANO, genre="salsa", style="salsa", instruments=("piano", "congas"))
    assert not any("no percussion" in c or "no drums" in c for c in written(congas))


def test_a_choir_is_not_instrumental() -> None:
    choir = replace(PIANO, genre="choral", style="choral", instruments=("choir",), lead=None)
    assert not any("instrumental" in c for c in written(choir))
