"""The bundled kind of model is taught a folder of music, by the commands themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
import torch
from safetensors import safe_open

import own_music
from sonoriff.cli.main import main
from sonoriff.models.lora import Lora
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel

QUICK = ["--steps", "4", "--batch-size", "2", "--samples", "2", "--sample-steps", "2"]


@pytest.fixture(scope="module")
def base(small_model: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "base"
    small_model.save_pretrained(folder, dtype=torch.float32)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the music, the caches and the results."""
    place = tmp_path_factory.mktemp("own")
    own_music.make(place / "mine")
    return place


def teach(kind: str, place: Path, base: Path, output: str, *more: str) -> int:
    """`sonoriff train KIND`, the exit code."""
    arguments = [str(place / "mine"), "-o", str(place / output), "--base", str(base)]
    work = ["--work", str(place / "work"), "--precision", "no"]
    return main(["train", kind, *arguments, *work, *QUICK, *more])


def test_a_lora_of_a_folder_plays(
    place: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert teach("lora", place, base, "style", "--rank", "2") == 0
    said = capsys.readouterr().err
    assert "6 clips" in said
    assert "cannot be read" in said
    style = place / "style"
    with safe_open(style / "adapter_model.safetensors", "pt") as file:
        names = list(file.keys())
    assert "base_model.model.blocks.0.attention.qkv.lora_A.weight" in names
    assert json.loads((style / "adapter_config.json").read_text())["r"] == 2

    plain, taught = (load_model(base, loras=loras) for loras in ([], [Lora(style)]))
    assert isinstance(plain, SmallModel)
    assert isinstance(taught, SmallModel)
    changed = [
        name
        for name, tensor in plain.denoiser.state_dict().items()
        if not torch.equal(tensor, taught.denoiser.state_dict()[name])
    ]
    assert changed
    assert all(name.startswith("blocks.") for name in changed)

    card = (style / "README.md").read_text()
    assert "6 files, 6 clips" in card
    assert "plucked chords 0" in card
    assert "| validation |" in card
    sounds = sorted((style / "samples").glob("*.flac"))
    assert len(sounds) == 2
    assert soundfile.info(sounds[0]).frames == 512 * 512


def test_a_finetuned_model_is_a_model(place: Path, base: Path) -> None:
    assert teach("finetune", place, base, "model") == 0
    model = load_model(place / "model")
    assert isinstance(model, SmallModel)
    assert model.facts["name"] == "model"
    # The same music and settings give nothing new to do; other music is refused.
    assert teach("finetune", place, base, "model") == 0
    assert teach("finetune", place, base, "model", "--caption", "a harp") == 1


def test_what_cannot_be_taught_is_said_in_words(
    place: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prior = ["--prior-prompt", "music", "--work", str(place / "work")]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    mine, output = str(place / "mine"), str(tmp_path / "o")
    for arguments, code, words in (
        ([str(tmp_path / "none"), "-o", output], 2, "is no folder"),
        ([mine, "-o", str(tmp_path / "full")], 2, "is not empty"),
        ([mine, "-o", output, "--base", "nothing"], 1, "no model"),
        ([mine, "-o", output, "--base", str(base), *prior], 2, "are for Stable Diffusion"),
    ):
        assert main(["train", "lora", *arguments]) == code
        assert words in capsys.readouterr().err
