"""Left and right as two channels of the latent grid: pan and width of each cell.

They are measured, not learned: powers over a cell, so that no encoder has to hear two channels, and
mono is a value like any other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.stereo import MOST_WIDTH

FloatArray = npt.NDArray[np.float32]
CHANNELS = 2
# Latents have about unit spread: those of recordings, for the root of the width.
_PAN, _WIDTH_MIDDLE, _WIDTH = 0.35, 0.5, 0.25


def latents_from_sides(sides: FloatArray) -> FloatArray:
    """Latents (..., 2, H, W) of pan and width of cells, (..., 2, H, W)."""
    pan, width = sides[..., 0, :, :], sides[..., 1, :, :]
    root = (np.sqrt(width) - np.float32(_WIDTH_MIDDLE)) / np.float32(_WIDTH)
    return np.stack([pan / np.float32(_PAN), root], axis=-3).astype(np.float32)


def sides_from_latents(latents: FloatArray) -> FloatArray:
    """Inverse of `latents_from_sides`, within the ranges of pan and width."""
    pan, root = latents[..., 0, :, :], latents[..., 1, :, :]
    width = np.clip(root * np.float32(_WIDTH) + np.float32(_WIDTH_MIDDLE), 0.0, 1.0) ** 2
    both = [np.clip(pan * np.float32(_PAN), -1.0, 1.0), np.minimum(width, MOST_WIDTH)]
    return np.stack(both, axis=-3).astype(np.float32)


def cells_from_pixels(
    picture: FloatArray, params: SonogramParams, cell: tuple[int, int]
) -> FloatArray:
    """Pan and width of cells (B, 2, H, W) of a picture (B, 3, M, N), weighted by power."""
    span_db = params.db_max - params.db_min
    mid = np.power(np.float32(10.0), (picture[:, 0] + 1.0) * np.float32(0.05 * span_db))
    sides = picture[:, 1:]
    power = mid / (1.0 - np.minimum(sides[:, 1], MOST_WIDTH))
    rows, columns = cell
    b, _, m, n = picture.shape

    def pooled(values: FloatArray) -> FloatArray:
        cells = values.reshape(b, -1, m // rows, rows, n // columns, columns)
        return np.asarray(cells.sum(axis=(3, 5)), np.float32)

    total = pooled(power[:, None])
    return np.asarray(pooled(sides * power[:, None]) / total, np.float32)


def pixels_from_cells(cells: FloatArray, cell: tuple[int, int]) -> FloatArray:
    """(B, 2, M, N) of cells (B, 2, H, W), on straight lines from middle to middle."""
    for axis, size in ((2, cell[0]), (3, cell[1])):
        count = cells.shape[axis]
        place = np.clip((np.arange(count * size) + 0.5) / size - 0.5, 0.0, count - 1.0)
        below = np.minimum(place.astype(np.intp), max(count - 2, 0))
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        share = (place - below).astype(np.float32).reshape(shape)
        above = np.minimum(below + 1, count - 1)
        cells = cells.take(below, axis) * (1 - share) + cells.take(above, axis) * share
    return np.asarray(cells, np.float32)
