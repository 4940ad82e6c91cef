"""Checkpoints of TensorFlow 1, on one written by hand."""

import struct
from pathlib import Path

import numpy as np
import pytest

from sonoriff.errors import CheckpointError
from sonoriff.evaluation.judges.tensor_bundle import read_tensor_bundle

MAGIC = 0xDB4775248B80FB57


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def block(entries: list[tuple[int, bytes, bytes]]) -> bytes:
    """Entries of (bytes shared with the key before, rest of the key, value), and a trailer."""
    body = b"".join(
        varint(shared) + varint(len(rest)) + varint(len(value)) + rest + value
        for shared, rest, value in entries
    )
    return body + struct.pack("<II", 0, 1)


def entry(shape: tuple[int, ...], offset: int, size: int, dtype: int = 1) -> bytes:
    """A BundleEntryProto."""
    dims = b"".join(b"\x12" + varint(len(d)) + d for d in (b"\x08" + varint(n) for n in shape))
    message = b"\x08" + varint(dtype) + b"\x12" + varint(len(dims)) + dims
    message += b"\x20" + varint(offset) if offset else b""
    return message + b"\x28" + varint(size) + b"\x35" + b"\0\0\0\0"


def write_bundle(folder: Path, *, compression: int = 0) -> str:
    """Two float tensors whose names share a start, and an int64 one."""
    data = np.arange(306, dtype="<f4").tobytes() + struct.pack("<q", 7)
    entries = [
        (0, b"", b"\x08\x01"),
        (0, b"dense/bias", entry((6,), 0, 24)),
        (6, b"kernel", entry((2, 150), 24, 1200)),
        (0, b"step", entry((), 1224, 8, dtype=9)),
    ]
    first = block(entries)
    index = first + bytes([compression]) + b"crc!"
    handle = varint(0) + varint(len(first))
    top = block([(0, b"zzz", handle)])
    place = varint(len(index)) + varint(len(top))
    index += top + b"\0" + b"crc!"
    footer = (varint(0) + varint(0) + place).ljust(40, b"\0") + struct.pack("<Q", MAGIC)
    prefix = str(folder / "model")
    Path(f"{prefix}.index").write_bytes(index + footer)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
    return prefix


def test_tensors_are_found_by_name_in_their_shapes(tmp_path: Path) -> None:
    tensors = read_tensor_bundle(write_bundle(tmp_path))
    assert set(tensors) == {"dense/bias", "dense/kernel"}
    np.testing.assert_array_equal(tensors["dense/bias"], np.arange(6))
    np.testing.assert_array_equal(tensors["dense/kernel"], np.arange(6, 306).reshape(2, 150))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nothing"):
        read_tensor_bundle(str(tmp_path / "nothing"))


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    prefix = write_bundle(tmp_path)
    Path(f"{prefix}.index").write_bytes(b"x" * 100)
    with pytest.raises(CheckpointError, match="no LevelDB table"):
        read_tensor_bundle(prefix)


def test_a_data_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    prefix = write_bundle(tmp_path)
    data = Path(f"{prefix}.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="cut short: dense/kernel ends at byte 1224 of 100"):
        read_tensor_bundle(prefix)


def test_a_compressed_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="compressed"):
        read_tensor_bundle(write_bundle(tmp_path, compression=1))


@pytest.mark.parametrize("position", [1, 2])
def test_a_damaged_index_is_a_checkpoint_error(tmp_path: Path, position: int) -> None:
    prefix = write_bundle(tmp_path)
    index = bytearray(Path(f"{prefix}.index").read_bytes())
    index[position] = 0xFF  # a length in the first entry
    Path(f"{prefix}.index").write_bytes(bytes(index))
    with pytest.raises(CheckpointError):
        read_tensor_bundle(prefix)
