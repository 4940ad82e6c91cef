"""A gentle limiter of true peaks: what lies between two samples counts, too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.audio.checks import check_sample_rate, check_waveform
from sonoriff.audio.loudness import PEAK_LIMIT_DB

FloatArray = npt.NDArray[np.float32]
OVERSAMPLING = 4
# The gain is lowered over this time before a peak, and raised again over it afterwards.
_REACH_S = 0.03
# What is computed at once, and the samples beside it that the oversampling filter sees.
_BLOCK_S, _FILTER_SAMPLES = 10.0, 64
# Below full gain by this much, so that rounding never passes the limit.
_SLACK = 1.0 - 1e-4


def true_peak(waveform: FloatArray) -> float:
    """Greatest absolute value of a waveform (C, T) at four times its rate.

    References
    ----------
    ITU-R BS.1770-4, Annex 2.
    """
    check_waveform(waveform)
    step = 1 << 19
    return max(
        float(_peaks(waveform, a, a + step).max()) for a in range(0, waveform.shape[1], step)
    )


def limited(
    waveform: FloatArray,
    sample_rate: int,
    *,
    gain_db: float = 0.0,
    peak_limit_db: float = PEAK_LIMIT_DB,
) -> FloatArray:
    """The waveform with its true peaks below a limit.

    Parameters
    ----------
    waveform : float32 (C, T); all channels share one gain, so that nothing moves sideways
    gain_db : what the waveform is multiplied by before
    peak_limit_db : dB below full scale, measured at four times the rate

    Returns
    -------
    float32 (C, T), in memory of its own; without a gain the very samples where nothing within
    30 ms passes the limit
    """
    check_waveform(waveform)
    check_sample_rate(sample_rate)
    from scipy.ndimage import minimum_filter1d
    from scipy.signal import oaconvolve

    limit = 10.0 ** (peak_limit_db / 20.0) * _SLACK
    reach = max(1, round(_REACH_S * sample_rate))
    bell = np.hanning(2 * reach + 3)[1:-1]
    bell /= bell.sum()
    lift = np.float32(10.0 ** (gain_db / 20.0))
    made: FloatArray = waveform * lift
    block = round(_BLOCK_S * sample_rate)
    for first in range(0, waveform.shape[1], block):
        last = min(first + block, waveform.shape[1])
        around = slice(max(0, first - 2 * reach), min(waveform.shape[1], last + 2 * reach))
        peaks = lift * _peaks(waveform, around.start, around.stop)
        if peaks.max() <= limit:
            continue
        wanted = np.minimum(1.0, limit / np.maximum(peaks, 1e-12))
        held = minimum_filter1d(wanted, 2 * reach + 1, mode="nearest")
        gain = oaconvolve(np.pad(held, reach, mode="edge"), bell, mode="valid")
        made[:, first:last] *= gain[first - around.start : last - around.start].astype(np.float32)
    return made


def _peaks(waveform: FloatArray, first: int, last: int) -> npt.NDArray[np.float64]:
    """Of each sample in [first, last), the greatest value from it to the next, over channels."""
    from scipy.signal import resample_poly

    begin = max(0, first - _FILTER_SAMPLES)
    end = min(waveform.shape[1], last + _FILTER_SAMPLES)
    dense = np.abs(resample_poly(waveform[:, begin:end], OVERSAMPLING, 1, axis=1)).max(axis=0)
    between = dense.reshape(-1, OVERSAMPLING).max(axis=1)[first - begin :][: min(last, end) - first]
    plain = np.abs(waveform[:, first : first + len(between)]).max(axis=0)
    return np.asarray(np.maximum(between, plain), np.float64)
