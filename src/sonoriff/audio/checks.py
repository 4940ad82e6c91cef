"""What every function here asks of a waveform."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError


def check_waveform(waveform: npt.NDArray[np.float32]) -> None:
    """ParameterError unless `waveform` is a non-empty array (C, T) of finite floats."""
    if not isinstance(waveform, np.ndarray) or not np.issubdtype(waveform.dtype, np.floating):
        got = getattr(waveform, "dtype", type(waveform).__name__)
        raise ParameterError(f"a waveform is a NumPy array of floats, got {got}")
    if waveform.ndim != 2 or waveform.size == 0:
        raise ParameterError(
            f"a waveform has the shape (channels, samples), both at least 1, got {waveform.shape}"
        )
    # NaN and infinity show in the extremes, which take no copy to find.
    if not (math.isfinite(float(waveform.min())) and math.isfinite(float(waveform.max()))):
        raise ParameterError("waveform holds NaN or infinite samples: replace or drop them first")


def peak_of(waveform: npt.NDArray[np.float32]) -> float:
    """Greatest absolute sample of a waveform, found without a copy of it."""
    return max(float(waveform.max()), -float(waveform.min()))


def check_sample_rate(sample_rate: int) -> None:
    """ParameterError unless `sample_rate` is a whole number of Hz that audio can have."""
    whole = isinstance(sample_rate, (int, np.integer)) and not isinstance(sample_rate, bool)
    if not whole or not 1 <= sample_rate <= 768_000:
        raise ParameterError(
            f"sample_rate must be a whole number in [1, 768000] Hz, got {sample_rate!r}"
        )
