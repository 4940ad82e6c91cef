"""The last step of a song: its loudness, and peaks that no converter clips."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sonoriff.audio.checks import peak_of
from sonoriff.audio.limiter import limited
from sonoriff.audio.loudness import PEAK_LIMIT_DB, loudness_lufs
from sonoriff.errors import ParameterError

FloatArray = npt.NDArray[np.float32]
USUAL_LUFS = -14.0
# Peaks are pressed by this much at most; sound that is peakier comes out softer than asked.
_PRESSED_DB = 6.0


def mastered(waveform: FloatArray, sample_rate: int, target_lufs: float = USUAL_LUFS) -> FloatArray:
    """One gain to a loudness, and a limiter for true peaks above -1 dB.

    Parameters
    ----------
    waveform : float32 (C, T)
    target_lufs : integrated loudness, [-70, 0]

    Returns
    -------
    float32 (C, T), [-1, 1]; silence comes back as it is
    """
    if not -70.0 <= target_lufs <= 0.0:
        raise ParameterError(f"the loudness must be in [-70, 0] LUFS, got {target_lufs}")
    measured = loudness_lufs(waveform, sample_rate)
    if measured == -math.inf:
        return waveform
    room_db = PEAK_LIMIT_DB + _PRESSED_DB - 20.0 * math.log10(peak_of(waveform))
    gain_db = min(target_lufs - measured, room_db)
    made = limited(waveform, sample_rate, gain_db=gain_db)
    # What the limiter takes away is given back once.
    missing_db = target_lufs - loudness_lufs(made, sample_rate)
    if missing_db > 0.1 and gain_db < room_db:
        del made  # a song of minutes is large
        made = limited(waveform, sample_rate, gain_db=min(gain_db + missing_db, room_db))
    return made
