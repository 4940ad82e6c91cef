"""A folder of audio imported whole: captions, damage, copies, resuming, and out again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.corpus.exchange import export, merge, recaption
from sonoriff.corpus.importer import import_folder
from sonoriff.corpus.manifest import Corpus
from sonoriff.corpus.report import report_of, summary_lines
from sonoriff.corpus.windows import CLIP_SAMPLES
from sonoriff.errors import CorpusError

RATE = 44_100


def music(seed: int, seconds: float) -> np.ndarray:
    """Chords that change every half second, different for each seed."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(0.5 * RATE)) / RATE
    parts = []
    for _ in range(int(seconds * 2)):
        tones = rng.choice(np.arange(110, 880, 7), 3)
        parts.append(sum(np.sin(2 * np.pi * f * t) for f in tones) * np.exp(-t * 3) * 0.2)
    return np.concatenate(parts).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    (root / "more").mkdir(parents=True)
    long = music(1, 21)
    soundfile.write(root / "slow_harp.wav", long, RATE)
    (root / "slow_harp.txt").write_text("gentle harp\n")
    soundfile.write(root / "more" / "again.flac", long * 0.5, RATE)
    soundfile.write(root / "short loop.wav", np.stack([music(2, 2)] * 2, 1), 22_050)
    soundfile.write(root / "silent.wav", np.zeros(RATE * 7), RATE)
    soundfile.write(root / "tiny.wav", np.ones(500) * 0.1, RATE)
    (root / "broken.flac").write_bytes(b"fLaC and then nothing")
    (root / "notes.txt").write_text("no audio")
    return root


def test_everything_is_imported_or_reported(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    seen: list[tuple[int, int]] = []
    report = import_folder(
        folder, root, licence="CC-BY-4.0", credit="Ann", progress=lambda a, b: seen.append((a, b))
    )
    clips = list(Corpus(root).clips())
    assert report.clips == len(clips) == 4
    assert report.copies == 3
    assert report.silent == 1
    assert [Path(p).name for p, _ in report.unreadable] == ["broken.flac"]
    assert [Path(p).name for p in report.too_short] == ["tiny.wav"]
    assert seen[-1] == (6, 6)
    harp = [c for c in clips if c.captions[0] == "gentle harp" or "again" in c.captions]
    assert len(harp) == 3
    assert {c.split for c in harp} <= {"train", "validation", "test"}
    assert len({c.split for c in harp}) == 1
    assert all(
        (c.licence, c.credit, c.facts.kind) == ("CC-BY-4.0", "Ann", "recording") for c in clips
    )
    for clip in clips:
        info = soundfile.info(root / clip.file_name)
        assert (info.frames, info.samplerate, info.channels) == (CLIP_SAMPLES, RATE, 1)
    assert not (root / "audio" / ".incoming").exists()


def test_a_second_run_adds_only_what_is_new(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    import_folder(folder, root)
    before = Corpus(root).metadata.read_text("utf-8")
    again = import_folder(folder, root)
    assert (again.files, again.clips, again.skipped) == (0, 0, 6)
    assert Corpus(root).metadata.read_text("utf-8") == before
    soundfile.write(folder / "new.wav", music(3, 7), RATE)
    more = import_folder(folder, root, workers=2)
    assert (more.files, more.clips) == (1, 1)
    names = [c.file_name for c in Corpus(root).clips()]
    assert len(set(names)) == len(names) == 5


@pytest.mark.parametrize("make", [False, True])
def test_no_folder_or_no_audio_is_one_clear_line(tmp_path: Path, make: bool) -> None:
    if make:
        (tmp_path / "x").mkdir()
    with pytest.raises(CorpusError, match="expected"):
        import_folder(tmp_path / "x", tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_merge_export_report(folder: Path, tmp_path: Path) -> None:
    import_folder(folder, tmp_path / "a")
    soundfile.write(folder / "new.wav", music(3, 7), RATE)
    import_folder(folder, tmp_path / "b")
    assert merge([tmp_path / "a", tmp_path / "b"], tmp_path / "all") == 9
    report = report_of(tmp_path / "all", check_files=True)
    assert (report.clips, report.missing) == (9, 0)
    assert any("9 clips" in line for line in summary_lines(report))
    with pytest.raises(CorpusError, match="already"):
        merge([tmp_path / "a"], tmp_path / "all")
    counts = export(tmp_path / "all", tmp_path / "hf")
    assert sum(counts.values()) == 9
    for split, count in counts.items():
        if count:
            rows = (tmp_path / "hf" / split / "metadata.jsonl").read_text("utf-8").splitlines()
            assert len(rows) == count
            row = json.loads(rows[0])
            assert (tmp_path / "hf" / split / row["file_name"]).exists()
    with pytest.raises(CorpusError, match="not empty"):
        export(tmp_path / "all", tmp_path / "hf")
    next((tmp_path / "all" / "audio").rglob("*.flac")).unlink()
    assert report_of(tmp_path / "all", check_files=True).missing == 1
    assert recaption(tmp_path / "all") == 0


def test_an_exported_corpus_imports_again_with_its_captions(folder: Path, tmp_path: Path) -> None:
    import_folder(folder, tmp_path / "a")
    export(tmp_path / "a", tmp_path / "hf")
    report = import_folder(tmp_path / "hf", tmp_path / "back")
    assert report.clips == 4
    assert report.origins["metadata"] == 4
    assert {c.captions[0] for c in Corpus(tmp_path / "back").clips()} == {
        c.captions[0] for c in Corpus(tmp_path / "a").clips()
    }
