"""Tempo prediction for prompts that name none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
SLOWEST_BPM = 40.0
PARTS_AN_OCTAVE = 24
N_TEMPI = 64


def likely_bpm(pooled: FloatArray, weight: FloatArray, bias: FloatArray) -> float | None:
    """The likeliest tempo, in bpm; None where there is none, or nothing was learned.

    Parameters
    ----------
    pooled : (text_width,), mean of a text's states
    weight, bias : of a linear score for each of `N_TEMPI` tempi, and for none as the last
    """
    best = int(np.argmax(weight @ pooled + bias))
    if best == N_TEMPI or not weight.any():
        return None
    return float(SLOWEST_BPM * 2.0 ** (best / PARTS_AN_OCTAVE))
