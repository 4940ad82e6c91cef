"""What a song is: sections on one grid of bars, each a prompt, an energy and a length."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from sonoriff.analysis.chords import parse_progression
from sonoriff.analysis.energy import STEPS
from sonoriff.errors import ParameterError
from sonoriff.music import bar_seconds, check_bpm, parse_key
from sonoriff.pipeline.settings import MAX_DURATION_S, check_types

TRANSITIONS = ("cut", "crossfade", "riser", "fill")
MAX_SECTIONS, MAX_BARS, MAX_TRANSITION_BARS = 200, 256, 8
_LONGEST_TEXT, _LONGEST_NAME = 2000, 100


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a song.

    Attributes
    ----------
    name : "intro", "verse", "chorus" or any other word; several sections may share it
    bars : length, in [1, 256]
    energy : 1 (calm) to 5 (full), at the beginning and at the end; None leaves it to the prompt
    prompt : added to the song's style
    alone : the prompt stands for itself, without the style
    chords : as of `sonoriff.pipeline.settings.Sampling`, from the first bar of the section on
    seed : None takes the song's seed and the section's place
    like : name of an earlier section that returns here, with what this one does not say itself
    vary : how far the return may go from it, in [0, 1]: 0 is the same notes, 1 the same prompt
    transition : to the next section: "cut" (on the bar), "crossfade", "riser" (noise that climbs
        to the bar line) or "fill" (strokes that roll towards it)
    transition_bars : length of a crossfade or riser; a fill has two beats
    """

    name: str
    bars: int
    energy: tuple[float, float] | None = None
    prompt: str = ""
    alone: bool = False
    chords: str | None = None
    seed: int | None = None
    like: str | None = None
    vary: float = 0.0
    transition: str = "cut"
    transition_bars: int = 1

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 < len(self.name.strip()) <= _LONGEST_NAME:
            raise ParameterError(f"a section's name has 1 to {_LONGEST_NAME} characters")
        if len(self.prompt) > _LONGEST_TEXT:
            raise ParameterError(f"a prompt has at most {_LONGEST_TEXT} characters")
        if not 1 <= self.bars <= MAX_BARS:
            raise ParameterError(f"bars must be in [1, {MAX_BARS}], got {self.bars}")
        if self.energy is not None and not all(1 <= level <= STEPS for level in self.energy):
            raise ParameterError(f"energy must be in [1, {STEPS}], got {self.energy}")
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise ParameterError(f"seed must be in [0, 2^63), got {self.seed}")
        if self.chords is not None:
            parse_progression(self.chords)
        if not 0 <= self.vary <= 1:
            raise ParameterError(f"vary must be in [0, 1], got {self.vary}")
        if self.transition not in TRANSITIONS:
            raise ParameterError(
                f"transition must be one of {', '.join(TRANSITIONS)}, got {self.transition!r}"
            )
        if not 1 <= self.transition_bars <= MAX_TRANSITION_BARS:
            raise ParameterError(
                f"transition_bars must be in [1, {MAX_TRANSITION_BARS}], got {self.transition_bars}"
            )


@dataclass(frozen=True, kw_only=True)
class Song:
    """A plan from which a song is rendered, the same each time.

    Attributes
    ----------
    bpm : tempo of all sections, four beats a bar
    style : prompt of every section
    negative : what not to hear
    key : "D minor"; None leaves it to the first section, and the others follow
    title : of no consequence for the sound
    """

    sections: tuple[Section, ...]
    bpm: float
    style: str = ""
    negative: str = ""
    key: str | None = None
    seed: int = 0
    title: str = ""

    def __post_init__(self) -> None:
        check_types(self)
        check_bpm(self.bpm)
        if self.key is not None:
            parse_key(self.key)
        if not 0 <= self.seed < 2**62:
            raise ParameterError(f"seed must be in [0, 2^62), got {self.seed}")
        for text in (self.style, self.negative, self.title):
            if len(text) > _LONGEST_TEXT:
                raise ParameterError(f"a text has at most {_LONGEST_TEXT} characters")
        if not 1 <= len(self.sections) <= MAX_SECTIONS:
            raise ParameterError(f"a song has 1 to {MAX_SECTIONS} sections")
        names: set[str] = set()
        for i, section in enumerate(self.sections):
            if section.like is not None and section.like not in names:
                raise ParameterError(
                    f"section {i + 1}, {section.name!r}, is like {section.like!r}: "
                    "no section before it has that name"
                )
            names.add(section.name)
        if self.duration_s > MAX_DURATION_S:
            raise ParameterError(
                f"the song lasts {self.duration_s:.0f} s; {MAX_DURATION_S:.0f} s is the limit"
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the plan as a .toml file."""
        from sonoriff.songs.document import save_song

        save_song(path, self)

    def _repr_html_(self) -> str:
        """In a notebook: the sections as a timeline."""
        from sonoriff.songs.notebook import html_from_song

        return html_from_song(self)

    @property
    def bars(self) -> int:
        """Bars of all sections."""
        return sum(section.bars for section in self.sections)

    @property
    def duration_s(self) -> float:
        """Seconds, to the last bar line."""
        return self.bars * bar_seconds(self.bpm)

    def first_bars(self) -> list[int]:
        """The bar at which each section begins, and that at which the song ends."""
        places = [0]
        for section in self.sections:
            places.append(places[-1] + section.bars)
        return places

    def original(self, index: int) -> int:
        """Index of the section that this one is like, of that one's own, and so on; or `index`."""
        like = self.sections[index].like
        return index if like is None else self.original(self._first_named(like))

    def _first_named(self, name: str) -> int:
        return next(i for i, section in enumerate(self.sections) if section.name == name)

    def seed_of(self, index: int) -> int:
        """The section's own seed, which `like` and `vary` start from or go towards."""
        own = self.sections[index].seed
        return own if own is not None else self.seed + index

    def resolved(self, index: int) -> Section:
        """A section with what it takes from the one that it is like."""
        section = self.sections[index]
        if section.like is None:
            return section
        first = self.resolved(self._first_named(section.like))
        return replace(
            section,
            prompt=section.prompt or first.prompt,
            alone=section.alone if section.prompt else first.alone,
            energy=section.energy or first.energy,
            chords=section.chords or first.chords,
        )

    def prompt_of(self, index: int) -> str:
        """Style and prompt of a section."""
        section = self.resolved(index)
        parts = [section.prompt] if section.alone else [self.style, section.prompt]
        return ", ".join(part for part in parts if part.strip())
