"""How near a clip's key is to the one asked for, and how thin and steady its harmonics are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.key import Key

Array = npt.NDArray[np.floating]


def key_score(estimated: Key, tonic: int, minor: bool | None) -> float:
    """How near two keys are: the weights of MIREX.

    1 the same, 0.5 a fifth apart, 0.3 relative, 0.2 parallel, else 0. An asked key without a mode
    scores as the better of its two.
    """
    if minor is None:
        return max(key_score(estimated, tonic, False), key_score(estimated, tonic, True))
    step = (estimated.tonic - tonic) % 12
    if estimated.minor == minor:
        return {0: 1.0, 7: 0.5, 5: 0.5}.get(step, 0.0)
    relative = 9 if estimated.minor else 3
    return {0: 0.2, relative: 0.3}.get(step, 0.0)


def line_sharpness(picture_db: Array, *, depth_db: float = 40.0) -> float:
    """How far harmonics stand out of what is beside them, dB.

    Parameters
    ----------
    picture_db : (M, N), dB

    Returns
    -------
    Mean height, over the ridges that hold for a fifth of a second and reach to within `depth_db`
    of the loudest point, above the mean of the rows three above and three below. Blurred lines
    are low and lines that break are not counted. 0 where there is none.
    """
    picture = np.asarray(picture_db, np.float64)
    steady = _median_in_time(np.maximum(picture, picture.max() - depth_db), 17)
    inner = steady[3:-3]
    ridge = (inner > steady[2:-4]) & (inner >= steady[4:-2]) & (inner > steady.max() - depth_db)
    if not ridge.any():
        return 0.0
    height = inner - 0.5 * (steady[:-6] + steady[6:])
    return float(height[ridge].mean())


def _median_in_time(picture: Array, length: int) -> npt.NDArray[np.float64]:
    """Running median over columns; the lower values of a wide stretch, so a gap shows."""
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(picture, size=(1, length), mode="reflect"))
