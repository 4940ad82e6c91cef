"""The bundled kind of model is taught a folder of music, by the commands themselves."""

from __future__ import annotations

import errno
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import own_music
from sonoriff.cli import train_own
from sonoriff.cli.main import main
from sonoriff.errors import CorpusError
from sonoriff.evaluation.judges import musicnn
from sonoriff.models.lora import Lora
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel

QUICK = ["--steps", "4", "--batch-size", "2", "--samples", "2", "--sample-steps", "2"]


@pytest.fixture(scope="module")
def base(small_model: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "base"
    small_model.save_pretrained(folder, dtype="float32")
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
        for name, tensor in plain.networks.tensors("denoiser").items()
        if not np.array_equal(tensor, taught.networks.tensors("denoiser")[name])
    ]
    assert changed
    # What reads the prompt, the tempo and the key stays.
    kept = ("text_in", "pooled", "time", "bpm", "key", "mode", "beat", "scale", "tempo_guess")
    assert not [name for name in changed if name.startswith(kept)]
    assert {"enter.weight", "leave.weight", "after.0.conv1.weight"} <= set(changed)

    card = (style / "README.md").read_text()
    assert "6 files, 6 clips" in card
    assert "plucked chords 0" in card
    assert taught.defaults.guidance_scale == 2.0 < plain.defaults.guidance_scale
    assert "| validation |" in card
    sounds = sorted((style / "samples").glob("*.flac"))
    assert len(sounds) == 2
    assert soundfile.info(sounds[0]).frames == 512 * 512

    assert teach("lora", place, base, "style", "--rank", "3") == 1
    assert "was trained with other adapters" in capsys.readouterr().err


def test_a_finetuned_model_is_a_model(place: Path, base: Path) -> None:
    assert teach("finetune", place, base, "model") == 0
    model = load_model(place / "model")
    assert isinstance(model, SmallModel)
    assert model.facts["name"] == "model"
    assert model.defaults.guidance_scale == 2.0
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
        ([str(tmp_path / "none"), "-o", output], 2, "is not a folder"),
        ([mine, "-o", str(tmp_path / "full")], 2, "is not empty"),
        ([mine, "-o", f"{mine}/style"], 2, "is inside"),
        ([mine, "-o", output, "--work", f"{mine}/work"], 2, "name another place with --work"),
        ([mine, "-o", output, "--base", "nothing"], 1, "no model"),
        ([mine, "-o", output, "--base", str(base), *prior], 2, "are for Stable Diffusion"),
    ):
        assert main(["train", "lora", *arguments]) == code
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left"), OSError("393216 requested and 49024 written")]
)
def test_a_full_disk_is_said_in_words(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(CorpusError, match=r"is full .* --work"), train_own._room(tmp_path):
        raise error
    with pytest.raises(PermissionError), train_own._room(tmp_path):
        raise PermissionError(errno.EACCES, "not yours")


@pytest.mark.skipif(importlib.util.find_spec("musicnn") is None, reason=f"needs {musicnn.INSTALL}")
def test_how_far_a_result_has_come_is_printed_and_kept(
    small_model: SmallModel, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    music = own_music.make(tmp_path / "music", files=20, seconds=6.0)
    lines = [
        {
            "file_name": f"{number}_tune.wav",
            "text": f"chords {number % 5}",
            "split": "train" if number % 2 else "validation",
        }
        for number in range(20)
    ]
    (music / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    small_model.save_pretrained(tmp_path / "result", dtype="float32")
    weights = tmp_path / "result" / "denoiser" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    save_file({**tensors, "leave.bias": tensors["leave.bias"] + np.float32(0.5)}, weights)
    quick = ["--clips", "10", "--steps", "1", "--guidance", "1"]
    places = ["--base", str(base), "--work", str(tmp_path / "work")]
    command = ["evaluate", "own", str(music), str(tmp_path / "result"), *quick, *places]
    assert main([*command, "-o", str(tmp_path / "table.json")]) == 0
    said = capsys.readouterr().out
    assert "way from base to real, FAD∞ MTT, %" in said
    assert "The result has gone" in said or "already as near" in said
    rows = json.loads((tmp_path / "table.json").read_text())["rows"]
    assert list(rows) == ["real", "base", "result"]
    assert rows["base"]["fad_MTT"] != rows["result"]["fad_MTT"]
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "work").rglob("*.npz")}
    assert main(command) == 0
    assert capsys.readouterr().out == said
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "work").rglob("*.npz")} == kept
    assert main([*command[:3], str(tmp_path / "none"), *places]) == 2
    assert "is not a folder" in capsys.readouterr().err
