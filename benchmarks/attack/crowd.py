"""Many streams, dear streams, piles of scenes and floods, each for some seconds."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from benchmarks.attack.raw import address_of, connected
from benchmarks.attack.tally import Tally
from benchmarks.attack.target import Target

_ROUND_S = 12.0
_RATE = 44_100


def attack(server: Target, rng: random.Random, requests: int, tally: Tally) -> None:
    """Each way in turn; with few requests, for a shorter time."""
    seconds = _ROUND_S if requests >= 10_000 else _ROUND_S / 3
    for way in (dear_streams, pile_of_scenes, flood_of_pings, comers_and_goers):
        way(server, rng, time.monotonic() + seconds, tally)


def _stream(server: Target, rng: random.Random, steps: int = 8) -> ClientConnection:
    one = connect(server.url, sock=connected(server, address_of(rng)), max_queue=None).__enter__()
    scene = {"num_inference_steps": steps, "prompts": [{"text": "noise"}]}
    one.send(json.dumps({"type": "hello", "version": 1, "scene": scene}))
    return one


def dear_streams(server: Target, rng: random.Random, end: float, tally: Tally) -> None:
    """Two streams of fifty steps that want all they can get."""
    with ExitStack() as stack:
        streams = [stack.enter_context(_stream(server, rng, steps=50)) for _ in range(2)]
        until = 0
        while time.monotonic() < end:
            until += 10 * _RATE
            for one in streams:
                one.send(json.dumps({"type": "want", "until": until}))
            tally.note("want of 50 steps")
            time.sleep(0.5)


def pile_of_scenes(server: Target, rng: random.Random, end: float, tally: Tally) -> None:
    """Scenes for ever later samples, and one want."""
    at = 100
    with _stream(server, rng) as one, suppress(ConnectionClosed):
        while time.monotonic() < end:
            at += 50_000
            one.send(json.dumps({"type": "scene", "scene": {"seed": at}, "at": at}))
            tally.note("scene for later")
            time.sleep(0.025)
            if at % 1_000_000 == 100:
                one.send(json.dumps({"type": "want", "until": at}))


def flood_of_pings(server: Target, rng: random.Random, end: float, tally: Tally) -> None:
    """Pings without end, from several connections."""

    def flood() -> None:
        ping = b"\x89\xfd\0\0\0\0" + 125 * b"x"
        while time.monotonic() < end:
            with suppress(OSError, ConnectionClosed, TimeoutError), _stream(server, rng) as one:
                for _ in range(10_000):
                    one.socket.sendall(100 * ping)
            tally.note("flood of pings cut off")

    _several(flood)


def comers_and_goers(server: Target, rng: random.Random, end: float, tally: Tally) -> None:
    """Streams that are opened and lost at once."""

    def come_and_go() -> None:
        while time.monotonic() < end:
            with suppress(OSError, ConnectionClosed, TimeoutError):
                one = _stream(server, rng)
                one.send(json.dumps({"type": "want", "until": 30 * _RATE}))
                one.socket.close()
            tally.note("stream that is lost")

    _several(come_and_go)


def _several(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
