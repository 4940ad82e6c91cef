"""Key of a clip, and how thin and steady its harmonics are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonoriff.corpus.harmony import KEY_PROFILES
from sonoriff.errors import ParameterError

Array = npt.NDArray[np.floating]
KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_N_FFT, _HOP = 8192, 2048
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 2000.0


@dataclass(frozen=True)
class Key:
    """A key and the correlation of the sound's notes with it."""

    tonic: int
    minor: bool
    correlation: float

    @property
    def name(self) -> str:
        """Such as "D minor"."""
        return f"{KEYS[self.tonic]} {'minor' if self.minor else 'major'}"


def chroma_of_waveform(waveform: Array, sample_rate: int) -> npt.NDArray[np.float64]:
    """Strength of the twelve notes, C first: (12,), summing to one, or zeros for silence.

    Parameters
    ----------
    waveform : (T,)
    sample_rate : Hz

    Notes
    -----
    Peaks of the spectrum between 80 Hz and 2 kHz, placed between the bins by a parabola; a note
    counts by the square root of its loudness, so that no single one drowns the rest.
    """
    if np.ndim(waveform) != 1 or len(waveform) == 0:
        raise ParameterError(f"expected one channel of sound, got {np.shape(waveform)}")
    padded = np.pad(np.asarray(waveform, np.float64), (0, max(0, _N_FFT - len(waveform))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[::_HOP]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(_N_FFT), axis=1))
    low, high = (round(f * _N_FFT / sample_rate) for f in (_LOWEST_HZ, _HIGHEST_HZ))
    middle, before, after = (magnitude[:, low + d : high + d] for d in (0, -1, 1))
    loudest = magnitude.max() if magnitude.size else 0.0
    peak = (middle > before) & (middle >= after) & (middle > 1e-2 * loudest)
    if not peak.any():
        return np.zeros(12)
    a, b, c = (np.log(np.maximum(m[peak], 1e-12)) for m in (before, middle, after))
    bins = low + np.nonzero(peak)[1] + 0.5 * (a - c) / np.minimum(a - 2.0 * b + c, -1e-9)
    notes = 12.0 * np.log2(bins * (sample_rate / _N_FFT) / 440.0) + 9.0
    nearest = np.round(notes)
    weight = np.sqrt(middle[peak]) * np.cos(np.pi * (notes - nearest)) ** 2
    chroma = np.bincount(nearest.astype(int) % 12, weight, minlength=12)
    return np.asarray(chroma / chroma.sum())


def key_of_chroma(chroma: Array) -> Key:
    """The best of the 24 major and minor keys, by correlation with the profiles of listeners."""
    best = Key(0, False, -1.0)
    for mode, profile in KEY_PROFILES.items():
        for tonic in range(12):
            value = _correlation(chroma, np.roll(profile, tonic))
            if value > best.correlation:
                best = Key(tonic, mode == "minor", value)
    return best


def _correlation(x: Array, y: Array) -> float:
    x, y = x - np.mean(x), y - np.mean(y)
    return float(x @ y) / max(float(np.linalg.norm(x) * np.linalg.norm(y)), 1e-12)


def key_score(estimated: Key, tonic: int, minor: bool | None) -> float:
    """How near two keys are: the weights of MIREX.

    1 the same, 0.5 a fifth apart, 0.3 relative, 0.2 parallel, else 0. An asked key without a mode
    scores as the better of its two.
    """
    if minor is None:
        return max(key_score(estimated, tonic, False), key_score(estimated, tonic, True))
    step = (estimated.tonic - tonic) % 12
    if estimated.minor == minor:
        return {0: 1.0, 7: 0.5, 5: 0.5}.get(step, 0.0)
    relative = 9 if estimated.minor else 3
    return {0: 0.2, relative: 0.3}.get(step, 0.0)


def line_sharpness(picture_db: Array, *, depth_db: float = 40.0) -> float:
    """How far harmonics stand out of what is beside them, dB.

    Parameters
    ----------
    picture_db : (M, N), dB

    Returns
    -------
    Mean height, over the ridges that hold for a fifth of a second and reach to within `depth_db`
    of the loudest point, above the mean of the rows three above and three below. Blurred lines
    are low and lines that break are not counted. 0 where there is none.
    """
    picture = np.asarray(picture_db, np.float64)
    steady = _median_in_time(np.maximum(picture, picture.max() - depth_db), 17)
    inner = steady[3:-3]
    ridge = (inner > steady[2:-4]) & (inner >= steady[4:-2]) & (inner > steady.max() - depth_db)
    if not ridge.any():
        return 0.0
    height = inner - 0.5 * (steady[:-6] + steady[6:])
    return float(height[ridge].mean())


def _median_in_time(picture: Array, length: int) -> npt.NDArray[np.float64]:
    """Running median over columns; the lower values of a wide stretch, so a gap shows."""
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(picture, size=(1, length), mode="reflect"))
