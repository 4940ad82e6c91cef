"""Putting sounds in time: tracks, patterns, sidechain, echo, reverberation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sonoriff_composer.electronic.kernels import SAMPLE_RATE, Signal


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


def reverberated(signal: Signal, seconds: float, level: float, rng: np.random.Generator) -> Signal:
    """The signal in a room: convolution with noise that dies away and darkens."""
    from scipy.signal import fftconvolve, lfilter

    count = round(seconds * SAMPLE_RATE)
    t = np.arange(count) / SAMPLE_RATE
    room = rng.standard_normal(count) * np.exp(-t * 6.9 / seconds)
    room = lfilter([0.35], [1, -0.65], room)
    room[: round(0.008 * SAMPLE_RATE)] = 0
    room /= np.sqrt(np.sum(room**2))
    wet = fftconvolve(signal, room.astype(np.float32))[: len(signal)]
    return np.asarray(signal + level * wet, np.float32)


def mixed(
    tracks: list[Track], kicks_s: list[float], rng: np.random.Generator, *, duck_depth: float,
    beat_s: float, reverb_s: float, drive: float,
) -> Signal:  # fmt: skip
    """All tracks together: ducked, echoed, in one room, softly limited."""
    total = np.zeros(max(len(t.signal) for t in tracks), np.float32)
    send = np.zeros_like(total)
    for track in tracks:
        signal = track.signal
        if track.ducked and duck_depth > 0:
            signal = duck(signal, kicks_s, duck_depth, beat_s * 0.7)
        if track.echo > 0:
            signal = echoed(signal, beat_s * 0.75, 0.45, track.echo)
        total += signal
        if track.reverb > 0:
            send += signal * np.float32(track.reverb)
    if np.any(send):
        total += reverberated(send, reverb_s, 1.0, rng) - send
    level = np.sqrt(np.mean(total**2)) + 1e-9
    total *= np.float32(0.2 / level)
    return np.asarray(np.tanh(total * (1 + drive)) / (1 + drive), np.float32)
