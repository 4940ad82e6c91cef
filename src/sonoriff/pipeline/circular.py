"""Decode a sonogram as a circle, so that it loops without a join."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.codec import decode
from sonoriff.sonogram.decode_grid import WorkGrid, work_grid
from sonoriff.sonogram.overlap import LEAST_WINDOW_POWER, consistent_frames
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.sonogram.stereo import PLANES, Upmix

FloatArray = npt.NDArray[np.float32]
# Columns of the other end that are decoded before the start, and over which the two are faded.
_LEAD_FRAMES, _FADE_FRAMES = 64, 16
_ITERATIONS, _MOMENTUM = 16, 0.99


def samples_of_loop(sonogram: Sonogram) -> int | None:
    """Exact length stored in a loop's picture; None if it is not a loop."""
    n_samples = sonogram.metadata.get("loop_samples")
    if not isinstance(n_samples, int):
        return None
    hop = sonogram.params.hop_length
    near = abs(n_samples - sonogram.n_frames * hop) <= hop
    return n_samples if near and n_samples > 0 else None


def decode_loop(sonogram: Sonogram, n_samples: int) -> FloatArray:
    """Waveform float32 (C, n_samples) of a loop.

    Parameters
    ----------
    sonogram : the last column is followed by the first
    n_samples : exact length at ``params.sample_rate``, within a few columns of the sonogram's own

    Notes
    -----
    The sonogram is decoded with its end before its start; there the end is faded into what leads
    to the start. Consistency steps on the circle then bring the phases of both together.

    References
    ----------
    Griffin & Lim (1984), IEEE TASSP 32(2), on a circle; Perraudin, Balazs & Søndergaard, A fast
    Griffin-Lim algorithm (2013).
    """
    if len(sonogram.values) == PLANES:
        return circle_resampled(_upmixed(sonogram), n_samples)
    return circle_resampled(_turn(sonogram), n_samples)


def _turn(sonogram: Sonogram) -> FloatArray:
    """The loop at the working rate, (C, N * hop)."""
    grid = work_grid(sonogram.params)
    start = circle_resampled(_faded(sonogram), sonogram.n_frames * grid.hop)
    return _refined(start, _working_mel(sonogram, grid), grid)


def _upmixed(sonogram: Sonogram) -> FloatArray:
    """The loop to left and right, (2, N hops); the middle's sound with its ends beside it."""
    params, values = sonogram.params, sonogram.values
    hop, n_frames = params.hop_length, sonogram.n_frames
    mid = circle_resampled(_turn(replace(sonogram, values=values[-1:])), n_frames * hop)
    upmix = Upmix(params)
    around = 2 * upmix.look_ahead_frames
    columns = np.arange(-around, n_frames + around) % n_frames
    samples = np.arange(-around * hop, (n_frames + around) * hop) % (n_frames * hop)
    upmix.expect(values[..., columns])
    both = upmix.finish(np.ascontiguousarray(mid[:, samples]), len(columns))
    return both[:, around * hop : (around + n_frames) * hop]


def _faded(sonogram: Sonogram) -> FloatArray:
    """One turn of the loop, N hops, whose end leads to its start but for the phase."""
    n_frames, hop = sonogram.n_frames, sonogram.params.hop_length
    order = np.arange(-_LEAD_FRAMES, n_frames + _LEAD_FRAMES) % n_frames
    turned = Sonogram(np.ascontiguousarray(sonogram.values[..., order]), sonogram.params)
    waveform = decode(turned, quality="fast")
    begin, length = _LEAD_FRAMES * hop, n_frames * hop
    fade = min(_FADE_FRAMES * hop, length // 2)
    turn: FloatArray = waveform[:, begin : begin + length].copy()
    share = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    # Equal power: the two have the same spectrum and unrelated phases.
    lead = waveform[:, begin - fade : begin]
    turn[:, -fade:] = np.sqrt(1.0 - share) * turn[:, -fade:] + np.sqrt(share) * lead
    return turn


def _working_mel(sonogram: Sonogram, grid: WorkGrid) -> FloatArray:
    """Mel magnitudes (C, N, M) at the working rate."""
    params, values = sonogram.params, np.swapaxes(sonogram.values, 1, 2)
    if params.scale == "log":
        magnitude = np.power(np.float32(10.0), values / np.float32(20.0))
        values = np.where(values <= params.db_min, np.float32(0.0), magnitude)
    mel: FloatArray = np.ascontiguousarray(values, dtype=np.float32) / np.float32(grid.unit)
    return mel


def _refined(waveform: FloatArray, mel: FloatArray, grid: WorkGrid) -> FloatArray:
    """Consistency steps on the circle, (C, N * hop) at the working rate."""
    length, n_frames = waveform.shape[1], mel.shape[1]
    lead = grid.lead(grid.win, grid.hop)
    turned = np.arange(-lead, (n_frames - 1) * grid.hop + grid.win - lead) % length
    places = np.arange(-lead, (n_frames + grid.overlap - 1) * grid.hop - lead) % length
    power = np.zeros(length, np.float32)
    for start in range(0, length, grid.hop):
        np.add.at(power, places[start : start + grid.win], grid.window**2)
    power = np.maximum(power, LEAST_WINDOW_POWER * power.max())
    for channel in range(len(waveform)):
        now = earlier = waveform[channel]
        for _ in range(_ITERATIONS):
            ahead = now + np.float32(_MOMENTUM) * (now - earlier)
            total = np.zeros(len(places), np.float32)
            consistent_frames(ahead[turned], mel[channel], grid, total)
            earlier, now = now, np.zeros(length, np.float32)
            np.add.at(now, places, total)
            now /= power
        waveform[channel] = now
    return waveform


def circle_resampled(x: FloatArray, n: int) -> FloatArray:
    """Values (..., T) of one turn of a circle at `n` places (..., n), exactly: its Fourier series.

    Unlike linear interpolation, this blurs nothing.
    """
    length = x.shape[-1]
    if length == n:
        return x
    spectrum = np.fft.rfft(x.astype(np.float64))
    # Frequencies that both lengths can hold; for even lengths the Nyquist bin counts half.
    kept = (min(length, n) + 1) // 2
    wanted = np.zeros((*x.shape[:-1], n // 2 + 1), spectrum.dtype)
    wanted[..., :kept] = spectrum[..., :kept]
    turned: FloatArray = (np.fft.irfft(wanted, n) * (n / length)).astype(np.float32)
    return turned
