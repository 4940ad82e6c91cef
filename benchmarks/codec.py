"""Speed and quality of the codec beside Riffusion's chain and beside other phase methods.

    python -m benchmarks.codec [speed] [pictures] [methods] [stream] [--picture FILE ...]
                               [--sound FILE ...] [--threads N] [--json FILE]

All parts run by default, in one process, so that their figures compare. With one thread the
seconds are those that the processor worked for this process, which other work on the machine does
not lengthen; with more they are those of the clock. Without files a made sound stands for music,
and its riffusion-v1 picture for a picture.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.phase_methods import METHODS, run_method
from sonoriff.audio import read_audio, resample
from sonoriff.evaluation import reference
from sonoriff.evaluation.codec import clip_figures, levels_db
from sonoriff.sonogram import HIFI, RIFFUSION_V1, Sonogram
from sonoriff.sonogram.codec import decode, encode
from sonoriff.sonogram.mel import mel_from_waveform
from sonoriff.sonogram.picture import picture_from_bytes, png_bytes
from sonoriff.sonogram.streaming import StreamingDecoder

RATE = 44100
CLIP_SAMPLES = 512 * 441
CHUNK_COLUMNS = 32
BATCH = 8
Clock = Callable[[], float]


def made_sound() -> np.ndarray:
    """Ten seconds of plucked chords over a beat, float32 (2, T)."""
    rng = np.random.default_rng(0)
    time_s = np.arange(10 * RATE) / RATE
    left, right = 0.001 * rng.standard_normal((2, time_s.size))
    for beat in range(40):
        age_s = np.maximum(time_s - 0.25 * beat, 0.0)
        started = time_s >= 0.25 * beat
        hit = rng.standard_normal(time_s.size) * np.exp(-60 * age_s) * started
        left, right = left + 0.05 * hit, right + 0.05 * hit
        pitch_hz = 110.0 * 2 ** (rng.integers(0, 25) / 12)
        pan = rng.random()
        for partial in range(1, 12):
            tone = np.sin(2 * np.pi * pitch_hz * partial * age_s) * started
            tone *= 0.1 / partial * np.exp(-(2 + partial / 2) * age_s)
            left, right = left + (1 - pan) * tone, right + pan * tone
    sound = np.stack([left, right])
    return (0.9 * sound / np.abs(sound).max()).astype(np.float32)


def clock_for(threads: int) -> Clock:
    """What tells the seconds."""
    return time.process_time if threads == 1 else time.perf_counter


def best_time(work: Callable[[], Any], clock: Clock, repeats: int = 3) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(repeats):
        started = clock()
        work()
        times.append(clock() - started)
    return min(times)


def picture_scores(waveform: torch.Tensor, mel: torch.Tensor) -> tuple[float, float, float]:
    """Spectral convergence, the same in the interior, and log-spectral distance, in dB.

    All on Riffusion's own mel of the waveform (C, T), against the picture's mel (C, M, N).
    """
    again = reference.mel_from_waveform(waveform, RIFFUSION_V1)[..., : mel.shape[2]]
    inside = slice(10, mel.shape[2] - 10)

    def convergence(part: slice) -> float:
        error = (again[..., part] - mel[..., part]).norm() / mel[..., part].norm()
        return 20 * float(torch.log10(error))

    loudest = float(mel.max())
    difference = levels_db(again.double().numpy(), loudest) - levels_db(
        mel.double().numpy(), loudest
    )
    distance = float(np.sqrt(np.square(difference).mean(axis=1)).mean())
    return convergence(slice(None)), convergence(inside), distance


def bench_pictures(pictures: dict[str, bytes], clock: Clock) -> list[dict[str, Any]]:
    """From the bytes of a picture to samples: Riffusion's chain, that with least squares, ours."""
    rows = []
    for name, data in pictures.items():
        mel = torch.from_numpy(_opened(data).values.copy())
        ways: dict[str, Callable[[], Any]] = {
            "Riffusion: SGD + GL": lambda mel=mel: reference.riffusion_decode(mel),
            "least squares + GL": lambda mel=mel: reference.riffusion_decode(
                mel, inverse="least squares"
            ),
            "ours, fast": lambda d=data: torch.from_numpy(decode(_opened(d))),
            "ours, best": lambda d=data: torch.from_numpy(decode(_opened(d), quality="best")),
        }
        for way, work in ways.items():
            started = clock()
            waveform = work()
            seconds = clock() - started
            if way.startswith("ours"):
                seconds = min(seconds, best_time(work, clock))
            full, interior, distance = picture_scores(waveform, mel)
            rows.append(
                {
                    "picture": name,
                    "way": way,
                    "seconds": seconds,
                    "sc_db": full,
                    "interior_sc_db": interior,
                    "lsd_db": distance,
                }
            )
            print_row(rows[-1])
    print_ratios(rows)
    return rows


def _opened(data: bytes) -> Sonogram:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Riffusion's seed pictures carry no tags
        return picture_from_bytes(data)


def print_ratios(rows: list[dict[str, Any]]) -> None:
    """How much faster and better ours is, picture by picture."""
    for name in dict.fromkeys(row["picture"] for row in rows):
        of = {row["way"]: row for row in rows if row["picture"] == name}
        chain, squares = of["Riffusion: SGD + GL"], of["least squares + GL"]
        for way in ("ours, fast", "ours, best"):
            ours = of[way]
            print(
                f"  {name}, {way}: {chain['seconds'] / ours['seconds']:.0f} times faster than "
                f"Riffusion, interior SC {squares['interior_sc_db'] - ours['interior_sc_db']:+.2f} "
                f"dB and full SC {squares['sc_db'] - ours['sc_db']:+.2f} dB against least squares"
            )


def bench_speed(sound: np.ndarray, threads: int) -> list[dict[str, Any]]:
    """Sound to picture and picture to sound, seconds per second of sound.

    `plain` is the transform as torchaudio does it, on one thread; `batch` several sounds over all
    threads.
    """
    rows: list[dict[str, Any]] = []
    clock = clock_for(threads)
    samples = np.ascontiguousarray(sound[:1, :CLIP_SAMPLES])
    piece = torch.from_numpy(samples)
    seconds = piece.shape[1] / RATE
    for params in (RIFFUSION_V1, HIFI):
        torch.set_num_threads(1)  # the yardstick is one thread's work
        plain = best_time(lambda p=params: reference.mel_from_waveform(piece, p), clock)  # type: ignore[misc]
        torch.set_num_threads(threads)
        ours = best_time(lambda p=params: mel_from_waveform(samples, p), clock)  # type: ignore[misc]
        with ThreadPoolExecutor(threads) as pool:
            torch.set_num_threads(1)
            batch = best_time(
                lambda p=params, pool=pool: list(  # type: ignore[misc]
                    pool.map(lambda _: mel_from_waveform(samples, p), range(BATCH))
                ),
                clock,
            )
            torch.set_num_threads(threads)
        rows.append(
            {
                "format": params.name,
                "direction": "encode",
                "plain_s_per_s": plain / seconds,
                "ours_s_per_s": ours / seconds,
                "batch_s_per_s": batch / BATCH / seconds,
                "times_plain": plain / ours,
                "batch_times_plain": plain * BATCH / batch,
            }
        )
        print_row(rows[-1])
        for quality in ("fast", "best"):
            for channels in (1, 2):
                sonogram = encode(sound[:channels, :CLIP_SAMPLES], RATE, params)
                decode(sonogram, quality=quality)  # type: ignore[arg-type]
                took = best_time(lambda s=sonogram, q=quality: decode(s, quality=q), clock)  # type: ignore[misc]
                rows.append(
                    {
                        "format": params.name,
                        "direction": "decode",
                        "quality": quality,
                        "channels": channels,
                        "times_real_time": sonogram.duration_s / took,
                    }
                )
                print_row(rows[-1])
    return rows


def bench_stream(sound: np.ndarray, clock: Clock) -> list[dict[str, Any]]:
    """The streaming decoder in chunks of 32 columns."""
    rows = []
    for params in (HIFI, RIFFUSION_V1):
        for quality in ("fast", "best"):
            sonogram = encode(sound[:1], RATE, params)
            decoder = StreamingDecoder(params, quality=quality)  # type: ignore[arg-type]
            started, slowest, samples = clock(), 0.0, []
            for first in range(0, sonogram.n_frames, CHUNK_COLUMNS):
                before = clock()
                chunk = sonogram.values[:, :, first : first + CHUNK_COLUMNS]
                samples.append(decoder.push(chunk))
                slowest = max(slowest, clock() - before)
            samples.append(decoder.flush())
            took = clock() - started
            whole = decode(sonogram, quality=quality)  # type: ignore[arg-type]
            rows.append(
                {
                    "format": params.name,
                    "quality": quality,
                    "look_ahead_s": params.duration_s(decoder.look_ahead_frames()),
                    "times_real_time": sonogram.duration_s / took,
                    "slowest_chunk_ms": 1000 * slowest,
                    "same_as_whole": bool(np.array_equal(np.concatenate(samples, 1), whole)),
                }
            )
            print_row(rows[-1])
    return rows


def bench_methods(sounds: dict[str, np.ndarray], clock: Clock) -> list[dict[str, Any]]:
    """Ways to invert the mel and find the phase, on the same sounds and formats."""
    rows = []
    for params in (HIFI, RIFFUSION_V1):
        for method in METHODS:
            figures, took = [], 0.0
            for sound in sounds.values():
                wanted = encode(sound[:1, :CLIP_SAMPLES], RATE, params)
                picture = picture_from_bytes(png_bytes(wanted))
                started = clock()
                waveform = run_method(picture, method)
                took += (clock() - started) / wanted.duration_s
                again = encode(waveform, RATE, params)
                figures.append(_figures(again, wanted))
            mean = np.mean(figures, axis=0)
            rows.append(
                {
                    "format": params.name,
                    "method": method.name,
                    "s_per_s": took / len(sounds),
                    "interior_sc_db": mean[0],
                    "mel_error_db": mean[1],
                    "lsd_db": mean[2],
                }
            )
            print_row(rows[-1])
    return rows


def _figures(again: Sonogram, wanted: Sonogram) -> tuple[float, float, float]:
    from sonoriff.evaluation.codec import level_errors_db, spectral_convergence_db

    return (spectral_convergence_db(again, wanted, 10), *level_errors_db(again, wanted))


def bench_round_trips(sounds: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Clip to 8-bit picture to clip, in every setting."""
    rows = []
    for params in (HIFI, RIFFUSION_V1):
        for quality in ("fast", "best"):
            for name, sound in sounds.items():
                figures = clip_figures(sound[:, :CLIP_SAMPLES], RATE, params, quality)  # type: ignore[arg-type]
                rows.append({"format": params.name, "quality": quality, "sound": name, **figures})
                print_row(rows[-1])
    return rows


def print_row(row: dict[str, Any]) -> None:
    """One line of `name value` pairs."""
    words = [
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in row.items()
    ]
    print("  " + ", ".join(words), flush=True)


def load_sounds(paths: list[Path]) -> dict[str, np.ndarray]:
    """Sounds at 44.1 kHz by file name, or the made one."""
    sounds = {path.stem: resample(*read_audio(path), RATE) for path in paths}
    return sounds or {"made": made_sound()}


def load_pictures(paths: list[Path], sounds: dict[str, np.ndarray]) -> dict[str, bytes]:
    """The bytes of riffusion-v1 pictures by file name, or of that of the first sound."""
    if paths:
        return {path.stem: path.read_bytes() for path in paths}
    name, sound = next(iter(sounds.items()))
    return {name: png_bytes(encode(sound[:1, :CLIP_SAMPLES], RATE, RIFFUSION_V1))}


def main() -> None:
    """Run the parts that are asked for."""
    parts = ("speed", "stream", "round-trips", "methods", "pictures")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(parts))
    parser.add_argument("--picture", nargs="+", type=Path, default=[])
    parser.add_argument("--sound", nargs="+", type=Path, default=[])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    unknown = set(options.parts) - set(parts)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; known: {', '.join(parts)}")
    torch.set_num_threads(options.threads)
    clock = clock_for(options.threads)
    sounds = load_sounds(options.sound)
    pictures = load_pictures(options.picture, sounds)
    work: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "speed": lambda: bench_speed(next(iter(sounds.values())), options.threads),
        "stream": lambda: bench_stream(next(iter(sounds.values())), clock),
        "round-trips": lambda: bench_round_trips(sounds),
        "methods": lambda: bench_methods(sounds, clock),
        "pictures": lambda: bench_pictures(pictures, clock),
    }
    for params in (HIFI, RIFFUSION_V1):  # compiled kernels are loaded before anything is timed
        decode(encode(np.zeros((1, 9000), np.float32), RATE, params))
    results = {}
    for part in options.parts or parts:
        print(f"{part}, {options.threads} thread(s)", flush=True)
        results[part] = work[part]()
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
