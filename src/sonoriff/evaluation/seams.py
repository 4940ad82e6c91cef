"""Is there a seam to hear: the change of the spectrum at a join against that everywhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.sonogram.codec import encode
from sonoriff.sonogram.params import HIFI

_RANGE_DB = 60.0
# A column's window reaches this many columns to each side, and the join may lie between two.
_REACH = 3
# Columns at the ends of a sound, where it sets in and stops.
_EDGE = 8
_LEAST_PLACES = 50
# Beats that a join on a beat is compared with, at least.
_LEAST_BEATS = 5


def spectral_flux(waveform: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float64]:
    """Rise of the mel spectrum from column to column, mean over rows, dB, (N - 1,).

    The lowest level is 60 dB below the loudest, so that noise in silence does not count.
    """
    levels = encode(waveform, sample_rate, HIFI).values.max(axis=0).astype(np.float64)
    levels = np.maximum(levels, levels.max() - _RANGE_DB)
    return np.asarray(np.maximum(np.diff(levels, axis=1), 0.0).mean(axis=0))


def seam_scores(
    waveform: npt.NDArray[np.float32],
    sample_rate: int,
    joins_s: Sequence[float],
    beats_s: Sequence[float] = (),
) -> tuple[list[float], list[float]]:
    """How far the greatest flux at each join lies above what is usual, in standard deviations.

    Parameters
    ----------
    waveform : float32 (C, T)
    joins_s : seconds
    beats_s : seconds at which something may be struck. A join on one of them is compared with the
        other beats: there a new sound is no seam

    Returns
    -------
    (at the joins, elsewhere)
        one for each join; what is usual are the greatest fluxes of all stretches (or of those on
        beats) as long as those at the joins that touch none of them. And for each of the places
        that a join was compared with, against the rest of them: what music does without a seam

    Raises
    ------
    ParameterError
        the sound is too short to say what is usual, or a join lies outside it
    """
    flux = spectral_flux(waveform, sample_rate)
    peaks = np.lib.stride_tricks.sliding_window_view(flux, 2 * _REACH + 1).max(axis=1)
    places = [_place(join) for join in joins_s]
    if any(not 0 <= place < len(peaks) for place in places):
        raise ParameterError(f"a join lies outside the sound: {list(joins_s)} s")
    usual = np.ones(len(peaks), bool)
    usual[:_EDGE] = usual[-_EDGE:] = False
    for place in places:
        usual[max(0, place - 2 * _REACH) : place + 2 * _REACH + 1] = False
    if usual.sum() < _LEAST_PLACES:
        raise ParameterError("the sound is too short to say how much its spectrum changes")
    beats = np.array([_place(beat) for beat in beats_s], int)
    others = beats[(beats >= 0) & (beats < len(peaks))]
    others = others[usual[others]]
    scores = []
    kinds = set()
    for place in places:
        on_beat = len(others) >= _LEAST_BEATS and bool(abs(beats - place).min() <= _REACH)
        kinds.add(on_beat)
        scores.append(_score(peaks[place], peaks[others] if on_beat else peaks[usual]))
    elsewhere = []
    for on_beat in kinds:
        # Stretches that overlap are no news.
        compared = peaks[others] if on_beat else peaks[usual][:: 2 * _REACH + 1]
        elsewhere += [_score(x, np.delete(compared, i)) for i, x in enumerate(compared)]
    return scores, elsewhere


def _score(flux: float, usual: npt.NDArray[np.float64]) -> float:
    return float((flux - usual.mean()) / max(float(usual.std()), 1e-9))


def _place(time_s: float) -> int:
    """The stretch whose middle is at a time."""
    return round(time_s * HIFI.frames_per_second) - 1 - _REACH
