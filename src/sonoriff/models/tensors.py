"""Tensors of safetensors files as NumPy arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize, safe_open

_TYPES = {
    **{"F64": np.float64, "F32": np.float32, "F16": np.float16},
    **{"I64": np.int64, "I32": np.int32, "I16": np.int16, "I8": np.int8},
    **{"U8": np.uint8, "BOOL": np.bool_},
}


def read_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All tensors of a file, read-only, in the type in which they are stored.

    bfloat16, which NumPy has not, becomes float32.

    Raises
    ------
    OSError, SafetensorError
        the file is not there or damaged, or of a type that no weights have
    """
    stored: list[tuple[str, dict[str, Any]]] = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
    return {name: _array(found) for name, found in stored}


def _array(found: dict[str, Any]) -> npt.NDArray[Any]:
    kind, data, shape = found["dtype"], found["data"], found["shape"]
    if kind == "BF16":
        # The upper half of a float32.
        wide = np.frombuffer(data, np.uint16).astype(np.uint32) << 16
        array: npt.NDArray[Any] = wide.view(np.float32).reshape(shape)
        return array
    if kind not in _TYPES:
        raise SafetensorError(f"tensors of the type {kind} are not read")
    array = np.frombuffer(data, _TYPES[kind]).reshape(shape)
    return array


def read_metadata(path: Path) -> dict[str, str]:
    """Notes of a file, empty where it has none."""
    with safe_open(path, framework="np") as opened:
        return dict(opened.metadata() or {})
