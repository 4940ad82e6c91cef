"""Checkpoints of a run: safetensors for every tensor, JSON for the rest, written whole or not.

Frozen weights are not stored: the recipe brings them when the run is resumed.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from sonoriff.errors import CheckpointError, SonoriffWarning
from sonoriff.training.ema import AveragedModel

VERSION = 1
_STATE = "state.json"
_TENSORS = ("model.safetensors", "ema.safetensors", "optimizer.safetensors")


def save_checkpoint(
    run: Path,
    *,
    step: int,
    model: nn.Module,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
    facts: dict[str, Any],
) -> Path:
    """Write ``run/checkpoint`` through a temporary folder and keep one predecessor.

    Raises CheckpointError where the disk is full; the checkpoint before stays as it was.
    """
    target, partial = run / "checkpoint", run / ".checkpoint.partial"
    moments, groups = _flat_optimizer(optimizer)
    state = {
        "version": VERSION,
        "step": step,
        "ema_updates": ema.n_updates,
        "optimizer_groups": groups,
        "facts": facts,
    }
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        frozen = _frozen(model)
        save_file(_tensors(model, frozen), partial / "model.safetensors")
        save_file(_tensors(ema.model, frozen), partial / "ema.safetensors")
        save_file(moments, partial / "optimizer.safetensors")
        (partial / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise CheckpointError(
            f"cannot write a checkpoint to {run}: {error}; is the disk full? What was saved "
            "before is kept: make room and give the same command again"
        ) from error
    previous = run / "checkpoint.previous"
    if _is_whole(target):
        shutil.rmtree(previous, ignore_errors=True)
        target.rename(previous)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target


def load_checkpoint(
    folder: Path,
    *,
    model: nn.Module,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Restore everything in place; returns the state (step, facts).

    Raises CheckpointError where the folder is incomplete, of another version, of another shape, or
    was trained with other `facts`.
    """
    with damage_in_words(f"cannot resume from {folder}"):
        state = read_state(folder)
        _check_facts(folder.parent, facts or {}, state["facts"])
        frozen = _frozen(model)
        _load(model, load_file(folder / "model.safetensors"), frozen)
        _load(ema.model, load_file(folder / "ema.safetensors"), frozen)
        ema.n_updates = state["ema_updates"]
        moments = load_file(folder / "optimizer.safetensors")
        _restore_optimizer(optimizer, moments, state["optimizer_groups"])
    return state


def read_state(folder: Path) -> dict[str, Any]:
    """What a checkpoint says of itself (step, facts).

    Raises CheckpointError where it is missing, damaged, or of another version.
    """
    with damage_in_words(f"cannot read the checkpoint {folder}"):
        state = dict(json.loads((folder / _STATE).read_text(encoding="utf-8")))
        if state["version"] != VERSION:
            raise CheckpointError(
                f"{folder} has checkpoint version {state['version']}, expected {VERSION}: "
                "start a new run folder"
            )
        if not isinstance(state["facts"], dict):
            kind = type(state["facts"]).__name__
            raise CheckpointError(f"{folder} is damaged: its facts are a {kind}, not a mapping")
    return state


_DAMAGE = (
    *(OSError, ValueError, TypeError, AttributeError, LookupError, RuntimeError),
    SafetensorError,
)


@contextmanager
def damage_in_words(said: str) -> Iterator[None]:
    """Files that are missing, torn, or of a model of another shape, as a CheckpointError."""
    try:
        yield
    except KeyError as error:
        raise CheckpointError(f"{said}: it has no {error}") from error
    except _DAMAGE as error:
        first = str(error).partition("\n\t")[2].partition("\n")[0] or str(error)
        raise CheckpointError(f"{said}: {first}") from error


def _check_facts(run: Path, now: Mapping[str, Any], then: Mapping[str, Any]) -> None:
    changed = [
        name for name, value in json.loads(json.dumps(now)).items() if then.get(name) != value
    ]
    if changed:
        raise CheckpointError(
            f"{run} was trained with other {', '.join(changed)}: use the same or a new run folder"
        )


def find_checkpoint(run: Path) -> Path | None:
    """The newest checkpoint of a run folder that is whole, else the newest, or None.

    Warns where the one before is taken because the newest is damaged.
    """
    newest, previous = run / "checkpoint", run / "checkpoint.previous"
    if _is_whole(newest) or not _is_whole(previous):
        return next((each for each in (newest, previous) if each.is_dir()), None)
    if newest.is_dir():
        warnings.warn(
            f"{newest} is damaged: the checkpoint before it is taken", SonoriffWarning, stacklevel=2
        )
    return previous


def _is_whole(checkpoint: Path) -> bool:
    """Whether all files are there, none cut short."""
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
        for name in _TENSORS:
            with safe_open(checkpoint / name, "pt"):
                pass
    except (OSError, ValueError, SafetensorError):
        return False
    return True


def _frozen(module: nn.Module) -> set[str]:
    """Names of parameters that are not trained."""
    return {name for name, p in module.named_parameters() if not p.requires_grad}


def _tensors(module: nn.Module, frozen: set[str]) -> dict[str, torch.Tensor]:
    return {
        name: t.detach().contiguous()
        for name, t in module.state_dict().items()
        if name not in frozen
    }


def _load(module: nn.Module, tensors: dict[str, torch.Tensor], frozen: set[str]) -> None:
    """Load all but the frozen parameters; RuntimeError where something else is missing."""
    missing, unexpected = module.load_state_dict(tensors, strict=False)
    odd = [*(name for name in missing if name not in frozen), *unexpected]
    if odd:
        raise RuntimeError(f"its weights are of another model, see {odd[0]}")


def trained_tensors(averaged: nn.Module, model: nn.Module) -> dict[str, torch.Tensor]:
    """Averaged weights without those that are frozen in `model`, which the recipe brings."""
    return _tensors(averaged, _frozen(model))


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
    slots: dict[int, dict[str, Any]] = {}
    for key, value in flat.items():
        index, name = key.split(".", 1)
        # Counters that were plain integers are so again.
        counter = value.ndim == 0 and not value.is_floating_point()
        slots.setdefault(int(index), {})[name] = int(value) if counter else value
    optimizer.load_state_dict({"state": slots, "param_groups": groups})
