"""Captions that come with a user's audio: metadata files, text beside it, tags, its name."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sonoriff.corpus.manifest import Facts
from sonoriff.corpus.splits import split_named
from sonoriff.errors import CorpusError, FormatError, ParameterError

_CAPTION_KEYS = ("captions", "caption", "text", "prompt", "description")
_LIST_FACTS = ("instruments", "moods")


@dataclass(frozen=True)
class Description:
    """What is known of one file: captions, facts, licence, credit, and where it came from."""

    captions: tuple[str, ...]
    facts: Facts = field(default_factory=Facts)
    licence: str = ""
    credit: str = ""
    split: str = ""
    origin: str = "name"


def _texts(value: Any) -> list[str]:
    """Captions from a string or a list."""
    values = value if isinstance(value, list) else [value]
    return [" ".join(str(v).split()) for v in values if v is not None and str(v).strip()]


def _number(value: Any) -> float | None:
    """A positive number, or None."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 20.0 <= number <= 400.0 else None


def _facts(row: dict[str, Any]) -> Facts:
    """Facts of a metadata row: a `facts` object, or columns of the same names."""
    source = row.get("facts") if isinstance(row.get("facts"), dict) else row
    assert isinstance(source, dict)
    values: dict[str, Any] = {}
    for name in ("genre", "style", "lead", "key", "mode"):
        if isinstance(source.get(name), str) and source[name].strip():
            values[name] = source[name].strip()
    for name in _LIST_FACTS:
        items = source.get(name)
        if isinstance(items, str):
            items = re.split(r"[,;]", items)
        if isinstance(items, list):
            values[name] = tuple(str(i).strip() for i in items if str(i).strip())
    values["bpm"] = _number(source.get("bpm"))
    if isinstance(source.get("drums"), bool):
        values["drums"] = source["drums"]
    return Facts(**values)


def _from_row(row: dict[str, Any]) -> Description:
    """A metadata row as a description.

    Raises
    ------
    ParameterError
        its split is no word for one
    """
    captions: list[str] = []
    for key in _CAPTION_KEYS:
        captions += [t for t in _texts(row.get(key)) if t not in captions]
    split = str(row.get("split") or "").strip()
    return Description(
        tuple(captions), _facts(row), str(row.get("licence") or row.get("license") or ""),
        str(row.get("credit") or ""), split_named(split) if split else "", "metadata",
    )  # fmt: skip


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    """Rows of a metadata file.

    Raises
    ------
    CorpusError
        the file is not UTF-8, a line is no JSON object, or there is no column `file_name`
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: expected UTF-8, {error}: save it as UTF-8") from error
    if path.suffix == ".csv":
        yield from _csv_rows(path, text)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CorpusError(f"{path}, line {number}: expected JSON, {error}") from error
        if not isinstance(row, dict) or "file_name" not in row:
            raise CorpusError(f"{path}, line {number}: expected an object with file_name")
        yield row


def _csv_rows(path: Path, text: str) -> Iterable[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if "file_name" not in (reader.fieldnames or ()):
            raise CorpusError(f"{path}: expected a column file_name, got {reader.fieldnames}")
        yield from reader
    except csv.Error as error:
        raise CorpusError(f"{path}, line {reader.line_num + 1}: {error}") from error


def read_metadata(folder: Path) -> dict[Path, Description]:
    """Descriptions from every metadata.csv and metadata.jsonl in a folder tree, by file.

    Raises
    ------
    CorpusError
        one of them is damaged, or names a split that is none
    """
    found: dict[Path, Description] = {}
    for path in sorted([*folder.rglob("metadata.csv"), *folder.rglob("metadata.jsonl")]):
        for row in _rows(path):
            name = str(row["file_name"])
            try:
                found[(path.parent / name).resolve()] = _from_row(row)
            except ParameterError as error:
                raise CorpusError(f"{path}, {name}: {error}") from error
    return found


def _from_tags(path: Path) -> Description | None:
    """What the file's own tags say: genre, comment, title; None if they say nothing of use."""
    from sonoriff.audio import read_tags

    try:
        tags = read_tags(path)
    except (OSError, FormatError):
        return None
    genre = " ".join(tags.get("genre", "").split()).lower()
    comment = " ".join(tags.get("comment", "").split())
    captions = [t for t in (comment if 2 < len(comment) < 200 else "", genre) if t]
    if not captions:
        return None
    title = " ".join(tags.get("title", "").split())
    if title:
        captions.append(f"{title}, {genre}" if genre else title)
    credit = tags.get("artist", "")
    licence = tags.get("license", "")
    return Description(
        tuple(captions), Facts(genre=genre or None), licence=licence, credit=credit, origin="tags"
    )


def text_of_name(name: str | Path) -> str:
    """A file's name or path as text; one that is not UTF-8 is taken as Latin-1."""
    data = os.fsencode(name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def caption_from_name(path: Path) -> str:
    """Words of a file name: '03_Funky-bass line (take 2).wav' gives 'funky bass line'."""
    stem = text_of_name(path.stem)
    words = re.sub(r"\(.*?\)|\[.*?\]", " ", stem)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words)
    words = re.sub(r"[_\-.+]+", " ", words)
    words = re.sub(r"^\s*\d+\s+", "", words)
    words = re.sub(r"\s\d{1,2}$", "", words)
    return " ".join(words.split()).lower() or stem.lower()


def _beside(path: Path) -> tuple[str, ...]:
    """The lines of a text file; none if it is not there."""
    try:
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
    except OSError as error:
        raise CorpusError(f"{path}: its captions cannot be read: {error.strerror}") from error
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(line for line in lines if line)


def describe(path: Path, metadata: dict[Path, Description]) -> Description:
    """Captions of one file from the best source there is.

    Parameters
    ----------
    path : the audio file
    metadata : from `read_metadata`

    Returns
    -------
    Description
        from metadata, else a .txt of the same name (one caption a line), else tags, else the name

    Raises
    ------
    CorpusError
        the .txt cannot be read
    """
    known = metadata.get(path.resolve())
    if known and known.captions:
        return known
    captions = _beside(path.with_suffix(".txt"))
    if captions:
        return Description(captions, origin="text")
    return _from_tags(path) or Description((caption_from_name(path),))
