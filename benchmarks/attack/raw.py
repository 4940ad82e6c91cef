"""Connections from any address of loopback, so that more is met than the limits of one client."""

from __future__ import annotations

import random
import socket
import sys

from benchmarks.attack.target import Target

TIMEOUT_S = 60.0


def address_of(rng: random.Random) -> str:
    """An address of loopback that is not the listener's; elsewhere than on Linux there is one."""
    if sys.platform != "linux":
        return "127.0.0.1"
    return f"127.{rng.randrange(1, 255)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def connected(server: Target, address: str) -> socket.socket:
    """A connection to a server from an address."""
    connection = socket.create_connection(
        ("127.0.0.1", server.port), timeout=TIMEOUT_S, source_address=(address, 0)
    )
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def status_of(connection: socket.socket, request: bytes) -> int | None:
    """Send a request, and read the status of the answer; None where there is none."""
    try:
        connection.sendall(request)
        head = connection.recv(4096)
    except (ConnectionError, TimeoutError):
        return None
    words = head.split(None, 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
