"""The loop on a recipe of a few numbers: memory, disk, several processes, what a run keeps."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from line_recipe import LineRecipe
from sonoriff.errors import CheckpointError, ParameterError, TrainingError
from sonoriff.training.config import LoopConfig
from sonoriff.training.ema import AveragedModel
from sonoriff.training.loop import train
from tiny_recipes import RECIPES

CONFIG = {"batch_size": 3, "learning_rate": 1e-2, "warmup_steps": 1, "precision": "no"}


def config(steps: int, **more: object) -> LoopConfig:
    return LoopConfig(**({"steps": steps} | CONFIG | more))  # type: ignore[arg-type]


def losses(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "log.jsonl").read_text().splitlines()]


def test_the_average_shares_what_is_frozen() -> None:
    model = nn.Sequential(nn.Linear(2, 2).requires_grad_(False), nn.Linear(2, 2))
    ema = AveragedModel(model, 0.5)
    assert ema.model[0].weight is model[0].weight
    assert ema.model[1].weight is not model[1].weight
    with torch.no_grad():
        model[1].weight.fill_(3.0)
    for _ in range(200):
        ema.update(model)
    torch.testing.assert_close(ema.model[1].weight, model[1].weight)


def test_without_an_average_the_model_itself_is_kept() -> None:
    model = nn.Linear(2, 2)
    ema = AveragedModel(model, 0.0)
    ema.update(model)
    assert ema.model.weight is model.weight
    assert model.weight.requires_grad


def test_checkpoints_hold_what_is_trained_and_resume_to_the_same_weights(tmp_path: Path) -> None:
    train(LineRecipe(), config(6), tmp_path / "whole")
    train(LineRecipe(), config(3), tmp_path / "halves")
    train(LineRecipe(), config(6), tmp_path / "halves")
    whole, halves = (
        load_file(tmp_path / run / "checkpoint" / "model.safetensors")
        for run in ("whole", "halves")
    )
    assert set(whole) == {"line.weight", "line.bias"}
    assert all(torch.equal(tensor, halves[name]) for name, tensor in whole.items())
    assert losses(tmp_path / "whole") == losses(tmp_path / "halves")


def test_half_precision_ends_with_the_loss(tmp_path: Path) -> None:
    in_loss, in_step = [], []

    class Watched(LineRecipe):
        def loss(
            self, model: nn.Module, generator: torch.Generator, batch_size: int
        ) -> tuple[torch.Tensor, dict[str, float]]:
            in_loss.append(torch.is_autocast_enabled("cpu"))
            return super().loss(model, generator, batch_size)

    handle = register_optimizer_step_pre_hook(
        lambda *_: in_step.append(torch.is_autocast_enabled("cpu"))
    )
    try:
        train(Watched(), config(2, precision="bf16"), tmp_path)
    finally:
        handle.remove()
    assert in_loss == [True, True]
    assert in_step == [False, False]


def test_other_data_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    train(LineRecipe(), config(2), tmp_path)
    before = (tmp_path / "checkpoint" / "model.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match="other data"):
        train(LineRecipe(data="another folder"), config(4), tmp_path)
    assert (tmp_path / "checkpoint" / "model.safetensors").read_bytes() == before


def test_a_loss_that_is_no_number_stops_in_words(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower the learning rate"):
        train(LineRecipe(scale=float("nan")), config(2), tmp_path)


def test_too_little_memory_says_what_to_lower(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower the batch size"):
        train(LineRecipe(), config(2, batch_size=2**46), tmp_path)


def test_fp16_needs_a_gpu(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ParameterError, match="fp16"):
        train(LineRecipe(), config(2, precision="fp16"), tmp_path)


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path) -> None:
    train(LineRecipe(), config(2), tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, limits[1]))
    try:
        with pytest.raises(CheckpointError, match="disk full"):
            train(LineRecipe(), config(4), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert json.loads((tmp_path / "checkpoint" / "state.json").read_text())["step"] == 2
    assert not (tmp_path / ".checkpoint.partial").exists()


def test_ctrl_c_keeps_a_checkpoint_and_the_run_goes_on(tmp_path: Path) -> None:
    train(LineRecipe(), config(6), tmp_path / "whole")

    def press(step: int, _: dict[str, float]) -> None:
        if step == 2:
            signal.raise_signal(signal.SIGINT)

    train(LineRecipe(), config(6), tmp_path / "stopped", on_step=press)
    state = json.loads((tmp_path / "stopped" / "checkpoint" / "state.json").read_text())
    assert state["step"] == 2
    train(LineRecipe(), config(6), tmp_path / "stopped")
    assert losses(tmp_path / "stopped") == losses(tmp_path / "whole")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("name", RECIPES)
def test_two_processes_train_as_one_with_the_doubled_batch(tmp_path: Path, name: str) -> None:
    train(RECIPES[name](), config(4, accumulate=2), tmp_path / "one")
    shared = os.environ | {
        "ACCELERATE_USE_CPU": "true",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tiny_recipes", str(tmp_path / "two"), "4", name],
            env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=240)
        assert worker.returncode == 0, errors
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)
    if name != "line":
        return  # Adam makes whole steps of gradients that are nothing but rounding
    one, two = (
        load_file(tmp_path / run / "checkpoint" / "ema.safetensors") for run in ("one", "two")
    )
    for weights, tensor in one.items():
        torch.testing.assert_close(two[weights], tensor, rtol=1e-4, atol=1e-5)
