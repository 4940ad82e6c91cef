"""The notebooks run from the first cell to the last."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import own_music
from documents import notebook_blocks, run_blocks
from sonoriff.audio import read_audio
from sonoriff.sonogram import load_picture

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "integrations" / "notebooks"


def test_first_steps(tmp_path: Path) -> None:
    session = run_blocks(notebook_blocks(NOTEBOOKS / "first_steps.ipynb"), tmp_path)
    players = [shown for shown in session["shown"] if "<audio" in shown and "<img" in shown]
    assert len(players) == 7
    settings = json.loads(json.dumps(dict(session["riff"].settings)))
    assert dict(session["again"].settings) == settings
    waveform, rate = read_audio(tmp_path / "stream.wav")
    assert waveform.shape[1] == session["stream"].shape[1] > rate
    assert np.abs(waveform).max() > 0.01


def test_own_music(tmp_path: Path) -> None:
    own_music.make(tmp_path / "my-music", files=3)
    blocks = notebook_blocks(NOTEBOOKS / "own_music.ipynb", STEPS=2, LENGTH_S=10.0)
    run_blocks(blocks, tmp_path)
    assert (tmp_path / "my-style" / "adapter_model.safetensors").is_file()
    assert load_picture(tmp_path / "piece.png").duration_s == pytest.approx(10, abs=0.02)
    assert read_audio(tmp_path / "piece.mp3")[0].shape[1] > 9 * 44_100


def test_sonogram_codec(tmp_path: Path) -> None:
    sound = str(ROOT / "examples" / "pluck.flac")
    blocks = notebook_blocks(NOTEBOOKS / "sonogram_codec.ipynb", SOUND=sound)
    session = run_blocks(blocks, tmp_path)
    assert session["errors"]["best"] < session["errors"]["fast"] < 3.0
    assert "True" in session["shown"]
    assert "'a plucked string'" in session["shown"]


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_results(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
