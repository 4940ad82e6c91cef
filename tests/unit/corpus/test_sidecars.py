"""Captions that come with a user's audio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.corpus.sidecars import caption_from_name, describe, read_metadata
from sonoriff.errors import CorpusError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("03_Funky-bass line (take 2).wav", "funky bass line"),
        ("DarkTechnoLoop.flac", "dark techno loop"),
        ("12.wav", "12"),
        ("church.organ_solo 04.ogg", "church organ solo"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert caption_from_name(Path(name)) == expected


def test_metadata_before_text_before_tags_before_name(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(100), 44_100)
    with soundfile.SoundFile(tmp_path / "c.wav", "w", 44_100, 1, "PCM_16") as file:
        file.genre, file.title = "Ska", "Tune"
    (tmp_path / "a.txt").write_text("not this")
    (tmp_path / "b.txt").write_text("slow blues\n\n  a guitar  solo\n")
    (tmp_path / "metadata.csv").write_text(
        "file_name,text,bpm,license\na.wav,fast ska,140,CC0-1.0\n"
    )
    known = read_metadata(tmp_path)
    first = describe(tmp_path / "a.wav", known)
    assert (first.captions, first.facts.bpm, first.licence) == (("fast ska",), 140.0, "CC0-1.0")
    assert describe(tmp_path / "b.wav", known).captions == ("slow blues", "a guitar solo")
    tagged = describe(tmp_path / "c.wav", known)
    assert tagged.captions == ("ska", "Tune, ska")
    assert tagged.origin == "tags"
    assert describe(tmp_path / "d.wav", known).origin == "name"


def test_jsonl_with_captions_facts_and_split(tmp_path: Path) -> None:
    row = (
        '{"file_name": "x/a.wav", "captions": ["one", "two"], "split": "test",'
        ' "facts": {"genre": "dub", "instruments": "bass; drums", "drums": true, "bpm": "oops"}}'
    )
    (tmp_path / "metadata.jsonl").write_text(row + "\n\n")
    (known,) = read_metadata(tmp_path).values()
    assert known.captions == ("one", "two")
    assert known.split == "test"
    assert known.facts.instruments == ("bass", "drums")
    assert known.facts.bpm is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.csv", "path,text\na,b\n"),
        ("metadata.jsonl", "{broken\n"),
        ("metadata.jsonl", "[1]\n"),
    ],
)
def test_damaged_metadata_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CorpusError, match=name):
        read_metadata(tmp_path)
