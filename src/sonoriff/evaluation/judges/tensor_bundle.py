"""Reading the checkpoints of TensorFlow 1 without TensorFlow.

A checkpoint ("tensor bundle") is an index, a sorted table of LevelDB's format from names to
places, and a data file of raw little-endian numbers.

References
----------
LevelDB, doc/table_format.md; TensorFlow, core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonoriff.errors import CheckpointError

_MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_BLOCK_TRAILER_BYTES = 5
# Number of the type in TensorFlow's types.proto -> NumPy.
_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}


@dataclass(frozen=True)
class _Place:
    """Where a tensor stands in the data file."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


def read_tensor_bundle(prefix: str) -> dict[str, npt.NDArray[np.float32]]:
    """Every float32 tensor of a checkpoint of one shard.

    Parameters
    ----------
    prefix : the common start of ``PREFIX.index`` and ``PREFIX.data-00000-of-00001``

    Returns
    -------
    tensors by name, in the shapes TensorFlow gave them

    Raises
    ------
    CheckpointError
        a file is missing, cut short, compressed, or no checkpoint
    """
    try:
        index = Path(f"{prefix}.index").read_bytes()
        data = Path(f"{prefix}.data-00000-of-00001").read_bytes()
        places = {key.decode(): _place(value) for key, value in _table(index) if key}
    except OSError as error:
        raise CheckpointError(f"cannot read the checkpoint {prefix}: {error}") from error
    except (IndexError, UnicodeDecodeError, struct.error) as error:
        raise CheckpointError(f"the checkpoint {prefix} is damaged: {error}") from error
    return {
        name: _tensor(data, place, name) for name, place in places.items() if place.dtype == "<f4"
    }


def _tensor(data: bytes, place: _Place, name: str) -> npt.NDArray[np.float32]:
    count = math.prod(place.shape)
    if place.size != 4 * count or place.offset + place.size > len(data):
        raise CheckpointError(
            f"the checkpoint's data file is cut short: {name} ends at byte "
            f"{place.offset + place.size} of {len(data)}"
        )
    return np.frombuffer(data, place.dtype, count, place.offset).reshape(place.shape)


def _table(index: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a LevelDB table, in order."""
    footer = index[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise CheckpointError("the checkpoint's index is no LevelDB table, or is cut short")
    position = 0
    for _ in range(2):  # the handle of the meta-index, which is empty
        _, position = _varint(footer, position)
    for _, handle in _block(index, *_handle(footer, position)):
        yield from _block(index, *_handle(handle, 0))


def _handle(data: bytes, position: int) -> tuple[int, int]:
    """(offset, size) of a block."""
    offset, position = _varint(data, position)
    return offset, _varint(data, position)[0]


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Entries of a block; a key is stored as what differs from its predecessor."""
    if offset + size + _BLOCK_TRAILER_BYTES > len(index):
        raise CheckpointError("the checkpoint's index is cut short")
    if index[offset + size] != 0:
        raise CheckpointError("the checkpoint's index is compressed, expected it uncompressed")
    block = index[offset : offset + size]
    n_restarts = struct.unpack("<I", block[-4:])[0]
    end = len(block) - 4 * (n_restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        own, position = _varint(block, position)
        length, position = _varint(block, position)
        key = key[:shared] + block[position : position + own]
        position += own
        value = block[position : position + length]
        position += length
        if position > end:
            raise CheckpointError("the checkpoint's index is damaged: an entry leaves its block")
        yield key, value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first; and the position behind it."""
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7


def _place(value: bytes) -> _Place:
    """A BundleEntryProto."""
    fields = dict(_fields(value))
    shape = []
    if isinstance(fields.get(2), bytes):
        for number, dimension in _fields(fields[2]):  # type: ignore[arg-type]
            if number == 2 and isinstance(dimension, bytes):
                shape.append(int(dict(_fields(dimension)).get(1, 0)))
    dtype = _DTYPES.get(int(fields.get(1, 0)), "")
    return _Place(dtype, tuple(shape), int(fields.get(4, 0)), int(fields.get(5, 0)))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a protocol buffer."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, position = _varint(message, position)
        elif kind == 2:
            length, position = _varint(message, position)
            value = message[position : position + length]
            position += length
        elif kind == 5:
            value = struct.unpack_from("<I", message, position)[0]
            position += 4
        else:
            raise CheckpointError(f"the checkpoint's index has a field of unknown kind {kind}")
        yield tag >> 3, value
