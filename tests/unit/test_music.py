"""Names of keys."""

import pytest

from sonoriff.errors import ParameterError
from sonoriff.music import fifths_apart, parse_key, scale_of_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("D minor", ("D", "minor")),
        ("Bb", ("A#", None)),
        ("f# maj", ("F#", "major")),
        ("Am", ("A", "minor")),
        ("E flat major", ("D#", "major")),
        ("D Minor", ("D", "minor")),
        ("f SHARP Maj", ("F#", "major")),
        ("b♭ minor", ("A#", "minor")),
        ("C♯m", ("C#", "minor")),
        ("B-flat-major", ("A#", "major")),
        ("b", ("B", None)),
    ],
)
def test_keys_are_read(text: str, key: tuple[str, str | None]) -> None:
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["H minor", "", "D dorian", "minor", "DM", "C-", "D \u017fharp"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        parse_key(text)


@pytest.mark.parametrize(
    ("key", "fifths"),
    [("C major", 0), ("A minor", 0), ("G", 1), ("D minor", 1), ("F# major", 6), ("Eb", 3)],
)
def test_keys_are_fifths_apart(key: str, fifths: int) -> None:
    assert fifths_apart(0, scale_of_key(*parse_key(key))) == fifths
