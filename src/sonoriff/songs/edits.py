"""Changes of a plan that touch several sections: which are meant, and how long each becomes."""

from __future__ import annotations

from dataclasses import replace

from sonoriff.errors import ParameterError
from sonoriff.music import bar_seconds
from sonoriff.songs.document import check_number
from sonoriff.songs.plan import MAX_BARS, Song


def numbers_of_sections(song: Song, which: str) -> list[int]:
    """Numbers, from 1, of the sections that a number or a name means.

    Raises
    ------
    ParameterError
        there is none; the message lists the names
    """
    wanted = which.strip()
    if wanted.isdecimal():
        check_number(song, int(wanted))
        return [int(wanted)]
    found = [
        i for i, s in enumerate(song.sections, 1) if s.name.casefold() == wanted.casefold()
    ]  # fmt: skip
    if not found:
        names = ", ".join(dict.fromkeys(section.name for section in song.sections))
        raise ParameterError(f"no section is called {which!r}; there are {names}")
    return found


def bars_of_length(song: Song, length_s: float) -> list[int]:
    """Bars of each section of a song of another length, in proportion; their sum meets it.

    Raises
    ------
    ParameterError
        that is less than a bar for each section, or more than 256 for one
    """
    total = round(length_s / bar_seconds(song.bpm))
    count = len(song.sections)
    if total < count:
        least_s = count * bar_seconds(song.bpm)
        raise ParameterError(
            f"{count} sections of a bar each take {least_s:.1f} s: take some out to go below that"
        )
    exact = [section.bars * total / song.bars for section in song.sections]
    bars = [max(1, int(value)) for value in exact]
    while sum(bars) < total:
        bars[max(range(count), key=lambda i: exact[i] - bars[i])] += 1
    while sum(bars) > total:
        bars[min((i for i in range(count) if bars[i] > 1), key=lambda i: exact[i] - bars[i])] -= 1
    if max(bars) > MAX_BARS:
        raise ParameterError(f"a section would have {max(bars)} bars; {MAX_BARS} is the limit")
    return bars


def rerolled(song: Song, number: int, seed: int | None = None) -> dict[str, float]:
    """Values that give a section, by its number from 1, another seed.

    Parameters
    ----------
    seed : None takes one that no section has by its place
    """
    chosen = song.seed_of(number - 1) + 1000 if seed is None else seed
    changes: dict[str, float] = {"seed": chosen}
    if song.sections[number - 1].like is not None:
        changes["vary"] = 1.0  # below that the seed of the section that it is like has a say
    return changes


def first_sections(song: Song, count: int) -> Song:
    """The song up to a section: its sections and joins are those of the whole song."""
    return replace(song, sections=song.sections[:count])
