"""Making music where PyTorch is not installed: in processes that cannot import it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = "import sys; sys.modules['torch'] = None\n"
COMMAND = WITHOUT + "from sonoriff.cli.main import main; sys.exit(main(sys.argv[1:]))"
QUICK = ["--steps", "1"]


def run(place: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("music")
    arguments = ["generate", "techno", "--duration", "2", *QUICK, "-o", "riff.wav"]
    made = run(place, COMMAND, *arguments)
    assert made.returncode == 0, made.stderr
    return place


def test_the_front_door(tmp_path: Path) -> None:
    code = WITHOUT + (
        "import sonoriff\n"
        "model = sonoriff.load()\n"
        "clip = model.generate('techno', duration_s=1.0, num_inference_steps=1)\n"
        "clip.remix('organ', strength=0.5, num_inference_steps=2)\n"
        "next(iter(model.stream('jazz')))\n"
        "assert not [n for n in sys.modules if n.partition('.')[0] == 'torch' and n != 'torch']"
    )
    done = run(tmp_path, code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["remix", "riff.wav", "organ", *QUICK, "-o", "remix.wav"],
        ["inpaint", "riff.wav", "organ", "--time", "0.5:1", *QUICK, "-o", "inpaint.wav"],
        ["extend", "riff.wav", "organ", "--duration", "3", *QUICK, "-o", "extend.wav"],
        ["morph", "jazz", "techno", "--clips", "3", *QUICK, "-o", "morph.wav"],
        ["stream", "jazz", "--minutes", "0.05", *QUICK, "-o", "stream.wav"],
        ["encode", "riff.wav", "-o", "again.png"],
        ["decode", "riff.png", "-o", "again.wav"],
        ["show", "riff.png"],
        ["models"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_command_line(place: Path, arguments: list[str]) -> None:
    done = run(place, COMMAND, *arguments)
    assert done.returncode == 0, done.stderr
    for argument in arguments[1:]:
        if argument.endswith((".wav", ".png")):
            assert (place / argument).is_file()


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["generate", "x", "--device", "cuda", "-o", "x.wav"], "torch"),
        (["generate", "x", "--model", "other.safetensors", "-o", "x.wav"], "torch"),
        (["train", "autoencoder", ".", "-o", "run"], "train"),
        (["evaluate", "model", "--corpus", "."], "train"),
        (["models", "convert", "old.ckpt", "-o", "new"], "train"),
    ],
)
def test_what_needs_it_says_how_to_get_it(place: Path, arguments: list[str], extra: str) -> None:
    (place / "other.safetensors").write_bytes(b"")
    (place / "old.ckpt").write_bytes(b"")
    done = run(place, COMMAND, *arguments)
    assert done.returncode == 1
    assert f"pip install 'sonoriff[{extra}]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (place / "x.wav").exists()
