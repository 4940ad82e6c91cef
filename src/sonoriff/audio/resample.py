"""Changing the sample rate."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from sonoriff.audio.checks import check_sample_rate, check_waveform


def resample(
    waveform: npt.NDArray[np.float32],
    from_rate: int,
    to_rate: int,
    *,
    quality: Literal["HQ", "VHQ"] = "HQ",
) -> npt.NDArray[np.float32]:
    """The same sound at another sample rate.

    Parameters
    ----------
    waveform : float32 (C, T), [-1, 1], at `from_rate` Hz
    from_rate, to_rate : Hz
    quality : "HQ" rejects images by 120 dB (20 bits), "VHQ" by 168 dB (28 bits)

    Returns
    -------
    float32 (C, max(1, round(T * to_rate / from_rate))); may overshoot [-1, 1] a little

    Raises
    ------
    ParameterError
        wrong rank, empty or non-finite waveform, or an impossible rate

    References
    ----------
    libsoxr, the SoX resampler library.
    """
    check_waveform(waveform)
    check_sample_rate(from_rate)
    check_sample_rate(to_rate)
    if from_rate == to_rate:
        return waveform
    import soxr

    length = max(1, round(waveform.shape[1] * to_rate / from_rate))
    frames_first = np.ascontiguousarray(waveform.T, dtype=np.float32)
    resampled = soxr.resample(frames_first, from_rate, to_rate, quality)[:length].T
    missing = length - resampled.shape[1]
    return np.ascontiguousarray(np.pad(resampled, ((0, 0), (0, missing))), dtype=np.float32)
