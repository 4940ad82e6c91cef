"""The pictures of a corpus: what is computed again, and what a damaged corpus does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.errors import CorpusError, SonoriffWarning
from sonoriff.training.data import pictures as module
from sonoriff.training.data.caches import pictures_folder
from sonoriff.training.data.pictures import (
    CHORD_SAMPLES,
    CLIP_SAMPLES,
    load_pictures,
    prepare_pictures,
)


def write_clip(path: Path, hertz: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(CLIP_SAMPLES) / 44_100
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * hertz * time), 44_100)


def write_corpus(folder: Path, *hertz: float, shards: int = 1) -> Path:
    """A sine a clip, in turn over the shards; a plain audiofolder."""
    lines = []
    for i, each in enumerate(hertz):
        name = f"audio/{i % shards:05d}/{i:08d}.flac"
        write_clip(folder / name, each)
        lines.append(json.dumps({"file_name": name, "text": f"{each} Hz"}) + "\n")
    (folder / "metadata.jsonl").write_text("".join(lines))
    return folder


def loudest_rows(folder: Path) -> list[int]:
    pictures = load_pictures([folder])
    return [int(pictures.picture(i)[:, 100].argmax()) for i in range(len(pictures))]


def test_corpora_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    one, other = (write_corpus(tmp_path / name / "corpus", 440) for name in "ab")
    assert pictures_folder(one, tmp_path) != pictures_folder(other, tmp_path)
    assert pictures_folder(one, tmp_path) == pictures_folder(one / ".." / "corpus", tmp_path)


def test_an_older_file_of_the_same_name_is_another_sound(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 440, 880)
    prepare_pictures(corpus, tmp_path / "pictures")
    before = loudest_rows(tmp_path / "pictures")
    clip = corpus / "audio" / "00000" / "00000001.flac"
    write_clip(clip, 220)
    os.utime(clip, (0, 0))
    prepare_pictures(corpus, tmp_path / "pictures")
    after = loudest_rows(tmp_path / "pictures")
    assert after[0] == before[0]
    assert after[1] < before[0] < before[1]


def test_only_changed_clips_are_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_corpus(tmp_path / "corpus", 220, 440, 880)
    prepare_pictures(corpus, tmp_path / "pictures")
    computed: list[str] = []
    compute = module._waveform_of_clip

    def watched(path: Path) -> np.ndarray:
        computed.append(path.name)
        return compute(path)

    monkeypatch.setattr(module, "_waveform_of_clip", watched)
    prepare_pictures(corpus, tmp_path / "pictures")
    assert computed == []
    write_clip(corpus / "audio" / "00000" / "00000001.flac", 330)
    prepare_pictures(corpus, tmp_path / "pictures")
    assert computed == ["00000001.flac"]


def test_pictures_newer_than_their_index_are_not_trusted(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 220, 880)
    prepare_pictures(corpus, tmp_path / "pictures")
    right = loudest_rows(tmp_path / "pictures")
    stored = tmp_path / "pictures" / "pictures-00000.npy"
    np.save(stored, np.load(stored)[::-1])
    prepare_pictures(corpus, tmp_path / "pictures")
    assert loudest_rows(tmp_path / "pictures") == right


def test_shards_that_the_corpus_lost_are_removed(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 220, 440, shards=2)
    assert prepare_pictures(corpus, tmp_path / "pictures") == 2
    write_corpus(corpus, 220)
    assert prepare_pictures(corpus, tmp_path / "pictures") == 1
    assert len(load_pictures([tmp_path / "pictures"])) == 1


def test_clips_that_cannot_be_read_are_left_out_and_counted(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 220, 330, 440, 880)
    audio = corpus / "audio" / "00000"
    (audio / "00000000.flac").unlink()
    (audio / "00000001.flac").write_bytes(b"not a sound")
    torn = (audio / "00000003.flac").read_bytes()
    (audio / "00000003.flac").write_bytes(torn[: len(torn) // 2])
    with pytest.warns(SonoriffWarning, match=r"3 of 4 clips .* cannot be read.*00000000"):
        assert prepare_pictures(corpus, tmp_path / "pictures") == 1
    assert [e["text"] for e in load_pictures([tmp_path / "pictures"]).entries] == ["440 Hz"]

    write_clip(audio / "00000000.flac", 220)
    with pytest.warns(SonoriffWarning, match="2 of 4 clips"):
        assert prepare_pictures(corpus, tmp_path / "pictures") == 2


def test_a_corpus_without_a_readable_clip_is_named(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 220)
    (corpus / "audio" / "00000" / "00000000.flac").write_bytes(b"")
    with pytest.raises(CorpusError, match="1 of 1 clips"):
        prepare_pictures(corpus, tmp_path / "pictures")


def test_a_torn_last_line_is_passed_over_and_another_is_named(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 220, 440)
    manifest = corpus / "metadata.jsonl"
    lines = manifest.read_text()
    manifest.write_text(lines + '{"file_name": "audio/00000/0000')
    assert prepare_pictures(corpus, tmp_path / "pictures") == 2
    manifest.write_text('{"file_name": \n' + lines)
    with pytest.raises(CorpusError, match="line 1 is damaged"):
        prepare_pictures(corpus, tmp_path / "pictures")


def test_what_an_audiofolder_need_not_say_is_completed(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 220)
    prepare_pictures(corpus, tmp_path / "pictures")
    pictures = load_pictures([tmp_path / "pictures"])
    assert pictures.subset("train").tolist() == [0]
    (entry,) = pictures.entries
    heard = entry.pop("heard")
    assert heard["energy"] < -4.0
    assert len(heard["chords"]) == CLIP_SAMPLES // CHORD_SAMPLES
    assert set(heard["chords"]) == {9}
    assert pictures.entries == [
        {
            "file_name": "audio/00000/00000000.flac",
            "text": "220 Hz",
            "captions": ["220 Hz"],
            "facts": {},
            "split": "train",
        }
    ]


def test_splits_go_by_their_usual_names(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 440, 880)
    manifest = corpus / "metadata.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    lines[1]["split"] = "valid"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    prepare_pictures(corpus, tmp_path / "pictures")
    assert load_pictures([tmp_path / "pictures"]).subset("validation").tolist() == [1]
    lines[1]["split"] = "holdout"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(CorpusError, match="line 2: unknown split 'holdout'"):
        prepare_pictures(corpus, tmp_path / "pictures")
