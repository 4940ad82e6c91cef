"""Riffusion's own call, with its JSON types, over the same loop as every verb.

The types and their meaning are those of riffusion-hobby 0.3.1 (``riffusion/datatypes.py``); what
went wrong there and does not here is listed at `riffuse`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.guides import blended_guide, everywhere
from sonoriff.pipeline.latent_codec import (
    latents_from_picture,
    painted_sonogram,
    picture_from_latents,
    picture_from_sonogram,
)
from sonoriff.pipeline.noise import noise_grid, slerp
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.remix import guide_of_remix
from sonoriff.pipeline.settings import OnProgress, Sampling
from sonoriff.pipeline.source import Source, sonogram_from_source
from sonoriff.pipeline.source_analysis import listen
from sonoriff.sonogram.picture import opaque, upright
from sonoriff.sonogram.sonogram import Sonogram

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PromptInput:
    """One end of a transition.

    Attributes
    ----------
    denoising : in [0, 1], how far from the seed image
    guidance : classifier-free guidance scale
    """

    prompt: str
    seed: int
    negative_prompt: str | None = None
    denoising: float = 0.75
    guidance: float = 7.0


@dataclass(frozen=True)
class InferenceInput:
    """A request: a place `alpha` in [0, 1] between `start` and `end`."""

    start: PromptInput
    end: PromptInput
    alpha: float
    num_inference_steps: int = 50
    seed_image_id: str = "og_beat"
    mask_image_id: str | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> InferenceInput:
        """From JSON; ParameterError names what is missing or of a wrong type."""
        given = dict(values)
        for end in ("start", "end"):
            if not isinstance(given.get(end), Mapping):
                raise ParameterError(f"{end!r} must be an object with prompt and seed")
            given[end] = _read(PromptInput, given[end], f"{end}.")
        result: InferenceInput = _read(cls, given, "")
        return result

    def __post_init__(self) -> None:
        for name, value in (
            ("alpha", self.alpha),
            ("start.denoising", self.start.denoising),
            ("end.denoising", self.end.denoising),
        ):
            if not 0 <= value <= 1:
                raise ParameterError(f"{name} must be in [0, 1], got {value}")


_TYPES: dict[str, tuple[type, ...]] = {
    "PromptInput": (PromptInput,),
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "float": (int, float),
}


def _read(cls: type[Any], values: Mapping[str, Any], where: str) -> Any:
    """A dataclass from a mapping, every type checked; unknown keys are passed over."""
    given = {}
    for field in fields(cls):
        if field.name not in values:
            continue
        value = values[field.name]
        wrong = not isinstance(value, _TYPES[str(field.type)]) or isinstance(value, bool)
        if wrong or (isinstance(value, float) and not math.isfinite(value)):
            raise ParameterError(
                f"{where}{field.name} must be of type {field.type}, got {type(value).__name__}"
            )
        given[field.name] = value
    try:
        return cls(**given)
    except TypeError as error:
        missing = str(error).split("missing ")[-1]
        raise ParameterError(f"{where or 'the request '}misses {missing}") from error


def riffuse(
    model: Model,
    inputs: InferenceInput,
    seed_image: Source,
    mask_image: Image.Image | None = None,
    *,
    on_progress: OnProgress | None = None,
) -> Clip:
    """The riff at `alpha` between two prompts and seeds, both starting from a seed image.

    Parameters
    ----------
    seed_image : a sonogram of any format and length, or a sound
    mask_image : stretched over the seed image; white is painted anew, black is kept, grey is
        painted anew from a lower denoising on

    Notes
    -----
    As Riffusion does it: prompts, guidance and denoising change along a straight line, the noise of
    the two seeds along the sphere. Otherwise than there the negative prompts count, prompts may be
    of any length, denoising 0 gives the seed image back, a kept part is kept to the last bit, the
    seed image is coded without noise (so that a transition ends where the next one begins), noise
    is drawn on the CPU (so that devices agree), and every number is checked.
    """
    sonogram = sonogram_from_source(model, seed_image)
    ends = [
        Sampling(
            prompt=end.prompt,
            negative_prompt=end.negative_prompt or "",
            seed=end.seed,
            num_inference_steps=inputs.num_inference_steps,
            guidance_scale=end.guidance,
        ).resolved(model)
        for end in (inputs.start, inputs.end)
    ]
    picture, peak = picture_from_sonogram(sonogram)
    latents = latents_from_picture(model, picture)
    first_noise, second_noise = (noise_grid(model, latents.shape[-1], e.seed) for e in ends)
    share = inputs.alpha
    strength = (1.0 - share) * inputs.start.denoising + share * inputs.end.denoising
    heard = listen(model, sonogram, sonogram.duration_s / 2)
    (first_guide, since_beat_s), (second_guide, _) = (
        guide_of_remix(model, end, strength, heard, noise)
        for end, noise in zip(ends, (first_noise, second_noise), strict=True)
    )
    canvas = Canvas(
        np.broadcast_to(slerp(first_noise, second_noise, share), latents.shape),
        everywhere(blended_guide(model, first_guide, second_guide, share)),
        latents,
        strength * _whiteness(mask_image, latents),
        since_beat_s=since_beat_s,
    )
    painted = paint(model, canvas, ends[0], on_progress=on_progress)
    result = picture_from_latents(model, painted, like=picture)[..., : sonogram.n_frames]
    if strength == 0.0:
        result = picture
    facts = {"verb": "riffuse", "masked": mask_image is not None, **_flat(inputs)}
    made = painted_sonogram(model, result, facts, peak=peak)
    if mask_image is not None:
        kept = _kept(mask_image, sonogram)
        values = np.where(kept, sonogram.values, made.values)
        made = Sonogram(np.ascontiguousarray(values, np.float32), made.params, made.metadata)
    return Clip(made)


def _whiteness(mask: Image.Image | None, latents: FloatArray) -> FloatArray:
    """How white the mask is over each latent cell, in [0, 1], (1, 1, H, W)."""
    height, width = latents.shape[2:]
    if mask is None:
        return np.ones((1, 1, height, width), np.float32)
    small = opaque(upright(mask), 0).convert("L").resize((width, height), Image.Resampling.BOX)
    levels = np.asarray(small, np.float32)[::-1] / np.float32(255.0)
    return np.ascontiguousarray(levels)[None, None]


def _kept(mask: Image.Image, sonogram: Sonogram) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where the mask, stretched over the sonogram, is black: bool (M, N)."""
    size = (sonogram.n_frames, sonogram.params.n_mels)
    grey = opaque(upright(mask), 0).convert("L")
    levels = np.asarray(grey.resize(size, Image.Resampling.NEAREST))
    black: np.ndarray[Any, np.dtype[np.bool_]] = levels[::-1] == 0
    return black


def _flat(inputs: InferenceInput) -> dict[str, Any]:
    return {**vars(inputs), "start": vars(inputs.start), "end": vars(inputs.end)}
