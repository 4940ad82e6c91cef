"""Tensors of safetensors files as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize, safe_open

from sonoriff.errors import CheckpointError

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


class TensorFile(Mapping[str, npt.NDArray[Any]]):
    """The tensors of a file, each read when it is asked for, and others put over them.

    Raises
    ------
    OSError, SafetensorError
        the file is not there or damaged, when it is opened first
    CheckpointError
        another file stands in its place by now: its tensors would be those of another model
    """

    def __init__(self, path: Path) -> None:
        self._path, self._stamp = path, _stamp(path)
        self._opened: Any = None
        self._over: dict[str, npt.NDArray[Any]] = {}
        opened = self._open()
        self._shapes = {
            name: tuple(opened.get_slice(name).get_shape())
            for name in opened.keys()  # noqa: SIM118
        }
        if any(opened.get_slice(name).get_dtype() == "BF16" for name in self._shapes):
            self._over = read_tensors(path)
        self.close()

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        if name in self._over:
            return self._over[name]
        if name not in self._shapes:
            raise KeyError(name)
        tensor: npt.NDArray[Any] = self._open().get_tensor(name)
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Of all tensors, without reading them."""
        return self._shapes

    def put(self, name: str, tensor: npt.NDArray[Any]) -> None:
        """Another tensor in a place; the file stays as it is."""
        self._over[name] = tensor

    def close(self) -> None:
        """Let the file go until a tensor is asked for again."""
        self._opened = None

    def _open(self) -> Any:
        if self._opened is None:
            if _stamp(self._path) != self._stamp:
                raise CheckpointError(f"{self._path} was replaced while it was in use: load again")
            self._opened = safe_open(self._path, framework="np")
        return self._opened


def _stamp(path: Path) -> tuple[int, int]:
    """Tells a file from one that was written over it."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def read_metadata(path: Path) -> dict[str, str]:
    """Notes of a file, empty where it has none."""
    with safe_open(path, framework="np") as opened:
        return dict(opened.metadata() or {})
