"""Roman numerals, chords and the tables of progressions."""

from __future__ import annotations

import pytest

from sonoriff.errors import ParameterError
from sonoriff_composer.harmony import (
    PROGRESSIONS,
    QUALITIES,
    SCALES,
    Chord,
    choose_progression,
    chord_from_roman,
    chords_from_text,
)
from sonoriff_composer.score import seeded


@pytest.mark.parametrize(
    ("symbol", "key", "expected"),
    [
        ("I", 0, (0, "")),
        ("ii7", 0, (2, "m7")),
        ("V7", 2, (9, "7")),
        ("bVIIM7", 0, (10, "M7")),
        ("#Io7", 5, (6, "o7")),
        ("viiø", 0, (11, "ø")),
        ("i5", 9, (9, "5")),
        ("iv6", 7, (0, "m6")),
    ],
)
def test_roman_numerals(symbol: str, key: int, expected: tuple[int, str]) -> None:
    assert chord_from_roman(symbol, key) == expected


@pytest.mark.parametrize("symbol", ["H7", "Iq", "", "VIIII"])
def test_unknown_symbols_are_named(symbol: str) -> None:
    with pytest.raises(ParameterError):
        chord_from_roman(symbol, 0)


def test_bars_are_filled_and_shared() -> None:
    chords = chords_from_text("I | ii7 V7", 0, 3, 4.0)
    assert [(c.start, c.length, c.name) for c in chords] == [
        (0.0, 4.0, "C"), (4.0, 2.0, "Dm7"), (6.0, 2.0, "G7"), (8.0, 4.0, "C"),
    ]  # fmt: skip


def test_every_progression_parses_and_every_mode_is_a_scale() -> None:
    for modes in PROGRESSIONS.values():
        for mode, texts in modes.items():
            assert mode in SCALES
            for text in texts:
                chords = chords_from_text(text, 0, len(text.split("|")), 4.0)
                assert all(c.quality in QUALITIES for c in chords)


def test_choice_is_repeatable_and_chord_tones_start_at_the_root() -> None:
    assert choose_progression(seeded(3), "jazz") == choose_progression(seeded(3), "jazz")
    assert Chord(0, 4, 9, "m7").tones == (9, 0, 4, 7)
