"""How much a busy machine slows the making of a clip down.

Usage: python -m benchmarks.busy [--busy 2] [--rounds 5] [--duration 6] [--spinning]

`sonoriff generate` runs in fresh processes, by turns on the machine as it is and beside `--busy`
processes that each keep a core busy; medians of the seconds of the clock and of the processor, and
the ratios of the pairs. With ``--spinning`` a third kind joins the turns, on the machine as it is:
threads that spin as OpenMP's do by itself, one for each core, as if nothing had been set.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from sonoriff.threads import usable_cores

_LOOP = "while True: pass"


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that do nothing but keep a core busy."""
    processes = [subprocess.Popen([sys.executable, "-c", _LOOP]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def seconds_of_clip(duration_s: float, folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """(clock, processor) seconds of one `sonoriff generate`."""
    command = [sys.executable, "-m", "sonoriff", "generate", "techno, 120 bpm", "--seed", "1"]
    command += ["--duration", str(duration_s), "-o", str(folder / "busy.wav")]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **env})
    clock_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return clock_s, used_s


def main() -> None:
    """Print the medians and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--busy", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--duration", type=float, default=6.0)
    parser.add_argument("--spinning", action="store_true")
    options = parser.parse_args()
    spinning = {"GOMP_SPINCOUNT": "300000", "OMP_NUM_THREADS": str(usable_cores())}
    kinds: dict[str, tuple[int, dict[str, str]]] = {"quiet": (0, {}), "busy": (options.busy, {})}
    if options.spinning:
        kinds["quiet, spinning"] = (0, spinning)
        kinds["busy, spinning"] = (options.busy, spinning)
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder:
        seconds_of_clip(options.duration, Path(folder), {})  # compiles what is kept afterwards
        for _ in range(options.rounds):
            for name, (count, env) in kinds.items():
                with busy(count):
                    runs[name].append(seconds_of_clip(options.duration, Path(folder), env))
    print(f"cores: {usable_cores()}, busy processes: {options.busy}")
    for name, pairs in runs.items():
        clock, used = (median(pair[i] for pair in pairs) for i in (0, 1))
        ratios = [a[0] / b[0] for a, b in zip(pairs, runs["quiet"], strict=True)]
        print(f"{name}: {clock:.2f} s, processor {used:.2f} s, {median(ratios):.2f} times quiet")


if __name__ == "__main__":
    main()
