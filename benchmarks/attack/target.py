"""The server under attack, as its attackers know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Address of a server on loopback, and what the attack on its processes and database needs."""

    port: int
    pid: int
    database: str

    @property
    def url(self) -> str:
        """Of the stream."""
        return f"ws://127.0.0.1:{self.port}/api/v1/stream"
