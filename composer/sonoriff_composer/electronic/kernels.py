"""Oscillators and the resonant filter, compiled: one pass over the samples each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

SAMPLE_RATE = 44_100
Signal = npt.NDArray[np.float32]


@njit(cache=True, fastmath=True)
def _blep(phase: float, step: float) -> float:
    """The correction that rounds off a saw's jump (PolyBLEP)."""
    if phase < step:
        t = phase / step
        return t + t - t * t - 1.0
    if phase > 1.0 - step:
        t = (phase - 1.0) / step
        return t * t + t + t + 1.0
    return 0.0


@njit(cache=True, fastmath=True)
def saw_bank(hz: Signal, ratios: Signal, phases: Signal) -> Signal:
    """Sum of saws at `hz` (T,) times each ratio, starting at the given phases; about [-1, 1].

    References
    ----------
    Välimäki & Huovilainen (2007), IEEE Signal Processing Magazine 24(2): PolyBLEP.
    """
    out = np.zeros(len(hz), np.float32)
    scale = 1.0 / np.sqrt(len(ratios))
    for voice in range(len(ratios)):
        phase = phases[voice]
        for i in range(len(hz)):
            step = hz[i] * ratios[voice] / 44100.0
            out[i] += (2.0 * phase - 1.0 - _blep(phase, step)) * scale
            phase += step
            if phase >= 1.0:
                phase -= 1.0
    return out


@njit(cache=True, fastmath=True)
def pulse(hz: Signal, width: Signal) -> Signal:
    """Pulse wave at `hz` (T,) with duty cycle `width` (T,), [-1, 1]."""
    out = np.zeros(len(hz), np.float32)
    phase = 0.0
    for i in range(len(hz)):
        step = hz[i] / 44100.0
        value = 1.0 if phase < width[i] else -1.0
        value += _blep(phase, step)
        other = phase - width[i]
        if other < 0.0:
            other += 1.0
        value -= _blep(other, step)
        out[i] = value
        phase += step
        if phase >= 1.0:
            phase -= 1.0
    return out


@njit(cache=True, fastmath=True)
def filtered(x: Signal, cutoff_hz: Signal, resonance: float, mode: int) -> Signal:
    """State variable filter with a moving cutoff; mode 0 low, 1 band, 2 high; resonance 0-1.

    References
    ----------
    Simper (2013), "Linear trapezoidal integrated state variable filter".
    """
    out = np.zeros(len(x), np.float32)
    k = 2.0 - 1.94 * resonance
    first = second = 0.0
    for i in range(len(x)):
        hz = min(max(cutoff_hz[i], 20.0), 19000.0)
        g = np.tan(np.pi * hz / 44100.0)
        a1 = 1.0 / (1.0 + g * (g + k))
        v3 = x[i] - second
        v1 = a1 * first + g * a1 * v3
        v2 = second + g * a1 * first + g * g * a1 * v3
        first = 2.0 * v1 - first
        second = 2.0 * v2 - second
        if mode == 0:
            out[i] = v2
        elif mode == 1:
            out[i] = v1 * k
        else:
            out[i] = x[i] - k * v1 - v2
    return out


@njit(cache=True, fastmath=True)
def smoothed(x: Signal, seconds: float) -> Signal:
    """One-pole smoothing, for glides and swells."""
    out = np.empty(len(x), np.float32)
    share = 1.0 - np.exp(-1.0 / (seconds * 44100.0))
    state = x[0]
    for i in range(len(x)):
        state += share * (x[i] - state)
        out[i] = state
    return out
