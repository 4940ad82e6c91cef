"""Packages fetched, unpacked and described."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from sonoriff.corpus.manifest import CorpusClip
from sonoriff.errors import CorpusError
from sonoriff_composer.catalogue import PACKAGES
from sonoriff_composer.debian import _unzip, fetch
from sonoriff_composer.recordings import _captions, _work, captions_again, tracks_of

KART = next(a for a in PACKAGES if a.package == "supertuxkart-data")


def test_versions_of_one_track_share_source_and_split(tmp_path: Path) -> None:
    for name in ("celtic.ogg", "celtic_fast.ogg", "unknown.ogg"):
        (tmp_path / name).write_bytes(b"")
    found = tracks_of(KART, tmp_path)
    works = [_work(f, tmp_path) for f in found]
    assert [f.track.file for f in found] == ["celtic.ogg", "celtic_fast.ogg"]
    assert works[0].source == works[1].source
    assert works[0].description.split == works[1].description.split
    assert works[0].piece != works[1].piece
    assert works[0].description.licence == "CC-BY-SA-3.0"
    assert "0zone0ne" in works[0].description.credit


def test_parts_of_a_song_are_told_apart_by_their_folder_and_share_a_source(tmp_path: Path) -> None:
    album = next(a for a in PACKAGES if a.package == "fretsonfire-songs-sectoid")
    for name in ("Feelings/song.ogg", "Feelings/guitar.ogg", "Metal madness/song.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    works = {f.track.file: _work(f, tmp_path) for f in tracks_of(album, tmp_path)}
    assert len(works) == 3
    song, guitar = works["Feelings/song.ogg"], works["Feelings/guitar.ogg"]
    assert song.source == guitar.source != works["Metal madness/song.ogg"].source
    assert song.piece != guitar.piece
    assert song.path != guitar.path


@pytest.mark.parametrize(("every", "held_out"), [(0, ()), (1, (0, 1, 2, 3)), (3, (0, 3))])
def test_tracks_are_held_out_for_testing(
    tmp_path: Path, every: int, held_out: tuple[int, ...]
) -> None:
    tracks = KART.tracks[:1] + KART.tracks[3:6]
    for track in tracks:
        (tmp_path / track.file).write_bytes(b"")
    found = tracks_of(replace(KART, tracks=tracks, held_out=every), tmp_path)
    splits = [_work(f, tmp_path).description.split for f in found]
    assert {i for i, split in enumerate(splits) if split == "test"} >= set(held_out)
    if every != 1:
        assert "train" in splits


def test_captions_say_genre_phrases_and_tempo(tmp_path: Path) -> None:
    (tmp_path / "celtic.ogg").write_bytes(b"")
    (found,) = tracks_of(KART, tmp_path)
    known = _work(found, tmp_path).description
    captions = _captions(known, replace(known.facts, bpm=145.0), "audio/1.flac")
    assert any("celtic" in c for c in captions)
    assert any("145 bpm" in c for c in captions)
    assert captions == _captions(known, replace(known.facts, bpm=145.0), "audio/1.flac")


def test_captions_are_written_again_from_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "celtic.ogg").write_bytes(b"")
    (found,) = tracks_of(KART, tmp_path)
    work = _work(found, tmp_path)
    facts = replace(work.description.facts, bpm=145.0)
    clip = CorpusClip(
        "audio/1.flac", ("as it was",), facts, "train", work.source, "", piece=work.piece
    )
    assert captions_again(clip) == _captions(work.description, facts, clip.file_name)
    assert captions_again(replace(clip, piece="recording-gone/x.ogg")) == ("as it was",)


def test_archives_cannot_write_outside_their_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    archive = tmp_path / "in" / "music.pk3"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../evil.ogg", b"x")
        file.writestr("music/good.ogg", b"y")
        file.writestr("music/readme.txt", b"z")
    _unzip(archive)
    assert sorted(p.name for p in (tmp_path / "in" / "music").iterdir()) == ["evil.ogg", "good.ogg"]
    assert not (tmp_path / "evil.ogg").exists()


def test_without_apt_there_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CorpusError, match="Debian"):
        fetch(KART.package, tmp_path)
    assert not (tmp_path / "unpacked" / KART.package).exists()
