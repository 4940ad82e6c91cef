"""Writing files whole or not at all."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sonoriff.errors import ParameterError


def native_name(path: str | os.PathLike[str]) -> str | bytes:
    """A path for C libraries: bytes, since a name need not be UTF-8, and text on Windows."""
    return os.fspath(path) if sys.platform == "win32" else os.fsencode(path)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path`; renamed onto it when the block ends well.

    Parameters
    ----------
    path : where the finished file shall stand; its folder must exist

    Yields
    ------
    Path
        in the same folder and with the same suffix, not yet existing. Write it and close it.

    Raises
    ------
    ParameterError
        `path` is a folder, or its own folder does not exist

    Notes
    -----
    The bytes are flushed to the disk before the rename, so that a crash leaves the old file or
    the new one. Any exception, Ctrl-C included, removes the temporary file and leaves an older
    `path` as it was.
    """
    target = Path(path)
    if target.is_dir():
        raise ParameterError(f"{target} is a folder: name a file to write")
    if not target.parent.is_dir():
        raise ParameterError(f"the folder {target.parent} does not exist: make it first")
    temporary = target.parent / f".{secrets.token_hex(6)}.tmp{target.suffix}"
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
