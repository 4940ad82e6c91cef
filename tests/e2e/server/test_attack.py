"""The attacks of `make attack`, short, on a server with a tiny model; without the clock."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlsplit

import pytest
from benchmarks.attack import crowd, http_fuzz, stream_fuzz, uploads
from benchmarks.attack.tally import Tally
from benchmarks.attack.target import Target


def attacked(server: Any) -> Target:
    port = urlsplit(server.url).port
    assert port is not None
    return Target(port, 0, "")


def traces(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Of the server; the clients of the tests, which are cut off, have their own."""
    return [r.getMessage() for r in caplog.records if r.exc_info and "websockets" not in r.name]


@pytest.mark.parametrize("seed", range(3))
def test_drawn_requests_get_documented_answers(
    server: Any, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    tally = Tally()
    http_fuzz.attack(attacked(server), random.Random(seed), 160, tally)
    assert tally.wrong == []
    assert tally.counts.total() == 160
    assert traces(caplog) == []


@pytest.mark.parametrize("seed", range(3))
def test_drawn_messages_are_answered_or_end_the_stream(
    server: Any, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    tally = Tally()
    stream_fuzz.attack(attacked(server), random.Random(seed), 800, tally)
    assert tally.wrong == []
    assert traces(caplog) == []


def test_hostile_files_end_soon_and_without_a_path(server: Any) -> None:
    tally = Tally()
    files = list(uploads.files(random.Random(0), 1))
    assert len(files) > 20
    uploads.attack(attacked(server), random.Random(0), 1, tally)
    assert tally.wrong == []


def test_a_crowd_is_held_back(server: Any, player: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A listener of another address gets its sound all the while."""
    one, tally = player(), Tally()
    crowd.attack(attacked(server), random.Random(0), 1, tally)
    one.play(3 * 44_100)
    assert tally.counts["want of 50 steps"] > 0
    assert traces(caplog) == []
