"""The bundled model on onnxruntime beside PyTorch, in turns on one machine.

Usage: python -m benchmarks.light [--rounds 5] [--busy 2] [--windows 4]

Each round starts a fresh process for each way of computing: onnxruntime in 8 bits (the default) and
in float32, PyTorch in its fastest format here and in float32. It makes a clip of one window from
its prompt to a WAV file beside its PNG (the cold clip: with the imports and the loading), clips of
a warm process, and windows of a stream. A second turn does the cold clip beside busy processes.
Medians, ratios to PyTorch's fastest, and the processor's name; seconds of the clock and of the
processor. A stream's figure is seconds of new sound for a second of one core. At the end, how far
the pictures of three prompts are from those of PyTorch in float32, and from those of another seed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.busy import busy
from sonoriff.processor import adds_int8_wide
from sonoriff.threads import usable_cores

WAYS: dict[str, dict[str, str | None]] = {
    "onnxruntime int8": {"backend": "onnx", "dtype": "int8"},
    "onnxruntime float32": {"backend": "onnx", "dtype": "float32"},
    "PyTorch, fastest": {"backend": "torch", "dtype": None},
    "PyTorch float32": {"backend": "torch", "dtype": "float32"},
}
BEFORE = "PyTorch, fastest"
_CLIPS = 5
_PROMPTS = ("calm piano, 90 bpm", "techno, 128 bpm", "heavy metal with distorted guitars")


def measured(way: str, windows: int, *, cold_only: bool) -> dict[str, float]:
    """Figures of this process, which has imported nothing of the product yet."""
    began = time.perf_counter()
    from sonoriff.threads import prepare

    prepare()
    from sonoriff.audio import write_audio
    from sonoriff.models.registry import load_model
    from sonoriff.pipeline.generate import GenerateSettings, generate
    from sonoriff.sonogram.picture import save_picture

    model = load_model(**WAYS[way])  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        clip = generate(model, GenerateSettings(prompt="smooth tropical dance jazz", seed=1))
        write_audio(Path(folder) / "riff.wav", clip.waveform, clip.sample_rate)
        save_picture(Path(folder) / "riff.png", clip.sonogram)
    figures = {"cold clip, s": time.perf_counter() - began}
    figures["cold clip, processor s"] = time.process_time()
    if not cold_only:
        figures |= _warm(model, windows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures["peak memory, MB"] = peak / (1e6 if sys.platform == "darwin" else 1e3)
    return figures


def _warm(model: Any, windows: int) -> dict[str, float]:
    from sonoriff.pipeline.generate import GenerateSettings, generate
    from sonoriff.stream.engine import RiffStream
    from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt

    clips = []
    for seed in range(_CLIPS):
        clock, used = time.perf_counter(), time.process_time()
        _ = generate(model, GenerateSettings(prompt="techno, 128 bpm", seed=seed)).waveform
        clips.append((time.perf_counter() - clock, time.process_time() - used))
    stream = RiffStream(model)
    scene = Scene(prompts=(WeightedPrompt("techno, 128 bpm", 1.0),))
    state = stream.next(stream.start(SceneSchedule((Cue(scene, 0),))))[2]
    used, first = time.process_time(), state.n_samples
    for _ in range(windows):
        state = stream.next(state)[2]
    sound_s = (state.n_samples - first) / model.params.sample_rate
    return {
        "warm clip, s": median(clock for clock, _ in clips),
        "warm clip, processor s": median(used for _, used in clips),
        "stream, s of sound for a processor second": sound_s / (time.process_time() - used),
    }


def distances_db() -> dict[str, list[float]]:
    """Mean difference of pictures to PyTorch's in float32, by way, for each prompt; last a seed."""
    import numpy as np

    from sonoriff.models.registry import load_model
    from sonoriff.pipeline.generate import GenerateSettings, generate

    def painted(way: str, seed: int) -> list[Any]:
        model = load_model(**WAYS[way])  # type: ignore[arg-type]
        return [
            generate(model, GenerateSettings(prompt=prompt, seed=seed)).sonogram.values
            for prompt in _PROMPTS
        ]

    exact = painted("PyTorch float32", 7)

    def distances(values: list[Any]) -> list[float]:
        return [float(np.abs(a - b).mean()) for a, b in zip(values, exact, strict=True)]

    ways = {way: distances(painted(way, 7)) for way in WAYS if way != "PyTorch float32"}
    return ways | {"another seed": distances(painted("PyTorch float32", 8))}


def in_a_process(way: str, windows: int, *, cold_only: bool = False) -> dict[str, float]:
    """`measured` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.light", "--way", way, "--windows", str(windows)]
    command += ["--cold-only"] if cold_only else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def seconds_of_help() -> float:
    """Clock seconds of `sonoriff --help`, the interpreter's own start left out."""
    seconds = []
    for arguments in (["-c", "pass"], ["-m", "sonoriff", "--help"]):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    return seconds[1] - seconds[0]


def processor_name() -> str:
    """As the kernel names it, with what matters here."""
    try:
        lines = Path("/proc/cpuinfo").read_text("ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    known = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_int8") if flag in flags]
    known += ["8-bit sums"] if adds_int8_wide() else []
    return f"{(found or ['unknown'])[0]} ({', '.join(known)}), {usable_cores()} cores"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", type=int, default=2)
    parser.add_argument("--windows", type=int, default=4)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--cold-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measured(options.way, options.windows, cold_only=options.cold_only)))
        return
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for way in WAYS:  # compiles and reads from the disk what is kept afterwards
        in_a_process(way, 1)
    for _ in range(options.rounds):
        for way, rows in runs.items():
            row = in_a_process(way, options.windows)
            with busy(options.busy):
                beside = in_a_process(way, 1, cold_only=True)
            rows.append(
                row
                | {"cold clip beside busy processes, s": beside["cold clip, s"]}
                | {"... times quiet": beside["cold clip, s"] / row["cold clip, s"]}
            )
    print(f"{processor_name()}; {options.rounds} rounds, {options.busy} busy processes")
    helps = median(seconds_of_help() for _ in range(options.rounds))
    print(f"sonoriff --help: {helps:.2f} s more than an empty program")
    width = max(map(len, runs[BEFORE][0]))
    print(" " * width, *(f"{way:>20}" for way in WAYS))
    for name in runs[BEFORE][0]:
        cells = []
        for rows in runs.values():
            value = median(row[name] for row in rows)
            ratios = [a[name] / b[name] for a, b in zip(rows, runs[BEFORE], strict=True)]
            cells.append(f"{value:.3g} ({median(ratios):.2f} x)")
        print(f"{name:<{width}}", *(f"{cell:>20}" for cell in cells))
    print("pictures, dB from PyTorch float32:")
    for way, distances in distances_db().items():
        print(f"  {way}: {', '.join(f'{distance:.3f}' for distance in distances)}")


if __name__ == "__main__":
    main()
