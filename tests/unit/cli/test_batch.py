"""Which files are read, where results go, and what becomes of failures."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import typer

from sonoriff.audio import write_audio
from sonoriff.cli.batch import Job, find_sources, plan_jobs, run_jobs
from sonoriff.cli.sample import SampleSettings, sample_file
from sonoriff.errors import FormatError, ParameterError, SonoriffWarning
from sonoriff.files import write_text

SUFFIXES = frozenset({".wav", ".mp3"})


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    for name in ("a.wav", "b.MP3", "notes.txt", "deep/c.wav", ".hidden/d.wav", "deep/.e.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def _names(patterns: list[str]) -> list[str]:
    return [str(source.relative) for source in find_sources(patterns, SUFFIXES)]


def test_a_folder_is_searched_all_the_way_down(music: Path) -> None:
    assert _names([str(music)]) == ["a.wav", "b.MP3", "deep/c.wav"]


def test_a_named_file_is_taken_whatever_it_is_called(music: Path) -> None:
    assert _names([str(music / "notes.txt")]) == ["notes.txt"]


def test_globs_match_here_and_below(music: Path) -> None:
    assert _names([f"{music}/*.wav"]) == ["a.wav"]
    assert _names([f"{music}/**/*.wav"]) == ["a.wav", "c.wav"]


def test_a_file_named_twice_is_read_once(music: Path) -> None:
    assert _names([f"{music}/a.wav", f"{music}/*.wav", str(music)]) == [
        "a.wav",
        "b.MP3",
        "deep/c.wav",
    ]


def test_a_name_with_glob_signs_is_a_file_first(tmp_path: Path) -> None:
    (tmp_path / "song [live].wav").write_text("", encoding="utf-8")
    assert _names([str(tmp_path / "song [live].wav")]) == ["song [live].wav"]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("missing.wav", "there is no file"),
        ("*.flac", "no file matches"),
        ("deep/.none", "there is no file"),
    ],
)
def test_nothing_found_is_a_parameter_error(music: Path, pattern: str, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        find_sources([str(music / pattern)], SUFFIXES)


def test_a_folder_without_sound_is_a_parameter_error(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"holds no \.mp3 \.wav file"):
        find_sources([str(tmp_path)], SUFFIXES)


def _plan(patterns: list[Path], output: Path | None, *, force: bool = False) -> list[Job]:
    sources = find_sources([str(pattern) for pattern in patterns], SUFFIXES)
    return plan_jobs(sources, output, ".png", allowed=(".png",), force=force)


def test_without_output_the_result_stands_beside_the_source(music: Path) -> None:
    assert [job.target for job in _plan([music / "deep"], None)] == [music / "deep/c.png"]


def test_one_source_may_name_its_result(music: Path) -> None:
    target = music / "other.png"
    target.write_text("old", encoding="utf-8")
    assert [job.target for job in _plan([music / "a.wav"], target)] == [target]


def test_a_folder_keeps_its_shape(music: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert [job.target for job in _plan([music], out)] == [
        out / "a.png",
        out / "b.png",
        out / "deep/c.png",
    ]


def test_results_are_not_replaced_unasked(music: Path) -> None:
    (music / "a.png").write_text("mine", encoding="utf-8")
    with pytest.raises(ParameterError, match="--force"):
        _plan([music], None)
    assert len(_plan([music], None, force=True)) == 3


def test_two_sources_with_one_result_are_refused(music: Path) -> None:
    (music / "a.mp3").write_text("", encoding="utf-8")
    with pytest.raises(ParameterError, match="would both be written"):
        _plan([music], None, force=True)


def test_a_source_is_never_its_own_result(music: Path) -> None:
    (music / "p.png").write_text("", encoding="utf-8")
    with pytest.raises(ParameterError, match="overwritten by its own result"):
        _plan([music / "p.png"], music / "p.png", force=True)


def test_a_suffix_that_cannot_be_written_is_refused_before_the_work(music: Path) -> None:
    with pytest.raises(ParameterError, match=r"must end in \.png"):
        _plan([music / "a.wav"], music / "a.gif")


def test_several_results_do_not_fit_into_a_file(music: Path) -> None:
    with pytest.raises(ParameterError, match="need a folder"):
        _plan([music], music / "notes.txt")


def _upper(job: Job) -> str:
    text = job.source.read_text(encoding="utf-8")
    if "bad" in job.source.name:
        raise FormatError(f"{job.source} is bad")
    if "bug" in job.source.name:
        raise ZeroDivisionError("a bug")
    if "odd" in job.source.name:
        warnings.warn("odd file", SonoriffWarning, stacklevel=1)
    write_text(job.target, text.upper())
    return f"{job.target.name} done"


def _jobs(folder: Path, names: list[str]) -> list[Job]:
    for name in names:
        (folder / name).write_text(name, encoding="utf-8")
    return [Job(folder / name, folder / "out" / name) for name in names]


def test_failures_are_listed_at_the_end_and_fail_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Defect of Riffusion: unreadable files of a batch are skipped without a word."""
    jobs = _jobs(tmp_path, ["bug.txt", "bad.txt", "good.txt", "odd.txt"])
    with pytest.raises(typer.Exit) as stop:
        run_jobs(_upper, jobs, n_processes=1)
    assert stop.value.exit_code == 1
    printed = capsys.readouterr()
    assert sorted(printed.out.split("\n")) == ["", "good.txt done", "odd.txt done"]
    assert printed.err.splitlines() == [
        f"warning: {tmp_path / 'odd.txt'}: odd file",
        f"failed: {tmp_path / 'bad.txt'} is bad",
        f"failed: {tmp_path / 'bug.txt'}: ZeroDivisionError: a bug",
        "sonoriff: 2 of 4 files failed",
    ]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["good.txt", "odd.txt"]


def test_a_single_failure_keeps_its_kind(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is bad"):
        run_jobs(_upper, _jobs(tmp_path, ["bad.txt"]))


# Many processes, with real work that loads fast.


def _cut_clips(tmp_path: Path, names: list[str], *, n_processes: int) -> None:
    settings = SampleSettings(
        count=2, duration=0.1, seed=5, mono=True, suffix=".wav", max_seconds=60, force=False
    )
    sources = find_sources([str(tmp_path / name) for name in names], SUFFIXES)
    jobs = [Job(s.path, tmp_path / f"x{n_processes}" / s.path.stem) for s in sources]
    run_jobs(partial(sample_file, settings), jobs, n_processes=n_processes)


def test_worker_processes_do_the_same_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (3, 2, 8000)).astype(np.float32)
    for name, waveform in zip(("a.wav", "b.wav", "c.wav"), noise, strict=True):
        write_audio(tmp_path / name, waveform, 8000)
    (tmp_path / "bad.wav").write_text("no sound", encoding="utf-8")
    names = ["a.wav", "b.wav", "bad.wav", "c.wav"]
    for n_processes in (1, 2):
        with pytest.raises(typer.Exit) as stop:
            _cut_clips(tmp_path, names, n_processes=n_processes)
        assert stop.value.exit_code == 1
        errors = capsys.readouterr().err.splitlines()
        assert errors[0].startswith(f"failed: {tmp_path / 'bad.wav'} is not a readable sound file")
        assert errors[1] == "sonoriff: 1 of 4 files failed"
    clips = [sorted((tmp_path / f"x{n}").iterdir()) for n in (1, 2)]
    assert [p.name for p in clips[0]] == [f"{n}-00{i}.wav" for n in "abc" for i in (0, 1)]
    for one, other in zip(*clips, strict=True):
        assert one.read_bytes() == other.read_bytes()
