"""Changes of several sections of a plan."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoriff.errors import ParameterError
from sonoriff.music import bar_seconds
from sonoriff.songs.edits import bars_of_length, numbers_of_sections, rerolled
from sonoriff.songs.plan import Section, Song


def song(*bars: int) -> Song:
    names = ("intro", "Verse", "verse", "ending")
    sections = tuple(Section(name=names[i % 4], bars=n) for i, n in enumerate(bars))
    return Song(sections=sections, bpm=240.0)


def test_a_section_is_meant_by_its_number_or_its_name() -> None:
    made = song(1, 2, 3, 4)
    assert numbers_of_sections(made, "4") == [4]
    assert numbers_of_sections(made, " verse") == [2, 3]
    with pytest.raises(ParameterError, match="sections 1 to 4, got 5"):
        numbers_of_sections(made, "5")
    with pytest.raises(ParameterError, match="'chorus'; there are intro, Verse, verse, ending"):
        numbers_of_sections(made, "chorus")


@settings(deadline=None)
@given(st.lists(st.integers(1, 32), min_size=1, max_size=12), st.integers(12, 200))
def test_a_new_length_is_met_to_the_bar_and_in_proportion(bars: list[int], total: int) -> None:
    made = song(*bars)
    found = bars_of_length(made, total * bar_seconds(240.0))
    assert sum(found) == total
    assert min(found) >= 1
    exact = [n * total / sum(bars) for n in bars]
    assert all(
        (n >= x - 1 and (n <= x + 1 or n == 1)) or min(exact) < 1
        for n, x in zip(found, exact, strict=True)
    )


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(ParameterError, match=r"3 sections of a bar each take 3\.0 s"):
        bars_of_length(song(1, 1, 1), 2.0)
    with pytest.raises(ParameterError, match="would have 300 bars; 256 is the limit"):
        bars_of_length(song(1), 300.0)


def test_a_section_that_returns_is_varied_fully() -> None:
    first = Section(name="A", bars=1)
    made = Song(sections=(first, Section(name="B", bars=1, like="A")), bpm=120.0)
    assert rerolled(made, 1) == {"seed": 1000}
    assert rerolled(made, 2, 5) == {"seed": 5, "vary": 1.0}
