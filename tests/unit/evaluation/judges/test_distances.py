"""Distances between sets of features."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from sonoriff.errors import ParameterError
from sonoriff.evaluation.judges.distances import (
    frechet_distance,
    frechet_distance_infinity,
    kernel_distance,
    mean_distance_within,
    nearest_similarity,
)


def normal(n: int, width: int = 8, *, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(width, width))
    return generator.normal(size=(n, width)) @ mix + shift


@pytest.mark.parametrize(("n", "m"), [(50, 40), (5, 60), (6, 5)])
def test_frechet_is_the_formula(n: int, m: int) -> None:
    x, y = normal(n), normal(m, seed=1, shift=0.5)
    a, b = np.cov(x.T), np.cov(y.T)
    # The root of a matrix of less than full rank is SciPy's weak point, hence the tiny addition.
    root = sqrtm((a + 1e-12 * np.eye(8)) @ (b + 1e-12 * np.eye(8))).real
    expected = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(a + b - 2 * root)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-3)


def test_frechet_of_a_set_with_itself_is_zero() -> None:
    assert frechet_distance(normal(50), normal(50)) == pytest.approx(0.0, abs=1e-9)


def test_the_limit_is_free_of_the_bias_of_small_sets() -> None:
    x, y = normal(120, 60), normal(90, 60, seed=1)  # of one distribution: the truth is 0
    plain, limit = frechet_distance(x, y), frechet_distance_infinity(x, y)
    assert plain > 500.0
    assert abs(limit) < 0.15 * plain


def test_the_limit_keeps_a_true_distance() -> None:
    x, y = normal(400, 10), normal(400, 10, seed=1, shift=2.0)
    assert frechet_distance_infinity(x, y) == pytest.approx(40.0, rel=0.15)


def test_the_limit_is_the_same_every_time() -> None:
    x, y = normal(40), normal(40, seed=1)
    assert frechet_distance_infinity(x, y) == frechet_distance_infinity(x, y)


def test_kernel_distance_is_the_sum_over_pairs() -> None:
    x, y = normal(7, 3), normal(6, 3, seed=1)
    pairs = [np.linalg.norm(a - b) ** 2 for i, a in enumerate(y) for b in y[i + 1 :]]
    width = np.median(pairs)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-(np.linalg.norm(a - b) ** 2) / (2 * width)))

    own_x = np.mean([kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    own_y = np.mean([kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    cross = np.mean([kernel(a, b) for a in x for b in y])
    assert kernel_distance(x, y).value == pytest.approx(1000 * (own_x + own_y - 2 * cross))


def test_kernel_distance_is_about_zero_for_one_distribution_and_grows_with_the_shift() -> None:
    y = normal(150, seed=1)
    same, near, far = (kernel_distance(normal(120, shift=s), y) for s in (0.0, 0.7, 1.4))
    assert abs(same.value) < 3 * same.error
    assert same.value + 3 * same.error < near.value < far.value


def test_distance_within_groups() -> None:
    groups = [np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[1.0, 1.0]]), np.zeros((3, 2))]
    assert mean_distance_within(groups) == pytest.approx(2.5)
    assert np.isnan(mean_distance_within([np.zeros((1, 2))]))


def test_a_copy_is_found_at_any_level() -> None:
    crowd, new = normal(5000, 40), normal(3, 40, seed=1)
    new[1] = 0.5 * crowd[4321] - 3.0
    nearest = nearest_similarity(new, crowd.astype(np.float16))
    assert nearest[1] == pytest.approx(1.0, abs=1e-3)
    assert max(nearest[0], nearest[2]) < 0.9


@pytest.mark.parametrize("distance", [frechet_distance, frechet_distance_infinity, kernel_distance])
def test_bad_features_are_refused(distance) -> None:  # type: ignore[no-untyped-def]
    good = normal(20)
    for bad in (np.zeros((0, 8)), np.full((20, 8), np.nan), np.zeros(20), np.zeros((20, 7))):
        with pytest.raises(ParameterError):
            distance(bad, good)


def test_too_few_clips_are_refused() -> None:
    with pytest.raises(ParameterError, match="at least 10 clips"):
        frechet_distance_infinity(normal(9), normal(20))
    with pytest.raises(ParameterError, match="at least 4 clips"):
        kernel_distance(normal(3), normal(20))
