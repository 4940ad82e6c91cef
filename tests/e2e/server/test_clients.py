"""Clients made from what the server says of itself, used against it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sonoriff.audio import read_audio

# `make test` puts openapi-python-client there.
MAKER = Path(sys.prefix, "client-maker")
FOLDER = Path(__file__).parents[3] / "integrations" / "python"


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
