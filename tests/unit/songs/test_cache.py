"""The cache of songs keeps to its size."""

from __future__ import annotations

import os
from pathlib import Path

from sonoriff.songs.cache import prune


def test_what_was_used_last_stays(tmp_path: Path) -> None:
    for i in range(5):
        path = tmp_path / f"{i}.npy"
        path.write_bytes(bytes(100))
        os.utime(path, (1000 + i, 1000 + i))
    os.utime(tmp_path / "0.npy", (2000, 2000))
    (tmp_path / "notes.txt").write_bytes(bytes(1000))
    prune(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.npy", "4.npy", "notes.txt"]
    prune(tmp_path / "missing", 250)
