"""Write examples/pluck.flac: six seconds of plucked strings, made from nothing.

Usage: python scripts/make_example_sound.py

References
----------
Karplus & Strong (1983), Digital synthesis of plucked-string and drum timbres, CMJ 7(2).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from sonoriff.audio import set_loudness, write_audio

TARGET = Path(__file__).resolve().parents[1] / "examples" / "pluck.flac"
SAMPLE_RATE = 44100
BEAT_S = 60.0 / 161.5 / 2.0  # 16 beats, as quavers, fill 512 columns of hifi
# A minor, F, C, G: broken chords, as MIDI notes.
CHORDS = ((45, 57, 60, 64, 69), (41, 57, 60, 65, 69), (48, 55, 60, 64, 67), (43, 55, 59, 62, 67))
PATTERN = (0, 1, 2, 3, 4, 3, 2, 3)


def string(note: int, duration_s: float, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """One plucked string: a burst of noise in a comb filter that loses its high tones."""
    period = SAMPLE_RATE / (440.0 * 2.0 ** ((note - 69) / 12.0))
    length = int(period - 0.5)
    fraction = period - 0.5 - length
    burst = np.zeros(round(duration_s * SAMPLE_RATE))
    burst[:length] = lfilter([0.6], [1.0, -0.4], generator.uniform(-1.0, 1.0, length))
    # The mean of two neighbours, delayed by a whole period; linear interpolation tunes it.
    loop = np.convolve([1.0 - fraction, fraction], [0.5, 0.5]) * 0.996
    feedback = np.concatenate([[1.0], np.zeros(length - 1), -loop])
    return np.asarray(lfilter([1.0], feedback, burst))


def song() -> npt.NDArray[np.float32]:
    """Four bars; float32 (1, T)."""
    generator = np.random.default_rng(2022)
    notes = [chord[step] for chord in CHORDS for step in PATTERN]
    length = round(len(notes) * BEAT_S * SAMPLE_RATE)
    mix = np.zeros(length + 2 * SAMPLE_RATE)
    for index, note in enumerate(notes):
        sound = string(note, 1.8, generator)
        start = round(index * BEAT_S * SAMPLE_RATE)
        mix[start : start + sound.size] += sound * (1.0 if index % 4 == 0 else 0.7)
    fade = np.clip((length - np.arange(length)) / (0.05 * SAMPLE_RATE), 0.0, 1.0)
    return (mix[:length] * fade).astype(np.float32)[None]


def main() -> None:
    """Write the file."""
    waveform = song()
    waveform /= np.float32(np.abs(waveform).max())
    TARGET.parent.mkdir(exist_ok=True)
    write_audio(TARGET, set_loudness(waveform, SAMPLE_RATE, -16.0), SAMPLE_RATE)


if __name__ == "__main__":
    main()
