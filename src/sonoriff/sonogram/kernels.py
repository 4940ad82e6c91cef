"""Inner loops of the decoder, compiled once and cached."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

# One step may raise a band by at most this factor: an empty band must not explode.
MAX_GAIN = 10.0
# Frames side by side in one vector register.
TILE = 16


@numba.njit(cache=True, nogil=True, fastmath=True)
def _band_gain(
    magnitude: FloatArray,
    mel: FloatArray,
    start: IntArray,
    stop: IntArray,
    weights: FloatArray,
    spread: FloatArray,
    gain: FloatArray,
) -> None:
    """Gain for each bin that brings the mel value of each band to `mel`; written to `gain`."""
    gain[:] = 0.0
    for band in range(start.size):
        target = mel[band]
        if target <= 0.0:
            continue
        first, last = start[band], stop[band]
        have = np.float32(0.0)
        for f in range(first, last):
            have += weights[band, f - first] * magnitude[f]
        ratio = target / max(have, target * np.float32(1.0 / MAX_GAIN))
        for f in range(first, last):
            gain[f] += spread[band, f - first] * ratio


@numba.njit(cache=True, nogil=True, fastmath=True)
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
    magnitude = np.zeros((n_frames, n_bins), np.float32)
    gain = np.empty(n_bins, np.float32)
    for n in range(n_frames):
        for band in range(start.size):
            first, last = start[band], stop[band]
            total = np.float32(1e-12)
            for f in range(first, last):
                total += weights[band, f - first]
            level = mel[n, band] / total
            for f in range(first, last):
                magnitude[n, f] += spread[band, f - first] * level
        for _ in range(n_updates):
            _band_gain(magnitude[n], mel[n], start, stop, weights, spread, gain)
            for f in range(n_bins):
                magnitude[n, f] *= gain[f]
    return magnitude


@numba.njit(cache=True, nogil=True, fastmath=True)
def _tile_gain(
    magnitude: FloatArray,
    mel: FloatArray,
    start: IntArray,
    stop: IntArray,
    weights: FloatArray,
    spread: FloatArray,
    gain: FloatArray,
) -> None:
    """`_band_gain` for TILE frames side by side: (F, TILE), mel (n <= TILE, M)."""
    gain[:] = 0.0
    ratio = np.empty(TILE, np.float32)
    for band in range(start.size):
        ratio[:] = 0.0
        for f in range(start[band], stop[band]):
            weight = weights[band, f - start[band]]
            for lane in range(TILE):
                ratio[lane] += weight * magnitude[f, lane]
        for lane in range(mel.shape[0]):
            target = mel[lane, band]
            if target > 0.0:
                have = max(ratio[lane], target * np.float32(1.0 / MAX_GAIN))
                ratio[lane] = target / have
            else:
                ratio[lane] = 0.0
        for f in range(start[band], stop[band]):
            weight = spread[band, f - start[band]]
            for lane in range(TILE):
                gain[f, lane] += weight * ratio[lane]


@numba.njit(cache=True, nogil=True, fastmath=True)
def project_on_mel(
    spectrum: FloatArray,
    earlier: FloatArray,
    momentum: float,
    mel: FloatArray,
    start: IntArray,
    stop: IntArray,
    weights: FloatArray,
    spread: FloatArray,
) -> FloatArray:
    """Accelerated spectrum, scaled so that its mel values are `mel`.

    Parameters
    ----------
    spectrum, earlier : float32 (N, F, 2), real and imaginary; this consistent spectrum and the
        one of the iteration before
    momentum : weight of their difference
    mel : float32 (N, M), >= 0

    Returns
    -------
    float32 (N, F, 2)
    """
    n_frames, n_bins, _ = spectrum.shape
    result = np.empty_like(spectrum)
    magnitude = np.zeros((n_bins, TILE), np.float32)
    gain = np.empty((n_bins, TILE), np.float32)
    push = np.float32(momentum)
    for first in range(0, n_frames, TILE):
        n_lanes = min(TILE, n_frames - first)
        for lane in range(n_lanes):
            n = first + lane
            for f in range(n_bins):
                real = spectrum[n, f, 0] + push * (spectrum[n, f, 0] - earlier[n, f, 0])
                imag = spectrum[n, f, 1] + push * (spectrum[n, f, 1] - earlier[n, f, 1])
                result[n, f, 0] = real
                result[n, f, 1] = imag
                magnitude[f, lane] = np.sqrt(real * real + imag * imag)
        _tile_gain(magnitude, mel[first : first + n_lanes], start, stop, weights, spread, gain)
        for lane in range(n_lanes):
            n = first + lane
            for f in range(n_bins):
                result[n, f, 0] *= gain[f, lane]
                result[n, f, 1] *= gain[f, lane]
    return result


@numba.njit(cache=True, nogil=True, fastmath=True)
def overlap_add(frames: FloatArray, window: FloatArray, hop: int, total: FloatArray) -> None:
    """Add windowed frames (N, >= L), `hop` apart, onto `total`."""
    for n in range(frames.shape[0]):
        place = n * hop
        for t in range(window.size):
            total[place + t] += window[t] * frames[n, t]


@numba.njit(cache=True, nogil=True, fastmath=True)
def windowed_frames(
    waveform: FloatArray, window: FloatArray, hop: int, n_frames: int
) -> FloatArray:
    """Windowed pieces of a waveform, (N, L), `hop` apart."""
    frames = np.empty((n_frames, window.size), np.float32)
    for n in range(n_frames):
        place = n * hop
        for t in range(window.size):
            frames[n, t] = window[t] * waveform[place + t]
    return frames
