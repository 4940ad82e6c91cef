"""Pickled weights written as safetensors."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.files import atomic_path

# What reading a damaged pickle may raise.
_BROKEN = (pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError, AttributeError)
PICKLE_SUFFIXES = (".bin", ".ckpt", ".pt", ".pth")


def convert(source: Path, target: Path | None = None) -> list[Path]:
    """Write the tensors of a pickle, or of all pickles in a folder, as safetensors beside them.

    Parameters
    ----------
    target : of a single file; None is its name with the suffix .safetensors

    Returns
    -------
    list of Path
        what was written; ``pytorch_model`` becomes ``model``, as transformers names it

    Raises
    ------
    ParameterError
        there is no pickle
    CheckpointError
        a pickle holds more than tensors, numbers and texts

    Notes
    -----
    Only a reader that makes tensors and plain values is used, so that no program in it is run.
    """
    if source.is_dir():
        if target is not None:
            raise ParameterError("a folder is converted in place: leave out the output")
        pickles = [p for p in sorted(source.rglob("*")) if p.suffix.lower() in PICKLE_SUFFIXES]
        if not pickles:
            raise ParameterError(f"there are no pickles ({', '.join(PICKLE_SUFFIXES)}) in {source}")
        return [_written(path, _target(path)) for path in pickles]
    if not source.is_file():
        raise ParameterError(f"there is no file {source}")
    return [_written(source, target or _target(source))]


def _target(path: Path) -> Path:
    stem = path.stem
    name = stem.removeprefix("pytorch_") if stem.startswith("pytorch_model") else stem
    return path.with_name(f"{name}.safetensors")


def _written(source: Path, target: Path) -> Path:
    tensors = _tensors(source)
    with atomic_path(target) as partial:
        save_file(tensors, partial, metadata={"format": "pt"})
    return target


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (*_BROKEN, OSError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(f"{path} is not read: {reason}") from error
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    tensors = {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in (state.items() if isinstance(state, dict) else ())
        if isinstance(tensor, torch.Tensor)
    }
    if not tensors:
        raise CheckpointError(f"{path} holds no weights by name")
    return tensors
