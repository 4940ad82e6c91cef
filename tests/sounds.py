"""Sounds whose key or tempo is known."""

import numpy as np

RATE = 44_100
MAJOR_CADENCE = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7))
MINOR_CADENCE = ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7))


def cadence(tonic: int, chords: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Chords of a second each, notes with four overtones; float64 (T,)."""
    time = np.arange(RATE) / RATE
    sounds = []
    for chord in chords:
        pitches = [261.63 * 2 ** ((tonic + note) / 12) for note in chord]
        notes = [np.sin(2 * np.pi * k * f * time) / k for f in pitches for k in range(1, 5)]
        sounds.append(0.05 * np.sum(notes, axis=0) * np.exp(-time))
    return np.concatenate(sounds)


def drums(bpm: float, seconds: float, bar_s: float = 0.0) -> np.ndarray:
    """A kick where bars begin, snare and hats on the other beats; float64 (T,)."""
    time = np.arange(round(seconds * RATE)) / RATE - bar_s
    noise = np.random.default_rng(0).normal(size=len(time))
    beat = 60.0 / bpm
    kick = np.sin(2 * np.pi * 55 * time) * np.exp(-12 * (time % (4 * beat)))
    snare = 0.3 * noise * np.exp(-30 * (time % beat))
    return np.asarray(0.5 * (kick + snare))
