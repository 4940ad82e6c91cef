"""Chords read from their names and heard in sounds."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.analysis.chords import (
    chord_of_class,
    chords_of_waveform,
    parse_chord,
    parse_progression,
)
from sonoriff.errors import ParameterError

RATE = 44_100


@pytest.mark.parametrize(
    ("name", "root", "tones"),
    [
        ("C", 0, (0, 4, 7)),
        ("Am", 9, (0, 4, 9)),
        ("F#m7", 6, (1, 4, 6, 9)),
        ("Bbmaj7", 10, (2, 5, 9, 10)),
        ("B♭", 10, (2, 5, 10)),
        ("Cb", 11, (3, 6, 11)),
        ("G/B", 7, (2, 7, 11)),
        ("C/Bb", 0, (0, 4, 7, 10)),
        ("Esus4", 4, (4, 9, 11)),
        ("D5", 2, (2, 9)),
        ("G°", 7, (1, 7, 10)),
    ],
)
def test_names_are_read(name: str, root: int, tones: tuple[int, ...]) -> None:
    chord = parse_chord(name)
    assert (chord.root, chord.tones) == (root, tones)


@pytest.mark.parametrize("name", ["", "Hm7x", "am", "C#b", "Cmaj13", "C/", "C/H", "C G"])
def test_what_is_no_chord_is_said(name: str) -> None:
    with pytest.raises(ParameterError, match="is no chord"):
        parse_chord(name)


def strings(root: int, *, minor: bool, seconds: float) -> np.ndarray:
    """A triad and its bass note, with six partials each."""
    t = np.arange(round(seconds * RATE)) / RATE
    notes = [36 + root, *(48 + root + step for step in ((0, 3, 7) if minor else (0, 4, 7)))]
    hz = [440 * 2 ** ((note - 69) / 12) for note in notes]
    return sum(np.sin(2 * np.pi * f * k * t) / k for f in hz for k in range(1, 7))


def test_a_progression_is_heard() -> None:
    asked = [(9, True), (5, False), (0, False), (7, False)]
    sound = np.concatenate([strings(r, minor=m, seconds=1.5) for r, m in asked])
    heard = chords_of_waveform(sound, RATE, 0.1)
    assert len(heard) == 60
    wanted = np.repeat([root + 12 * minor for root, minor in asked], 15)
    assert np.mean(heard == wanted) > 0.9


@pytest.mark.parametrize("number", range(24))
def test_every_triad_is_told_from_the_others(number: int) -> None:
    heard = chords_of_waveform(strings(number % 12, minor=number >= 12, seconds=1.0), RATE, 0.1)
    assert set(heard.tolist()) == {number}
    chord = chord_of_class(number)
    assert chord == parse_chord(
        ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")[number % 12]
        + ("m" if number >= 12 else "")
    )


def test_no_chord_is_heard_in_silence_and_in_noise() -> None:
    assert set(chords_of_waveform(np.zeros(RATE), RATE, 0.1).tolist()) == {-1}
    noise = np.random.default_rng(0).standard_normal(RATE * 3)
    assert np.mean(chords_of_waveform(noise, RATE, 0.1) == -1) > 0.5
    assert chord_of_class(-1) is None


def test_a_sound_shorter_than_a_frame_has_an_answer() -> None:
    assert len(chords_of_waveform(np.ones(1), RATE, 0.1)) == 1


def test_progressions_are_read() -> None:
    am, f = parse_chord("Am"), parse_chord("F")
    assert parse_progression("Am F") == ((am, 4), (f, 4))
    assert parse_progression("Am:2 | F - Am, F", 3) == ((am, 6), (f, 3), (am, 3), (f, 3))


@pytest.mark.parametrize(
    "text", ["", " | ", "Am:0", "Am:17", "Am:x", "Am:²", "Am Hm7x", "C " * 129]
)
def test_what_is_no_progression_is_said(text: str) -> None:
    with pytest.raises(ParameterError, match="chord"):
        parse_progression(text)
