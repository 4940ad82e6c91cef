"""A part of a sound painted anew: by time, by frequency, by a drawn mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.areas import (
    area_of_bands,
    area_of_mask,
    area_of_times,
    free_cells,
    softened,
)
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.guides import everywhere
from sonoriff.pipeline.heard import guide_as_heard, listen
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import Canvas, paint
from sonoriff.pipeline.pictures import (
    latents_from_picture,
    painted_sonogram,
    picture_from_latents,
    picture_from_sonogram,
)
from sonoriff.pipeline.settings import OnProgress, Sampling, check_strength
from sonoriff.pipeline.source import Source, sonogram_from_source, source_name
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.sonogram import Sonogram

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class InpaintSettings(Sampling):
    """Everything that decides an inpainting, besides the model and the source.

    Attributes
    ----------
    times : spans in seconds; bands : in Hz; mask : picture of the sonogram's size, white is
        painted anew. Several spans or bands add up, each kind that is given narrows the others;
        at least one must be given
    strength : in [0, 1]; below 1 something of what stood there shines through
    edge_s, edge_rows : width of the soft edge inside the area, in seconds and in rows
    """

    times: tuple[tuple[float, float], ...] = ()
    bands: tuple[tuple[float, float], ...] = ()
    mask: str | None = None
    strength: float = 1.0
    edge_s: float = 0.05
    edge_rows: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_strength(self.strength)
        if not (self.times or self.bands or self.mask):
            raise ParameterError("say what to paint anew: a span of time, a band, or a mask")
        if not 0 <= self.edge_s <= 10 or not 0 <= self.edge_rows <= 512:
            raise ParameterError(
                f"edges must be in [0, 10] s and [0, 512] rows: {self.edge_s}, {self.edge_rows}"
            )


def area_from_settings(
    settings: InpaintSettings, n_frames: int, params: SonogramParams
) -> FloatArray:
    """What is painted anew, weights in [0, 1], float32 (M, N); exactly 0 outside."""
    area = np.ones((params.n_mels, n_frames), np.float32)
    if settings.times:
        area = area * area_of_times(settings.times, n_frames, params)
    if settings.bands:
        area = area * area_of_bands(settings.bands, params)
    if settings.mask:
        area = area * area_of_mask(settings.mask, n_frames, params)
    if not area.any():
        raise ParameterError("nothing lies in all of the given times, bands and mask")
    return softened(area, settings.edge_s * params.frames_per_second, settings.edge_rows)


def inpaint(
    model: Model,
    source: Source,
    settings: InpaintSettings,
    *,
    on_progress: OnProgress | None = None,
) -> Clip:
    """A source with a part of it painted anew; outside that part its values are the source's own.

    Notes
    -----
    Cells of the latent grid that lie wholly outside are told to the model where it takes known
    latents, and follow the noised source in any case. Of a long source only the area and a window
    around it are worked on.

    References
    ----------
    Lugmayr et al., RePaint (2022), for the known part on its own noisy path.
    """
    chosen = settings.resolved(model)
    sonogram = sonogram_from_source(model, source)
    weights = area_from_settings(chosen, sonogram.n_frames, sonogram.params)
    first, last = _span(model, weights)
    part = Sonogram(sonogram.values[..., first:last], sonogram.params)
    painted = _painted(model, part, weights[:, first:last], chosen, on_progress)
    values = sonogram.values.copy()
    values[..., first:last] = painted.values
    about = {k: v for k, v in chosen.to_dict().items() if k != "mask"}
    facts = {"verb": "inpaint", "source": source_name(source), "masked": bool(chosen.mask)}
    return Clip(Sonogram(values, sonogram.params, {**painted.metadata, **facts, **about}))


def _span(model: Model, weights: FloatArray) -> tuple[int, int]:
    """Columns of the area with a window of what is around it, on whole cells."""
    (columns,) = np.nonzero(weights.any(axis=0))
    cell, around = model.cell[1], model.window_frames // 2
    # A span shorter than a window would show the model less than it was trained on.
    missing = max(0, model.window_frames - (int(columns[-1]) - int(columns[0]) + 1 + 2 * around))
    first = max(0, int(columns[0]) - around - missing) // cell * cell
    return first, min(weights.shape[1], int(columns[-1]) + 1 + around + missing)


def _painted(
    model: Model,
    source: Sonogram,
    weights: FloatArray,
    settings: InpaintSettings,
    on_progress: OnProgress | None,
) -> Sonogram:
    picture, peak = picture_from_sonogram(source)
    latents = latents_from_picture(model, picture)
    free = torch.from_numpy(free_cells(weights, model.cell, *latents.shape[2:]))
    heard = listen(model, source, source.duration_s / 2)
    guide, since_beat_s = guide_as_heard(model, settings, heard)
    canvas = Canvas(
        noise_grid(model, latents.shape[-1], settings.seed).expand_as(latents),
        everywhere(guide),
        latents,
        (free * settings.strength)[None, None].to(latents),
        since_beat_s=since_beat_s,
    )
    result = picture_from_latents(model, paint(model, canvas, settings, on_progress=on_progress))
    share = torch.from_numpy(weights)
    mixed = picture + share * (result[..., : source.n_frames] - picture)
    made = painted_sonogram(model, mixed, {}, peak=peak)
    values = np.where(weights > 0, made.values, source.values)
    return Sonogram(np.ascontiguousarray(values, np.float32), made.params, made.metadata)
