"""Verbs of `sonoriff song` that change a plan; comments and order of the file stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.errors import ParameterError

if TYPE_CHECKING:
    from sonoriff.songs.plan import Song

Plan = Annotated[Path, typer.Argument(metavar="SONG", help="Plan of a song, a .toml file.")]
SectionName = Annotated[str, typer.Option(help="Number of the section, from 1, or its name.")]
SomeSection = Annotated[
    str | None, typer.Option(help="Number or name of the section that changes its length.")
]
Bars = Annotated[int | None, typer.Option(help="By so many bars, with --section.", min=1)]
Length = Annotated[
    str | None, typer.Option(help="Of the whole song: all sections in proportion.", metavar="M:SS")
]


def reroll(
    plan: Plan,
    section: SectionName,
    seed: Annotated[
        int | None, typer.Option(help="Its new seed [default: another than it had].", min=0)
    ] = None,
) -> None:
    """Give a section of a plan another seed; comments and order stay.

    \b
    Examples:
      sonoriff song reroll night.toml --section 3
      sonoriff song reroll night.toml --section chorus --seed 7
    """
    from sonoriff.songs.document import edit_sections, load_song
    from sonoriff.songs.edits import numbers_of_sections, rerolled

    song = load_song(plan)
    changes = {n: rerolled(song, n, seed) for n in numbers_of_sections(song, section)}
    edit_sections(plan, changes)
    for number, values in changes.items():
        typer.echo(f"{plan}: section {number} has seed {values['seed']}")


def extend(
    plan: Plan, section: SomeSection = None, bars: Bars = None, length: Length = None
) -> None:
    """Lengthen one section by bars, or the whole song to a length.

    \b
    Examples:
      sonoriff song extend night.toml --section verse --bars 4
      sonoriff song extend night.toml --length 3:00
    """
    _change_length(plan, section, bars, length, 1)


def shorten(
    plan: Plan, section: SomeSection = None, bars: Bars = None, length: Length = None
) -> None:
    """Shorten one section by bars, or the whole song to a length.

    \b
    Examples:
      sonoriff song shorten night.toml --section intro --bars 2
      sonoriff song shorten night.toml --length 1:30
    """
    _change_length(plan, section, bars, length, -1)


def replace_section(
    plan: Plan,
    section: SectionName,
    prompt: Annotated[
        str | None, typer.Option(help="Its new prompt; an empty one leaves only the style.")
    ] = None,
    energy: Annotated[
        str | None, typer.Option(help="Its new energy: 3, or 2,4 for a course.", metavar="1-5")
    ] = None,
    chords: Annotated[str | None, typer.Option(help="Its new chords.")] = None,
    alone: Annotated[
        bool | None,
        typer.Option("--alone/--with-style", help="The prompt stands without the style."),
    ] = None,
) -> None:
    """Give a section, or all of one name, another prompt, energy or chords.

    Sections that are like it follow, unless they say something else themselves.

    \b
    Examples:
      sonoriff song replace night.toml --section chorus --prompt "strings, full"
      sonoriff song replace night.toml --section 2 --energy 2,4
    """
    from sonoriff.songs.document import edit_sections, load_song
    from sonoriff.songs.edits import numbers_of_sections

    values: dict[str, Any] = {}
    if prompt is not None:
        values["prompt"] = prompt or None
    if energy is not None:
        values["energy"] = _energy(energy)
    if chords is not None:
        values["chords"] = chords or None
    if alone is not None:
        values["alone"] = alone or None
    if not values:
        raise ParameterError("say what to replace: --prompt, --energy, --chords or --alone")
    song = load_song(plan)
    numbers = numbers_of_sections(song, section)
    changed = edit_sections(plan, dict.fromkeys(numbers, values))
    for number in numbers:
        typer.echo(f"{plan}: section {number}: {changed.prompt_of(number - 1)}")


def _energy(text: str) -> tuple[float, float]:
    parts = text.split(",")
    try:
        levels = [float(part) for part in parts]
    except ValueError:
        levels = []
    if len(levels) not in (1, 2):
        raise ParameterError(f"energy is a number from 1 to 5, or two: 2,4; got {text!r}")
    return levels[0], levels[-1]


def _change_length(
    plan: Path, section: str | None, bars: int | None, length: str | None, sign: int
) -> None:
    from sonoriff.songs.document import edit_sections, load_song
    from sonoriff.songs.edits import bars_of_length, numbers_of_sections
    from sonoriff.songs.wish import parse_length

    song = load_song(plan)
    if length is not None and section is None and bars is None:
        length_s = parse_length(length)
        if sign * (length_s - song.duration_s) <= 0:
            other = "shorten" if sign > 0 else "extend"
            raise ParameterError(
                f"the song lasts {song.duration_s:.1f} s already: sonoriff song {other}"
            )
        wanted = dict(enumerate(bars_of_length(song, length_s), 1))
    elif length is None and section is not None and bars is not None:
        numbers = numbers_of_sections(song, section)
        wanted = {n: song.sections[n - 1].bars + sign * bars for n in numbers}
        for number, count in wanted.items():
            if count < 1:
                has = song.sections[number - 1].bars
                raise ParameterError(f"section {number} has {has} bars, and keeps one at least")
    else:
        raise ParameterError("give --section and --bars, or --length alone")
    changed = edit_sections(plan, {n: {"bars": count} for n, count in wanted.items()})
    _echo_length(plan, song, changed)


def _echo_length(plan: Path, before: Song, after: Song) -> None:
    typer.echo(
        f"{plan}: {before.bars} bars, {before.duration_s:.1f} s, are now {after.bars} bars, "
        f"{after.duration_s:.1f} s"
    )
