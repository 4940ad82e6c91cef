"""One listener by the clock, for long: memory of the server's processes, and underruns.

    python -m benchmarks.soak [MODEL] [--minutes 20] [--busy 1]

Prints a line a minute, and fails where the sound ran dry or memory grew by more than a tenth after
the third minute. `--busy` has so many processes beside it that use a core each, at nice 10, as a
browser or a compiler would.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.listener import ServerProcess, listener, running_server
from benchmarks.server import OTHER, SCENE

_SETTLED = 3
_GROWTH = 1.1


def memory_mb(server: ServerProcess) -> float:
    """Resident memory of the server and its workers."""
    root = psutil.Process(server.process.pid)
    total = sum(process.memory_info().rss for process in (root, *root.children(recursive=True)))
    return float(total) / 2**20


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that do nothing but use a core, at nice 10."""
    command = [sys.executable, "-c", "import os\nos.nice(10)\nwhile True: pass"]
    processes = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main() -> None:
    """Listen, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--busy", type=int, default=0, help="processes that use a core each")
    given = parser.parse_args()
    memory = []
    with (
        busy_processes(given.busy),
        running_server(given.model) as server,
        listener(server, SCENE) as one,
    ):
        for minute in range(1, given.minutes + 1):
            one.play(60.0)
            one.change(OTHER if minute % 2 else SCENE)
            memory.append(memory_mb(server))
            print(
                f"minute {minute}: {memory[-1]:.0f} MB, underruns {one.underruns}, "
                f"least in hand {one.least_lead_s:.2f} s",
                flush=True,
            )
    settled = memory[_SETTLED - 1 :]
    if one.underruns or (settled and settled[-1] > _GROWTH * settled[0]):
        sys.exit("the sound ran dry, or memory grew")


if __name__ == "__main__":
    main()
