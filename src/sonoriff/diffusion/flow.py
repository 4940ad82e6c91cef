"""Rectified flow: a straight path between data (time 0) and noise (time 1).

The velocity along the path is noise minus data, so that ``x_t = (1 - t) data + t noise``.

References
----------
Liu et al., Flow Straight and Fast (2022); Lipman et al., Flow Matching (2022); Esser et al.,
Scaling Rectified Flow Transformers (2024) for the shift.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError

FloatArray = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]


def data_from_velocity(x: FloatArray, velocity: FloatArray, time: float) -> FloatArray:
    """Where the straight line from `x` at `time` meets the data."""
    return x - time * velocity


def sampling_times(num_inference_steps: int, *, start: float = 1.0, shift: float = 1.0) -> Times:
    """float64 (steps + 1,) falling times from `start` to 0.

    Parameters
    ----------
    num_inference_steps : >= 1
    start : in (0, 1], where the path begins; below 1 for image-to-image
    shift : > 0; above 1 spends more of the steps near the noise
    """
    if num_inference_steps < 1 or not 0 < start <= 1 or shift <= 0:
        raise ParameterError(
            "need num_inference_steps >= 1, 0 < start <= 1 and shift > 0; "
            f"got {num_inference_steps}, {start}, {shift}"
        )
    times = np.linspace(1.0, 0.0, num_inference_steps + 1)
    return start * (shift * times / (1.0 + (shift - 1.0) * times))
