"""Captions that come with a user's audio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.corpus.sidecars import caption_from_name, describe, read_metadata
from sonoriff.corpus.text import decoded, folded
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
    known = read_metadata(tmp_path, sorted(tmp_path.glob("*.wav")))
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
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.wav").write_bytes(b"")
    (known,) = read_metadata(tmp_path, [tmp_path / "x" / "a.wav"]).by_file.values()
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
        read_metadata(tmp_path, [])


CAPTION = "Café naïve, „Straße“, 90 €"


@pytest.mark.parametrize(
    ("codec", "mark", "name"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", b"\xef\xbb\xbf", "UTF-8"),
        ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("utf-16-be", b"", "UTF-16"),
        ("utf-32-le", b"\xff\xfe\x00\x00", "UTF-32"),
        ("utf-32-be", b"\x00\x00\xfe\xff", "UTF-32"),
        ("cp1252", b"", "Windows-1252"),
    ],
)
def test_captions_are_read_in_the_encoding_that_they_are_in(
    tmp_path: Path, codec: str, mark: bytes, name: str
) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "a.txt").write_bytes(mark + CAPTION.encode(codec))
    known = describe(tmp_path / "a.wav", read_metadata(tmp_path, []))
    assert known.captions == (CAPTION,)
    assert known.encoding == name
    (tmp_path / "a.txt").unlink()
    (tmp_path / "metadata.csv").write_bytes(
        mark + f'file_name,text\na.wav,"{CAPTION}"\n'.encode(codec)
    )
    known = describe(tmp_path / "a.wav", read_metadata(tmp_path, [tmp_path / "a.wav"]))
    assert known.captions == (CAPTION,)
    assert known.encoding == name


def test_every_byte_is_some_text() -> None:
    assert decoded(bytes(range(256)))[1] == "Windows-1252"
    assert decoded(b"") == ("", "UTF-8")
    assert decoded("日本の音楽".encode())[0] == "日本の音楽"


@pytest.mark.parametrize(
    "written",
    [
        "sub/Café del Mar.wav",
        "sub\\Café del Mar.wav",
        "./sub/café del mar.WAV",
        "sub/Cafe\u0301 del Mar.wav",
        "sub/Café del Mar",
        " sub/Café del Mar.wav",
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_find_their_files_however_they_are_written(
    tmp_path: Path, written: str, delimiter: str
) -> None:
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / "Café del Mar.wav"
    file.write_bytes(b"")
    text = f"file_name{delimiter}text\n{written}{delimiter}slow piano\n"
    (tmp_path / "metadata.csv").write_text(text)
    metadata = read_metadata(tmp_path, [file])
    assert metadata.unmatched == ()
    assert describe(file, metadata).captions == ("slow piano",)


def test_rows_without_a_file_are_named_and_doubtful_ones_are_left_alone(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.wav", "a.mp3")]
    for file in files:
        file.write_bytes(b"")
    (tmp_path / "metadata.csv").write_text("file_name,text\nb.wav,one\na,two\na.mp3,three\n")
    metadata = read_metadata(tmp_path, files)
    assert metadata.unmatched == ("metadata.csv: b.wav", "metadata.csv: a")
    assert set(metadata.by_file) == {files[1].resolve()}


def test_names_are_compared_as_people_mean_them() -> None:
    assert folded("./A\\Ö.WAV") == folded("a/O\u0308.wav")
    assert folded("a.wav") != folded("b.wav")


def test_the_text_beside_a_sound_may_be_written_another_way(tmp_path: Path) -> None:
    (tmp_path / "Café.wav").write_bytes(b"")
    (tmp_path / "Cafe\u0301.TXT").write_text("slow piano")
    known = describe(tmp_path / "Café.wav", read_metadata(tmp_path, []))
    assert known.captions == ("slow piano",)
