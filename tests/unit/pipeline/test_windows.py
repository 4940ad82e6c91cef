"""Windows over long grids, and what prompts say."""

from itertools import pairwise

import pytest
import torch

from sonoriff.errors import ParameterError
from sonoriff.music import parse_key
from sonoriff.pipeline.prompt import bpm_in_prompt, key_in_prompt
from sonoriff.pipeline.tiling import merged, window_columns, window_starts


@pytest.mark.parametrize("width", [1, 64, 65, 100, 112, 113, 1000])
def test_windows_cover_everything_and_overlap(width: int) -> None:
    starts = window_starts(width, 64, 16)
    assert starts[0] == 0
    assert max(starts) == max(0, width - 64)
    assert all(b - a <= 48 for a, b in pairwise(starts))


def test_windows_that_agree_give_what_one_window_would() -> None:
    x = torch.randn(2, 3, 4, 150)
    columns = window_columns(150, 64, 16)
    parts = [x[..., places] for places in columns]
    torch.testing.assert_close(merged(parts, columns, 150, 16), x)


def test_windows_fade_into_each_other() -> None:
    columns = window_columns(112, 64, 16)
    parts = [torch.full((1, 1, 1, 64), float(i)) for i in range(2)]
    line = merged(parts, columns, 112, 16).flatten()
    assert bool((line.diff() >= 0).all())
    assert float(line.diff().max()) < 0.1


@pytest.mark.parametrize("width", [2, 21, 43, 64, 65, 129, 500])
def test_circular_windows_run_over_the_join(width: int) -> None:
    columns = window_columns(width, 64, 32, circular=True)
    assert set(torch.cat(columns).tolist()) == set(range(width))
    pairs = {pair for places in columns for pair in pairwise(places.tolist())}
    assert (width - 1, 0) in pairs
    x = torch.randn(1, 2, 3, width)
    merged_again = merged([x[..., places] for places in columns], columns, width, 32)
    torch.testing.assert_close(merged_again, x)


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


@pytest.mark.parametrize("text", ["H minor", "", "D dorian", "minor", "DM", "C-", "D \u017fharp"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        parse_key(text)
