"""How soon the bundled model makes music: loading, text to sound, memory.

Usage: python -m benchmarks.model [--clips 9] [--threads N] [--steps N]

Each of three fresh processes loads the model (with the imports, up to the first prompt that it has
understood) and makes clips of one window; medians are printed. The first clip of a process also
reads the codec's compiled loops and is left out of the median. The seconds are those of the clock.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from statistics import median
from typing import Any

_PROCESSES = 3
_PROMPTS = ("smooth tropical dance jazz", "techno, 128 bpm", "solo church organ")


def measured(clips: int, threads: int | None, steps: int | None) -> dict[str, Any]:
    """Figures of this process, which has imported nothing yet."""
    began = time.perf_counter()
    import torch

    from sonoriff.models.registry import load_model
    from sonoriff.pipeline.generate import GenerateSettings, generate

    if threads:
        torch.set_num_threads(threads)
    model = load_model(None)
    model.encode_text(["music"])
    load_s = time.perf_counter() - began
    seconds = []
    for i in range(clips + 1):
        start = time.perf_counter()
        prompt = _PROMPTS[i % len(_PROMPTS)]
        settings = GenerateSettings(prompt=prompt, seed=i, num_inference_steps=steps)
        clip = generate(model, settings)
        sound_s = clip.waveform.shape[1] / clip.sample_rate
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "threads": torch.get_num_threads(),
        "dtype": str(model.dtype).removeprefix("torch."),
        "load_s": load_s,
        "first_clip_s": seconds[0],
        "clip_s": median(seconds[1:]),
        "sound_s": sound_s,
        "peak_memory_mb": peak / (1e6 if sys.platform == "darwin" else 1e3),
    }


def main() -> None:
    """Print the medians of three processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--clips", type=int, default=9)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(measured(options.clips, options.threads, options.steps)))
        return
    command = [sys.executable, "-m", "benchmarks.model", "--alone", *sys.argv[1:]]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(_PROCESSES)
    ]
    for name, value in runs[0].items():
        if isinstance(value, float):
            print(f"{name}: {median(run[name] for run in runs):.2f}")
        else:
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
