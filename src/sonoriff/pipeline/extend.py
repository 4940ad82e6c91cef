"""A sound that goes on, at either end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.generate import frames_from_duration
from sonoriff.pipeline.guides import everywhere
from sonoriff.pipeline.joins import eased
from sonoriff.pipeline.latent_codec import (
    latents_from_picture,
    painted_sonogram,
    picture_from_latents,
    picture_from_sonogram,
)
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import OnProgress, Sampling, check_duration
from sonoriff.pipeline.source import Source, sonogram_from_source, source_name
from sonoriff.pipeline.source_analysis import guide_as_heard, listen
from sonoriff.sonogram.sonogram import Sonogram

FloatArray = npt.NDArray[np.float32]
Side = Literal["end", "start"]
# Columns over which the painted part takes on the level that the autoencoder loses.
_SETTLE_FRAMES = 16
# Extra cells encoded beside the visible ones, so that no visible cell lies at an edge.
_BESIDE_CELLS = 12


@dataclass(frozen=True, kw_only=True)
class ExtendSettings(Sampling):
    """Everything that decides an extension, besides the model and the source.

    Attributes
    ----------
    duration_s : seconds of the whole result, source included
    side : "end" goes on after the source, "start" leads to it
    """

    duration_s: float
    side: Side = "end"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_duration(self.duration_s)
        if self.side not in get_args(Side):
            raise ParameterError(f'side must be "end" or "start", got {self.side!r}')


def extend(
    model: Model,
    source: Source,
    settings: ExtendSettings,
    *,
    on_progress: OnProgress | None = None,
) -> Clip:
    """Continue a source at its end or lead up to its start; its own columns stay unchanged.

    The exception is the last few columns of a continued source, whose windows saw the sound stop.

    Notes
    -----
    The model sees the half window of the source next to the join; everything new is painted at once
    in overlapping windows. Tempo, bars and key of the source are conditions where they are clear.
    """
    chosen = settings.resolved(model)
    sonogram = sonogram_from_source(model, source)
    n_new = frames_from_duration(model, chosen.duration_s) - sonogram.n_frames
    if n_new <= 0:
        raise ParameterError(
            f"the source is {sonogram.duration_s:.2f} s long: ask for a longer duration than that, "
            f"got {chosen.duration_s:g} s"
        )
    if chosen.side == "end":
        sonogram = _going_on(sonogram)
    picture, peak = picture_from_sonogram(sonogram)
    paint_beside = _following if chosen.side == "end" else _leading
    new = paint_beside(model, sonogram, picture, n_new, chosen, on_progress)
    facts = {"verb": "extend", "source": source_name(source), **chosen.to_dict()}
    made = painted_sonogram(model, new, facts, peak=peak)
    parts = [sonogram.values, made.values]
    values = np.concatenate(parts if chosen.side == "end" else parts[::-1], axis=2)
    return Clip(Sonogram(values, made.params, made.metadata))


def _going_on(sonogram: Sonogram) -> Sonogram:
    """The picture with its last columns replaced by the one before, where they saw silence.

    Once the sound goes on it no longer breaks off there.
    """
    params = sonogram.params
    beyond = params.cut_frames
    if params.scale == "power" or sonogram.n_frames <= beyond:  # mirrored at its ends
        return sonogram
    values = sonogram.values.copy()
    values[..., -beyond:] = values[..., -beyond - 1 : -beyond]
    return Sonogram(values, params, sonogram.metadata)


def _following(
    model: Model,
    source: Sonogram,
    picture: FloatArray,
    n_new: int,
    settings: ExtendSettings,
    on_progress: OnProgress | None,
) -> FloatArray:
    """The picture (C, K, M, n_new) that goes on after `picture`, that of `source`."""
    cell = model.cell[1]
    n_known = _context_cells(model, picture)
    # Align the cell grid so that a cell boundary falls on the join.
    end = picture[..., picture.shape[-1] % cell :][..., -(n_known + _BESIDE_CELLS) * cell :]
    known = latents_from_picture(model, end)[..., -n_known:]
    first = source.n_frames - n_known * cell
    result = _paint_beside(
        model, source, known, n_known - (-n_new // cell), first, settings, on_progress
    )[:, : picture.shape[1]]
    shown = result[..., : n_known * cell]
    new = result[..., n_known * cell : n_known * cell + n_new]
    beside = picture[..., -n_known * cell :]
    return eased(_settled(new, beside - shown, at_start=True), beside, at_start=True)


def _leading(
    model: Model,
    source: Sonogram,
    picture: FloatArray,
    n_new: int,
    settings: ExtendSettings,
    on_progress: OnProgress | None,
) -> FloatArray:
    """The picture (C, K, M, n_new) that leads to `picture`, that of `source`."""
    cell = model.cell[1]
    n_known = _context_cells(model, picture)
    beginning = picture[..., : (n_known + _BESIDE_CELLS) * cell]
    known = latents_from_picture(model, beginning)[..., :n_known]
    join = -(-n_new // cell) * cell
    result = _paint_beside(
        model, source, known, n_known + join // cell, -join, settings, on_progress
    )[:, : picture.shape[1]]
    new = result[..., join - n_new : join]
    beside = picture[..., : n_known * cell]
    return eased(_settled(new, beside - result[..., join:], at_start=False), beside, at_start=False)


def _context_cells(model: Model, picture: FloatArray) -> int:
    """Whole cells of the source that are shown, at most half a window of them."""
    cell = model.cell[1]
    cells: int = min(model.latent_shape(model.window_frames)[2] // 2, picture.shape[-1] // cell)
    if cells < 1:
        raise ParameterError(
            f"the source has {picture.shape[-1]} columns, at least {cell} are needed to go on from"
        )
    return cells


def _paint_beside(
    model: Model,
    source: Sonogram,
    known: FloatArray,
    n_cells: int,
    first: int,
    settings: ExtendSettings,
    on_progress: OnProgress | None,
) -> FloatArray:
    """The decoded picture of `n_cells` columns of cells, at one end of which lies `known`.

    `first` is the column of the source at which the picture begins: below 0 is before it.
    """
    batch, channels, height, n_known = known.shape
    place = n_cells - n_known if first < 0 else 0
    latents = np.zeros((batch, channels, height, n_cells), np.float32)
    latents[..., place : place + n_known] = known
    strength_map = np.ones((1, 1, height, n_cells), np.float32)
    strength_map[..., place : place + n_known] = 0.0
    join_s = 0.0 if first < 0 else source.duration_s
    heard = listen(model, source, join_s)
    first_s = source.params.duration_s(first)
    guide, since_beat_s = guide_as_heard(model, settings, heard, first_s)
    canvas = Canvas(
        np.broadcast_to(noise_grid(model, n_cells, settings.seed), latents.shape),
        everywhere(guide),
        latents,
        strength_map,
        since_beat_s=since_beat_s,
    )
    return picture_from_latents(model, paint(model, canvas, settings, on_progress=on_progress))


def _settled(new: FloatArray, lost: FloatArray, *, at_start: bool) -> FloatArray:
    """`new` with the level that the autoencoder lost beside the join, fading away from it.

    The source stands there as it is, the new part as it was decoded: without this a steady sound
    would change its colour at the join.
    """
    beside = lost[..., -_SETTLE_FRAMES:] if at_start else lost[..., :_SETTLE_FRAMES]
    level = beside.mean(axis=-1, keepdims=True)
    places = np.arange(new.shape[-1], dtype=np.float32)
    slope = np.maximum(np.float32(0.0), 1.0 - places / np.float32(4 * _SETTLE_FRAMES))
    settled: FloatArray = new + level * (slope if at_start else slope[::-1])
    return np.asarray(np.clip(settled, -1.0, 1.0), np.float32)
