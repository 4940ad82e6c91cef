"""Checkpoints that are damaged, of another version, or of another shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from line_recipe import LineRecipe
from sonoriff.errors import CheckpointError, SonoriffWarning
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.models.small.torch.denoiser import Denoiser
from sonoriff.training.checkpoint import VERSION, read_state, save_checkpoint
from sonoriff.training.config import LoopConfig
from sonoriff.training.ema import AveragedModel
from sonoriff.training.export import export_model, load_autoencoder
from sonoriff.training.loop import train
from tiny_recipes import CODER, SHAPE


def config(steps: int) -> LoopConfig:
    return LoopConfig(steps=steps, batch_size=3, learning_rate=1e-2, precision="no")


def write_run(run: Path, recipe: str, model: torch.nn.Module, shape: dict[str, Any]) -> Path:
    save_checkpoint(
        run,
        step=3,
        model=model,
        ema=AveragedModel(model, 0.5),
        optimizer=torch.optim.SGD(model.parameters()),
        facts={"recipe": recipe, "model": shape},
    )
    return run


@pytest.fixture
def coder(tmp_path: Path) -> Path:
    model = SonogramAutoencoder(CODER)
    model.latent_scale.fill_(2.0)
    return write_run(tmp_path / "coder", "autoencoder", model, CODER.to_dict())


def change_state(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = run / "checkpoint" / "state.json"
    state = json.loads(path.read_text())
    change(state)
    path.write_text(json.dumps(state))


def of_another_version(run: Path) -> None:
    change_state(run, lambda state: state.update(version=7))


def with_an_unknown_field(run: Path) -> None:
    change_state(run, lambda state: state["facts"]["model"].update(colour="blue"))


def of_another_shape(run: Path) -> None:
    change_state(run, lambda state: state["facts"]["model"].update(latent_channels=5))


def without_facts(run: Path) -> None:
    change_state(run, lambda state: state.pop("facts"))


def with_facts_that_are_no_mapping(run: Path) -> None:
    change_state(run, lambda state: state.update(facts=["recipe"]))


def with_a_model_that_is_no_mapping(run: Path) -> None:
    change_state(run, lambda state: state["facts"].update(model=[1]))


def with_a_torn_state(run: Path) -> None:
    path = run / "checkpoint" / "state.json"
    path.write_text(path.read_text()[:30])


def with_torn_weights(run: Path) -> None:
    path = run / "checkpoint" / "ema.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (of_another_version, "version 7, expected 1"),
        (with_an_unknown_field, "colour"),
        (of_another_shape, "cannot load the autoencoder"),
        (without_facts, "it has no 'facts'"),
        (with_facts_that_are_no_mapping, "its facts are a list"),
        (with_a_model_that_is_no_mapping, "cannot load the autoencoder"),
        (with_a_torn_state, "cannot read"),
        (with_torn_weights, "cannot load the autoencoder"),
    ],
)
def test_a_checkpoint_that_cannot_be_loaded_is_named(
    coder: Path, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    harm(coder)
    with pytest.raises(CheckpointError, match=said) as caught:
        load_autoencoder(coder)
    assert str(coder) in str(caught.value)
    assert "\n" not in str(caught.value)
    denoiser = write_run(tmp_path / "denoiser", "denoiser", Denoiser(SHAPE), SHAPE.to_dict())
    with pytest.raises(CheckpointError, match=said):
        export_model(denoiser, coder, tmp_path / "model", name="test")


def test_a_denoiser_of_another_autoencoder_is_not_exported(coder: Path, tmp_path: Path) -> None:
    shape = replace(SHAPE, latent_channels=6)
    run = write_run(tmp_path / "denoiser", "denoiser", Denoiser(shape), shape.to_dict())
    with pytest.raises(CheckpointError, match=r"6 channels .* the autoencoder's have 4"):
        export_model(run, coder, tmp_path / "model", name="test")


@pytest.mark.parametrize("name", ["state.json", "model.safetensors", "optimizer.safetensors"])
def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(tmp_path: Path, name: str) -> None:
    train(LineRecipe(), config(6), tmp_path / "whole")
    for steps in (2, 4):
        train(LineRecipe(), config(steps), tmp_path / "run")
    torn = tmp_path / "run" / "checkpoint" / name
    torn.write_bytes(torn.read_bytes()[:20])
    with pytest.warns(SonoriffWarning, match="is damaged"):
        train(LineRecipe(), config(6), tmp_path / "run")
    whole, mended = (
        load_file(tmp_path / run / "checkpoint" / "model.safetensors") for run in ("whole", "run")
    )
    assert all(torch.equal(tensor, mended[key]) for key, tensor in whole.items())
    before = json.loads((tmp_path / "run" / "checkpoint.previous" / "state.json").read_text())
    assert before["step"] == 2, "the damaged one did not take the place of the whole one"


@pytest.mark.parametrize("facts", [None, [], "x", 5])
def test_facts_that_are_no_mapping_are_a_damage(tmp_path: Path, facts: Any) -> None:
    state = {"version": VERSION, "step": 1, "facts": facts}
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match="not a mapping"):
        read_state(tmp_path)
