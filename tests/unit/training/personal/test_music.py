"""A folder of music becomes clips to train on; what cannot be used is said in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import own_music
from sonoriff.corpus.manifest import CorpusClip
from sonoriff.corpus.sidecars import Description
from sonoriff.errors import CorpusError
from sonoriff.training.personal.music import gather


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_music.make(tmp_path_factory.mktemp("own") / "mine")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def test_whole_files_are_held_out_and_captions_are_those_beside_them(
    folder: Path, work: Path
) -> None:
    music = gather(folder, work)
    assert music.n_files == len(music.clips) == 6
    assert [clip.split for clip in music.clips].count("validation") == 1
    assert {clip.captions[0] for clip in music.clips} == {"plucked chords 0", "plucked chords 1"}
    assert any("broken.flac" in warning for warning in music.warnings)
    assert any("are little" in warning for warning in music.warnings)


def test_a_second_call_reads_no_sound_and_gives_the_same(folder: Path, work: Path) -> None:
    first, again = gather(folder, work), gather(folder, work)
    assert again.digest() == first.digest()
    other = gather(folder, work, caption="a harp")
    assert {clip.captions[0] for clip in other.clips} == {"a harp"}
    assert other.digest() != first.digest()
    assert gather(folder, work).digest() == first.digest()


def test_each_clip_is_listened_to_once(folder: Path, work: Path) -> None:
    heard: list[str] = []

    def listener(path: Path, known: Description, clip: CorpusClip) -> CorpusClip:
        assert path.is_file()
        heard.append(path.name)
        return replace(clip, captions=(f"{known.captions[0]}, heard",))

    for _ in range(2):
        music = gather(folder, work, caption="auto", listener=listener)
        assert all(clip.captions[0].endswith(", heard") for clip in music.clips)
    assert len(heard) == 6


def test_a_file_that_is_gone_is_no_longer_trained_on(tmp_path: Path) -> None:
    folder = own_music.make(tmp_path / "mine", files=2)
    assert gather(folder, tmp_path / "work").n_files == 2
    (folder / "1_tune.wav").unlink()
    music = gather(folder, tmp_path / "work")
    assert [clip.source for clip in music.clips] == ["import/0_tune.wav"]
    assert any("belong to no sound file" in warning for warning in music.warnings)
    assert any("none is held out" in warning for warning in music.warnings)


def test_silence_alone_gives_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "silent"
    folder.mkdir()
    for number in range(2):
        soundfile.write(folder / f"{number}.wav", np.zeros(own_music.RATE * 7), own_music.RATE)
    for _ in range(2):
        with pytest.raises(CorpusError, match="of 2 files, 2 x silent"):
            gather(folder, tmp_path / "work")


def test_captions_of_other_files_are_an_error(tmp_path: Path) -> None:
    folder = own_music.make(tmp_path / "mine", files=1)
    (folder / "metadata.csv").write_text("file_name,text\nother.wav,a harp\n")
    with pytest.raises(CorpusError, match="none of the 1 files that its metadata names"):
        gather(folder, tmp_path / "work")
    (folder / "metadata.csv").write_text("name,text\n0_tune.wav,a harp\n")
    with pytest.raises(CorpusError, match="column file_name"):
        gather(folder, tmp_path / "work")


def test_captions_that_cannot_be_read_are_an_error_in_words(tmp_path: Path) -> None:
    folder = own_music.make(tmp_path / "mine", files=1)
    for name, content, words in (
        ("metadata.jsonl", b'{"file_name": "0_tune.wav", "text": ', "line 1: expected JSON"),
        ("metadata.csv", b"file_name,text\n0_tune.wav," + b"x" * 200_000, "line 2: field larger"),
    ):
        (folder / name).write_bytes(content)
        with pytest.raises(CorpusError, match=words):
            gather(folder, tmp_path / "work")
        (folder / name).unlink()


def test_a_folder_without_sound_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no audio"):
        gather(tmp_path, tmp_path / "work")
