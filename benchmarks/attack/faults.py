"""Faults of processes and of the database, beside the listener."""

from __future__ import annotations

import json
import random
import time
import urllib.error
import urllib.request

import psutil
from sqlalchemy import create_engine, text

from benchmarks.attack.tally import Tally
from benchmarks.attack.target import Target

# Of these the log may hold traces: they were caused.
EXPECTED_EVENTS = ("database", "riff lost", "riff not noted", "history not kept")
_ALLOWED = (200, 202, 503, 507)


def attack(server: Target, rng: random.Random, requests: int, tally: Tally) -> None:  # noqa: ARG001
    """Kill the riffs' worker in the middle of a riff, and lock the database for a while."""
    for _ in range(2):
        _ask(server, tally)
        time.sleep(rng.random())
        _kill_worker(server, tally)
    _lock_database(server, tally)
    end = time.monotonic() + 120.0
    while _state(server) and time.monotonic() < end:
        time.sleep(0.5)
    left = _state(server)
    tally.note("riffs ended", wrong=f"{left} riffs without an end" if left else None)


def _ask(server: Target, tally: Tally) -> None:
    body = json.dumps({"prompt": "x", "num_inference_steps": 4, "duration_s": 3.0}).encode()
    url = f"http://127.0.0.1:{server.port}/api/v1/riffs"
    ask = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(ask, timeout=60) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    tally.note(f"POST {status}", wrong=None if status in _ALLOWED else f"POST {status}")


def _kill_worker(server: Target, tally: Tally) -> None:
    """That of the riffs: it has stepped back."""
    for process in psutil.Process(server.pid).children():
        if process.nice() > psutil.Process(server.pid).nice():
            process.kill()
            tally.note("worker killed")


def _lock_database(server: Target, tally: Tally) -> None:
    engine = create_engine(server.database)
    lock = "BEGIN EXCLUSIVE"
    if engine.dialect.name != "sqlite":
        lock = "LOCK TABLE riffs IN ACCESS EXCLUSIVE MODE"
    with engine.connect() as connection:
        connection.execute(text(lock))
        _ask(server, tally)
        connection.rollback()
    engine.dispose()
    tally.note("database locked")


def _state(server: Target) -> int:
    """Riffs that have not ended."""
    url = f"http://127.0.0.1:{server.port}/api/v1/riffs?limit=100"
    with urllib.request.urlopen(url, timeout=60) as answer:
        riffs = json.load(answer)["riffs"]
    return sum(riff["state"] in ("queued", "running") for riff in riffs)
