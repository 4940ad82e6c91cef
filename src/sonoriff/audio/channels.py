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
# The same by the names that FFmpeg gives to places, for what a file says about itself.
_WEIGHTS_BY_NAME = {
    **{"FL": (1.0, 0.0), "FR": (0.0, 1.0), "FC": (_HALF_POWER, _HALF_POWER), "LFE": (0.0, 0.0)},
    **{"BL": (_HALF_POWER, 0.0), "BR": (0.0, _HALF_POWER), "BC": (0.5, 0.5), "LFE2": (0.0, 0.0)},
    **{"SL": (_HALF_POWER, 0.0), "SR": (0.0, _HALF_POWER), "WL": (1.0, 0.0), "WR": (0.0, 1.0)},
    **{"FLC": (1.0, 0.0), "FRC": (0.0, 1.0), "DL": (1.0, 0.0), "DR": (0.0, 1.0)},
    **{"TFL": (_HALF_POWER, 0.0), "TFR": (0.0, _HALF_POWER), "TFC": (0.5, 0.5)},
    **{"TBL": (_HALF_POWER, 0.0), "TBR": (0.0, _HALF_POWER), "TBC": (0.5, 0.5), "TC": (0.5, 0.5)},
    **{"TSL": (_HALF_POWER, 0.0), "TSR": (0.0, _HALF_POWER)},
    # Of a sphere of sound (ambisonics), that which has no direction.
    "AMBI0": (1.0, 1.0),
}
_BY_COUNT = {
    1: ("FC",),
    2: ("FL", "FR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


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


def mixing(names: tuple[str, ...], max_channels: int | None) -> npt.NDArray[np.float32] | None:
    """The matrix (`max_channels`, C) that mixes the channels of a file; None where none is needed.

    Parameters
    ----------
    names : places of the channels; "NONE" where a file does not say, which then counts as the order
        of WAV for 6 and 8 channels and as no order for others
    max_channels : 1 or 2, or None to keep all

    Notes
    -----
    As `to_stereo`: full scale in every channel stays full scale. Where nothing is known of the
    places, or of none of them, all count alike.
    """
    count = len(names)
    if max_channels is None or count <= max_channels:
        return None
    known = _BY_COUNT.get(count, names) if "NONE" in names else names
    pairs = [_WEIGHTS_BY_NAME.get(name, (0.0, 0.0)) for name in known]
    stereo = np.asarray(pairs, np.float32).T
    sums = stereo.sum(axis=1, keepdims=True)
    if not float(sums.min()) > 0.0:
        stereo, sums = np.ones((2, count), np.float32), np.full((2, 1), count, np.float32)
    stereo = stereo / sums
    return stereo if max_channels == 2 else np.asarray(stereo.mean(axis=0, keepdims=True))


def with_channels(waveform: npt.NDArray[np.float32], n_channels: int) -> npt.NDArray[np.float32]:
    """`to_mono` for 1, `to_stereo` for 2; anything else is a ParameterError."""
    if n_channels == 1:
        return to_mono(waveform)
    if n_channels == 2:
        return to_stereo(waveform)
    raise ParameterError(f"n_channels must be 1 or 2, got {n_channels}")


def _mean(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(waveform.mean(axis=0, keepdims=True), dtype=np.float32)
