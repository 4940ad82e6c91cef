"""Transforms of eight columns at a time, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from sonoriff.sonogram.kernels import LANES
from sonoriff.sonogram.native import call
from sonoriff.sonogram.transform import is_smooth, transform_plan


@pytest.mark.parametrize("n_fft", [2, 4, 6, 10, 24, 50, 192, 540, 1536, 2048, 2160, 4320])
def test_rows_are_transformed_as_numpy_does(n_fft: int) -> None:
    length, plan = n_fft // 2, transform_plan(n_fft)
    rng = np.random.default_rng(n_fft)
    values = rng.standard_normal((length, LANES)) + 1j * rng.standard_normal((length, LANES))
    rows = np.stack([values.real, values.imag], axis=1).astype(np.float32).reshape(-1)
    spare = np.empty_like(rows)
    arguments = (rows, spare, plan.radices, plan.radices.size, plan.pass_turns)
    in_spare = call("transform_rows", *arguments)
    result = (spare if in_spare else rows).reshape(length, 2, LANES)
    expected = np.fft.fft(values, axis=0)
    error = np.abs(result[:, 0] + 1j * result[:, 1] - expected).max()
    assert error < 1e-6 * np.abs(expected).max()


def test_the_fewest_passes() -> None:
    for n_fft, n_passes in ((2160, 4), (4320, 5), (1536, 5), (2048, 5)):
        plan = transform_plan(n_fft)
        assert np.prod(plan.radices) == n_fft // 2
        assert len(plan.radices) == n_passes


def test_smooth_numbers() -> None:
    assert [n for n in range(1, 20) if is_smooth(n)] == [1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18]
