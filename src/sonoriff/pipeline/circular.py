"""Sonogram to a waveform that is a circle: played again and again there is no join."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.codec import decode
from sonoriff.sonogram.grid import WorkGrid, work_grid
from sonoriff.sonogram.kernels import project_on_mel
from sonoriff.sonogram.overlap import LEAST_WINDOW_POWER, frames_from_spectrum, spectrum_from_frames
from sonoriff.sonogram.sonogram import Sonogram

FloatArray = npt.NDArray[np.float32]
# Columns of the other end that are decoded before the start, and over which the two are faded.
_LEAD_FRAMES, _FADE_FRAMES = 64, 16
_ITERATIONS, _MOMENTUM = 16, 0.99


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
    grid = work_grid(sonogram.params)
    start = _resampled(_faded(sonogram), sonogram.n_frames * grid.hop)
    return _resampled(_refined(start, _working_mel(sonogram, grid), grid), n_samples)


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
    n_channels, length = waveform.shape
    starts = np.arange(length // grid.hop) * grid.hop - grid.lead(grid.win, grid.hop)
    places = (starts[:, None] + np.arange(grid.win)) % length
    power = np.zeros(length, np.float32)
    np.add.at(power, places.ravel(), np.tile(grid.window**2, len(starts)))
    power = np.maximum(power, LEAST_WINDOW_POWER * power.max())
    bank, n_bins = grid.bank, grid.n_bins
    shape, flat_mel = (n_channels * len(starts), n_bins, 2), mel.reshape(-1, mel.shape[2])
    earlier = None
    for _ in range(_ITERATIONS):
        spectrum = spectrum_from_frames(waveform[:, places] * grid.window, grid.n_fft)
        before = spectrum if earlier is None else earlier
        projected = project_on_mel(
            spectrum.view(np.float32).reshape(shape),
            before.view(np.float32).reshape(shape),
            _MOMENTUM if earlier is not None else 0.0,
            flat_mel,
            bank.start,
            bank.stop,
            bank.weights,
            bank.spread,
        )
        earlier = spectrum
        turned = projected.reshape(n_channels, len(starts), 2 * n_bins).view(np.complex64)
        frames = frames_from_spectrum(turned, grid.n_fft)[..., : grid.win] * grid.window
        total = np.zeros_like(waveform)
        for channel in range(n_channels):
            np.add.at(total[channel], places.ravel(), frames[channel].ravel())
        waveform = total / power
    return waveform


def _resampled(waveform: FloatArray, n_samples: int) -> FloatArray:
    """A circular waveform in another number of samples, exactly, by its Fourier series."""
    import torch

    length = waveform.shape[1]
    if length == n_samples:
        return waveform
    spectrum = torch.fft.rfft(torch.from_numpy(waveform).double())
    kept = min(length, n_samples) // 2
    wanted = spectrum.new_zeros(len(waveform), n_samples // 2 + 1)
    wanted[:, :kept] = spectrum[:, :kept]
    turned = torch.fft.irfft(wanted, n_samples) * (n_samples / length)
    return np.ascontiguousarray(turned.numpy(), dtype=np.float32)
