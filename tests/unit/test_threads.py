"""Threads follow the cores that are free, and what the user has set stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from sonoriff import threads

_SHOW = """
import json, os
from sonoriff.threads import follow_free_cores, prepare
prepare()
import torch
follow_free_cores()
names = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY")
print(json.dumps([{n: os.environ.get(n) for n in names}, torch.get_num_threads()]))
"""
_OURS = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def shown(**env: str) -> tuple[dict[str, str | None], int]:
    """The environment and the number of threads of a process that has prepared itself."""
    inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
    done = subprocess.run(
        [sys.executable, "-c", _SHOW],
        env={**inherited, **env},
        check=True,
        capture_output=True,
        text=True,
    )
    environment, count = json.loads(done.stdout)
    return environment, count


def test_threads_that_wait_hardly_spin() -> None:
    environment, count = shown()
    assert environment["GOMP_SPINCOUNT"] == "3000"
    assert environment["KMP_BLOCKTIME"] == "0"
    assert 1 <= count <= threads.usable_cores()


def test_what_the_user_has_set_stands() -> None:
    environment, count = shown(GOMP_SPINCOUNT="7", OMP_NUM_THREADS="1")
    assert environment["GOMP_SPINCOUNT"] == "7"
    assert count == 1
    environment, _ = shown(OMP_WAIT_POLICY="passive")
    assert environment == {
        "GOMP_SPINCOUNT": None,
        "KMP_BLOCKTIME": None,
        "OMP_WAIT_POLICY": "passive",
    }


def readings(monkeypatch: pytest.MonkeyPatch, *values: tuple[float, float, float]) -> None:
    """Let the kernel say these (seconds, seconds busy in all, seconds of this process)."""
    waiting = iter(values)
    monkeypatch.setattr(threads, "_reading", lambda: threads._Reading(*next(waiting)))


@pytest.mark.parametrize(
    ("busy_s", "own_s", "count"),
    [
        (0.0, 0.0, 4),  # nobody works
        (4.0, 4.0, 4),  # only this process does
        (2.0, 1.0, 3),  # another one keeps a core busy
        (4.0, 2.0, 2),
        (4.0, 0.2, 1),  # never none
    ],
)
def test_cores_that_others_keep_busy_are_left_to_them(
    monkeypatch: pytest.MonkeyPatch, busy_s: float, own_s: float, count: int
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 4)
    readings(monkeypatch, (10.0, 50.0, 5.0), (11.0, 50.0 + busy_s, 5.0 + own_s))
    assert threads.FreeCores().count() == count


def test_too_short_a_time_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 2)
    readings(monkeypatch, (1.0, 0.0, 0.0), (2.0, 2.0, 0.0), (2.1, 2.0, 0.0), (3.1, 2.0, 0.0))
    free = threads.FreeCores()
    assert [free.count() for _ in range(3)] == [1, 1, 2]


def test_the_kernel_is_read() -> None:
    first, second = threads._reading(), threads._reading()
    if not sys.platform.startswith("linux"):
        assert first is second is None
        return
    assert first is not None
    assert second is not None
    assert second.busy_s >= first.busy_s >= first.own_s - 1.0
    assert second.at_s >= first.at_s


def test_training_keeps_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples that are drawn on the way must not change how the next step is rounded."""
    import torch

    class OneFree:
        def count(self) -> int:
            return 1

    before = torch.get_num_threads()
    monkeypatch.setattr(threads, "_free", OneFree())
    try:
        threads.keep_threads()
        torch.set_num_threads(2)
        threads.follow_free_cores()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
