"""A PostgreSQL server of the tests' own, on a socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from server_tools import wait_until

USER = "sonoriff"
# Whoever pulls the plug of the tests loses nothing, so nothing waits for the disk.
_SETTINGS = ("fsync=off", "listen_addresses=", "max_connections=60", "shared_buffers=16MB")


@dataclass
class PostgresqlServer:
    """A server; `stop` and `start` are for tests of what happens without it."""

    programs: Path
    folder: Path
    _n_databases: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = [str(self.programs / "postgres"), "-D", str(self.folder / "data")]
        for setting in (*_SETTINGS, f"unix_socket_directories={self.folder}"):
            arguments += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(arguments, stderr=log, stdout=log, **_not_as_root())
        wait_until(self._answers)

    def stop(self) -> None:
        """Stop it at once, as a fault would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def database(self) -> str:
        """A new, empty database; its URL as SQLAlchemy writes it."""
        self._n_databases += 1
        name = f"test_{self._n_databases}"
        with self._connection() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://{USER}@/{name}?host={self.folder}"

    def _connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), user=USER, dbname="postgres", autocommit=True)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            self._connection().close()
        except psycopg.OperationalError:
            return False
        return True


def find_programs() -> Path | None:
    """Folder of PostgreSQL's programs: Debian keeps them out of the path, by version."""
    places = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(places, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))])
    found = shutil.which("initdb") or (newest[-1] if newest else None)
    return Path(found).resolve().parent if found else None


@contextmanager
def running_postgresql(programs: Path) -> Iterator[PostgresqlServer]:
    """Make a server and start it; it goes with all that it holds."""
    # Not below pytest's own folder, which only its owner may enter; sockets want a short path, too.
    folder = Path(tempfile.mkdtemp(prefix="sonoriff-pg-"))
    server = PostgresqlServer(programs, folder)
    try:
        as_whom = _not_as_root()
        if as_whom:
            os.chown(folder, pwd.getpwnam(as_whom["user"]).pw_uid, -1)
        make = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER, "-A", "trust"]
        make += ["-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd="/", **as_whom)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _not_as_root() -> dict[str, Any]:
    """Options of a process: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_name, "group": entry.pw_gid, "extra_groups": []}
