"""Checkpoints of a run: safetensors for every tensor, JSON for the rest, written whole or not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from sonoriff.errors import CheckpointError
from sonoriff.training.ema import AveragedModel

VERSION = 1
_STATE = "state.json"


def save_checkpoint(
    run: Path,
    *,
    step: int,
    model: nn.Module,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
    facts: dict[str, Any],
) -> Path:
    """Write ``run/checkpoint`` through a temporary folder and keep one predecessor."""
    target, partial = run / "checkpoint", run / ".checkpoint.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(_tensors(model), partial / "model.safetensors")
    save_file(_tensors(ema.model), partial / "ema.safetensors")
    moments, groups = _flat_optimizer(optimizer)
    save_file(moments, partial / "optimizer.safetensors")
    state = {
        "version": VERSION,
        "step": step,
        "ema_updates": ema.n_updates,
        "optimizer_groups": groups,
        "facts": facts,
    }
    (partial / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
    previous = run / "checkpoint.previous"
    if target.exists():
        shutil.rmtree(previous, ignore_errors=True)
        target.rename(previous)
    partial.rename(target)
    return target


def load_checkpoint(
    folder: Path,
    *,
    model: nn.Module,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
) -> dict[str, Any]:
    """Restore everything in place; returns the state (step, facts).

    Raises CheckpointError where the folder is incomplete, of another version, or of another shape.
    """
    try:
        state: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        if state["version"] != VERSION:
            raise CheckpointError(
                f"{folder} has checkpoint version {state['version']}, expected {VERSION}: "
                "start a new run folder"
            )
        model.load_state_dict(load_file(folder / "model.safetensors"))
        ema.model.load_state_dict(load_file(folder / "ema.safetensors"))
        moments = load_file(folder / "optimizer.safetensors")
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"cannot resume from {folder}: {error}") from error
    ema.n_updates = state["ema_updates"]
    _restore_optimizer(optimizer, moments, state["optimizer_groups"])
    return state


def find_checkpoint(run: Path) -> Path | None:
    """The newest complete checkpoint of a run folder, or None."""
    for name in ("checkpoint", "checkpoint.previous"):
        if (run / name / _STATE).is_file():
            return run / name
    return None


def _tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: t.detach().contiguous() for name, t in module.state_dict().items()}


def _flat_optimizer(
    optimizer: torch.optim.Optimizer,
) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    state = optimizer.state_dict()
    flat = {
        f"{index}.{name}": torch.as_tensor(value).detach().contiguous()
        for index, slots in state["state"].items()
        for name, value in slots.items()
    }
    return flat, state["param_groups"]


def _restore_optimizer(
    optimizer: torch.optim.Optimizer, flat: dict[str, torch.Tensor], groups: list[dict[str, Any]]
) -> None:
    slots: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in flat.items():
        index, name = key.split(".", 1)
        slots.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": slots, "param_groups": groups})
