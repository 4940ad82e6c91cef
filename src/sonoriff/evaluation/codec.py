"""How well a sound survives sound -> 8-bit picture -> sound, and what that costs."""

from __future__ import annotations

import dataclasses
import json
import math
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from sonoriff.audio import read_audio
from sonoriff.errors import ParameterError
from sonoriff.sonogram.params import PRESETS, SonogramParams, params_by_name
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.sonogram.streaming import Quality

FloatArray = npt.NDArray[np.float32]

# Levels further below the loudest cell are taken as equally silent.
RANGE_DB = 60.0
EDGE_COLUMNS = 10
STEREO_RANGE_DB = 40.0
COHERENCE_FRAMES = 32


@dataclass(frozen=True)
class CodecFigures:
    """Mean figures of one format and quality.

    Attributes
    ----------
    format, quality : names
    clips : how many sounds
    convergence_db : spectral convergence of the picture, dB
    interior_db : the same without ten columns at either end
    mel_error_db : mean absolute level error of the picture, dB
    spectral_distance_db : log-spectral distance of the picture, dB
    stereo_level_db : mean error of the level difference between the channels, dB; NaN for mono
    stereo_correlation : mean error of the correlation between the channels, 0 to 2; NaN for mono
    cost : seconds that one processor core works to decode a second of sound
    memory_mb : what a decode adds to the process, MB; NaN where it cannot be read
    """

    format: str
    quality: str
    clips: int
    convergence_db: float
    interior_db: float
    mel_error_db: float
    spectral_distance_db: float
    stereo_level_db: float
    stereo_correlation: float
    cost: float
    memory_mb: float


def amplitude(sonogram: Sonogram) -> npt.NDArray[np.float64]:
    """Linear mel amplitude (C, M, N) of a sonogram in any format."""
    values = sonogram.values.astype(np.float64)
    if sonogram.params.scale == "power":
        return values
    return np.asarray(np.where(values <= sonogram.params.db_min, 0.0, 10.0 ** (values / 20.0)))


def spectral_convergence_db(again: Sonogram, wanted: Sonogram, edge: int = 0) -> float:
    """20 log10 of ||again - wanted|| / ||wanted||, on linear mel amplitude.

    `edge` columns are left out at either end. Silence that stays silent gives -inf.
    """
    inside = slice(edge, wanted.n_frames - edge)
    target = amplitude(wanted)[..., inside]
    error = float(np.linalg.norm(amplitude(again)[..., inside] - target))
    size = float(np.linalg.norm(target))
    if error == 0.0:
        return float("-inf")
    return 20.0 * float(np.log10(error / size)) if size else float("inf")


def levels_db(values: npt.NDArray[np.float64], loudest: float) -> npt.NDArray[np.float64]:
    """Levels in dB re `loudest`, not below -RANGE_DB."""
    floor = loudest * 10.0 ** (-RANGE_DB / 20.0)
    return np.asarray(20.0 * np.log10(np.maximum(values, floor) / loudest))


def level_errors_db(again: Sonogram, wanted: Sonogram) -> tuple[float, float]:
    """Mean absolute level error, and log-spectral distance, dB.

    The first is over all cells: of the picture's own decibels for the "log" scale, and of the
    upper 60 dB for the "power" scale. The second is the root mean square over the bands of a
    column, on the upper 60 dB, averaged over the columns.
    """
    loudest = float(amplitude(wanted).max())
    if loudest == 0.0:
        return float(np.abs(again.values - wanted.values).mean()), 0.0
    difference = levels_db(amplitude(again), loudest) - levels_db(amplitude(wanted), loudest)
    distance = float(np.sqrt(np.square(difference).mean(axis=1)).mean())
    if wanted.params.scale == "log":
        difference = (again.values - wanted.values).astype(np.float64)
    return float(np.abs(difference).mean()), distance


def stereo_level_error_db(again: Sonogram, wanted: Sonogram) -> float:
    """Mean error of the left-right level difference where both channels are within 40 dB."""
    if wanted.n_channels != 2 or not amplitude(wanted).any():
        return float("nan")
    target, result = amplitude(wanted), amplitude(again)
    floor = target.max() * 10.0 ** (-STEREO_RANGE_DB / 20.0)
    heard = (target > floor).all(axis=0)
    target, result = np.maximum(target, floor), np.maximum(result, floor)
    error = 20.0 * np.log10((result[0] * target[1]) / (result[1] * target[0]))
    return float(np.abs(error[heard]).mean()) if heard.any() else float("nan")


def stereo_correlation_error(result: FloatArray, original: FloatArray) -> float:
    """Energy-weighted mean error of the correlation between left and right.

    The correlation is that of the 2048-point spectra, bin by bin over 32 frames: 1 for the same
    sound in both channels, -1 for opposite phase, near 0 for unrelated sounds.
    """
    if original.shape[0] != 2:
        return float("nan")
    length = min(result.shape[1], original.shape[1])
    wanted, weight = _correlation(original[:, :length])
    got, _ = _correlation(result[:, :length])
    total = float(weight.sum())
    return float((np.abs(got - wanted) * weight).sum() / total) if total else float("nan")


def _correlation(waveform: FloatArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Correlation and energy, both (blocks, bins)."""
    from scipy.signal import stft

    spectrum = stft(waveform, nperseg=2048, noverlap=1536)[2]
    n_blocks = max(1, spectrum.shape[2] // COHERENCE_FRAMES)
    parts = np.array_split(spectrum, n_blocks, axis=2)
    cross = np.stack([(p[0] * p[1].conj()).real.sum(axis=1) for p in parts])
    left, right = (np.stack([np.square(np.abs(p[c])).sum(axis=1) for p in parts]) for c in (0, 1))
    size = np.sqrt(left * right)
    return np.divide(cross, size, out=np.zeros_like(cross), where=size > 0), left + right


def clip_figures(
    waveform: FloatArray, sample_rate: int, params: SonogramParams, quality: Quality
) -> dict[str, float]:
    """Figures of one sound; keys as in `CodecFigures`."""
    from sonoriff.audio import resample
    from sonoriff.sonogram.codec import decode, encode
    from sonoriff.sonogram.picture import picture_from_bytes, png_bytes

    original = resample(waveform, sample_rate, params.sample_rate)
    wanted = encode(original, params.sample_rate, params)
    picture = picture_from_bytes(png_bytes(wanted))
    memory_before, started = _memory_mb(), time.process_time()
    result = decode(picture, quality=quality)
    cost = (time.process_time() - started) / wanted.duration_s
    memory = _memory_mb() - memory_before
    again = encode(result, params.sample_rate, params)
    edge = EDGE_COLUMNS if wanted.n_frames > 3 * EDGE_COLUMNS else 0
    mel_error_db, distance_db = level_errors_db(again, wanted)
    return {
        "convergence_db": spectral_convergence_db(again, wanted),
        "interior_db": spectral_convergence_db(again, wanted, edge),
        "mel_error_db": mel_error_db,
        "spectral_distance_db": distance_db,
        "stereo_level_db": stereo_level_error_db(again, wanted),
        "stereo_correlation": stereo_correlation_error(result, original),
        "cost": cost,
        "memory_mb": memory,
    }


def _memory_mb() -> float:
    """The largest size this process has had, MB."""
    try:
        import resource
    except ImportError:  # not on Windows
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _prepare(format_name: str, quality: Quality) -> None:
    """Begin a process: load and compile what a first decode does, and keep to one thread."""
    import torch

    from sonoriff.sonogram.codec import decode

    torch.set_num_threads(1)
    params = params_by_name(format_name)
    silent = np.zeros((1, params.n_mels, 40), np.float32) + np.float32(params.db_min)
    decode(Sonogram(silent, params), quality=quality)


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    means: dict[str, float] = {}
    for name in rows[0]:
        values = [row[name] for row in rows if not np.isnan(row[name])]
        means[name] = float(np.mean(values)) if values else float("nan")
    means["memory_mb"] = max(row["memory_mb"] for row in rows)
    return means


def evaluate_codec(
    paths: Sequence[Path],
    *,
    formats: Sequence[str] = tuple(PRESETS),
    qualities: Sequence[Quality] = get_args(Quality),
    longest_s: float = 10.0,
    on_clip: Callable[[int, int], None] | None = None,
) -> list[CodecFigures]:
    """Round-trip figures of every format and quality over some sounds.

    Parameters
    ----------
    paths : audio files
    formats, qualities : names
    longest_s : seconds of each file that are used, from its start
    on_clip : told ``(done, total)`` as the work goes on

    Raises
    ------
    ParameterError
        no file, or an unknown format
    FormatError
        a file cannot be read

    Notes
    -----
    Each setting runs in a process of its own, on one thread, so that its memory is its own.
    """
    if not paths:
        raise ParameterError("no sound to evaluate: name audio files or folders that hold some")
    settings = [(params_by_name(name).name, q) for name in formats for q in qualities]
    context = multiprocessing.get_context("spawn")
    results, total = [], len(settings) * len(paths)
    for i, (name, quality) in enumerate(settings):
        rows: list[dict[str, float]] = []
        with ProcessPoolExecutor(
            1, mp_context=context, initializer=_prepare, initargs=(name, quality)
        ) as pool:
            for path in paths:
                waveform, sample_rate = read_audio(path, duration_s=longest_s)
                params = params_by_name(name)
                work: Any = pool.submit(clip_figures, waveform, sample_rate, params, quality)
                rows.append(work.result())
                if on_clip is not None:
                    on_clip(i * len(paths) + len(rows), total)
        results.append(CodecFigures(name, quality, len(rows), **_means(rows)))
    return results


def figures_json(figures: Sequence[CodecFigures]) -> str:
    """Every figure as JSON; what does not apply is null."""
    rows = [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in dataclasses.asdict(row).items()
        }
        for row in figures
    ]
    return json.dumps({"version": 1, "rows": rows}, indent=1) + "\n"


_COLUMNS = (
    ("SC, dB", "convergence_db", 1),
    ("interior SC, dB", "interior_db", 1),
    ("mel error, dB", "mel_error_db", 2),
    ("LSD, dB", "spectral_distance_db", 2),
    ("stereo level, dB", "stereo_level_db", 2),
    ("stereo correlation", "stereo_correlation", 3),
    ("s per s", "cost", 3),
    ("memory, MB", "memory_mb", 0),
)


def table_text(figures: Sequence[CodecFigures]) -> str:
    """The figures as a Markdown table."""
    titles = ["format", "quality", "clips", *(title for title, _, _ in _COLUMNS)]
    rows = [titles, ["---"] * len(titles)]
    for row in figures:
        cells = [_cell(getattr(row, name), digits) for _, name, digits in _COLUMNS]
        rows.append([row.format, row.quality, str(row.clips), *cells])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _cell(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
