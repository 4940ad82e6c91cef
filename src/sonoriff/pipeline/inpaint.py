"""Inpainting: repaint a part of a sound, by time, by frequency or by a painted mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.guides import everywhere
from sonoriff.pipeline.latent_codec import (
    latents_from_picture,
    model_facts,
    painted_sonogram,
    picture_from_latents,
    picture_from_sonogram,
)
from sonoriff.pipeline.masks import (
    area_of_bands,
    area_of_mask,
    area_of_times,
    free_cells,
    softened,
)
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import OnProgress, Sampling, check_strength
from sonoriff.pipeline.source import Source, sonogram_from_source, source_name
from sonoriff.pipeline.source_analysis import guide_as_heard, listen
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.sonogram import Sonogram

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class InpaintSettings(Sampling):
    """Everything that determines an inpainting, besides the model and the source.

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
    """Repaint a part of a source; outside that part its values stay the source's own.

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
    about = {k: v for k, v in chosen.to_dict().items() if k != "mask"}
    facts = {"verb": "inpaint", "source": source_name(source), "masked": bool(chosen.mask)}
    values, by = sonogram.values, model_facts(model)
    if chosen.strength > 0:
        first, last = _span(model, weights)
        painted = _painted(model, sonogram, first, weights[:, first:last], chosen, on_progress)
        values, by = values.copy(), dict(painted.metadata)
        values[..., first:last] = painted.values
    return Clip(Sonogram(values, sonogram.params, {**by, **facts, **about}))


def _span(model: Model, weights: FloatArray) -> tuple[int, int]:
    """Columns of the area with a window of what is around it, on whole cells."""
    (columns,) = np.nonzero(weights.any(axis=0))
    cell, around, n_frames = model.cell[1], model.window_frames // 2, weights.shape[1]
    first, last = int(columns[0]) - around, int(columns[-1]) + 1 + around
    # Context missing on one side is taken from the other.
    first, last = first - max(0, last - n_frames), last - min(0, first)
    return max(0, first) // cell * cell, min(n_frames, -(-last // cell) * cell)


def _painted(
    model: Model,
    source: Sonogram,
    first: int,
    weights: FloatArray,
    settings: InpaintSettings,
    on_progress: OnProgress | None,
) -> Sonogram:
    """As many columns of the source as `weights` has, from `first` on, painted anew."""
    whole, params = source, source.params
    source = Sonogram(whole.values[..., first : first + weights.shape[1]], params)
    picture, peak = picture_from_sonogram(source)
    latents = latents_from_picture(model, picture)
    free = free_cells(weights, model.cell, *latents.shape[2:])
    # Analyse the whole source: the part alone may be too short to find its beats.
    first_s = params.duration_s(first)
    heard = listen(model, whole, first_s + source.duration_s / 2)
    guide, since_beat_s = guide_as_heard(model, settings, heard, first_s, source.duration_s)
    canvas = Canvas(
        np.broadcast_to(noise_grid(model, latents.shape[-1], settings.seed), latents.shape),
        everywhere(guide),
        latents,
        (free * settings.strength).astype(np.float32)[None, None],
        since_beat_s=since_beat_s,
    )
    painted = paint(model, canvas, settings, on_progress=on_progress)
    result = picture_from_latents(model, painted, like=picture)
    mixed = picture + weights * (result[..., : source.n_frames] - picture)
    made = painted_sonogram(model, mixed, {}, peak=peak)
    values = np.where(weights > 0, made.values, source.values)
    return Sonogram(np.ascontiguousarray(values, np.float32), made.params, made.metadata)
