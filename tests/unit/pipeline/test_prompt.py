"""Tempo and key that a prompt names."""

import pytest

from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt


@pytest.mark.parametrize(
    ("prompt", "bpm"),
    [
        ("techno, 132 bpm", 132.0),
        ("120BPM house", 120.0),
        ("a 96-bpm groove", 96.0),
        ("1980 disco", None),
        ("9999 bpm", None),
    ],
)
def test_a_prompt_names_its_tempo(prompt: str, bpm: float | None) -> None:
    assert bpm_in_prompt(prompt) == bpm


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        ("sad waltz in D minor", ("D", "minor")),
        ("In D minor, church organ", ("D", "minor")),
        ("organ in D Minor", ("D", "minor")),
        ("ORGAN IN F SHARP MAJOR", ("F#", "major")),
        ("a march in B-flat major", ("A#", "major")),
        ("in E♭ minor", ("D#", "minor")),
        ("in C♯ minor", ("C#", "minor")),
        ("a band in A big hall", (None, None)),
        ("strings in a minor role", (None, None)),
        ("in C\u017fharp minor", (None, None)),
    ],
)
def test_a_prompt_names_its_key(prompt: str, key: tuple[str | None, str | None]) -> None:
    assert key_in_prompt(prompt) == key
