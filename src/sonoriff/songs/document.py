"""A song as a TOML file, read by line and written back with its comments."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
from tomlkit.exceptions import TOMLKitError

from sonoriff.errors import FormatError, ParameterError
from sonoriff.files import write_text
from sonoriff.songs.plan import Section, Song

Made = TypeVar("Made")
SCHEMA = 1
_LARGEST = 1_000_000
_SONG_KEYS = ("schema", *(f.name for f in fields(Song) if f.init and f.name != "sections"))
_SECTION_KEYS = tuple(f.name for f in fields(Section))
_SECTION_HEADER = re.compile(r"^\s*\[\[\s*section\s*\]\]")


def load_song(path: str | os.PathLike[str]) -> Song:
    """The song of a file.

    Raises
    ------
    ParameterError
        no such file
    FormatError
        it is no plan; the message says the line
    """
    return song_from_toml(_text_of(path), name=Path(path).name)


def song_from_toml(text: str, *, name: str = "the song") -> Song:
    """The song of a TOML text; FormatError where it is none, with the line."""
    return _song_of(_parsed(text, name), name, lambda i: f", line {_line_of_section(text, i)}")


def song_from_dict(document: Mapping[str, Any], *, name: str = "the song") -> Song:
    """The song of the same keys as JSON has them; FormatError where it is none."""
    return _song_of(document, name, lambda _index: "")


def _song_of(document: Mapping[str, Any], name: str, place: Callable[[int], str]) -> Song:
    schema = document.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise FormatError(
            f"{name} has schema {schema!r}; this version reads {SCHEMA}: update Sonoriff"
        )
    rows = document.get("section", [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise FormatError(f"{name}: sections are written as [[section]], one for each")
    sections = []
    for i, row in enumerate(rows):
        where = f"{name}{place(i)}, section {i + 1}"
        sections.append(_made(Section, _known(row, _SECTION_KEYS, where), where))
    facts = _known({k: v for k, v in document.items() if k != "section"}, _SONG_KEYS, name)
    facts.pop("schema", None)
    return _made(Song, {**facts, "sections": tuple(sections)}, name)


def toml_from_song(song: Song) -> str:
    """The TOML text of a song; what has its default value is left out."""
    document = tomlkit.document()
    document.add("schema", tomlkit.item(SCHEMA))
    for name in ("title", "bpm", "key", "seed", "style", "negative"):
        value = getattr(song, name)
        if value not in (None, ""):
            document.add(name, tomlkit.item(_plain(value)))
    rows = tomlkit.aot()
    for section in song.sections:
        row = tomlkit.table()
        for each in fields(Section):
            value = getattr(section, each.name)
            if value != each.default:
                row.add(each.name, tomlkit.item(_plain(value)))
        rows.append(row)
    document.add(tomlkit.nl())
    document.add("section", rows)
    return tomlkit.dumps(document)


def dict_from_song(song: Song) -> dict[str, Any]:
    """A song as JSON has it, with the keys of its file; what is not said is left out."""
    values = {f.name: _plain(getattr(song, f.name)) for f in fields(Song) if f.name != "sections"}
    rows = [
        {
            f.name: _plain(value)
            for f in fields(Section)
            if (value := getattr(s, f.name)) is not None
        }
        for s in song.sections
    ]
    known = {name: value for name, value in values.items() if value is not None}
    return {"schema": SCHEMA, **known, "section": rows}


def save_song(path: str | os.PathLike[str], song: Song) -> None:
    """Write a song as a new file."""
    write_text(path, toml_from_song(song))


def edit_section(path: str | os.PathLike[str], number: int, **values: Any) -> Song:
    """`edit_sections` of one section, by its number, from 1."""
    return edit_sections(path, {number: values})


def edit_sections(path: str | os.PathLike[str], changes: Mapping[int, Mapping[str, Any]]) -> Song:
    """Change values of sections in a file, keeping its comments and order; the new song.

    Parameters
    ----------
    changes : values by name, by the number of the section, from 1; None removes a value

    Raises
    ------
    ParameterError
        no such section, or values that make no song; the file stays as it was
    """
    text = _text_of(path)
    song = song_from_toml(text, name=Path(path).name)
    document = tomlkit.parse(text)
    for number, values in changes.items():
        check_number(song, number)
        row: Any = document["section"][number - 1]
        for name, value in values.items():
            if value is None:
                row.pop(name, None)
            else:
                row[name] = _plain(value)
    changed = tomlkit.dumps(document)
    result = song_from_toml(changed, name=Path(path).name)
    write_text(path, changed)
    return result


def check_number(song: Song, number: int) -> None:
    """ParameterError where a song has no section of that number, from 1."""
    if not 1 <= number <= len(song.sections):
        raise ParameterError(f"the song has sections 1 to {len(song.sections)}, got {number}")


def _text_of(path: str | os.PathLike[str]) -> str:
    source = Path(path)
    if not source.is_file():
        raise ParameterError(f"there is no file {source}")
    if source.stat().st_size > _LARGEST:
        raise FormatError(f"{source.name} is larger than 1 MB: it is no plan of a song")
    try:
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{source.name} is not UTF-8 text") from None


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomlkit.parse(text).unwrap()
    except (TOMLKitError, ValueError) as error:
        raise FormatError(f"{name}: {error}") from None
    except RecursionError:
        raise FormatError(f"{name} is nested too deep") from None


def _line_of_section(text: str, index: int) -> int:
    lines = [i for i, line in enumerate(text.splitlines(), 1) if _SECTION_HEADER.match(line)]
    return lines[index] if index < len(lines) else 1


def _known(row: Mapping[str, Any], keys: tuple[str, ...], where: str) -> dict[str, Any]:
    for name in row:
        if name not in keys:
            near = difflib.get_close_matches(name, keys, 1)
            hint = f": {near[0]!r} was meant?" if near else f"; known are {', '.join(keys)}"
            raise FormatError(f"{where}: unknown key {name!r}{hint}")
    return dict(row)


def _made(kind: type[Made], values: dict[str, Any], where: str) -> Made:
    if kind is Section and "energy" in values:
        values["energy"] = _energy(values["energy"], where)
    try:
        return kind(**values)
    except ParameterError as error:
        raise FormatError(f"{where}: {error}") from None
    except TypeError:
        missing = [
            n for n in (("name", "bars") if kind is Section else ("bpm",)) if n not in values
        ]
        raise FormatError(f"{where}: {' and '.join(missing)} must be given") from None


def _energy(value: Any, where: str) -> tuple[float, float]:
    levels = value if isinstance(value, list) else [value, value]
    numbers = [x for x in levels if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(levels) != 2 or len(numbers) != 2 or not all(map(math.isfinite, numbers)):
        raise FormatError(f"{where}: energy is a number from 1 to 5, or two: [2, 4]; got {value!r}")
    return float(numbers[0]), float(numbers[1])


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        first, last = (_plain(x) for x in value)
        return first if first == last else [first, last]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
