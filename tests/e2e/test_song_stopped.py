"""A render that is killed loses nothing that it had done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from server_tools import wait_until
from sonoriff.models.small.model import SmallModel
from sonoriff.sonogram.picture import load_picture

PLAN = """bpm = 240
key = "A minor"

[[section]]
name = "A"
bars = 2

[[section]]
name = "B"
bars = 8

[[section]]
name = "C"
bars = 2
"""


def test_what_was_painted_before_a_kill_is_not_painted_again(
    small_model: SmallModel, tmp_path: Path
) -> None:
    small_model.save_pretrained(tmp_path / "models" / "tiny")
    (tmp_path / "song.toml").write_text(PLAN)
    cache = tmp_path / "cache"
    environment = {
        **os.environ,
        "SONORIFF_MODELS": str(tmp_path / "models"),
        "SONORIFF_SONGS": str(cache),
    }

    def command(output: str, steps: int) -> list[str]:
        given = ["song", "render", "song.toml", "-o", output, "--steps", str(steps)]
        return [sys.executable, "-m", "sonoriff", *given, "--model", "tiny"]

    # Many steps: the second section takes long enough to be killed in.
    running = subprocess.Popen(command("a.wav", 100), cwd=tmp_path, env=environment)
    wait_until(lambda: list(cache.glob("[!.]*.npy")) or running.poll() is not None)
    assert running.poll() is None, "it was done before it was killed"
    running.send_signal(signal.SIGKILL)
    running.wait()
    painted = {path: path.stat().st_ino for path in cache.glob("[!.]*.npy")}
    assert 1 <= len(painted) < 5
    assert not list(tmp_path.glob("a.*"))
    subprocess.run(command("a.wav", 100), cwd=tmp_path, env=environment, check=True)
    assert all(path.stat().st_ino == inode for path, inode in painted.items())
    # More, where a section came out in a far key and was painted once more.
    assert len(list(cache.glob("[!.]*.npy"))) >= 5
    other = environment | {"SONORIFF_SONGS": str(tmp_path / "other")}
    subprocess.run(command("b.wav", 100), cwd=tmp_path, env=other, check=True)
    a, b = (load_picture(tmp_path / name).values for name in ("a.png", "b.png"))
    np.testing.assert_array_equal(a, b)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
