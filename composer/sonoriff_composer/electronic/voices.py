"""Synthesised sounds: one function a sound, from numbers to float32 (T,)."""

from __future__ import annotations

import numpy as np

from sonoriff_composer.electronic.kernels import (
    SAMPLE_RATE,
    Signal,
    filtered,
    pulse,
    saw_bank,
    smoothed,
)

Generator = np.random.Generator


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch."""
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def _time(seconds: float) -> Signal:
    """Sample times."""
    times = np.arange(round(seconds * SAMPLE_RATE), dtype=np.float32)
    return _f(times / np.float32(SAMPLE_RATE))


def _flat(value: float, count: int) -> Signal:
    """A constant signal."""
    return np.full(count, value, np.float32)


def _f(x: object) -> Signal:
    """As float32."""
    return np.asarray(x, np.float32)


def faded(x: Signal, attack_s: float = 0.002, release_s: float = 0.01) -> Signal:
    """A sound with soft edges."""
    out: Signal = x.copy()
    a, r = min(len(x), round(attack_s * SAMPLE_RATE)), min(len(x), round(release_s * SAMPLE_RATE))
    if a > 1:
        out[:a] *= np.linspace(0, 1, a, dtype=np.float32)
    if r > 1:
        out[-r:] *= np.linspace(1, 0, r, dtype=np.float32)
    return out


def noise(rng: Generator, seconds: float) -> Signal:
    """White noise."""
    return _f(
        rng.standard_normal(round(seconds * SAMPLE_RATE)).astype(np.float32) * np.float32(0.4)
    )


def steady(x: Signal, cutoff_hz: float, mode: int, resonance: float = 0.2) -> Signal:
    """A filter that stands still."""
    return _f(filtered(x, _flat(cutoff_hz, len(x)), resonance, mode))


def kick(rng: Generator, *, base_hz: float, decay_s: float, punch: float, drive: float) -> Signal:
    """Bass drum: a sine that falls to `base_hz`, a click, saturation."""
    t = _time(decay_s * 2.2)
    sweep = base_hz * (1 + punch * 5 * np.exp(-t / 0.018) + punch * 1.2 * np.exp(-t / 0.07))
    body = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE) * np.exp(-((t / decay_s) ** 1.4))
    click = steady(noise(rng, 0.012), 2500, 2) * np.exp(-_time(0.012) / 0.003)
    body[: len(click)] += 0.5 * punch * click
    return faded(_f(np.tanh(body * (1 + drive * 4)) / np.tanh(1 + drive * 4)), 0.0005, 0.02)


def snare(rng: Generator, *, tone_hz: float, decay_s: float, snap: float) -> Signal:
    """Snare drum: two tones and a band of noise."""
    t = _time(decay_s * 3)
    tone = np.sin(2 * np.pi * tone_hz * t) + 0.5 * np.sin(2 * np.pi * tone_hz * 1.6 * t)
    rattle = steady(noise(rng, decay_s * 3), 1200, 2) * np.exp(-t / decay_s)
    return faded(_f(0.5 * tone * np.exp(-t / 0.06) + 1.2 * snap * rattle), 0.0005)


def clap(rng: Generator, *, centre_hz: float, decay_s: float) -> Signal:
    """Hand clap: four bursts of noise, the last one long."""
    t = _time(decay_s * 4 + 0.05)
    shape = np.zeros_like(t)
    for start in (0.0, 0.011, 0.022):
        shape += np.where(t >= start, np.exp(-(t - start) / 0.004), 0)
    shape += np.where(t >= 0.03, np.exp(-(t - 0.03) / decay_s), 0)
    body = steady(noise(rng, len(t) / SAMPLE_RATE)[: len(t)], centre_hz, 1, 0.4)
    return faded(_f(2.2 * body * shape[: len(body)]), 0.0005)


def hat(rng: Generator, *, decay_s: float, bright_hz: float, metal: float) -> Signal:
    """Hi-hat or cymbal: noise and six squares above `bright_hz`."""
    seconds = min(decay_s * 5, 1.5)
    t = _time(seconds)
    ring = sum(np.sign(np.sin(2 * np.pi * hz * t)) for hz in (263, 400, 421, 474, 587, 845))
    body = noise(rng, seconds) * (1 - metal) + _f(ring) * np.float32(0.12 * metal)
    return faded(
        _f(steady(steady(_f(body), bright_hz, 2), bright_hz, 2) * np.exp(-t / decay_s)), 0.0005
    )


def tom(*, base_hz: float, decay_s: float) -> Signal:
    """A synthetic tom or conga."""
    t = _time(decay_s * 3)
    sweep = base_hz * (1 + 0.6 * np.exp(-t / 0.03))
    return faded(
        _f(np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE) * np.exp(-t / decay_s)), 0.001
    )


def rim(rng: Generator) -> Signal:
    """A rim shot."""
    t = _time(0.06)
    x = np.sin(2 * np.pi * 1700 * t) + 0.6 * np.sin(2 * np.pi * 820 * t) + noise(rng, 0.06)
    return faded(_f(x * np.exp(-t / 0.009)), 0.0003)


def cowbell() -> Signal:
    """The cowbell of a drum machine: two squares."""
    t = _time(0.35)
    x = np.sign(np.sin(2 * np.pi * 540 * t)) + np.sign(np.sin(2 * np.pi * 800 * t))
    return faded(
        _f(steady(_f(x), 1800, 1, 0.3) * (np.exp(-t / 0.02) + 0.4 * np.exp(-t / 0.09))), 0.0005
    )


def riser(rng: Generator, seconds: float) -> Signal:
    """Noise that rises towards a bar."""
    x = noise(rng, seconds)
    sweep = np.geomspace(300, 9000, len(x)).astype(np.float32)
    return faded(_f(filtered(x, sweep, 0.5, 1) * np.linspace(0, 1, len(x)) ** 2), 0.05, 0.01)


def envelope(count: int, attack_s: float, decay_s: float, sustain: float, gate_s: float) -> Signal:
    """Attack, decay to `sustain`, release after `gate_s` with the decay's time constant."""
    t = np.arange(count, dtype=np.float32) / SAMPLE_RATE
    rise = np.minimum(t / max(attack_s, 1e-4), 1)
    fall = sustain + (1 - sustain) * np.exp(-np.maximum(t - attack_s, 0) / max(decay_s, 1e-3))
    release = np.exp(-np.maximum(t - gate_s, 0) / max(min(decay_s, 0.25), 0.02))
    return _f(rise * fall * release)


def saws(rng: Generator, pitch: float, seconds: float, *, voices: int, spread: float) -> Signal:
    """Detuned saws; `spread` in semitones from the middle to the outermost."""
    count = round(seconds * SAMPLE_RATE)
    offsets = np.linspace(-spread, spread, voices) if voices > 1 else np.zeros(1)
    ratios = _f(2 ** (offsets / 12))
    return _f(saw_bank(_flat(hertz(pitch), count), ratios, rng.random(voices).astype(np.float32)))


def square(pitch: float, seconds: float, *, width: float = 0.5, vibrato: float = 0.0) -> Signal:
    """A pulse wave with optional vibrato (semitones at 5.5 Hz, after a moment)."""
    t = _time(seconds)
    bend = vibrato * np.sin(2 * np.pi * 5.5 * t) * np.clip((t - 0.15) / 0.2, 0, 1)
    return _f(pulse(_f(hertz(pitch) * 2 ** (bend / 12)), _flat(width, len(t))))


def pad(
    rng: Generator, pitch: float, gate_s: float, *, attack_s: float, cutoff_hz: float
) -> Signal:
    """A soft pad of detuned saws."""
    x = saws(rng, pitch, gate_s + 0.8, voices=5, spread=0.14)
    shape = envelope(len(x), attack_s, 1.0, 0.85, gate_s)
    return faded(_f(steady(x, cutoff_hz, 0, 0.15) * shape), 0.01, 0.1)


def pluck(
    rng: Generator,
    pitch: float,
    gate_s: float,
    *,
    cutoff_hz: float,
    decay_s: float,
    voices: int = 3,
) -> Signal:
    """A plucked saw: the filter closes behind the attack."""
    x = saws(rng, pitch, max(gate_s, decay_s * 2) + 0.15, voices=voices, spread=0.1)
    t = np.arange(len(x)) / SAMPLE_RATE
    sweep = _f(200 + cutoff_hz * np.exp(-t / decay_s))
    return faded(_f(filtered(x, sweep, 0.3, 0) * envelope(len(x), 0.002, decay_s, 0.15, gate_s)))


def bass(
    rng: Generator, pitch: float, gate_s: float, *, cutoff_hz: float, decay_s: float, sub: float,
    resonance: float, square_wave: bool = False,
) -> Signal:  # fmt: skip
    """A synthetic bass: saw or square, a sine an octave down, a filter that closes."""
    seconds = gate_s + 0.06
    x = (
        square(pitch, seconds) * np.float32(0.7)
        if square_wave
        else saws(rng, pitch, seconds, voices=1, spread=0)
    )
    t = np.arange(len(x)) / SAMPLE_RATE
    low = np.sin(2 * np.pi * hertz(pitch if pitch < 40 else pitch - 12) * t)
    sweep = _f(120 + cutoff_hz * (0.25 + 0.75 * np.exp(-t / decay_s)))
    body = filtered(_f(x), sweep, resonance, 0) + sub * low
    return faded(_f(body * envelope(len(x), 0.003, 0.6, 0.7, gate_s)), 0.002, 0.02)


def reese(
    rng: Generator, pitch: float, gate_s: float, *, cutoff_hz: float, rate_hz: float
) -> Signal:
    """A growling bass: saws that beat against each other under a slowly moving filter."""
    x = saws(rng, pitch, gate_s + 0.05, voices=3, spread=0.25)
    t = np.arange(len(x)) / SAMPLE_RATE
    sweep = _f(cutoff_hz * (1 + 0.6 * np.sin(2 * np.pi * rate_hz * t)))
    low = np.sin(2 * np.pi * hertz(pitch) * t)
    return faded(_f(np.tanh(1.8 * filtered(x, sweep, 0.35, 0)) + 0.7 * low), 0.005, 0.02)


def wobble(
    rng: Generator, pitch: float, gate_s: float, *, rates_hz: Signal, cutoff_hz: float
) -> Signal:
    """Dubstep bass: the filter opens and shuts at `rates_hz`, one rate for each equal part."""
    x = saws(rng, pitch, gate_s, voices=3, spread=0.18) + square(pitch, gate_s) * np.float32(0.5)
    part = np.minimum(np.arange(len(x)) * len(rates_hz) // len(x), len(rates_hz) - 1)
    phase = np.cumsum(rates_hz[part]) / SAMPLE_RATE
    opening = 0.5 - 0.5 * np.cos(2 * np.pi * phase)
    body = filtered(_f(x), _f(90 + cutoff_hz * opening**1.6), 0.6, 0)
    t = np.arange(len(x)) / SAMPLE_RATE
    return faded(_f(np.tanh(2.5 * body) + 0.6 * np.sin(2 * np.pi * hertz(pitch) * t)), 0.005, 0.02)


def electric_piano(pitch: float, gate_s: float, *, tine: float) -> Signal:
    """A frequency-modulated electric piano.

    References
    ----------
    Chowning (1973), J. AES 21(7).
    """
    t = _time(gate_s + 0.4)
    hz = hertz(pitch)
    index = tine * np.exp(-t / 0.25)
    body = np.sin(2 * np.pi * hz * t + 1.2 * np.exp(-t / 0.8) * np.sin(2 * np.pi * hz * t))
    bell = np.sin(2 * np.pi * hz * t + 0.6 * index * np.sin(2 * np.pi * hz * 14 * t)) * np.exp(
        -t / 0.35
    )
    return faded(
        _f((0.8 * body + 0.13 * bell) * np.exp(-t / 1.4) * envelope(len(t), 0.003, 2, 0.9, gate_s))
    )


def bell(pitch: float, seconds: float, *, ratio: float, bright: float) -> Signal:
    """A frequency-modulated bell."""
    t = _time(seconds)
    hz = hertz(pitch)
    x = np.sin(2 * np.pi * hz * t + bright * np.exp(-t / 0.5) * np.sin(2 * np.pi * hz * ratio * t))
    return faded(_f(x * np.exp(-t / (seconds / 4))), 0.002, 0.1)


def drawbar(pitch: float, gate_s: float) -> Signal:
    """A house organ: four sine harmonics with a click."""
    t = _time(gate_s + 0.08)
    hz = hertz(pitch)
    x = sum(
        g * np.sin(2 * np.pi * hz * n * t)
        for n, g in ((1, 1.0), (2, 0.7), (3, 0.35), (4, 0.25), (0.5, 0.6))
    )
    return faded(_f(x * envelope(len(t), 0.002, 0.12, 0.6, gate_s) * 0.5))


def lead(rng: Generator, pitch: float, gate_s: float, *, kind: str, cutoff_hz: float) -> Signal:
    """A lead: supersaw, saw or square."""
    seconds = gate_s + 0.12
    if kind == "square":
        x = square(pitch, seconds, width=0.5, vibrato=0.2) * np.float32(0.6)
    else:
        x = saws(
            rng,
            pitch,
            seconds,
            voices=7 if kind == "supersaw" else 2,
            spread=0.22 if kind == "supersaw" else 0.06,
        )
    return faded(_f(steady(_f(x), cutoff_hz, 0, 0.25) * envelope(len(x), 0.006, 0.4, 0.75, gate_s)))


def acid_line(
    steps: list[tuple[int, bool, bool] | None],
    step_s: float,
    *,
    cutoff_hz: float,
    resonance: float,
    decay_s: float,
    square_wave: bool,
    opening: Signal,
) -> Signal:
    """A bass line with glides and accents through a resonant filter.

    Parameters
    ----------
    steps : (pitch, accent, slide) or None for a rest, one each step
    opening : float32 (T,), factor on the cutoff over the whole line
    """
    count = len(opening)
    hz, gate = _flat(110.0, count), np.zeros(count, np.float32)
    sweep, level = _flat(0.0, count), _flat(0.6, count)
    last = next((s[0] for s in steps if s), 36)
    sliding = False
    for number in range(int(np.ceil(count / (step_s * SAMPLE_RATE)))):
        step = steps[number % len(steps)]
        a, b = round(number * step_s * SAMPLE_RATE), round((number + 1) * step_s * SAMPLE_RATE)
        b = min(b, count)
        if step is None or a >= count:
            hz[a:b] = hertz(last)
            sliding = False
            continue
        pitch, accent, slide = step
        hz[a:b] = hertz(pitch)
        gate[a : b if slide else a + round((b - a) * 0.55)] = 1.0
        t = np.arange(b - a) / SAMPLE_RATE
        if not sliding:
            sweep[a:b] = np.exp(-t / (decay_s * (0.5 if accent else 1.0)))
        else:
            sweep[a:b] = sweep[a - 1] * np.exp(-t / decay_s)
        level[a:b] = 1.0 if accent else 0.65
        last, sliding = pitch, slide
    hz = _f(smoothed(hz, 0.012))
    wave = (
        pulse(hz, _flat(0.5, count)) if square_wave else saw_bank(hz, _flat(1.0, 1), _flat(0.0, 1))
    )
    cut = _f((cutoff_hz * 0.3 + cutoff_hz * 2.2 * sweep * level) * opening)
    body = filtered(_f(wave), cut, resonance, 0) * smoothed(_f(gate * level), 0.003)
    return _f(np.tanh(1.6 * body))
