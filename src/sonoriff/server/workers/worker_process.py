"""A worker process as the pool sees it, wherever it runs, and the one on this machine."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

PIPE_BYTES = 1 << 20


class Writer(Protocol):
    """Where a worker reads its tasks."""

    def write(self, data: bytes) -> None:
        """Hand bytes over."""

    async def drain(self) -> None:
        """Wait while too much is under way; ConnectionError if the worker has gone."""


class WorkerProcess(Protocol):
    """A process of `sonoriff.server.workers.worker`."""

    @property
    def stdin(self) -> Writer:
        """Tasks."""

    @property
    def stdout(self) -> asyncio.StreamReader:
        """Results."""

    @property
    def stderr(self) -> asyncio.StreamReader:
        """Its log."""

    @property
    def pid(self) -> int:
        """Process id where it runs."""

    @property
    def returncode(self) -> int | None:
        """None while it runs."""

    def kill(self) -> None:
        """End it at once."""

    async def wait(self) -> None:
        """Wait for its end."""

    async def removed(self) -> None:
        """Kill it, wait for its end, and remove its files: it holds nothing that is needed."""


Spawn = Callable[[dict[str, Any]], Awaitable[WorkerProcess]]


def command_of_worker(options: dict[str, Any]) -> list[str]:
    """What starts a worker."""
    return [sys.executable, "-m", "sonoriff.server.workers.worker", json.dumps(options)]


class LocalProcess:
    """A worker on this machine, with a folder of its own."""

    def __init__(self, process: Process, folder: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.stdin: Writer = process.stdin
        self.stdout, self.stderr = process.stdout, process.stderr
        self._process, self._folder = process, folder

    @classmethod
    async def started(cls, options: dict[str, Any]) -> LocalProcess:
        """Start a worker; its folder lies in ``options["folder"]``."""
        folder = Path(options["folder"]) / secrets.token_hex(6)
        folder.mkdir(parents=True)
        process = await asyncio.create_subprocess_exec(
            *command_of_worker({**options, "folder": str(folder)}),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=PIPE_BYTES,
        )
        return cls(process, folder)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> None:
        """Wait for its end."""
        await self._process.wait()

    async def removed(self) -> None:
        """Kill it, wait for its end, and remove its files."""
        self.kill()
        await self.wait()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
