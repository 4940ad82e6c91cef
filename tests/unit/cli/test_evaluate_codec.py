"""`sonoriff evaluate codec`, on real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sonoriff.audio import write_audio
from sonoriff.cli.main import main


def test_it_prints_a_table_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    time_s = np.arange(30_000) / 44100
    tone = (0.4 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)[None]
    write_audio(tmp_path / "tone.wav", tone, 44100)
    wanted, options = tmp_path / "codec.json", ["--format", "hifi", "--quality", "fast"]
    assert main(["evaluate", "codec", str(tmp_path), *options, "-o", str(wanted)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("| hifi | fast | 1 | -")
    (row,) = json.loads(wanted.read_text(encoding="utf-8"))["rows"]
    assert row["interior_db"] < -20
    assert row["mel_error_db"] < 2
    assert row["stereo_level_db"] is None
    assert row["cost"] > 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing.wav"], "there is no file"),
        (["."], "holds no"),
        (["broken.wav"], "not a readable sound file"),
        (["broken.wav", "-o", "nowhere/codec.json"], "does not exist"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments != ["."]:
        (tmp_path / "broken.wav").write_text("no music", encoding="utf-8")
    assert main(["evaluate", "codec", *arguments]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
