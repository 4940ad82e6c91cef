"""From any number of channels to one or two."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sonoriff.audio.checks import check_waveform
from sonoriff.errors import ParameterError

_HALF_POWER = math.sqrt(0.5)
# Left-ear weights in the order of WAV files (FL FR FC LFE BL BR SL SR); ITU-R BS.775 leaves the
# low-frequency channel out. The right ear has the mirror image.
_LEFT_WEIGHTS = {
    6: (1.0, 0.0, _HALF_POWER, 0.0, _HALF_POWER, 0.0),
    8: (1.0, 0.0, _HALF_POWER, 0.0, _HALF_POWER, 0.0, _HALF_POWER, 0.0),
}
_MIRROR = (1, 0, 2, 3, 5, 4, 7, 6)


def to_mono(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """One channel: the mean of two, or of the stereo downmix of more; float32 (1, T)."""
    check_waveform(waveform)
    if waveform.shape[0] == 1:
        return waveform
    return _mean(to_stereo(waveform))


def to_stereo(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Two channels; float32 (2, T).

    Notes
    -----
    One channel goes to both sides. 5.1 and 7.1 in WAV order are mixed as ITU-R BS.775 says, scaled
    so that full scale in every channel stays full scale. Any other number has no known layout:
    both sides get the mean.
    """
    check_waveform(waveform)
    count = waveform.shape[0]
    if count == 2:
        return waveform
    if count in _LEFT_WEIGHTS:
        left = np.asarray(_LEFT_WEIGHTS[count], dtype=np.float32)
        weights = np.stack([left, left[list(_MIRROR[:count])]]) / left.sum()
        return np.asarray(weights @ waveform, dtype=np.float32)
    return np.repeat(_mean(waveform), 2, axis=0)


def with_channels(waveform: npt.NDArray[np.float32], n_channels: int) -> npt.NDArray[np.float32]:
    """`to_mono` for 1, `to_stereo` for 2; anything else is a ParameterError."""
    if n_channels == 1:
        return to_mono(waveform)
    if n_channels == 2:
        return to_stereo(waveform)
    raise ParameterError(f"n_channels must be 1 or 2, got {n_channels}")


def _mean(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(waveform.mean(axis=0, keepdims=True), dtype=np.float32)
