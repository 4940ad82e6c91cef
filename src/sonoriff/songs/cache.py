"""The cache of painted sections and joins: what is used least recently goes first."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

USUAL_BYTES = 256 * 2**20


def prune(folder: Path, largest_bytes: int = USUAL_BYTES) -> None:
    """Delete the files that were not used for the longest time, until the rest fits.

    Another process may delete some of them meanwhile.
    """
    found = []
    for path in folder.glob("*.npy"):
        with suppress(OSError):
            facts = path.stat()
            found.append((facts.st_mtime_ns, facts.st_size, path))
    kept = 0
    for _, size, path in sorted(found, reverse=True):
        kept += size
        if kept > largest_bytes:
            with suppress(OSError):
                path.unlink()
