"""The attackers' own process, so that only what reaches the server costs its listener anything."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from benchmarks.attack import crowd, faults, http_fuzz, stream_fuzz, uploads
from benchmarks.attack.tally import Tally
from benchmarks.attack.target import Target

KINDS: dict[str, Callable[[Target, random.Random, int, Tally], None]] = {
    "http": http_fuzz.attack,
    "stream": stream_fuzz.attack,
    "uploads": uploads.attack,
    "crowd": crowd.attack,
    "faults": faults.attack,
}
# Elsewhere attackers have machines of their own; here they must not take the server's processor.
_NICE = 10


def attack(kind: str, target: Target, seed: int, requests: int) -> Tally:
    """Attack in one way from another process; returns what came of it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_step_back) as pool:
        return pool.submit(_attack, kind, target, seed, requests).result()


def _step_back() -> None:
    os.nice(_NICE)
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # our own clients are rude


def _attack(kind: str, target: Target, seed: int, requests: int) -> Tally:
    tally = Tally()
    KINDS[kind](target, random.Random(f"{seed} {kind}"), requests, tally)
    return tally
