"""Writes unversioned.*.sql: databases as they were before they had revisions.

Run with the package of commit eb16164, whose store made its tables by itself:

    python tests/golden/history/make_unversioned.py
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1]))


def fill(url: str, folder: Path) -> None:
    """A history with a riff of each state, two owners, and a song."""
    from sonoriff.server.config import Limits
    from sonoriff.server.song_store import SongStore
    from sonoriff.server.store import Store

    store = Store(folder, url, Limits(), "0123456789abcdef")
    done = store.add("generate", "kept é😀", {"prompt": "kept é😀", "seed": 2**53 - 1}, "one")
    store.finish(done.id, b"png", b"flac", 1.5, {"bpm": 120.0, "key": None})
    store.set_state(store.add("remix", "wrong", {"seed": 1}, "two").id, "failed", "why")
    store.add("morph", "under way", {"seed": 2})
    song = SongStore(store).add('title = "a plan"\n', "one")
    SongStore(store).change(song.id, riff=done.id)
    store.close()


def main() -> None:
    """Write both files."""
    from postgresql_server import find_programs, running_postgresql

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(f"sqlite:///{folder / 'a.sqlite'}", folder)
        with sqlite3.connect(folder / "a.sqlite") as connection:
            text = "\n".join(connection.iterdump())
        (HERE / "unversioned.sqlite.sql").write_text(text + "\n", encoding="utf-8")
        programs = find_programs()
        assert programs is not None
        with running_postgresql(programs) as server:
            fill(server.database(), folder)
            dump = [programs / "pg_dump", "--inserts", "--no-owner", "-h", server.folder]
            said = subprocess.run(
                [*map(str, dump), "-U", "sonoriff", "test_1"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        lines = [
            line
            for line in said.splitlines()
            if line and not line.startswith(("--", "\\", "SELECT pg_catalog.set_config"))
        ]
        (HERE / "unversioned.postgresql.sql").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
