"""What documents tell a reader to run does what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

import own_music
from documents import blocks_of, run_blocks
from sonoriff.audio import read_audio
from sonoriff.sonogram import load_picture

ROOT = Path(__file__).resolve().parents[2]


def test_the_tutorial_runs(tmp_path: Path) -> None:
    own_music.make(tmp_path / "my-music", files=3)
    blocks = blocks_of(ROOT / "docs" / "tutorial.md")
    assert {block.language for block in blocks} == {"sh", "python"}
    session = run_blocks(blocks, tmp_path)

    assert (tmp_path / "axes.png").read_bytes().startswith(b"\x89PNG")
    waveform, rate = read_audio(tmp_path / "loop.wav")
    assert waveform.shape[1] == round(8 * 60 / 122 * rate)
    assert load_picture(tmp_path / "variation.png").metadata["seed"] == 2
    assert load_picture(tmp_path / "ballad.png").metadata["negative_prompt"] == "drums"
    assert [clip.settings["seed"] for clip in session["clips"]] == [1, 2, 3]
    assert (tmp_path / "my-style" / "adapter_model.safetensors").is_file()
    piece = load_picture(tmp_path / "piece.png")
    assert piece.duration_s == pytest.approx(14, abs=0.02)
    waveform, rate = read_audio(tmp_path / "piece.mp3")
    assert waveform.shape[1] / rate == pytest.approx(14, abs=0.2)
    assert abs(waveform).max() > 0.05


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_python_on_the_first_page_runs(page: str, tmp_path: Path) -> None:
    blocks = [block for block in blocks_of(ROOT / page) if block.language == "python"]
    session = run_blocks(blocks, tmp_path)
    waveform, rate = read_audio(tmp_path / "riff.wav")
    assert waveform.shape[1] / rate == pytest.approx(session["clip"].sonogram.duration_s)
    assert session["clip"].settings["bpm"] is None
