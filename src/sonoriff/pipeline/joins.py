"""Joins between painted music and the sound that was there before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

FloatArray = npt.NDArray[np.float32]

# Columns over which an onset rises; and the quantile of rises in the neighbouring sound.
_STRETCH_FRAMES, _USUAL = 7, 0.8
# What any sound may rise in a column (of 2 from silence to full), and how much more in the next:
# out of silence it takes half a second.
_LEAST_RISE, _GROWTH = 0.002, 1.1


def eased(new: FloatArray, beside: FloatArray, *, at_start: bool) -> FloatArray:
    """Remove onsets at a join that the neighbouring sound would not make.

    A model strikes anew what it paints, even a sound that is held. Away from the join, column by
    column, the picture goes towards `new` no faster than four of five stretches of the sound beside
    it rise, a tenth faster with every column; where it has caught up, nothing more changes. A sound
    that is struck every 0.4 s or more often is let alone; where one with fewer strokes has one just
    at the join, that becomes softer.

    Parameters
    ----------
    new : (..., M, N), what was painted
    beside : (..., M, K), what it is joined to
    at_start : whether the join is at the start of `new`, else at its end

    Returns
    -------
    (..., M, N)
    """
    rises = np.maximum(np.diff(beside, axis=-1), 0.0).mean(axis=-2)
    if rises.shape[-1] < _STRETCH_FRAMES:
        return new
    stretches = sliding_window_view(rises, _STRETCH_FRAMES, axis=-1).max(axis=-1)
    most = np.quantile(stretches, _USUAL, axis=-1, keepdims=True)
    most = np.maximum(most, _LEAST_RISE).astype(np.float32)
    outwards = np.array(new if at_start else new[..., ::-1])
    last, later = (beside[..., -1], 1.0) if at_start else (beside[..., 0], -1.0)
    for column in range(outwards.shape[-1]):
        step = outwards[..., column] - last
        rise = np.maximum(later * step, 0.0).mean(axis=-1, keepdims=True)
        share = np.minimum(most / np.maximum(rise, 1e-9), 1.0)
        if (share == 1.0).all():
            break
        last = outwards[..., column] = last + share * step
        most = most * _GROWTH
    return outwards if at_start else outwards[..., ::-1]
