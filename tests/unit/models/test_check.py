"""A guard against silence, and the digest by which a picture knows the weights that made it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from sonoriff.cli.main import app
from sonoriff.errors import CheckpointError
from sonoriff.models.check import check_conditioning, check_model
from sonoriff.models.digest import digest_of_files, digest_of_model, with_more
from sonoriff.models.lora import Lora
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel


def test_what_was_recognised_is_said(stable_diffusion_folder: Path) -> None:
    said = check_model(str(stable_diffusion_folder))
    assert said["kind"] == "stable diffusion"
    assert said["prediction"] == "epsilon (scheduler_config.json)"
    assert said["tokenizer"] == "its own folder"
    assert said["noise levels"] == "scheduler_config.json"
    assert len(said["digest"]) == 16
    forced = check_model(str(stable_diffusion_folder), prediction="v_prediction")
    assert forced["prediction"] == "v_prediction (--prediction)"


def test_the_command_prints_it(stable_diffusion_folder: Path) -> None:
    result = CliRunner().invoke(app, ["models", "check", str(stable_diffusion_folder)])
    assert result.exit_code == 0
    assert "prediction: epsilon (scheduler_config.json)" in result.output.splitlines()


def test_a_text_encoder_that_hears_nothing_is_refused(
    stable_diffusion_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deaf"
    shutil.copytree(stable_diffusion_folder, folder)
    weights = folder / "text_encoder" / "model.safetensors"
    tensors = load_file(weights)
    dead = {name: torch.zeros_like(t) if "layer_norm" in name else t for name, t in tensors.items()}
    save_file(dead, weights, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="as it hears another prompt"):
        check_model(str(folder))
    broken = {name: torch.full_like(t, torch.nan) for name, t in tensors.items()}
    save_file(broken, weights, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="gives no numbers"):
        check_model(str(folder))


def test_the_small_model_hears_prompts(small_model: SmallModel) -> None:
    check_conditioning(small_model)


def test_a_digest_is_of_the_weights_alone(tmp_path: Path) -> None:
    tensors = {"a": torch.randn(300, 300, generator=torch.Generator().manual_seed(0))}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_file(tensors, tmp_path / name / "w.safetensors")
    digest = digest_of_model(tmp_path / "one")
    assert digest == digest_of_model(tmp_path / "two")
    (tmp_path / "two" / "config.json").write_text("{}")
    assert (
        digest
        == digest_of_model(tmp_path / "two")
        == digest_of_files([tmp_path / "one" / "w.safetensors"])
    )
    changed = {"a": tensors["a"] + 1e-3}
    save_file(changed, tmp_path / "two" / "w.safetensors")
    assert digest != digest_of_model(tmp_path / "two")
    assert with_more(digest, []) == digest
    assert with_more(digest, [tmp_path / "two" / "w.safetensors"]) != digest


def test_a_lora_of_the_same_name_is_another_digest(small_model: SmallModel, tmp_path: Path) -> None:
    small_model.save_pretrained(tmp_path / "model")
    outputs, inputs = small_model.networks.tensor("denoiser", "enter.weight").shape
    digests = []
    for value in (1.0, 2.0):
        tensors = {
            "denoiser.enter.lora_A.weight": torch.full((1, inputs), value),
            "denoiser.enter.lora_B.weight": torch.ones(outputs, 1),
        }
        save_file(tensors, tmp_path / "organ.safetensors")
        model = load_model(tmp_path / "model", loras=[Lora(tmp_path / "organ.safetensors")])
        assert isinstance(model, SmallModel)
        digests.append(model.weights)
    assert len({*digests, digest_of_model(tmp_path / "model")}) == 3


def test_from_warns_where_the_weights_differ(small_model: SmallModel, tmp_path: Path) -> None:
    small_model.save_pretrained(tmp_path / "model")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "sonoriff", "generate", *arguments]
        more = ["--model", str(tmp_path / "model"), "--steps", "1"]
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    first = tmp_path / "first.png"
    assert run("jazz", "--duration", "1", "-o", str(first)) == ""
    assert run("--from", str(first), "-o", str(tmp_path / "again.png")) == ""
    assert (tmp_path / "again.png").read_bytes() == first.read_bytes()
    weights = tmp_path / "model" / "denoiser" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    tensors["enter.weight"] += 0.01
    save_file(tensors, weights)
    assert "other weights of the name tiny" in run(
        "--from", str(first), "-o", str(tmp_path / "other.png")
    )


def test_a_picture_of_before_has_no_digest_and_no_warning(small_model: SmallModel) -> None:
    from sonoriff.pipeline.latent_codec import model_facts

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "weights" not in model_facts(small_model)
    assert json.dumps(model_facts(small_model))
