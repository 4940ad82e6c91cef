"""`sonoriff serve`, `stream` and `play` as programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from sonoriff.cli.main import main

PROGRAM = str(Path(sys.executable).with_name("sonoriff"))


def test_a_stream_becomes_a_file(model_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "long.flac"
    arguments = ["stream", "a", "--minutes", "0.02", "--steps", "1", "--model", str(model_folder)]
    assert main([*arguments, "-o", str(target)]) == 0
    assert soundfile.info(target).frames == round(1.2 * 44100)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["stream", "-o", "a.txt"], ".flac"),
        (["stream", "a", "--schedule", "missing.json"], "not both"),
        (["stream", "--schedule", "missing.json"], "missing.json"),
        (["stream", "--bpm", "1000", "-o", "a.flac"], "bpm"),
        (["play"], "--live"),
        (["play", "missing.wav"], "missing.wav"),
        (["serve", "--keys", "missing.txt"], "missing.txt"),
        (["serve", "--seed-images", "missing", "--data", "."], "missing"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert word in said
    assert said.count("\n") == 1


def test_a_server_without_a_model_ends_with_a_line(tmp_path: Path) -> None:
    arguments = [PROGRAM, "serve", "--port", "0", "--data", str(tmp_path), "--model", "missing"]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert "missing" in result.stderr.splitlines()[-1]
