"""A Debian package of recorded music, and the table that its tracks are written in.

A row is `file | genre | style | moods | instruments | phrases | credit | licence`, lists divided
by commas, phrases by semicolons; what is empty is not known or taken from the album. Only what
holds for a whole track is said, so that every clip of it is described rightly.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Track:
    """One track: `phrases` are captions as they are, the rest are facts."""

    file: str
    genre: str
    style: str
    moods: tuple[str, ...]
    instruments: tuple[str, ...]
    phrases: tuple[str, ...]
    credit: str = ""
    licence: str = ""
    drums: bool | None = None


@dataclass(frozen=True)
class Album:
    """One Debian package: SPDX licence, whom to credit, at most `most` clips a track.

    Every `held_out`-th track is of the split "test" and never trained on: 1 holds out all.
    """

    package: str
    title: str
    licence: str
    credit: str
    tracks: tuple[Track, ...]
    most: int = 24
    held_out: int = 0


def _split(text: str, mark: str = ",") -> tuple[str, ...]:
    """Parts of a cell."""
    return tuple(part.strip() for part in text.split(mark) if part.strip())


def _track(row: str, common: str) -> Track:
    """One row; empty cells come from the album's common row."""
    cells = [cell.strip() for cell in row.split("|")]
    cells += [""] * (8 - len(cells))
    defaults = [cell.strip() for cell in common.split("|")]
    defaults += [""] * (8 - len(defaults))
    filled = [cell or default for cell, default in zip(cells, defaults, strict=True)]
    phrases = _split(cells[5], ";") + _split(defaults[5], ";")
    return Track(
        cells[0],
        filled[1],
        filled[2],
        _split(filled[3]),
        _split(filled[4]),
        phrases,
        filled[6],
        filled[7],
    )


def tracks(common: str, rows: str) -> tuple[Track, ...]:
    """All rows of an album."""
    return tuple(_track(row, common) for row in rows.strip().splitlines())
