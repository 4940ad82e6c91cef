"""Putting sounds in time: tracks, patterns, sidechain, echo, reverberation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sonoriff_composer.electronic.kernels import SAMPLE_RATE, Signal
from sonoriff_composer.stage import Seat


@dataclass
class Track:
    """One instrument's sound over the whole piece and when it plays (seconds)."""

    name: str
    signal: Signal
    weight: float = 1.0
    spans: list[tuple[float, float]] = field(default_factory=list)
    ducked: bool = False
    echo: float = 0.0
    reverb: float = 0.0


def place(target: Signal, sound: Signal, at_s: float, gain: float = 1.0) -> None:
    """Add a sound at a time; what hangs over the end is cut."""
    start = round(at_s * SAMPLE_RATE)
    if start < 0 or start >= len(target):
        return
    stop = min(start + len(sound), len(target))
    target[start:stop] += sound[: stop - start] * np.float32(gain)


def step_times(
    pattern: str, step_s: float, bar: int, *, steps_a_bar: int = 16, swing: float = 0.5
) -> list[tuple[float, float]]:
    """(time, gain) of the strokes of a bar: x loud, o medium, . soft ghost, - none.

    `pattern` may be several bars long; `swing` is the place of every second step (0.5 straight).
    """
    bars = max(1, len(pattern) // steps_a_bar)
    cells = pattern[(bar % bars) * steps_a_bar : (bar % bars + 1) * steps_a_bar]
    gains = {"x": 1.0, "o": 0.65, ".": 0.35}
    out = []
    for index, cell in enumerate(cells):
        if cell in gains:
            late = (swing - 0.5) * 2 if index % 2 else 0.0
            out.append(((bar * steps_a_bar + index + late) * step_s, gains[cell]))
    return out


def duck(signal: Signal, kicks_s: list[float], depth: float, release_s: float) -> Signal:
    """Lower a signal at every kick and let it come back: the pumping of dance music."""
    gain = np.ones(len(signal), np.float32)
    count = round(release_s * SAMPLE_RATE)
    curve = (1 - depth * (1 - np.linspace(0, 1, count) ** 1.5)).astype(np.float32)
    for at in kicks_s:
        start = round(at * SAMPLE_RATE)
        stop = min(start + count, len(gain))
        if 0 <= start < stop:
            gain[start:stop] = np.minimum(gain[start:stop], curve[: stop - start])
    return np.asarray(signal * gain, np.float32)


def echoed(signal: Signal, delay_s: float, feedback: float, level: float) -> Signal:
    """The signal with repeats that die away."""
    out: Signal = signal.copy()
    delay, gain = round(delay_s * SAMPLE_RATE), level
    shift = delay
    while gain > 0.03 and shift < len(signal):
        out[shift:] += signal[:-shift] * np.float32(gain)
        shift += delay
        gain *= feedback
    return out


def wet_sides(signal: Signal, seconds: float, rng: np.random.Generator) -> Signal:
    """What a room adds to a signal (T,), float32 (2, T): noise that dies away and darkens.

    The sum of both sides is that of one room, their difference that of another.
    """
    middle, side = (_wet(signal, seconds, rng) for _ in range(2))
    return np.stack([middle + side, middle - side])


def _wet(signal: Signal, seconds: float, rng: np.random.Generator) -> Signal:
    """The signal convolved with one response of a room."""
    from scipy.signal import fftconvolve, lfilter

    count = round(seconds * SAMPLE_RATE)
    t = np.arange(count) / SAMPLE_RATE
    room = rng.standard_normal(count) * np.exp(-t * 6.9 / seconds)
    room = lfilter([0.35], [1, -0.65], room)
    room[: round(0.008 * SAMPLE_RATE)] = 0
    room /= np.sqrt(np.sum(room**2))
    return np.asarray(fftconvolve(signal, room.astype(np.float32))[: len(signal)], np.float32)


def seated(signal: Signal, seat: Seat) -> Signal:
    """A signal (T,) at its place on the stage, float32 (2, T); the mean of the sides is the signal.

    What is wide has a delayed, high-passed copy of itself added on one side and taken away on the
    other, so that low tones stay in the middle.
    """
    side = signal * np.float32(seat.pan)
    if seat.width:
        from scipy.signal import lfilter

        copy = np.zeros_like(signal)
        for delay_s, gain in ((0.011, 0.7), (0.017, -0.6), (0.026, 0.4)):
            delay = round(delay_s * SAMPLE_RATE)
            copy[delay:] += signal[:-delay] * np.float32(gain)
        pole = float(np.exp(-2 * np.pi * 200 / SAMPLE_RATE))
        copy = lfilter([(1 + pole) / 2, -(1 + pole) / 2], [1, -pole], copy)
        side = side + np.float32(seat.width) * copy.astype(np.float32)
    return np.stack([signal - side, signal + side])


def mixed(
    tracks: list[Track], kicks_s: list[float], rng: np.random.Generator, *, duck_depth: float,
    beat_s: float, reverb_s: float, drive: float, stage: Sequence[Seat],
) -> Signal:  # fmt: skip
    """All tracks, each in its seat: ducked, echoed, in one room, softly limited; float32 (2, T)."""
    total = np.zeros((2, max(len(t.signal) for t in tracks)), np.float32)
    send = np.zeros_like(total[0])
    for track, seat in zip(tracks, stage, strict=True):
        signal = track.signal
        if track.ducked and duck_depth > 0:
            signal = duck(signal, kicks_s, duck_depth, beat_s * 0.7)
        if track.echo > 0:
            signal = echoed(signal, beat_s * 0.75, 0.45, track.echo)
        total += seated(signal, seat)
        if track.reverb > 0:
            send += signal * np.float32(track.reverb)
    if np.any(send):
        total += wet_sides(send, reverb_s, rng)
    level = np.sqrt(np.mean(total.mean(axis=0) ** 2)) + 1e-9
    total *= np.float32(0.2 / level)
    return np.asarray(np.tanh(total * (1 + drive)) / (1 + drive), np.float32)
