"""Inpainting masks from time spans, frequency bands and painted pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonoriff.errors import FormatError, ParameterError
from sonoriff.sonogram.filter_bank import row_frequencies
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.picture import opaque, upright

FloatArray = npt.NDArray[np.float32]
_WHITE = 128


def area_of_times(
    times: Sequence[tuple[float, float]], n_frames: int, params: SonogramParams
) -> FloatArray:
    """1 in the columns whose middle lies in one of the spans in seconds, float32 (1, N)."""
    length = params.duration_s(n_frames)
    middles = (np.arange(n_frames) + 0.5) / params.frames_per_second
    area = np.zeros((1, n_frames), np.float32)
    for start, end in times:
        if not 0 <= start < end < math.inf:
            raise ParameterError(f"a span of time is START:END in seconds, got {start:g}:{end:g}")
        if start >= length:
            raise ParameterError(f"the sound ends at {length:.2f} s, before {start:g} s")
        area[0, (middles >= start) & (middles < end)] = 1.0
    return area


def area_of_bands(bands: Sequence[tuple[float, float]], params: SonogramParams) -> FloatArray:
    """1 in the rows whose middle lies in one of the bands in Hz, float32 (M, 1)."""
    frequencies = row_frequencies(params)
    area = np.zeros((params.n_mels, 1), np.float32)
    for low, high in bands:
        if not 0 <= low < high:
            raise ParameterError(f"a band is LOW:HIGH in Hz, got {low:g}:{high:g}")
        if high > params.sample_rate / 2:
            raise ParameterError(
                f"a band ends at {params.sample_rate / 2:g} Hz, half the sample rate, at most; "
                f"got {high:g} Hz"
            )
        inside = (frequencies >= low) & (frequencies < high)
        if not inside.any():
            raise ParameterError(
                f"no row of the picture lies between {low:g} and {high:g} Hz; it reaches from "
                f"{params.f_min:g} to {params.f_max:g} Hz"
            )
        area[inside] = 1.0
    return area


def area_of_mask(path: str | os.PathLike[str], n_frames: int, params: SonogramParams) -> FloatArray:
    """1 where a mask picture is white (as in Riffusion), float32 (M, N), low frequencies first.

    Raises
    ------
    ParameterError
        no such file, or not of the sonogram's size
    FormatError
        not a picture
    """
    from PIL import Image, UnidentifiedImageError

    if not Path(path).is_file():
        raise ParameterError(f"there is no file {path}")
    try:
        with Image.open(path) as opened:
            image = opaque(upright(opened), 0)
            size = image.size
            if size != (n_frames, params.n_mels):
                raise ParameterError(
                    f"the mask must be as large as the sonogram, {n_frames} x {params.n_mels} "
                    f"pixels; {Path(path).name} is {size[0]} x {size[1]}"
                )
            levels = np.asarray(image.convert("L"))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise FormatError(f"{path} is not a picture: {error}") from error
    return (levels[::-1] >= _WHITE).astype(np.float32)


def softened(area: FloatArray, edge_frames: float, edge_rows: float) -> FloatArray:
    """An area (M, N) of 0 and 1 whose weight falls to 0 within it; the outside stays 0.

    Parameters
    ----------
    edge_frames, edge_rows : width of the slope along time and along frequency; below 1 is none
    """
    from scipy.ndimage import distance_transform_edt

    if max(edge_frames, edge_rows) < 1 or area.all():
        return area
    sampling = (1.0 / max(edge_rows, 1.0), 1.0 / max(edge_frames, 1.0))
    distance = distance_transform_edt(area > 0, sampling=sampling)
    return np.asarray(np.minimum(distance, 1.0), np.float32)


def free_cells(area: FloatArray, cell: tuple[int, int], height: int, width: int) -> FloatArray:
    """1 for the latent cells that hold any part of an area (M, N), float32 (height, width)."""
    rows, columns = cell
    padded = np.zeros((height * rows, width * columns), np.float32)
    padded[: area.shape[0], : area.shape[1]] = area > 0
    return np.asarray(padded.reshape(height, rows, width, columns).max(axis=(1, 3)), np.float32)
