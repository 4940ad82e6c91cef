"""Chroma and key estimation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError

Array = npt.NDArray[np.floating]
_N_FFT, HOP = 8192, 2048
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 2000.0
# How well each degree of the scale fits the key, from listeners: Krumhansl & Kessler (1982).
KEY_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


@dataclass(frozen=True)
class Key:
    """A key and how clear it is.

    Attributes
    ----------
    tonic : in [0, 11], C is 0
    minor : else major
    correlation : of the notes with the key's profile
    margin : how much more that is than with any other key
    """

    tonic: int
    minor: bool
    correlation: float
    margin: float

    @property
    def mode(self) -> str:
        """ "major" or "minor"."""
        return "minor" if self.minor else "major"


def chroma_of_waveform(waveform: Array, sample_rate: int) -> npt.NDArray[np.float64]:
    """Strength of the twelve notes, C first: (12,), summing to one, or zeros for silence.

    Parameters
    ----------
    waveform : (T,)
    sample_rate : Hz
    """
    chroma = notes_of_frames(waveform, sample_rate).sum(axis=0)
    total = float(chroma.sum())
    return np.asarray(chroma / total) if total else np.zeros(12)


def notes_of_frames(
    waveform: Array, sample_rate: int, *, highest_hz: float = _HIGHEST_HZ
) -> npt.NDArray[np.float64]:
    """Strength of the twelve notes, C first, in frames of 8192 samples every 2048: (N, 12).

    Parameters
    ----------
    waveform : (T,), padded to one frame
    sample_rate : Hz
    highest_hz : what sounds above does not count

    Notes
    -----
    Peaks of the spectrum from 80 Hz, placed between the bins by a parabola; a note counts by the
    square root of its loudness, so that no single one drowns the rest.
    """
    if np.ndim(waveform) != 1 or len(waveform) == 0:
        raise ParameterError(f"expected one channel of sound, got {np.shape(waveform)}")
    padded = np.pad(np.asarray(waveform, np.float64), (0, max(0, _N_FFT - len(waveform))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[::HOP]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(_N_FFT), axis=1))
    low, high = (round(f * _N_FFT / sample_rate) for f in (_LOWEST_HZ, highest_hz))
    bins = np.arange(low - 1, high + 1)
    loudest = float(magnitude.max(initial=0.0))
    return _notes_of_peaks(magnitude[:, bins], bins * (sample_rate / _N_FFT), loudest)


def chroma_of_picture(levels_db: Array, frequencies_hz: Array) -> npt.NDArray[np.float64]:
    """Strength of the twelve notes as of `chroma_of_waveform`, from a sonogram: (12,).

    Parameters
    ----------
    levels_db : (M, N), lowest row first
    frequencies_hz : (M,), the middle of each row
    """
    magnitude = 10.0 ** (np.asarray(levels_db, np.float64).T / 20.0)
    heard = np.flatnonzero((frequencies_hz >= _LOWEST_HZ) & (frequencies_hz < _HIGHEST_HZ))
    rows = np.arange(max(0, heard[0] - 1), heard[-1] + 2)
    notes = _notes_of_peaks(magnitude[:, rows], frequencies_hz[rows], float(magnitude.max()))
    chroma = notes.sum(axis=0)
    total = float(chroma.sum())
    return np.asarray(chroma / total) if total else np.zeros(12)


def _notes_of_peaks(
    magnitude: Array, frequencies_hz: Array, loudest: float
) -> npt.NDArray[np.float64]:
    """(N, 12) of the peaks of spectra (N, F) whose bins lie at frequencies (F,)."""
    before, middle, after = magnitude[:, :-2], magnitude[:, 1:-1], magnitude[:, 2:]
    peak = (middle > before) & (middle >= after) & (middle > 1e-2 * loudest)
    a, b, c = (np.log(np.maximum(m[peak], 1e-12)) for m in (before, middle, after))
    frame, place = np.nonzero(peak)
    offset = 0.5 * (a - c) / np.minimum(a - 2.0 * b + c, -1e-9)
    heard_hz = np.interp(place + 1 + offset, np.arange(len(frequencies_hz)), frequencies_hz)
    notes = 12.0 * np.log2(heard_hz / 440.0) + 9.0
    nearest = np.round(notes)
    weight = np.sqrt(middle[peak]) * np.cos(np.pi * (notes - nearest)) ** 2
    where = 12 * frame + nearest.astype(int) % 12
    counted = np.bincount(where, weight, minlength=12 * len(magnitude))
    return np.asarray(counted.reshape(-1, 12))


def key_of_chroma(chroma: Array) -> Key:
    """The key of the 24 major and minor ones that notes (12,), C first, are most like.

    References
    ----------
    Krumhansl & Kessler (1982), Psychological Review 89(4), for the profiles; compared by
    correlation, which is 0 where all notes are alike.
    """
    near = [
        (chroma_likeness(chroma, np.roll(profile, tonic)), tonic, mode == "minor")
        for mode, profile in KEY_PROFILES.items()
        for tonic in range(12)
    ]
    (second, _, _), (best, tonic, minor) = sorted(near)[-2:]
    return Key(tonic, minor, best, best - second)


def chroma_likeness(x: Array, y: Array) -> float:
    """Correlation of two strengths of the twelve notes, in [-1, 1]; 0 where one is even."""
    x, y = x - np.mean(x), y - np.mean(y)
    return float(x @ y) / max(float(np.linalg.norm(x) * np.linalg.norm(y)), 1e-12)
