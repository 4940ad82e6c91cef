"""How many threads the networks use, and that threads which wait do not keep a core from others.

Two OpenMP threads that spin while they wait for each other collapse as soon as anything else runs:
on a machine with one busy process beside it a clip took five times as long. So threads spin only
for a moment, and there are as many of them as cores are free.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# Read by the OpenMP libraries of GCC and of LLVM when they are loaded: about 10 us of spinning,
# which a quiet machine does not notice, and no wait of 200 ms after a parallel region.
SPIN = {"GOMP_SPINCOUNT": "3000", "KMP_BLOCKTIME": "0"}
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
_STAT = Path("/proc/stat")
# A shorter interval is too few ticks of the kernel's clock (10 ms) to tell anything.
_SHORTEST_S = 0.2


@dataclass(frozen=True)
class _Reading:
    """Seconds that the usable cores were busy in all, those of this process, and when."""

    at_s: float
    busy_s: float
    own_s: float


class FreeCores:
    """Cores that other processes leave to this one, measured between two calls.

    Only where the kernel says so (Linux); elsewhere all cores count as free.
    """

    def __init__(self) -> None:
        self.cores = usable_cores()
        self._before = _reading()
        self._free = float(self.cores)

    def count(self) -> int:
        """In [1, `cores`]; the last count where the last call was less than 0.2 s ago."""
        now = _reading()
        if now and self._before and now.at_s - self._before.at_s >= _SHORTEST_S:
            elapsed = now.at_s - self._before.at_s
            others = (now.busy_s - self._before.busy_s) - (now.own_s - self._before.own_s)
            self._free = self.cores - max(0.0, others) / elapsed
            self._before = now
        return max(1, min(self.cores, round(self._free)))


_free: FreeCores | None = None


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def wanted_threads() -> int:
    """Threads for one network: ``OMP_NUM_THREADS`` where it is set, else one for each core."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(asked)) if asked.isdecimal() else usable_cores()


def prepare() -> None:
    """Set up this process, once, before torch is loaded.

    What the user has set in the environment (``OMP_WAIT_POLICY``, ``GOMP_SPINCOUNT``,
    ``KMP_BLOCKTIME``, ``OMP_NUM_THREADS``, ``MKL_NUM_THREADS``) stands. Where torch is loaded
    already, its threads spin as they did, and only their number follows.
    """
    global _free
    if "torch" not in sys.modules and "OMP_WAIT_POLICY" not in os.environ:
        for name, value in SPIN.items():
            os.environ.setdefault(name, value)
    if _free is None and not any(name in os.environ for name in _THREADS):
        _free = FreeCores()


def follow_free_cores() -> None:
    """Give torch as many threads as cores are free now; nothing without `prepare`, or torch.

    Between two pieces of work, never within one: sums of float32 are rounded otherwise with
    another number of threads.
    """
    if _free is None or "torch" not in sys.modules:
        return
    import torch

    count = _free.count()
    if count != torch.get_num_threads():
        torch.set_num_threads(count)


def keep_threads() -> None:
    """Follow the free cores no longer in this process, for work that must be exactly repeatable."""
    global _free
    _free = None


def _reading() -> _Reading | None:
    """None where the kernel does not say."""
    try:
        lines = _STAT.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    tick = 1.0 / os.sysconf("SC_CLK_TCK")
    busy = 0.0
    for line in lines:
        name, *fields = line.split()
        if name in mine:
            # user, nice, system; then idle and iowait, which are free; irq, softirq.
            user, nice, system, _idle, _iowait, irq, softirq = map(int, fields[:7])
            busy += (user + nice + system + irq + softirq) * tick
    used = os.times()
    return _Reading(time.monotonic(), busy, used.user + used.system)
