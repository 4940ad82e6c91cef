"""A short digest of a model's weights, stored in pictures to identify the model.

Of every tensor its name, type, shape and three pieces are looked at, not whole files: four
gigabytes take seconds to read, and a training that touches a tensor touches all of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

_PIECE_BYTES = 64
# The most that safetensors allows.
_HEADER_BYTES = 100_000_000


def digest_of_files(paths: Sequence[Path]) -> str:
    """16 hexadecimal digits of safetensors files, in any order; their names do not count."""
    marks = sorted(_mark(path) for path in paths)
    return hashlib.blake2b(b"".join(marks), digest_size=8).hexdigest()


def digest_of_model(folder: Path) -> str:
    """Of all safetensors below a folder, or of one file."""
    if folder.is_file():
        return digest_of_files([folder])
    return digest_of_files(list(folder.rglob("*.safetensors")))


def with_more(digest: str, paths: Sequence[Path]) -> str:
    """A model's digest with those of what was added to it; itself where that is nothing."""
    if not paths:
        return digest
    more = digest_of_files(paths)
    return hashlib.blake2b(f"{digest} {more}".encode(), digest_size=8).hexdigest()


def _mark(path: Path) -> bytes:
    marked = hashlib.blake2b(digest_size=32)
    try:
        with path.open("rb") as file:
            for piece in _pieces(file):
                marked.update(piece)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        marked.update(b"damaged")  # one that was not needed: what is needed was loaded before
    return marked.digest()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Of every tensor: what it is, and its beginning, middle and end."""
    length = int.from_bytes(file.read(8), "little")
    if length > _HEADER_BYTES:
        raise ValueError("no safetensors")
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    for name, tensor in sorted(header.items()):
        yield f"{name} {tensor['dtype']} {tensor['shape']}".encode()
        begin, end = tensor["data_offsets"]
        last = max(begin, end - _PIECE_BYTES)
        for place in (begin, (begin + last) // 2, last):
            file.seek(8 + length + place)
            yield file.read(min(_PIECE_BYTES, end - begin))
