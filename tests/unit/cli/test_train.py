"""`sonoriff train` from scratch: corpora, options, and what is said when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoriff.cli import evaluate
from sonoriff.cli import train as command
from sonoriff.cli.main import main
from sonoriff.training.data.pictures import CLIP_SAMPLES, load_pictures

TINY = ["--steps", "1", "--batch-size", "1", "--latent-channels", "2", "--decoder-blocks", "1,0,0"]


def write_corpus(folder: Path, hertz: float) -> Path:
    (folder / "audio" / "00000").mkdir(parents=True)
    time = np.arange(CLIP_SAMPLES) / 44_100
    name = "audio/00000/00000000.flac"
    soundfile.write(folder / name, 0.3 * np.sin(2 * np.pi * hertz * time), 44_100)
    line = {"file_name": name, "text": "a sine", "captions": ["a sine"], "facts": {}}
    (folder / "metadata.jsonl").write_text(json.dumps({**line, "split": "train"}) + "\n")
    return folder


def test_corpora_of_one_name_keep_their_own_sound(tmp_path: Path) -> None:
    one = write_corpus(tmp_path / "a" / "corpus", 220)
    other = write_corpus(tmp_path / "b" / "corpus", 880)
    work = tmp_path / "work"
    trained = [load_pictures(command._prepare_pictures([c], work)).picture(0) for c in (one, other)]
    measured = [evaluate._pictures(c, work).picture(0) for c in (one, other)]
    assert trained[0][:, 100].argmax() < trained[1][:, 100].argmax()
    for ours, theirs in zip(trained, measured, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_autoencoder_is_trained_on_a_small_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = write_corpus(tmp_path / "corpus", 220)
    (corpus / "metadata.jsonl").write_text(
        (corpus / "metadata.jsonl").read_text() + '{"file_name": "audio/000'
    )
    arguments = ["train", "autoencoder", str(corpus), "--work", str(tmp_path / "work"), *TINY]
    run = tmp_path / "run"
    more = ["--accumulate", "2", "--precision", "no"]
    assert main([*arguments, "-o", str(run), *more]) == 0, capsys.readouterr().err
    stored = json.loads((run / "checkpoint" / "state.json").read_text())["facts"]["config"]
    assert (stored["accumulate"], stored["precision"]) == (2, "no")
    assert (run / "curves.png").exists()

    assert main([*arguments, "-o", str(tmp_path / "other"), "--precision", "half"]) == 2
    assert "precision must be" in capsys.readouterr().err
    denoiser = ["train", "denoiser", str(corpus), "--autoencoder", str(run), *arguments[3:5]]
    (run / "checkpoint" / "ema.safetensors").write_bytes(b"torn")
    assert main([*denoiser, "-o", str(tmp_path / "d"), *more]) == 1
    error = capsys.readouterr().err
    assert "cannot load the autoencoder" in error
    assert error.count("\n") == 1
