"""A folder of audio imported whole: captions, damage, copies, resuming, and out again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.cli.main import main
from sonoriff.corpus.exchange import export, merge
from sonoriff.corpus.importer import import_folder
from sonoriff.corpus.manifest import Corpus, CorpusClip
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


def test_an_exported_corpus_imports_again_with_its_captions(folder: Path, tmp_path: Path) -> None:
    import_folder(folder, tmp_path / "a")
    export(tmp_path / "a", tmp_path / "hf")
    report = import_folder(tmp_path / "hf", tmp_path / "back")
    assert report.clips == 4
    assert report.origins["metadata"] == 4
    assert {c.captions[0] for c in Corpus(tmp_path / "back").clips()} == {
        c.captions[0] for c in Corpus(tmp_path / "a").clips()
    }


def test_a_name_that_is_not_utf_8_is_imported(tmp_path: Path) -> None:
    music_folder, root = tmp_path / "music", tmp_path / "corpus"
    music_folder.mkdir()
    for name, seed in ((b"caf\xe9.wav", 1), (b"plain.wav", 2)):
        soundfile.write(tmp_path / "a.wav", music(seed, 7), RATE)
        (tmp_path / "a.wav").rename(music_folder / os.fsdecode(name))
    (music_folder / os.fsdecode(b"bro\xe9ken.wav")).write_bytes(b"no sound")
    report = import_folder(music_folder, root)
    assert [name for name, _ in report.unreadable] == [f"{music_folder}/bro\xe9ken.wav"]
    clips = list(Corpus(root).clips())
    assert [(c.captions[0], c.source) for c in clips] == [
        ("caf\xe9", "import/caf\xe9.wav"),
        ("plain", "import/plain.wav"),
    ]
    assert import_folder(music_folder, root).skipped == 3


def test_captions_that_cannot_be_read_are_named_and_the_rest_is_imported(tmp_path: Path) -> None:
    music_folder, root = tmp_path / "music", tmp_path / "corpus"
    music_folder.mkdir()
    for name, seed in (("a", 1), ("b", 2)):
        soundfile.write(music_folder / f"{name}.wav", music(seed, 7), RATE)
    (music_folder / "a.txt").symlink_to("/proc/self/mem")  # a file, but reading it fails
    report = import_folder(music_folder, root)
    assert [Path(path).name for path, _ in report.unreadable] == ["a.wav"]
    assert "a.txt: its captions cannot be read" in report.unreadable[0][1]
    assert [c.captions[0] for c in Corpus(root).clips()] == ["b"]
    (music_folder / "a.txt").unlink()
    assert import_folder(music_folder, root).clips == 1


@pytest.mark.parametrize("written", [False, True])
def test_a_run_that_is_cut_off_loses_no_file_and_makes_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    """Cut off before or after the manifest has its lines."""
    music_folder, root = tmp_path / "music", tmp_path / "corpus"
    music_folder.mkdir()
    for name, seed in (("a", 1), ("b", 2)):
        soundfile.write(music_folder / f"{name}.wav", music(seed, 14), RATE)
    real = Corpus.append

    def failing(corpus: Corpus, clips: list[CorpusClip]) -> None:
        if clips[0].captions[0] == "b":
            if written:
                real(corpus, clips)
            raise OSError(28, "No space left on device")
        real(corpus, clips)

    with monkeypatch.context() as patch:
        patch.setattr(Corpus, "append", failing)
        with pytest.raises(OSError, match="space"):
            import_folder(music_folder, root)
    soundfile.write(music_folder / "c.wav", music(2, 14) * np.float32(0.5), RATE)
    report = import_folder(music_folder, root)
    assert (report.clips, report.copies) == ((0, 2) if written else (2, 2))
    assert [c.captions[0] for c in Corpus(root).clips()] == ["a", "a", "b", "b"]
    assert (root / "fingerprints.bin").stat().st_size == 4 * 480


@pytest.mark.parametrize("damage", ["gone", "cut short", "too long"])
def test_fingerprints_are_mended(tmp_path: Path, damage: str) -> None:
    music_folder, root = tmp_path / "music", tmp_path / "corpus"
    music_folder.mkdir()
    soundfile.write(music_folder / "a.wav", music(1, 14), RATE)
    import_folder(music_folder, root)
    prints = root / "fingerprints.bin"
    whole = prints.read_bytes()
    stray = np.ones(240, np.float16).tobytes()
    prints.write_bytes({"gone": b"", "cut short": whole[:700], "too long": stray + whole}[damage])
    soundfile.write(music_folder / "b.wav", music(1, 14) * np.float32(0.5), RATE)
    assert import_folder(music_folder, root).copies == 2
    mended = np.frombuffer(prints.read_bytes(), np.float16).astype(np.float32)
    before = np.frombuffer(whole, np.float16).astype(np.float32)
    assert np.allclose(mended, before, atol=2e-3)


@pytest.mark.parametrize("word", ["valid", "val", "Dev", "validation"])
def test_every_name_of_validation_comes_out_as_one(tmp_path: Path, word: str) -> None:
    music_folder = tmp_path / "music"
    music_folder.mkdir()
    soundfile.write(music_folder / "a.wav", music(1, 7), RATE)
    row = {"file_name": "a.wav", "text": "a", "split": word}
    (music_folder / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    import_folder(music_folder, tmp_path / "corpus")
    assert export(tmp_path / "corpus", tmp_path / "hf")["validation"] == 1


def test_an_unknown_split_is_one_clear_line(tmp_path: Path) -> None:
    music_folder = tmp_path / "music"
    music_folder.mkdir()
    soundfile.write(music_folder / "a.wav", music(1, 7), RATE)
    (music_folder / "metadata.csv").write_text("file_name,text,split\na.wav,a,holdout\n")
    with pytest.raises(CorpusError, match=r"metadata.csv, a.wav: unknown split 'holdout'"):
        import_folder(music_folder, tmp_path / "corpus")


def test_a_plain_audiofolder_is_exported_for_training(tmp_path: Path) -> None:
    root = tmp_path / "folder"
    root.mkdir()
    soundfile.write(root / "a.flac", music(1, 7), RATE)
    (root / "metadata.jsonl").write_text('{"file_name": "a.flac", "text": "a"}\n')
    assert export(root, tmp_path / "hf") == {"train": 1, "validation": 0, "test": 0}


def test_an_empty_corpus_is_neither_exported_nor_merged(tmp_path: Path) -> None:
    root, out = tmp_path / "empty", tmp_path / "out"
    root.mkdir()
    (root / "metadata.jsonl").write_text("")
    with pytest.raises(CorpusError, match="no clip"):
        export(root, out)
    with pytest.raises(CorpusError, match="no clip"):
        merge([root, root], out)
    assert not out.exists()


def test_a_folder_that_cannot_be_read_is_told_briefly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """100,000 files wrote 9 MB to the terminal, and the end was called a success."""
    music = tmp_path / "music"
    music.mkdir()
    for i in range(60):
        (music / f"{i}.wav").write_bytes(b"no sound")
    assert main(["corpus", "import", str(music), "-o", str(tmp_path / "corpus")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("unreadable: ") for line in said) == 20
    assert "and 40 more of that kind" in said
