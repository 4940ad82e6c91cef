"""Weights in few bytes, from which a graph's own are made again when it is loaded.

A file is of safetensors. A tensor ``NAME`` of int8 with a ``NAME#scale`` beside it stands for their
product, along the first or the last axis, as the shape of the scale says; float16 and float32
stand for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save

from sonoriff.errors import ParameterError
from sonoriff.files import write_bytes

Array = npt.NDArray[Any]
STORAGES = ("int8", "float16")
SCALE = "#scale"
# Smaller tensors are a few thousandths of the bytes, and some of them are tables.
_LEAST_ELEMENTS = 1 << 14


def check_storage(storage: str) -> None:
    """ParameterError where there is none of this name."""
    if storage not in STORAGES:
        raise ParameterError(f"weights are stored as {' or '.join(STORAGES)}, got {storage!r}")


def packed(arrays: Mapping[str, Array], storage: str) -> dict[str, Array]:
    """Arrays of a graph in few bytes.

    Parameters
    ----------
    arrays : by the names of the graph: ``NAME``, ``NAME|T`` (in, out), ``NAME|q``, ``NAME|s``
    storage : "int8" for large weights in 8 bits, a scale for each of their outputs; "float16" for
        all that are no whole numbers or scales of such
    """
    check_storage(storage)
    small: dict[str, Array] = {}
    for name, array in arrays.items():
        plain, _, form = name.partition("|")
        large = array.size >= _LEAST_ELEMENTS and plain.endswith("weight") and array.ndim > 1
        if form in ("q", "s") or (storage == "int8" and not large):
            small[name] = array
        elif storage == "float16":
            small[name] = array.astype(np.float16)
        else:
            small[name], small[name + SCALE] = _in_8_bits(array, last=form == "T")
    return small


def _in_8_bits(array: Array, *, last: bool) -> tuple[Array, Array]:
    """Whole numbers, and what 1 stands for in each place of the first or of the last axis."""
    others = tuple(range(array.ndim - 1)) if last else tuple(range(1, array.ndim))
    most = np.abs(array).max(axis=others, keepdims=True)
    scale = np.maximum(most, np.float32(1e-12)) / np.float32(127)
    return np.rint(array / scale).astype(np.int8), scale.astype(np.float32)


def unpacked(small: Mapping[str, Array]) -> dict[str, Array]:
    """Inverse of `packed`, as near as its bits allow."""
    arrays: dict[str, Array] = {}
    for name, array in small.items():
        scale = small.get(name + SCALE)
        if name.endswith(SCALE):
            continue
        if scale is not None:
            arrays[name] = array.astype(np.float32) * scale
        else:
            arrays[name] = array.astype(np.float32) if array.dtype == np.float16 else array
    return arrays


def write_packed(path: Path, small: Mapping[str, Array]) -> None:
    """Write what `read_packed` reads."""
    write_bytes(path, save({name: np.ascontiguousarray(array) for name, array in small.items()}))


def read_packed(path: Path) -> dict[str, Array]:
    """The arrays of a graph, out of a file."""
    return unpacked(load_file(path))
