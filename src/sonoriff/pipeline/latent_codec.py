"""Conversions between sonograms, model pictures and latents of any length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.models.protocol import Model
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.riffusion_tags import DEFAULT_MAX_VALUE
from sonoriff.sonogram.sonogram import Sonogram
from sonoriff.sonogram.stereo import PLANES, levels_from_mid, pan_and_width, power_of_level
from sonoriff.version import __version__

FloatArray = npt.NDArray[np.float32]
# Context cells on each side of a piece of a long picture, discarded afterwards.
_MARGIN_CELLS = 12
_PIECE_CELLS = 128
# Columns of a picture turned into values at once.
_MOST_COLUMNS = 4096


def picture_from_sonogram(sonogram: Sonogram) -> tuple[FloatArray, float]:
    """The picture (C, 1, M, N) in [-1, 1], and the amplitude that 1 stands for.

    Channels become members of a batch; left, right and middle become one picture (1, 3, M, N), as
    stereo models have them. The amplitude is 0 for the "log" scale, which has its own.
    """
    values = sonogram.values[:, None]
    params = sonogram.params
    if params.scale == "log":
        sides = None
        if len(values) == PLANES:
            sides = pan_and_width(*power_of_level(sonogram.values, params))[None]
            values = values[-1:]
        picture = (values - params.db_min) * (2.0 / (params.db_max - params.db_min)) - 1.0
        picture = np.clip(picture, -1.0, 1.0)
        return (picture if sides is None else np.concatenate([picture, sides], axis=1)), 0.0
    peak = float(values.max()) or DEFAULT_MAX_VALUE
    return 2.0 * np.clip(values / peak, 0.0, 1.0) ** params.power_for_image - 1.0, peak


def values_from_picture(
    picture: FloatArray, params: SonogramParams, peak: float | FloatArray
) -> FloatArray:
    """Inverse of `picture_from_sonogram`: values (P, M, N). A peak may be one for each column."""
    if params.scale == "log" and picture.shape[-1] > _MOST_COLUMNS:
        parts = np.arange(_MOST_COLUMNS, picture.shape[-1], _MOST_COLUMNS)
        pieces = np.split(picture, parts, axis=-1)
        return np.concatenate([values_from_picture(p, params, peak) for p in pieces], axis=-1)
    if params.scale == "log":
        values = (picture[:, :1] + 1.0) * (0.5 * (params.db_max - params.db_min)) + params.db_min
        values = np.clip(values, params.db_min, params.db_max)
        if picture.shape[1] == PLANES:
            return levels_from_mid(values[0, 0], picture[0, 1], picture[0, 2], params)
    else:
        level = np.clip(0.5 * (picture + 1.0), 0.0, 1.0)
        full = peak if isinstance(peak, np.ndarray) else peak or DEFAULT_MAX_VALUE
        values = full * level ** (1.0 / params.power_for_image)
    return np.ascontiguousarray(values[:, 0], dtype=np.float32)


def model_facts(model: Model) -> dict[str, Any]:
    """Model metadata stored in a picture: its name and a digest of its weights."""
    weights = getattr(model, "weights", "")
    return {"model": model.name, **({"weights": weights} if weights else {})}


def painted_sonogram(
    model: Model, picture: FloatArray, metadata: Mapping[str, Any], *, peak: float = 0.0
) -> Sonogram:
    """A sonogram of a picture, with the metadata that every clip carries."""
    facts = {**model_facts(model), "version": __version__, **metadata}
    return Sonogram(values_from_picture(picture, model.params, peak), model.params, facts)


def latents_from_picture(
    model: Model, picture: FloatArray, *, circular: bool = False
) -> FloatArray:
    """Latents (B, C, H, W) of a picture of any length, coded in pieces.

    The picture's ends are mirrored, so that its first and last cells are those of a sound that
    goes on; they are joined where it is `circular`. The last cell is filled up with the mirror
    image too.
    """
    columns = model.cell[1]
    width = -(-picture.shape[-1] // columns)
    margin = _MARGIN_CELLS * columns
    spare = width * columns - picture.shape[-1]
    wide = _extended(picture, margin, margin + spare, circular=circular)
    pieces = []
    for start in range(0, width, _PIECE_CELLS):
        count = min(_PIECE_CELLS, width - start)
        first, last = start * columns, (start + count) * columns + 2 * margin
        latents = model.encode(wide[..., first:last])
        pieces.append(latents[..., _MARGIN_CELLS : _MARGIN_CELLS + count])
    return np.concatenate(pieces, axis=-1)


def picture_from_latents(
    model: Model,
    latents: FloatArray,
    *,
    circular: bool = False,
    like: FloatArray | None = None,
) -> FloatArray:
    """The picture of latents of any length, N = W cells, decoded in pieces.

    Parameters
    ----------
    like : the source's picture: what was painted over mono is mono

    Returns
    -------
    (B, 1, M, N), or of a stereo model (B, 3, M, N)
    """
    if like is not None:
        return picture_from_latents(model, latents, circular=circular)[:, : like.shape[1]]
    columns, width = model.cell[1], latents.shape[-1]
    if width <= _PIECE_CELLS and not circular:
        return model.decode(latents)
    left = _MARGIN_CELLS if circular else 0
    wide = _extended(latents, left, left, circular=circular) if circular else latents
    pieces = []
    for start in range(0, width, _PIECE_CELLS):
        count = min(_PIECE_CELLS, width - start)
        first = max(0, start + left - _MARGIN_CELLS)
        last = min(wide.shape[-1], start + left + count + _MARGIN_CELLS)
        picture = model.decode(wide[..., first:last])
        skip = (start + left - first) * columns
        pieces.append(picture[..., skip : skip + count * columns])
    return np.concatenate(pieces, axis=-1)


def _extended(x: FloatArray, left: int, right: int, *, circular: bool) -> FloatArray:
    """Columns added at both ends, mirrored or wrapped, however many."""
    width = x.shape[-1]
    places = np.arange(-left, width + right)
    if circular:
        return x[..., places % width]
    if width == 1:
        return np.repeat(x, len(places), axis=-1)
    period = 2 * width - 2
    places = np.abs(places) % period
    return x[..., np.where(places < width, places, period - places)]
