"""`sonoriff sample`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sonoriff.audio import read_audio, write_audio
from sonoriff.cli.main import main
from sonoriff.cli.sample import clip_starts

RATE = 8000


@pytest.fixture
def song(tmp_path: Path) -> Path:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 3 * RATE)).astype(np.float32)
    write_audio(tmp_path / "song.wav", noise, RATE)
    return tmp_path / "song.wav"


def _clips(folder: Path) -> list[np.ndarray]:
    return [read_audio(path)[0] for path in sorted(folder.iterdir())]


def _sample(song: Path, folder: Path, *options: str) -> int:
    return main(["sample", str(song), "-o", str(folder), *options])


def test_the_seed_decides_the_clips(song: Path, tmp_path: Path) -> None:
    """Defect of Riffusion: sample-clips-batch seeds one generator and draws from another."""
    for folder, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert (
            _sample(song, tmp_path / folder, "--count", "3", "--duration", "1", "--seed", seed) == 0
        )
    first, again, other = (_clips(tmp_path / name) for name in "abc")
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_clips_are_parts_of_the_song_of_the_length_asked_for(song: Path, tmp_path: Path) -> None:
    assert _sample(song, tmp_path / "x", "--count", "4", "--duration", "0.5") == 0
    whole, _ = read_audio(song)
    starts = clip_starts(whole.shape[1], RATE // 2, 4, 0, song.name)
    assert len(set(starts)) == 4
    for clip, start in zip(_clips(tmp_path / "x"), starts, strict=True):
        np.testing.assert_array_equal(clip, whole[:, start : start + RATE // 2])


def test_a_clip_as_long_as_the_file(song: Path, tmp_path: Path) -> None:
    """Defect of Riffusion: a clip as long as the file raises ValueError."""
    assert _sample(song, tmp_path / "x", "--count", "3", "--duration", "3") == 0
    clips = _clips(tmp_path / "x")
    assert len(clips) == 1
    np.testing.assert_array_equal(clips[0], read_audio(song)[0])


def test_a_clip_longer_than_the_file_is_one_line(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _sample(song, tmp_path / "x", "--duration", "3.5") == 2
    assert "lasts 3.000 s, less than a clip" in capsys.readouterr().err


def test_a_files_clips_do_not_depend_on_the_batch() -> None:
    assert (
        clip_starts(9000, 100, 5, 3, "a.wav").tolist()
        == clip_starts(9000, 100, 5, 3, "a.wav").tolist()
    )
    assert (
        clip_starts(9000, 100, 5, 3, "a.wav").tolist()
        != clip_starts(9000, 100, 5, 3, "b.wav").tolist()
    )


def test_mono_and_format(song: Path, tmp_path: Path) -> None:
    assert _sample(song, tmp_path / "x", "--mono", "--duration", "1", "--format-out", "flac") == 0
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["song-000.flac"]
    assert _clips(tmp_path / "x")[0].shape == (1, RATE)


def test_clips_are_not_replaced_unasked(song: Path, tmp_path: Path) -> None:
    assert _sample(song, tmp_path / "x", "--duration", "1") == 0
    assert _sample(song, tmp_path / "x", "--duration", "1") == 2
    assert _sample(song, tmp_path / "x", "--duration", "1", "--force") == 0


def test_files_of_one_name_are_refused(song: Path, tmp_path: Path) -> None:
    write_audio(tmp_path / "song.flac", read_audio(song)[0], RATE)
    assert main(["sample", str(tmp_path), "-o", str(tmp_path / "x")]) == 2
