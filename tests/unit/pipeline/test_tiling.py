"""Windows over long grids."""

from itertools import pairwise

import numpy as np
import pytest

from sonoriff.pipeline.tiling import merged, window_columns, window_starts


@pytest.mark.parametrize("width", [1, 64, 65, 100, 112, 113, 1000])
def test_windows_cover_everything_and_overlap(width: int) -> None:
    starts = window_starts(width, 64, 16)
    assert starts[0] == 0
    assert max(starts) == max(0, width - 64)
    assert all(b - a <= 48 for a, b in pairwise(starts))


def test_windows_that_agree_give_what_one_window_would() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 150), np.float32)
    columns = window_columns(150, 64, 16)
    parts = [x[..., places] for places in columns]
    np.testing.assert_allclose(merged(parts, columns, 150, 16), x, atol=1e-6)


def test_windows_fade_into_each_other() -> None:
    columns = window_columns(112, 64, 16)
    parts = [np.full((1, 1, 1, 64), i, np.float32) for i in range(2)]
    line = merged(parts, columns, 112, 16).flatten()
    assert (np.diff(line) >= 0).all()
    assert np.diff(line).max() < 0.1


@pytest.mark.parametrize("width", [2, 21, 43, 64, 65, 129, 500])
def test_circular_windows_run_over_the_join(width: int) -> None:
    columns = window_columns(width, 64, 32, circular=True)
    assert set(np.concatenate(columns).tolist()) == set(range(width))
    pairs = {pair for places in columns for pair in pairwise(places.tolist())}
    assert (width - 1, 0) in pairs
    x = np.random.default_rng(0).standard_normal((1, 2, 3, width), np.float32)
    merged_again = merged([x[..., places] for places in columns], columns, width, 32)
    np.testing.assert_allclose(merged_again, x, atol=1e-6)
