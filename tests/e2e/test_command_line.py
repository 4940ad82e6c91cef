"""The installed program, as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import sonoriff
from sonoriff.audio import read_audio, write_audio

PROGRAM = Path(sys.executable).with_name("sonoriff")


def _run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120)


def test_version_and_help() -> None:
    assert _run("--version").stdout == f"sonoriff {sonoriff.__version__}\n"
    as_module = subprocess.run(
        [sys.executable, "-m", "sonoriff", "-h"], capture_output=True, text=True, timeout=120
    )
    assert as_module.returncode == 0
    assert as_module.stdout == _run().stdout
    for command in ("encode", "decode", "show", "sample"):
        assert f"\n  {command} " in as_module.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["encode", "--help"], ["show", "missing.png"]])
def test_help_and_show_load_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from sonoriff.cli.main import main\n"
        f"main({arguments!r})\n"
        "heavy = {'torch', 'numba', 'scipy', 'matplotlib', 'av', 'diffusers', 'transformers'}\n"
        "print('loaded', sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "loaded []"


def test_a_batch_there_and_back_over_two_processes(tmp_path: Path) -> None:
    music = tmp_path / "music"
    (music / "more").mkdir(parents=True)
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (1, 4000)).astype(np.float32)
    for name in ("a.wav", "more/b.flac"):
        write_audio(music / name, noise, 44100)
    (music / "broken.mp3").write_text("no music", encoding="utf-8")
    encoded = _run("encode", "music", "-o", "pictures", "--jobs", 2, cwd=tmp_path)
    assert encoded.returncode == 1
    assert "failed: music/broken.mp3 is not a readable sound file" in encoded.stderr
    assert encoded.stderr.endswith("sonoriff: 1 of 3 files failed\n")
    options = ["--format-out", "ogg", "--jobs", 1]
    decoded = _run("decode", "pictures/**/*.png", "-o", "sound", *options, cwd=tmp_path)
    assert (decoded.returncode, decoded.stderr) == (0, "")
    sounds = sorted(path.name for path in (tmp_path / "sound").iterdir())
    assert sounds == ["a.ogg", "b.ogg"]
    assert read_audio(tmp_path / "sound/a.ogg")[0].shape == (1, 8 * 512)


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX")
@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(("n_jobs", "n_processes"), [(1, 1), (3, 1), (3, 2)])
def test_stopping_leaves_nothing_half_written(
    tmp_path: Path, stop: signal.Signals, code: int, n_jobs: int, n_processes: int
) -> None:
    script = Path(__file__).with_name("interruptible.py")
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), str(n_jobs), str(n_processes)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _wait_for(tmp_path, ".begun", n_processes, process)
        # The terminal sends Ctrl-C to the whole group; `kill` means the one process.
        (os.killpg if stop == signal.SIGINT else os.kill)(process.pid, stop)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert [path for path in tmp_path.iterdir() if path.suffix != ".begun"] == []
    assert "Traceback" not in error


def _wait_for(
    folder: Path, suffix: str, count: int, process: subprocess.Popen[str], limit_s: float = 60.0
) -> None:
    end = time.monotonic() + limit_s
    while len(list(folder.glob(f"*{suffix}"))) < count:
        assert process.poll() is None, "the program ended by itself"
        assert time.monotonic() < end, "the program did not begin"
        time.sleep(0.05)
