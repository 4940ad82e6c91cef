"""Drawn messages on the stream's WebSocket."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from benchmarks.attack.raw import address_of, connected
from benchmarks.attack.tally import Tally
from benchmarks.attack.target import Target

_ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 1e308, 2**60, 2**70, "", "x" * 600, "\ud800", [], {}, [[]]),
    *("(" * 2000, {"text": "a", "weight": 0}, [{"text": "a"}] * 9),
)
_SCENE = (
    *("mode", "prompts", "negative_prompt", "bpm", "key", "seed", "alpha", "walk", "strength"),
    *("bars", "morph_bars", "guidance_scale", "num_inference_steps", "tempo"),
)
_ALLOWED = {None, 1000, 1001, 1005, 1006, 1002, 1007, 1009, 4400, 4404, 4408, 4409, 4429, 4503}
_EACH = 40


def attack(server: Target, rng: random.Random, requests: int, tally: Tally) -> None:
    """A fifth as many messages as there are requests, on connections of their own."""
    seeds = [rng.random() for _ in range(-(-requests // 5 // _EACH))]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda seed: _one(server, random.Random(seed), tally), seeds))


def _one(server: Target, rng: random.Random, tally: Tally) -> None:
    """A connection, and what comes of some messages."""
    try:
        with connect(server.url, sock=connected(server, address_of(rng)), max_queue=None) as one:
            with suppress(ConnectionClosed):
                if rng.random() < 0.9:
                    one.send(json.dumps({"type": "hello", "version": 1}))
                for _ in range(_EACH):
                    one.send(drawn(rng))
                    with suppress(TimeoutError):
                        one.recv(timeout=0.001)
            one.close()
            code = one.close_code
    except (InvalidHandshake, ConnectionError, TimeoutError, EOFError) as error:
        tally.note(type(error).__name__)
        return
    tally.note(f"close {code}", wrong=None if code in _ALLOWED else f"closed with {code}")


def drawn(rng: random.Random) -> str | bytes:
    """A message."""
    kind = rng.random()
    if kind < 0.02:
        return rng.randbytes(20)
    if kind < 0.04:
        return rng.choice(("", "[" * 20_000, "nonsense", "{}", "null", "[]"))
    message = {"type": rng.choice(("scene", "want", "ping", "hello", "bye", "nonsense", "scene"))}
    if message["type"] == "bye" and rng.random() < 0.8:
        message["type"] = "want"
    for name in ("until", "heard", "underruns", "at", "t", "id", "version", "resume", "scene"):
        if rng.random() < 0.3:
            message[name] = rng.choice(_ODD)
    if rng.random() < 0.6:
        scene = {rng.choice(_SCENE): rng.choice(_ODD) for _ in range(rng.randrange(4))}
        message["scene"] = scene  # type: ignore[assignment]
    return json.dumps(message)
