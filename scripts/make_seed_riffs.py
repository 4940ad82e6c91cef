"""Write the seed riffs that `/run_inference/` starts from: plain loops, synthesised here.

Usage: python scripts/make_seed_riffs.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonoriff.audio import set_loudness
from sonoriff.sonogram import Sonogram, encode, save_picture

TARGET = Path(__file__).resolve().parents[1] / "src" / "sonoriff" / "server" / "seeds"
RATE = 44100
# A window of the bundled model.
N_SAMPLES = 512 * 512
Sound = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Loop:
    """A loop: tempo, chords as semitones above the root, and what is hit on which eighth."""

    bpm: float
    root_hz: float
    chords: tuple[tuple[int, ...], ...]
    kick: str
    snare: str
    hat: str
    partials: int


LOOPS = {
    "steady_beat": Loop(
        120, 55.0, ((0, 7, 12), (-2, 5, 10)), "x---x---", "--x---x-", "-x-x-x-x", 6
    ),
    "broken_beat": Loop(96, 49.0, ((0, 3, 7), (5, 8, 12)), "x--x--x-", "--x---x-", "xxxxxxxx", 4),
    "mallets": Loop(
        108, 110.0, ((0, 4, 7, 11), (2, 5, 9, 12)), "x-------", "--------", "--x---x-", 2
    ),
    "slow_bells": Loop(72, 82.4, ((0, 7, 14), (3, 10, 15)), "--------", "--------", "--------", 9),
    "fast_bass": Loop(140, 41.2, ((0, 12), (3, 15)), "x-x-x-x-", "--x---x-", "-x-x-x-x", 10),
}


def sound_of(loop: Loop) -> Sound:
    """Samples (T,) of a loop."""
    rng = np.random.default_rng(0)
    eighth = round(30.0 / loop.bpm * RATE)
    sound = np.zeros(N_SAMPLES + RATE)
    for number, start in enumerate(range(0, N_SAMPLES, eighth)):
        place = number % 8
        chord = loop.chords[number // 8 % len(loop.chords)]
        tones = chord if place == 0 else (chord[number % len(chord)] + 12,)
        hits = [_tone(loop.root_hz * 2 ** (tone / 12), loop.partials) for tone in tones]
        hits += [_kick()] if loop.kick[place] == "x" else []
        hits += [_noise(rng, 30.0, 0.4)] if loop.snare[place] == "x" else []
        hits += [_noise(rng, 120.0, 0.15)] if loop.hat[place] == "x" else []
        for hit in hits:
            sound[start : start + hit.size] += hit[: sound.size - start]
    return sound[:N_SAMPLES]


def _tone(pitch_hz: float, partials: int) -> Sound:
    age_s = np.arange(RATE) / RATE
    waves = [
        np.sin(2 * np.pi * pitch_hz * n * age_s) * np.exp(-(1.5 + n) * age_s) / n
        for n in range(1, partials + 1)
    ]
    return np.asarray(0.3 * sum(waves))


def _kick() -> Sound:
    age_s = np.arange(RATE // 4) / RATE
    return np.asarray(
        np.sin(2 * np.pi * 6 * (1 - np.exp(-30 * age_s)) + 300 * age_s) * np.exp(-14 * age_s)
    )


def _noise(rng: np.random.Generator, decay: float, level: float) -> Sound:
    age_s = np.arange(RATE // 4) / RATE
    return np.asarray(level * rng.standard_normal(age_s.size) * np.exp(-decay * age_s))


def main() -> None:
    """Write the pictures."""
    TARGET.mkdir(exist_ok=True)
    for name, loop in LOOPS.items():
        sound = sound_of(loop)
        waveform = (0.5 * sound / np.abs(sound).max())[None].astype(np.float32)
        sonogram = encode(set_loudness(waveform, RATE, -16.0), RATE)
        about = {"verb": "synthesised", "prompt": name.replace("_", " "), "bpm": loop.bpm}
        save_picture(TARGET / f"{name}.png", Sonogram(sonogram.values, sonogram.params, about))


if __name__ == "__main__":
    main()
