"""Inner loops of the codec: in C where the package was built with it, else in NumPy.

Both give the same values but for rounding; NumPy takes a hundred times as long.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from sonoriff.sonogram.native import call, library
from sonoriff.sonogram.transform import TransformPlan

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]
LongArray = npt.NDArray[np.int64]

LANES = 8
# One step may raise a band by at most this factor: an empty band must not explode.
MAX_GAIN = 10.0


def magnitude_from_mel(
    mel: FloatArray,
    start: IntArray,
    stop: IntArray,
    weights: FloatArray,
    spread: FloatArray,
    n_bins: int,
    n_updates: int,
) -> FloatArray:
    """A non-negative magnitude whose mel values are near `mel`: (N, M) -> (N, F), float32.

    Multiplicative updates from an evenly spread start; each is the exact answer for the
    bins that a single band covers.
    """
    if library() is not None:
        n_frames, n_bands = mel.shape
        result = np.empty((n_frames, n_bins), np.float32)
        work = np.empty(LANES * (2 * n_bins + n_bands), np.float32)
        call(
            *("magnitude_from_mel", np.ascontiguousarray(mel), n_frames, n_bands, start, stop),
            *(weights, spread, weights.shape[1], n_bins, n_updates, MAX_GAIN, work, result),
        )
        return result
    dense, back = (_dense(part, start, stop, n_bins) for part in (weights, spread))
    magnitude: FloatArray = (mel / (dense.sum(axis=1) + np.float32(1e-12))) @ back
    for _ in range(n_updates):
        magnitude = magnitude * _gain(magnitude, mel, dense, back)
    return magnitude


def mel_columns(
    samples: FloatArray,
    n_frames: int,
    hop: int,
    window: FloatArray,
    start: IntArray,
    stop: IntArray,
    weights: FloatArray,
    plan: TransformPlan,
) -> FloatArray:
    """Mel amplitude (M, N) of the windowed frames of a waveform, `hop` apart from sample 0 on."""
    n_half = plan.n_fft // 2
    if library() is not None:
        stride = -(-n_frames // LANES) * LANES
        mel = np.empty((start.size, stride), np.float32)
        width = n_frames + -(-window.size // hop) - 1 + LANES
        work = np.empty(hop * width + 5 * LANES * (n_half + 1), np.float32)
        call(
            *("mel_columns", np.ascontiguousarray(samples), samples.size, n_frames, hop),
            *(window, window.size, start, stop, weights, start.size, weights.shape[1]),
            *(plan.n_fft, plan.radices, plan.radices.size, plan.pass_turns, plan.real_turns),
            *(stride, work, mel),
        )
        return mel[:, :n_frames]
    frames = _frames(samples, n_frames, hop, window.size) * window
    dense = _dense(weights, start, stop, n_half + 1)
    magnitude = np.abs(np.fft.rfft(frames, plan.n_fft)).astype(np.float32)
    return np.ascontiguousarray((magnitude @ dense.T).T)


def consistency_step(
    samples: FloatArray,
    n_frames: int,
    hop: int,
    window: FloatArray,
    synthesis_window: FloatArray,
    mel: FloatArray,
    start: IntArray,
    stop: IntArray,
    weights: FloatArray,
    spread: FloatArray,
    plan: TransformPlan,
    total: FloatArray,
) -> None:
    """One step of Griffin-Lim: frames of a waveform, set to their mel values, added up again.

    Parameters
    ----------
    samples : float32 (>= (N - 1) hop + L,)
    window, synthesis_window : float32 (L,); the second holds what normalises the sum
    mel : float32 (N, M), >= 0
    plan : of the transform
    total : float32 (>= (N - 1) hop + R hop,), to which the frames are added
    """
    n_half, win = plan.n_fft // 2, window.size
    if library() is not None:
        n_hops = n_frames + -(-win // hop) - 1
        work = np.empty(
            2 * hop * (n_hops + LANES) + LANES * (6 * (n_half + 1) + start.size), np.float32
        )
        call(
            *("consistency_step", np.ascontiguousarray(samples), samples.size, n_frames, hop),
            *(window, synthesis_window, win, np.ascontiguousarray(mel), start, stop, weights),
            *(spread, start.size, weights.shape[1], plan.n_fft, plan.radices, plan.radices.size),
            *(plan.pass_turns, plan.real_turns, MAX_GAIN, work, total),
        )
        return
    dense, back = (_dense(part, start, stop, n_half + 1) for part in (weights, spread))
    spectrum = np.fft.rfft(_frames(samples, n_frames, hop, win) * window, plan.n_fft)
    gain = _gain(np.abs(spectrum).astype(np.float32), mel, dense, back)
    frames = np.fft.irfft(spectrum * gain, plan.n_fft)[:, :win] * np.float32(plan.n_fft)
    overlap_add(np.ascontiguousarray(frames, np.float32), synthesis_window, hop, total)


def overlap_add(frames: FloatArray, window: FloatArray, hop: int, total: FloatArray) -> None:
    """Add windowed frames (N, >= L), `hop` apart, onto `total`."""
    frames = np.ascontiguousarray(frames)
    if library() is not None:
        call(
            *("overlap_add", frames, len(frames), frames.shape[1], window, window.size),
            *(hop, total),
        )
        return
    for n, frame in enumerate(frames):
        total[n * hop : n * hop + window.size] += window * frame[: window.size]


def _dense(runs: FloatArray, start: IntArray, stop: IntArray, n_bins: int) -> FloatArray:
    """(M, F) of a bank's runs."""
    dense = np.zeros((len(runs), n_bins), np.float32)
    for band, (first, last) in enumerate(zip(start, stop, strict=True)):
        dense[band, first:last] = runs[band, : last - first]
    return dense


def _gain(
    magnitude: FloatArray, mel: FloatArray, dense: FloatArray, back: FloatArray
) -> FloatArray:
    """Gain for each bin (N, F) that brings the mel value of each band to `mel`."""
    least = np.maximum(mel / np.float32(MAX_GAIN), np.float32(1e-30))
    gain: FloatArray = (mel / np.maximum(magnitude @ dense.T, least)) @ back
    return gain


def _frames(samples: FloatArray, n_frames: int, hop: int, win: int) -> FloatArray:
    """(N, L), silence where the samples end."""
    needed = (n_frames - 1) * hop + win
    whole = np.zeros(needed, np.float32)
    whole[: samples.size] = samples[:needed]
    return sliding_window_view(whole, win)[::hop]
