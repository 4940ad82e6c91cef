"""The corpus on disk: lines, shards, damage, versions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.corpus.manifest import ClipLabels, Corpus, CorpusClip, clip_path, write_clip
from sonoriff.errors import CorpusError


def clip(number: int, **facts: object) -> CorpusClip:
    return CorpusClip(
        clip_path(number), ("a", "b ü"), ClipLabels(genre="ska", instruments=("organ",), **facts),  # type: ignore[arg-type]
        "train", "s", "CC0-1.0", "me", f"p-{number}",
    )  # fmt: skip


def test_lines_read_back_as_written(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    clips = [clip(0, bpm=92.5), clip(1_000, key="Bb", mode="minor", loop=True)]
    corpus.append(clips)
    assert list(corpus.clips()) == clips
    row = json.loads(corpus.metadata.read_text("utf-8").splitlines()[1])
    assert row["file_name"] == "audio/00001/00001000.flac"
    assert row["text"] == "a"
    assert row["facts"]["key"] == "Bb"


def test_a_line_cut_short_is_passed_over_and_mended(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.append([clip(0), clip(1)])
    text = corpus.metadata.read_text("utf-8")
    corpus.metadata.write_text(text[:-20], "utf-8")
    assert corpus.count() == 1
    corpus.append([clip(2)])
    assert [c.file_name for c in corpus.clips()] == [clip_path(0), clip_path(2)]


def test_damage_in_the_middle_is_named_with_its_line(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.append([clip(0)])
    with corpus.metadata.open("a") as file:
        file.write("{broken\n" + clip(1).to_json() + "\n")
    with pytest.raises(CorpusError, match="line 2"):
        list(corpus.clips())


def test_pieces_count_the_dropped_ones(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    assert corpus.pieces() == set()
    corpus.append([clip(0)])
    corpus.drop("p-9", "silent\nthroughout")
    assert corpus.pieces() == {"p-0", "p-9"}
    corpus.drop("p-10", "caf\udce9.wav is no sound")
    assert corpus.dropped() == {
        "p-9": "silent throughout", "p-10": "caf\\udce9.wav is no sound",
    }  # fmt: skip


def test_splits_have_usual_names_and_unknown_ones_are_named_with_their_line(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    rows = [{"file_name": f"{n}.flac", "text": "a"} for n in range(3)]
    rows[1]["split"], rows[2]["split"] = "valid", "dev"
    corpus.metadata.write_text("\n".join(map(json.dumps, rows)))
    assert [c.split for c in corpus.clips()] == ["train", "validation", "validation"]
    rows[2]["split"] = "holdout"
    corpus.metadata.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(CorpusError, match="line 3: unknown split 'holdout'"):
        list(corpus.clips())


def test_facts_of_a_later_version_are_left_out() -> None:
    row = json.loads(clip(0).to_json())
    row["facts"]["weather"] = "fine"
    assert CorpusClip.from_json(json.dumps(row)) == clip(0)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    corpus.write_info(clips=3)
    assert corpus.info()["clips"] == 3
    corpus.write_info(format_version=99)
    with pytest.raises(CorpusError, match="99"):
        corpus.info()
    with pytest.raises(CorpusError, match="no corpus"):
        list(Corpus(tmp_path / "none").clips())


def test_clips_are_flac_and_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    wave = np.linspace(-0.5, 0.5, 4410, dtype=np.float32)
    write_clip(tmp_path, clip_path(5), wave, 44_100)
    back, rate = soundfile.read(tmp_path / clip_path(5), dtype="float32")
    assert rate == 44_100
    assert np.abs(back - wave).max() <= 1 / 32_768
    (tmp_path / "full").write_text("a file where a folder is needed")
    with pytest.raises(CorpusError, match="cannot write"):
        write_clip(tmp_path / "full", clip_path(5), wave, 44_100)
    assert [p.name for p in (tmp_path / "audio" / "00000").iterdir()] == ["00000005.flac"]
