"""What captions ask for."""

import pytest

from sonoriff.evaluation.judges.musicnn import TAGS, Network
from sonoriff.evaluation.model.requested import asked_of_caption, tags_of_text, words_of_entry

FACTS = {
    "genre": "drum and bass",
    "style": "liquid",
    "instruments": ["tenor saxophone", "synth pad", "drums"],
    "bpm": 174.2,
    "key": "Bb",
    "mode": "minor",
}


@pytest.mark.parametrize(
    "caption", ["drum and bass", "fast DNB, no piano", "d&b with synth pads", "Liquid, warm"]
)
def test_a_genre_is_found_under_its_names(caption: str) -> None:
    assert asked_of_caption(caption, FACTS).genre == "drum and bass"


def test_what_is_not_named_is_not_asked() -> None:
    asked = asked_of_caption("something with a tenor sax", FACTS)
    assert (asked.genre, asked.instruments) == (None, ("tenor saxophone",))
    assert (asked.bpm, asked.key) == (None, None)


def test_tempo_and_key_are_those_of_the_words() -> None:
    asked = asked_of_caption("drum and bass, 174 bpm, in Bb minor", FACTS)
    assert (asked.bpm, asked.key) == (174.0, (10, True))


def test_part_of_a_word_is_no_word() -> None:
    assert asked_of_caption("dnbx, synth padding", FACTS) == asked_of_caption("", FACTS)


def test_what_is_ruled_out_is_not_asked() -> None:
    assert asked_of_caption("liquid saxophone, no drums", FACTS).instruments == ("tenor saxophone",)


def test_a_clip_of_unknown_genre_asks_for_none() -> None:
    assert asked_of_caption("rock", {"genre": None, "instruments": []}).genre is None


@pytest.mark.parametrize(
    ("network", "text", "tags"),
    [
        ("MTT", "techno with strings", {"techno", "strings", "electronic"}),
        ("MTT", "jazz guitar without drums", {"guitar"}),
        ("MSD", "bebop, jazz guitar", {"jazz", "guitar"}),
        ("MSD", "harpsichord", set()),
    ],
)
def test_tags_that_a_text_calls_for(network: Network, text: str, tags: set[str]) -> None:
    assert {TAGS[network][i] for i in tags_of_text(text, network)} == tags


def test_all_words_of_a_clip_count() -> None:
    words = words_of_entry({"facts": FACTS, "captions": ["smooth and warm"]})
    for part in ("drum and bass", "liquid", "synth pad", "smooth and warm"):
        assert part in words
