"""The engine of web pages in headless Chromium: from a text to a window with its sound.

Usage: python -m benchmarks.tab [--steps 8] [--rounds 3]

Exports the bundled model with weights of 8 bits and prints the bytes of what the engine loads, and
for one thread and for two the seconds of the clock and of the processor that a window of the model
takes, medians without the first, with the memory of the browser's largest process.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

from benchmarks.light import processor_name

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from tab_tools import build_engine, engine_page

PROMPT = "smooth tropical dance jazz, 100 bpm"


def browser_processes() -> list[psutil.Process]:
    """All processes of the browser that this program started."""
    ours = psutil.Process().children(recursive=True)
    return [process for process in ours if "chrom" in process.name()]


def processor_s() -> float:
    """Seconds of the processor that the browser has used."""
    times = [process.cpu_times() for process in browser_processes()]
    return float(sum(each.user + each.system for each in times))


def memory_mb() -> float:
    """Memory of the browser's largest process, in MB."""
    return max(process.memory_info().rss for process in browser_processes()) / 1e6


def measure(module: Path, exported: Path, steps: int, rounds: int, threads: int) -> str:
    """A line about windows on so many threads."""
    walls, busy = [], []
    with engine_page(module, exported, threads=threads) as engine:
        for seed in range(rounds + 1):
            before, began = processor_s(), time.perf_counter()
            engine.value(
                "await engine.generate(model, given); return null",
                {"prompt": PROMPT, "seed": seed, "num_inference_steps": steps},
            )
            walls.append(time.perf_counter() - began)
            busy.append(processor_s() - before)
        memory = memory_mb()
    return (
        f"a window of 5.94 s, {steps} steps, {threads} thread(s): {median(walls[1:]):.2f} s, "
        f"processor {median(busy[1:]):.2f} s; the first {walls[0]:.2f} s; {memory:.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(f"{processor_name()}; load average {psutil.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "model"
        command = [sys.executable, "-m", "sonoriff", "export", "engine", "-o", str(exported)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        total = sum(file.stat().st_size for file in exported.iterdir())
        print(f"the model's files: {total / 1e6:.1f} MB", flush=True)
        module = build_engine(Path(folder) / "module")
        for threads in (1, 2):
            print(measure(module, exported, given.steps, given.rounds, threads), flush=True)


if __name__ == "__main__":
    main()
