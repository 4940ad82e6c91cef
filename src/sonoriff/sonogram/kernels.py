"""Inner loops of the decoder, compiled once and cached."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.simd import (
    LANES,
    bounded_ratio,
    join_pair,
    load,
    nothing,
    plus_times,
    split_pair,
    store,
    times,
)
from sonoriff.sonogram.transform import transform_rows

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]
LongArray = npt.NDArray[np.int64]

# One step may raise a band by at most this factor: an empty band must not explode.
MAX_GAIN = 10.0


@numba.njit(cache=True, nogil=True)
def _mel_gain(
    magnitude: FloatArray,
    mel: FloatArray,
    start: IntArray,
    stop: IntArray,
    weights: FloatArray,
    spread: FloatArray,
    gain: FloatArray,
) -> None:
    """Gain for each bin that brings the mel value of each band to `mel`, for eight frames.

    Rows of eight: `magnitude` and `gain` (F), `mel` (M).
    """
    gain[:] = 0.0
    most = np.float32(MAX_GAIN)
    for band in range(start.size):
        first, last = start[band], stop[band]
        have = nothing()
        for f in range(first, last):
            have = plus_times(have, load(magnitude, LANES * f), weights[band, f - first])
        ratio = bounded_ratio(load(mel, LANES * band), have, most)
        for f in range(first, last):
            place = LANES * f
            store(gain, place, plus_times(load(gain, place), ratio, spread[band, f - first]))


@numba.njit(cache=True, nogil=True)
def _targets(mel: FloatArray, first: int, wanted: FloatArray) -> None:
    """Mel values (N, M) of eight frames side by side; 0 for frames that are not there."""
    for lane in range(LANES):
        n = first + lane
        for band in range(mel.shape[1]):
            wanted[LANES * band + lane] = mel[n, band] if n < mel.shape[0] else np.float32(0.0)


@numba.njit(cache=True, nogil=True)
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
    n_frames = mel.shape[0]
    result = np.empty((n_frames, n_bins), np.float32)
    magnitude, gain = np.empty((2, LANES * n_bins), np.float32)
    wanted = np.empty(LANES * mel.shape[1], np.float32)
    for first in range(0, n_frames, LANES):
        _targets(mel, first, wanted)
        magnitude[:] = 0.0
        for band in range(start.size):
            total = np.float32(1e-12)
            for f in range(start[band], stop[band]):
                total += weights[band, f - start[band]]
            level = times(load(wanted, LANES * band), np.float32(1.0) / total)
            for f in range(start[band], stop[band]):
                here = load(magnitude, LANES * f)
                store(magnitude, LANES * f, plus_times(here, level, spread[band, f - start[band]]))
        for _ in range(n_updates):
            _mel_gain(magnitude, wanted, start, stop, weights, spread, gain)
            for f in range(n_bins):
                store(
                    magnitude, LANES * f, times(load(magnitude, LANES * f), load(gain, LANES * f))
                )
        for lane in range(min(LANES, n_frames - first)):
            for f in range(n_bins):
                result[first + lane, f] = magnitude[LANES * f + lane]
    return result


@numba.njit(cache=True, nogil=True)
def _laid_out(samples: FloatArray, n_hops: int, hop: int) -> FloatArray:
    """A waveform by place in the hop and by hop, so that neighbours are a hop apart; flat."""
    width = n_hops + LANES
    laid = np.zeros(hop * width, np.float32)
    for r in range(hop):
        for h in range(min(n_hops, (samples.size - r + hop - 1) // hop)):
            laid[r * width + h] = samples[h * hop + r]
    return laid


@numba.njit(cache=True, nogil=True)
def _windowed(
    laid: FloatArray, first: int, window: FloatArray, hop: int, width: int, rows: FloatArray
) -> None:
    """Eight windowed frames from `first` on: even samples as real parts, odd as imaginary."""
    for block in range(-(-window.size // hop)):
        for r in range(min(hop, window.size - block * hop)):
            t = block * hop + r
            row = load(laid, r * width + first + block)
            store(rows, LANES * t, times(row, window[t]))
    rows[LANES * window.size :] = 0.0


@numba.njit(cache=True, nogil=True)
def mel_columns(
    samples: FloatArray,
    n_frames: int,
    hop: int,
    window: FloatArray,
    start: IntArray,
    stop: IntArray,
    weights: FloatArray,
    n_fft: int,
    radices: LongArray,
    pass_turns: FloatArray,
    real_turns: FloatArray,
) -> FloatArray:
    """Mel amplitude (M, N) of the windowed frames of a waveform, `hop` apart from sample 0 on."""
    n_half, width = n_fft // 2, n_frames + -(-window.size // hop) - 1 + LANES
    laid = _laid_out(samples, width - LANES, hop)
    rows = np.empty(2 * LANES * (n_half + 1), np.float32)
    spare = np.empty(2 * LANES * (n_half + 1), np.float32)
    magnitude = np.empty(LANES * (n_half + 1), np.float32)
    mel = np.empty((start.size, -(-n_frames // LANES) * LANES), np.float32)
    flat = mel.ravel()
    for first in range(0, n_frames, LANES):
        _windowed(laid, first, window, hop, width, rows)
        in_spare = transform_rows(rows, spare, radices, pass_turns)
        here = spare if in_spare else rows
        for k in range(n_half // 2 + 1):
            split_pair(here, magnitude, real_turns, k, n_half - k if k else 0, n_half - k)
        for band in range(start.size):
            have = nothing()
            for f in range(start[band], stop[band]):
                have = plus_times(have, load(magnitude, LANES * f), weights[band, f - start[band]])
            store(flat, band * mel.shape[1] + first, have)
    return mel[:, :n_frames]


@numba.njit(cache=True, nogil=True)
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
    n_fft: int,
    radices: LongArray,
    pass_turns: FloatArray,
    real_turns: FloatArray,
    total: FloatArray,
) -> None:
    """One step of Griffin-Lim: frames of a waveform, set to their mel values, added up again.

    Parameters
    ----------
    samples : float32 (>= (N - 1) hop + L,)
    window, synthesis_window : float32 (L,); the second holds what normalises the sum
    mel : float32 (N, M), >= 0
    n_fft, radices, pass_turns, real_turns : see `TransformPlan`
    total : float32 (>= (N - 1) hop + R hop,), to which the frames are added

    Notes
    -----
    Works on eight frames side by side, with the waveform laid out by place in the hop and by hop:
    one sample of the eight frames is then eight neighbours.
    """
    overlap = -(-window.size // hop)
    n_half = n_fft // 2
    n_hops = n_frames + overlap - 1
    width = n_hops + LANES
    laid = _laid_out(samples, n_hops, hop)
    summed = np.zeros(hop * width, np.float32)
    rows = np.empty(2 * LANES * (n_half + 1), np.float32)
    spare = np.empty(2 * LANES * (n_half + 1), np.float32)
    magnitude = np.empty(LANES * (n_half + 1), np.float32)
    gain = np.empty(LANES * (n_half + 1), np.float32)
    wanted = np.zeros(LANES * mel.shape[1], np.float32)
    for first in range(0, n_frames, LANES):
        _targets(mel, first, wanted)
        _windowed(laid, first, window, hop, width, rows)
        in_spare = transform_rows(rows, spare, radices, pass_turns)
        here, there = (spare, rows) if in_spare else (rows, spare)
        for k in range(n_half // 2 + 1):
            split_pair(here, magnitude, real_turns, k, n_half - k if k else 0, n_half - k)
        _mel_gain(magnitude, wanted, start, stop, weights, spread, gain)
        for k in range(n_half // 2 + 1):
            join_pair(here, gain, real_turns, k, n_half - k)
        in_spare = transform_rows(here, there, radices, pass_turns)
        back = there if in_spare else here
        for block in range(overlap):
            for r in range(min(hop, window.size - block * hop)):
                t, place = block * hop + r, r * width + first + block
                # Real and imaginary parts are swapped: of a pair, the even sample comes second.
                frame = load(back, LANES * (t ^ 1))
                store(summed, place, plus_times(load(summed, place), frame, synthesis_window[t]))
    for h in range(n_hops):
        for r in range(hop):
            total[h * hop + r] += summed[r * width + h]


@numba.njit(cache=True, nogil=True, fastmath=True)
def overlap_add(frames: FloatArray, window: FloatArray, hop: int, total: FloatArray) -> None:
    """Add windowed frames (N, >= L), `hop` apart, onto `total`."""
    for n in range(frames.shape[0]):
        place = n * hop
        for t in range(window.size):
            total[place + t] += window[t] * frames[n, t]
