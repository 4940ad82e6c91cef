"""Clients made from what the server says of itself, used against it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sonoriff.audio import read_audio

# `make test` puts openapi-python-client there.
MAKER = Path(sys.prefix, "client-maker")
ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "integrations" / "python"


def test_the_python_client_makes_a_riff(server: Any, tmp_path: Path) -> None:
    assert MAKER.is_dir(), f"{MAKER} is missing: make test installs it"
    paths = [str(tmp_path), str(MAKER)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    make = [sys.executable, str(FOLDER / "make_client.py"), server.url, "-o", str(tmp_path)]
    made = subprocess.run(make, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout, "something of the API is not in the client"
    example = [sys.executable, str(FOLDER / "make_a_riff.py"), "jazz", "riff.flac", server.url]
    subprocess.run(example, cwd=tmp_path, env=environment, check=True)
    sound, rate = read_audio(tmp_path / "riff.flac")
    assert 3.9 < sound.shape[1] / rate < 4.2
    lines = (FOLDER / "make_a_riff.py").read_text().splitlines()
    assert len(lines) < 50


def test_the_javascript_client_listens_and_changes_what_it_hears(
    server: Any, tmp_path: Path
) -> None:
    from hatch_build import _npm

    environment = dict(os.environ)
    build = [*_npm(environment), "run", "build:client", "--", "--outDir", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / "web", env=environment, check=True, capture_output=True)
    example = ROOT / "integrations" / "javascript" / "listen.mjs"
    assert len(example.read_text().splitlines()) < 50
    shutil.copy(example, tmp_path)
    node = shutil.which("node", path=environment["PATH"])
    assert node is not None
    # Node 20 has WebSocket behind a flag, later ones have it anyway.
    run = [node, "--experimental-websocket", "listen.mjs", "bells", "beats", "12", "out.wav"]
    said = subprocess.run(
        [*run, server.url],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stderr == "" or "Warning" in said.stderr
    assert said.stdout.splitlines()[0] == "bells"
    assert "beats" in said.stdout
    sound, rate = read_audio(tmp_path / "out.wav")
    assert 12.0 <= sound.shape[1] / rate < 16.0
    assert np.abs(sound).max() > 0.01
