"""Distances between two sets of feature vectors, and what they say at small sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError

Array = npt.NDArray[np.floating]
_SIZES = 12
_DRAWS = 4


@dataclass(frozen=True)
class KernelDistance:
    """KAD and its standard error, both times 1000."""

    value: float
    error: float


def frechet_distance(x: Array, y: Array) -> float:
    """Fréchet distance of two Gaussians fitted to x (n, D) and y (m, D).

    Notes
    -----
    |mean_x - mean_y|^2 + trace(C_x + C_y - 2 (C_x C_y)^(1/2)). Grows as the sets get smaller;
    `frechet_distance_infinity` takes that away.

    References
    ----------
    Kilgour et al., Fréchet Audio Distance (2019).
    """
    x, y = _checked(x), _checked(y)
    _same_width(x, y)
    left, right = _factor(x), _factor(y)
    # The singular values of A B^T are the roots of the eigenvalues of (A^T A)(B^T B).
    cross = float(np.linalg.svd(left @ right.T, compute_uv=False).sum())
    spread = float(np.square(left).sum() + np.square(right).sum())
    shift = float(np.square(x.mean(axis=0) - y.mean(axis=0)).sum())
    return max(0.0, shift + spread - 2.0 * cross)


def frechet_distance_infinity(x: Array, y: Array, *, seed: int = 0) -> float:
    """Fréchet distance of sets of any size to a reference, extrapolated to endless samples.

    Parameters
    ----------
    x : (n, D), n >= 10
    y : (m, D), the reference, m >= 10

    Notes
    -----
    The bias falls as one over the number of samples, so the distance is measured on samples of
    several sizes and a straight line in 1/n is followed to 0. Both sets are thinned by the same
    factor, so that the bias of the reference goes as well. May come out slightly below 0.

    References
    ----------
    Chong & Forsyth, Effectively Unbiased FID (2020); Gui et al., Adapting Fréchet Audio Distance
    (2024).
    """
    x, y = _checked(x), _checked(y)
    _same_width(x, y)
    if min(len(x), len(y)) < 10:
        raise ParameterError(f"FAD needs at least 10 clips in each set, got {len(x)} and {len(y)}")
    generator = np.random.default_rng(seed)
    shares = 1.0 / np.linspace(1.0, 3.0, _SIZES)
    values = []
    for share in shares:
        draws = 1 if share == 1.0 else _DRAWS
        picked = [
            frechet_distance(_thinned(x, share, generator), _thinned(y, share, generator))
            for _ in range(draws)
        ]
        values.append(float(np.mean(picked)))
    slope_and_limit = np.polyfit(1.0 / shares, values, 1)
    return float(slope_and_limit[1])


def kernel_distance(x: Array, y: Array) -> KernelDistance:
    """Squared maximum mean discrepancy, unbiased at any size, times 1000.

    Parameters
    ----------
    x, y : (n, D) and (m, D), n, m >= 4

    Notes
    -----
    Gaussian kernel as wide as the median distance within y. Near 0, and as often below it as
    above, for two samples of one distribution. The error is a jackknife over ten groups of x.

    References
    ----------
    Gretton et al., A Kernel Two-Sample Test (2012); Chung et al., KAD (2025).
    """
    x, y = _checked(x), _checked(y)
    _same_width(x, y)
    if min(len(x), len(y)) < 4:
        raise ParameterError(f"KAD needs at least 4 clips in each set, got {len(x)} and {len(y)}")
    within = _squared_distances(y, y)
    width = float(np.median(within[np.triu_indices(len(y), 1)])) or 1.0
    k_xx = np.exp(_squared_distances(x, x) / (-2.0 * width))
    k_xy = np.exp(_squared_distances(x, y) / (-2.0 * width))
    k_yy = (np.exp(within / (-2.0 * width)).sum() - len(y)) / (len(y) * (len(y) - 1))
    groups = np.array_split(np.arange(len(x)), min(10, len(x) // 2))
    left_out = [_discrepancy(np.delete(np.arange(len(x)), g), k_xx, k_xy, k_yy) for g in groups]
    spread = np.var(left_out) * (len(groups) - 1)
    value = _discrepancy(np.arange(len(x)), k_xx, k_xy, k_yy)
    return KernelDistance(1000.0 * value, 1000.0 * float(np.sqrt(spread)))


def _discrepancy(rows: npt.NDArray[np.int64], k_xx: Array, k_xy: Array, k_yy: float) -> float:
    own = k_xx[np.ix_(rows, rows)]
    n = len(rows)
    return float((own.sum() - n) / (n * (n - 1)) + k_yy - 2.0 * k_xy[rows].mean())


def mean_distance_within(groups: list[Array]) -> float:
    """Mean Euclidean distance between the members of a group, over all groups.

    Parameters
    ----------
    groups : (n_i, D) each; groups of one are passed over. NaN where no pair is left.
    """
    distances = [
        np.sqrt(_squared_distances(_checked(g), _checked(g)))[np.triu_indices(len(g), 1)].mean()
        for g in groups
        if len(g) > 1
    ]
    return float(np.mean(distances)) if distances else float("nan")


def nearest_similarity(
    x: Array, y: npt.NDArray[np.floating], *, block: int = 2048
) -> npt.NDArray[np.float64]:
    """Largest correlation of each row of x (n, D) with any row of y (m, D): (n,), [-1, 1]."""
    left = _unit(x)
    best = np.full(len(left), -1.0)
    for start in range(0, len(y), block):
        best = np.maximum(best, (left @ _unit(y[start : start + block]).T).max(axis=1))
    return best


def _unit(x: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    x = np.asarray(x, np.float32)
    x = x - x.mean(axis=1, keepdims=True)
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9), np.float32)


def _factor(x: Array) -> Array:
    """A with A^T A the covariance of x, and no more rows than columns."""
    centred = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r")) if len(x) > x.shape[1] else centred


def _thinned(x: Array, share: float, generator: np.random.Generator) -> Array:
    count = max(2, round(share * len(x)))
    return np.asarray(x[generator.choice(len(x), count, replace=False)])


def _squared_distances(x: Array, y: Array) -> Array:
    squares = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2.0 * (x @ y.T)
    return np.asarray(np.maximum(squares, 0.0))


def _checked(x: Array) -> npt.NDArray[np.float64]:
    checked = np.asarray(x, np.float64)
    if checked.ndim != 2 or len(checked) == 0 or not np.isfinite(checked).all():
        raise ParameterError(f"features must be finite numbers (clips, D), got {checked.shape}")
    return checked


def _same_width(x: Array, y: Array) -> None:
    if x.shape[1] != y.shape[1]:
        raise ParameterError(f"features of {x.shape[1]} and {y.shape[1]} dimensions do not compare")
