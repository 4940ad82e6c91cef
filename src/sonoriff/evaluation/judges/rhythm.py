"""Tempo, pulse and onsets of a clip, from its log-mel picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError

Array = npt.NDArray[np.floating]
FLOOR_DB = 50.0  # below the loudest point; what is softer has no onsets
SLOWEST_BPM, FASTEST_BPM = 45.0, 220.0
TOLERANCE = 0.04
OCTAVES = (1.0, 2.0, 0.5, 3.0, 1.0 / 3.0)
_BANDS = 32
_USUAL_BPM, _USUAL_OCTAVES = 118.0, 0.9
_BEATS = 4
_NEAR_BEAT_S = 0.035


@dataclass(frozen=True)
class Tempo:
    """Estimated tempo, and how clear the pulse is.

    `clarity` is the autocorrelation of the onsets at a beat's distance: 0 none, 1 a machine.
    """

    bpm: float
    clarity: float


def onset_strength(picture_db: Array) -> npt.NDArray[np.float64]:
    """How much gets louder in each column.

    Parameters
    ----------
    picture_db : (M, N), dB

    Returns
    -------
    (N,), dB a column, mean over 32 bands of neighbouring rows; the first is 0. Rises only.
    """
    return np.asarray(_rises(picture_db).mean(axis=0))


def _rises(picture_db: Array) -> npt.NDArray[np.float64]:
    """Rise of each band from a column to the next, (bands, N), >= 0."""
    picture = np.asarray(picture_db, np.float64)
    if picture.ndim != 2 or picture.shape[1] < 4 or not np.isfinite(picture).all():
        raise ParameterError(f"expected a picture of 4 columns or more, got {picture.shape}")
    picture = np.maximum(picture, picture.max() - FLOOR_DB)
    bands = np.stack([band.mean(axis=0) for band in np.array_split(picture, _BANDS)])
    return np.maximum(0.0, np.diff(bands, axis=1, prepend=bands[:, :1]))


def tempo_of_picture(picture_db: Array, frames_per_second: float) -> Tempo:
    """Tempo between 45 and 220 bpm.

    Parameters
    ----------
    picture_db : (M, N), dB, of some seconds
    frames_per_second : columns a second

    Notes
    -----
    The onsets are compared with themselves one, two, three and four beats later; a tempo whose
    every multiple fits wins, weighed by how usual it is (a bell over log tempo around 118 bpm).
    No steady pulse gives a tempo all the same, with a clarity near 0.

    References
    ----------
    Ellis, Beat Tracking by Dynamic Programming (2007), for the onset strength and the bell;
    Lartillot et al., Multi-feature Modeling of Pulse Clarity (2008).
    """
    correlation = _autocorrelation(onset_strength(picture_db))
    bpms = SLOWEST_BPM * 1.0025 ** np.arange(
        1 + int(np.log(FASTEST_BPM / SLOWEST_BPM) / np.log(1.0025))
    )
    beat = 60.0 * frames_per_second / bpms
    fits = [_at(correlation, k * beat) for k in range(1, _BEATS + 1)]
    salience = np.mean(fits, axis=0)
    usual = np.exp(-0.5 * np.square(np.log2(bpms / _USUAL_BPM) / _USUAL_OCTAVES))
    best = int(np.argmax(np.maximum(salience, 0.0) * usual))
    window = slice(max(0, best - 8), best + 9)
    return Tempo(float(bpms[best]), float(np.clip(fits[0][window].max(), 0.0, 1.0)))


def _autocorrelation(onsets: Array) -> npt.NDArray[np.float64]:
    """Of lags 0 to N - 1, 1 at lag 0; each lag is normed by how much of the signal it compares."""
    n = len(onsets)
    centred = onsets - onsets.mean()
    power = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    correlation = np.fft.irfft(power)[:n] / np.maximum(n - np.arange(n), 0.25 * n)
    return np.asarray(correlation / max(correlation[0], 1e-12))


def _at(correlation: Array, lags: Array) -> npt.NDArray[np.float64]:
    """Values between the columns; 0 behind the end."""
    return np.interp(lags, np.arange(len(correlation)), correlation, right=0.0)


def tempo_agrees(
    estimated: float, asked: float, *, octaves: bool, tolerance: float = TOLERANCE
) -> bool:
    """Whether two tempos are the same within 4 %, or, with `octaves`, a half, a third, double or
    triple of each other (the two accuracies of Gouyon et al., 2006)."""
    factors = OCTAVES if octaves else OCTAVES[:1]
    return any(abs(estimated / (asked * factor) - 1.0) <= tolerance for factor in factors)


def beat_contrast(picture_db: Array, frames_per_second: float, beats_s: Array) -> float:
    """How much more begins on the beats than elsewhere: 1 is no beat to hear.

    Parameters
    ----------
    picture_db : (M, N), dB, column n centred on ``(n + 1/2) / frames_per_second``
    beats_s : seconds; those outside the picture do not count

    Returns
    -------
    mean onset strength within 35 ms of a beat over that of the whole picture; 1 where nothing
    begins at all

    Raises
    ------
    ParameterError
        no beat lies in the picture
    """
    strength = onset_strength(picture_db)
    middles = (np.arange(len(strength)) + 0.5) / frames_per_second
    near = np.abs(middles[:, None] - np.asarray(beats_s)[None]).min(axis=1) < _NEAR_BEAT_S
    if not near.any():
        raise ParameterError("no beat lies in the picture")
    return float(strength[near].mean() / strength.mean()) if strength.any() else 1.0


def onset_sharpness(picture_db: Array, *, n_onsets: int = 8) -> float:
    """How upright the strongest onsets stand, 0 to 1.

    Of the rise within three columns to either side of an onset, the share that falls into its
    own column and one neighbour; bands that rise earlier or later, and slow rises, lower it.
    0 where nothing ever rises.
    """
    strength = onset_strength(picture_db)
    shares = []
    left = strength.copy()
    for _ in range(n_onsets):
        peak = int(np.argmax(left))
        if left[peak] < 0.25 * strength.max() or left[peak] <= 0.0:
            break
        around = strength[max(0, peak - 3) : peak + 4]
        neighbour = max(
            strength[peak - 1] if peak else 0.0,
            strength[peak + 1] if peak + 1 < len(strength) else 0.0,
        )
        shares.append((strength[peak] + neighbour) / around.sum())
        left[max(0, peak - 4) : peak + 5] = 0.0
    return float(np.mean(shares)) if shares else 0.0
