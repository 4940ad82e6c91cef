"""Captions that come with a user's audio: metadata files, text beside it, tags, its name."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.splits import split_named
from sonoriff.corpus.text import UTF8, folded, read_text
from sonoriff.errors import CorpusError, FormatError, ParameterError

_CAPTION_KEYS = ("captions", "caption", "text", "prompt", "description")
_LIST_FACTS = ("instruments", "moods")


@dataclass(frozen=True)
class Description:
    """What is known of one file: captions, facts, licence, credit, and where it came from."""

    captions: tuple[str, ...]
    facts: ClipLabels = field(default_factory=ClipLabels)
    licence: str = ""
    credit: str = ""
    split: str = ""
    origin: str = "name"
    encoding: str = UTF8


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


def _facts(row: dict[str, Any]) -> ClipLabels:
    """ClipLabels of a metadata row: a `facts` object, or columns of the same names."""
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
    return ClipLabels(**values)


def _from_row(row: dict[str, Any], encoding: str) -> Description:
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
        str(row.get("credit") or ""), split_named(split) if split else "", "metadata", encoding,
    )  # fmt: skip


def _rows(path: Path, text: str) -> Iterable[dict[str, Any]]:
    """Rows of a metadata file.

    Raises
    ------
    CorpusError
        a line is no JSON object, or there is no column `file_name`
    """
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
    # Spreadsheets write semicolons where a comma is for decimals, and tabs.
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        if "file_name" not in (reader.fieldnames or ()):
            raise CorpusError(f"{path}: expected a column file_name, got {reader.fieldnames}")
        yield from reader
    except csv.Error as error:
        raise CorpusError(f"{path}, line {reader.line_num + 1}: {error}") from error


@dataclass(frozen=True)
class Metadata:
    """What the metadata files of a folder say.

    Attributes
    ----------
    by_file : descriptions of the files that are there
    unmatched : rows that belong to no file, "metadata.csv: name" each
    """

    by_file: dict[Path, Description] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()


def read_metadata(folder: Path, files: Iterable[Path]) -> Metadata:
    """Descriptions from every metadata.csv and metadata.jsonl in a folder tree.

    Parameters
    ----------
    files : the sounds of the folder. A row belongs to the one of its name; where there is none, to
        the one whose name differs in slashes, case, the way accents are written, or a suffix that
        the row leaves out

    Raises
    ------
    CorpusError
        one of them is damaged, or names a split that is none
    """
    found: dict[Path, Description] = {}
    unmatched: list[str] = []
    names = _Names(files)
    for path in sorted([*folder.rglob("metadata.csv"), *folder.rglob("metadata.jsonl")]):
        text, encoding = read_text(path)
        for row in _rows(path, text):
            name = str(row["file_name"])
            try:
                description = _from_row(row, encoding)
            except ParameterError as error:
                raise CorpusError(f"{path}, {name}: {error}") from error
            match = names.find(path.parent, name)
            if match is None:
                unmatched.append(f"{path.name}: {name}")
            else:
                found[match] = description
    return Metadata(found, tuple(unmatched))


class _Names:
    """Sound files, to be found by what people call them."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._exact: set[Path] = set()
        self._alike: dict[str, Path | None] = {}
        for path in files:
            whole = path.resolve()
            self._exact.add(whole)
            for name in (text_of_name(whole), text_of_name(whole.with_suffix(""))):
                # Two files of one name but for that: nothing says which is meant.
                known = self._alike.get(folded(name), whole)
                self._alike[folded(name)] = whole if known == whole else None

    def find(self, folder: Path, name: str) -> Path | None:
        """The file that a row of a metadata file in `folder` means."""
        whole = (folder / name).resolve()
        if whole in self._exact:
            return whole
        return self._alike.get(folded(text_of_name(folder.resolve()) + "/" + name.strip()))


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
        tuple(captions),
        ClipLabels(genre=genre or None),
        licence=licence,
        credit=credit,
        origin="tags",
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


def _text_beside(path: Path) -> Path:
    """The .txt of a sound; one whose name is written another way where there is none of its own."""
    plain = path.with_suffix(".txt")
    names = [
        unicodedata.normalize(form, path.stem) + suffix
        for form in ("NFC", "NFD")
        for suffix in (".txt", ".TXT")
    ]
    others = (path.parent / name for name in names)
    return plain if plain.is_file() else next((p for p in others if p.is_file()), plain)


def _beside(path: Path) -> tuple[tuple[str, ...], str]:
    """The lines of a text file and its encoding; none if it is not there."""
    try:
        text, encoding = read_text(path) if path.is_file() else ("", UTF8)
    except OSError as error:
        raise CorpusError(f"{path}: its captions cannot be read: {error.strerror}") from error
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(line for line in lines if line), encoding


def describe(path: Path, metadata: Metadata) -> Description:
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
    known = metadata.by_file.get(path.resolve())
    if known and known.captions:
        return known
    captions, encoding = _beside(_text_beside(path))
    if captions:
        return Description(captions, origin="text", encoding=encoding)
    return _from_tags(path) or Description((caption_from_name(path),))
