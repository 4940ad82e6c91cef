"""Morphs: interpolate between prompts, seeds, strengths or two sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.guides import blended_guide, everywhere, guide_from_settings
from sonoriff.pipeline.joins import eased
from sonoriff.pipeline.latent_codec import (
    latents_from_picture,
    model_facts,
    picture_from_latents,
    picture_from_sonogram,
    values_from_picture,
)
from sonoriff.pipeline.noise import noise_grid, slerp
from sonoriff.pipeline.paint import inverted, paint
from sonoriff.pipeline.remix import guide_of_remix
from sonoriff.pipeline.settings import OnProgress, Sampling, check_strength, check_types, stage
from sonoriff.pipeline.source import Source, sonogram_from_source, source_name
from sonoriff.pipeline.source_analysis import listen
from sonoriff.sonogram.sonogram import Sonogram

FloatArray = npt.NDArray[np.float32]
MAX_CLIPS = 100
_OVERLAP = 0.5


@dataclass(frozen=True, kw_only=True)
class MorphPoint:
    """A keyframe of a morph; None falls back to the settings.

    Attributes
    ----------
    strength : how far from the source, in [0, 1]; without a source it says nothing
    """

    prompt: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    guidance_scale: float | None = None
    strength: float = 0.75
    bpm: float | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        check_types(self)
        check_strength(self.strength)
        Sampling(**self.own)  # which checks its ranges

    @property
    def own(self) -> dict[str, Any]:
        """What it says itself, by name, of what the settings say too."""
        names = ("prompt", "negative_prompt", "seed", "guidance_scale", "bpm", "key")
        return {k: v for k in names if (v := getattr(self, k)) is not None}


@dataclass(frozen=True, kw_only=True)
class MorphSettings(Sampling):
    """Everything that determines a morph, besides the model and the sources.

    Attributes
    ----------
    points : two or more, at equal distances on the way
    clips : in [3, 100], the first and the last included
    inverted : the noise of a point is not drawn but that from which its source comes of itself, so
        that the ends are their sources at any strength. The sampler is then DDIM, and the guidance
        acts between the ends alone and is 1 where none is given
    """

    points: tuple[MorphPoint, ...]
    clips: int = 12
    inverted: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.points) < 2:
            raise ParameterError(f"a way needs two points or more, got {len(self.points)}")
        if not max(3, len(self.points)) <= self.clips <= MAX_CLIPS:
            raise ParameterError(
                f"clips must be in [{max(3, len(self.points))}, {MAX_CLIPS}], got {self.clips}"
            )
        # A mapping is what a point is after a trip through JSON.
        points = tuple(p if isinstance(p, MorphPoint) else MorphPoint(**p) for p in self.points)
        object.__setattr__(self, "points", points)

    def at(self, point: int) -> MorphSettings:
        """Settings of a point: the shared ones with its own put in."""
        return replace(self, **self.points[point].own)


@dataclass(frozen=True, eq=False)
class Morph:
    """The clips of a morph, and all of them as one sound."""

    clips: tuple[Clip, ...]
    joined: Clip


@dataclass(frozen=True)
class _Point:
    """A prepared keyframe: guidance, noise, source latents and strength.

    An inverted one is painted without guidance where it stands by itself.
    """

    guide: Guidance
    noise: FloatArray
    source: FloatArray | None
    strength: float
    since_beat_s: float | None


def morph(
    model: Model,
    settings: MorphSettings,
    sources: Sequence[Source] = (),
    *,
    on_progress: OnProgress | None = None,
) -> Morph:
    """Clips from the first keyframe to the last.

    Parameters
    ----------
    sources : none; one, which all points start from; or one for each point. Cut to whole latent
        cells and to the shortest

    Notes
    -----
    The first and the last clip are those that `generate`, or `remix` with a source, makes of their
    points; with `inverted` they are the sources, to what the autoencoder makes of them. All between
    is painted at once between these two, each place with the mixture that belongs to it: prompts
    and strengths along a straight line, noise along the sphere. So the clips lead into each other,
    and decoding them one after the other gives one sound.
    """
    chosen = _resolved(model, settings, sources)
    sonograms = _cut([sonogram_from_source(model, source) for source in sources], model)
    assert chosen.num_inference_steps is not None
    count = (len(chosen.points) if chosen.inverted else 0) + 3
    told = [
        stage(on_progress, i * chosen.num_inference_steps, count * chosen.num_inference_steps)
        for i in range(count)
    ]
    points = _points(model, chosen, sonograms, told[:-3])
    ends = [
        _paint_point(model, point, chosen, tell)
        for point, tell in zip((points[0], points[-1]), told[-3:-1], strict=True)
    ]
    latents = _paint_between(model, points, ends, chosen, told[-1])
    values = _values(model, latents, ends, chosen, sonograms)
    about = {"sources": [source_name(s) for s in sources], **chosen.to_dict()}
    return _clips(model, values, about, chosen)


def _resolved(model: Model, settings: MorphSettings, sources: Sequence[Source]) -> MorphSettings:
    chosen = settings.resolved(model)
    if not settings.inverted:
        return chosen
    if not sources:
        raise ParameterError("only a sound can be inverted: give a source, or one for each point")
    if getattr(model, "reuse", 1) > 1:
        raise ParameterError("no way leads back through reused layers: invert with reuse 1")
    scale = settings.guidance_scale
    return replace(chosen, sampler="ddim", guidance_scale=1.0 if scale is None else scale)


def _cut(sonograms: list[Sonogram], model: Model) -> list[Sonogram]:
    """Sources of one length, whole cells."""
    if not sonograms:
        return []
    cell = model.cell[1]
    n_frames = min(s.n_frames for s in sonograms) // cell * cell
    if n_frames == 0:
        raise ParameterError(f"a source of a morph must have {cell} columns or more")
    if len({s.n_channels for s in sonograms}) > 1:
        raise ParameterError("the sources of a morph must be all mono or all stereo")
    return [Sonogram(s.values[..., :n_frames], s.params) for s in sonograms]


def _points(
    model: Model,
    settings: MorphSettings,
    sonograms: list[Sonogram],
    told: Sequence[OnProgress | None],
) -> list[_Point]:
    count = len(settings.points)
    if len(sonograms) not in (0, 1, count):
        raise ParameterError(
            f"give no source, one, or one for each of the {count} points; got {len(sonograms)}"
        )
    coded = [latents_from_picture(model, picture_from_sonogram(s)[0]) for s in sonograms]
    heard = [listen(model, s, s.duration_s / 2) for s in sonograms]
    width = coded[0].shape[-1] if coded else model.latent_shape(model.window_frames)[2]
    points = []
    for i, point in enumerate(settings.points):
        own = settings.at(i)
        noise = noise_grid(model, width, own.seed)
        if not coded:
            guide = guide_from_settings(model, own, guess_tempo=True)
            points.append(_Point(guide, noise, None, 1.0, 0.0))
            continue
        which = i if len(coded) > 1 else 0
        source = coded[which]
        guide, since = guide_of_remix(model, own, point.strength, heard[which], noise)
        if settings.inverted:
            alone = replace(guide, guidance_scale=1.0)
            noise = inverted(model, source, alone, point.strength, own, on_progress=told[i])
            since = None
        points.append(
            _Point(guide, np.broadcast_to(noise, source.shape), source, point.strength, since)
        )
    return points


def _between(model: Model, points: list[_Point], place: float) -> _Point:
    """The point at `place` in [0, 1] of the whole way."""
    along = min(max(place, 0.0), 1.0) * (len(points) - 1)
    first = min(int(along), len(points) - 2)
    share, a, b = along - first, points[first], points[first + 1]
    source = None
    if a.source is not None and b.source is not None:
        source = a.source if a.source is b.source else slerp(a.source, b.source, share)
    return _Point(
        blended_guide(model, a.guide, b.guide, share),
        slerp(a.noise, b.noise, share),
        source,
        (1.0 - share) * a.strength + share * b.strength,
        None,
    )


def _canvas(point: _Point) -> Canvas:
    strength_map = np.full((1, 1, *point.noise.shape[2:]), point.strength, np.float32)
    return Canvas(
        point.noise,
        everywhere(point.guide),
        point.source,
        None if point.source is None else strength_map,
        since_beat_s=point.since_beat_s,
    )


def _paint_point(
    model: Model, point: _Point, settings: MorphSettings, told: OnProgress | None
) -> FloatArray:
    if settings.inverted:
        point = replace(point, guide=replace(point.guide, guidance_scale=1.0))
    return paint(model, _canvas(point), settings, on_progress=told)


def _paint_between(
    model: Model,
    points: list[_Point],
    ends: list[FloatArray],
    settings: MorphSettings,
    told: OnProgress | None,
) -> FloatArray:
    """Latents of all clips side by side; the ends are known, the rest is painted."""
    width, last = ends[0].shape[-1], settings.clips - 1
    inner = [_between(model, points, i / last) for i in range(1, last)]
    sources = [p.source if p.source is not None else np.zeros_like(ends[0]) for p in inner]
    strengths = np.array([0.0, *(p.strength for p in inner), 0.0], np.float32)
    strength_map = np.repeat(strengths, width)
    guide_at = partial(_guide_at, model, points, width, last)
    canvas = Canvas(
        np.concatenate([points[0].noise, *(p.noise for p in inner), points[-1].noise], axis=-1),
        guide_at,
        np.concatenate([ends[0], *sources, ends[1]], axis=-1),
        np.broadcast_to(strength_map, (1, 1, ends[0].shape[2], len(strength_map))),
        overlap=_OVERLAP,
        # Keep one pulse from the first clip on, across all joins.
        since_beat_s=0.0 if points[0].source is None else None,
    )
    return paint(model, canvas, settings, on_progress=told)


def _guide_at(model: Model, points: list[_Point], width: int, last: int, middle: float) -> Guidance:
    clip = (middle + 0.5) / width - 0.5
    return _between(model, points, clip / last).guide


def _values(
    model: Model,
    latents: FloatArray,
    ends: list[FloatArray],
    settings: MorphSettings,
    sonograms: list[Sonogram],
) -> FloatArray:
    """Values (P, M, N) of the whole way; those of the ends as they are by themselves."""
    peaks = [picture_from_sonogram(s)[1] for s in sonograms] or [0.0]
    width = ends[0].shape[-1] * model.cell[1]
    like = picture_from_sonogram(sonograms[0])[0] if sonograms else None
    between = picture_from_latents(model, latents, like=like)[..., width:-width]
    alone = []
    for end, at_start in ((0, True), (-1, False)):
        if sonograms and settings.points[end].strength == 0.0:
            picture, values = picture_from_sonogram(sonograms[end])[0], sonograms[end].values
        else:
            picture = picture_from_latents(model, ends[end], like=like)
            values = values_from_picture(picture, model.params, peaks[end])
        between = eased(between, picture, at_start=at_start)
        alone.append(values)
    inner = values_from_picture(between, model.params, _peaks(peaks, between.shape[-1]))
    return np.concatenate([alone[0], inner, alone[1]], axis=2)


def _peaks(peaks: list[float], n_frames: int) -> float | FloatArray:
    """What full white stands for in each column between the ends: from source to source in dB."""
    if min(peaks) == max(peaks):
        return peaks[0]
    places = np.linspace(0.0, len(peaks) - 1.0, n_frames)
    levels = np.exp(np.interp(places, np.arange(len(peaks)), np.log(peaks)))
    return levels.astype(np.float32)


def _clips(
    model: Model,
    values: FloatArray,
    about: dict[str, Any],
    settings: MorphSettings,
) -> Morph:
    width = values.shape[2] // settings.clips
    facts = {"verb": "morph", **model_facts(model), **about}
    clips = tuple(
        Clip(
            Sonogram(
                np.ascontiguousarray(values[..., i * width : (i + 1) * width]),
                model.params,
                {**facts, "clip": i},
            )
        )
        for i in range(settings.clips)
    )
    return Morph(clips, Clip(Sonogram(values, model.params, facts)))
