"""A server as a user starts it, and a listener that plays by the clock."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

AHEAD_S = 2.0
_SOUND = 1


@dataclass
class ServerProcess:
    """A server under way."""

    port: int
    process: subprocess.Popen[bytes]
    database: str

    @property
    def url(self) -> str:
        """Of the stream."""
        return f"ws://127.0.0.1:{self.port}/api/v1/stream"


@contextmanager
def running_server(
    model: str | None,
    log: Path | None = None,
    database: str | None = None,
    options: Sequence[str] = (),
) -> Iterator[ServerProcess]:
    """`sonoriff serve` on a free port, with its model loaded.

    Parameters
    ----------
    log : where its log goes; None is nowhere
    database : URL of its history; None is SQLite in a folder of its own
    options : more of `sonoriff serve`
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sonoriff", "serve", "--port", str(port), "--data", folder]
        command += ["--model", model] if model else []
        command += ["--database", database] if database else []
        command += options
        with Path(os.devnull if log is None else log).open("wb") as said:
            process = subprocess.Popen(command, stderr=said, env=os.environ)
        try:
            _wait_until_ready(port, process)
            kept = database or f"sqlite:///{folder}/riffs.sqlite"
            yield ServerProcess(port, process, kept)
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    while True:
        if process.poll() is not None:
            raise SystemExit("the server ended: does `sonoriff serve` start with this model?")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)


@dataclass
class Listener:
    """One stream. `play` listens by the clock, `rush` takes what it can get.

    Attributes
    ----------
    received : samples
    underruns : times that the playhead reached the end of what was received
    least_lead_s : shortest stretch in hand since the sound began
    """

    connection: ClientConnection
    rate: int = 0
    received: int = 0
    windows: list[dict[str, Any]] = field(default_factory=list)
    underruns: int = 0
    least_lead_s: float = float("inf")
    _began: float | None = None
    _dry: bool = False

    def hello(self, scene: dict[str, Any]) -> None:
        """Open the stream."""
        self._send(type="hello", version=1, scene=scene)
        ready = json.loads(self.connection.recv())
        if ready["type"] != "ready":
            raise SystemExit(f"the server says: {ready}")
        self.rate = ready["sample_rate"]

    def _send(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def want(self, until: int) -> None:
        """Ask for sound."""
        self._send(type="want", until=until, heard=self.playhead)

    def change(self, scene: dict[str, Any]) -> None:
        """Ask for another scene."""
        self._send(type="scene", scene=scene)

    def step(self, timeout: float | None = None) -> None:
        """Take in a message, or none where none comes in time."""
        try:
            data = self.connection.recv(timeout=timeout)
        except TimeoutError:
            return
        if isinstance(data, str):
            message = json.loads(data)
            if message["type"] == "window":
                self.windows.append(message)
        elif data[0] == _SOUND:
            self.received += struct.unpack_from("<I", data, 4)[0]
            if self._began is None:
                self._began = time.monotonic()

    def rush(self, seconds: float) -> float:
        """Take so much sound as fast as it comes; seconds that it took."""
        began, until = time.perf_counter(), self.received + round(seconds * self.rate)
        while self.received < until:
            self.want(min(until, self.received + 20 * self.rate))
            before = self.received
            while self.received < min(until, before + 10 * self.rate):
                self.step()
        return time.perf_counter() - began

    @property
    def playhead(self) -> int:
        """Sample that is heard now."""
        return 0 if self._began is None else round((time.monotonic() - self._began) * self.rate)

    def play(self, seconds: float) -> None:
        """Listen by the clock; where the sound runs dry, the clock waits."""
        end, wanted = time.monotonic() + seconds, -1
        while time.monotonic() < end:
            until = self.playhead + round(AHEAD_S * self.rate)
            if until - wanted > self.rate // 4:
                self.want(until)
                wanted = until
            self.step(timeout=0.05)
            self._watch()

    def _watch(self) -> None:
        if self._began is None:
            return
        lead = (self.received - self.playhead) / self.rate
        self.least_lead_s = min(self.least_lead_s, lead)
        if lead < 0:
            self.underruns += 0 if self._dry else 1
            self._dry = True
            self._began -= lead
        else:
            self._dry = False


@contextmanager
def listener(server: ServerProcess, scene: dict[str, Any]) -> Iterator[Listener]:
    """A listener with an open stream."""
    with connect(server.url, compression=None, open_timeout=60) as connection:
        one = Listener(connection)
        one.hello(scene)
        yield one
        connection.send(json.dumps({"type": "bye"}))
