"""Remix: image-to-image on a sonogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.guides import everywhere, facts_from_settings, guide_from_settings
from sonoriff.pipeline.key_preview import facts_of_sketch
from sonoriff.pipeline.latent_codec import (
    latents_from_picture,
    model_facts,
    painted_sonogram,
    picture_from_latents,
    picture_from_sonogram,
)
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import number_of_steps, paint
from sonoriff.pipeline.settings import OnProgress, Sampling, check_strength
from sonoriff.pipeline.source import Source, sonogram_from_source, source_name
from sonoriff.pipeline.source_analysis import Heard, guide_as_heard, listen
from sonoriff.sonogram.sonogram import Sonogram


@dataclass(frozen=True, kw_only=True)
class RemixSettings(Sampling):
    """Everything that determines a remix, besides the model and the source.

    Attributes
    ----------
    strength : in [0, 1]; 0 gives the source back, 1 ignores all but its length
    """

    strength: float = 0.6

    def __post_init__(self) -> None:
        super().__post_init__()
        check_strength(self.strength)


def remix(
    model: Model,
    source: Source,
    settings: RemixSettings,
    *,
    on_progress: OnProgress | None = None,
) -> Clip:
    """Play a source another way.

    Parameters
    ----------
    source : of any length up to 600 s. A mono source stays mono; the channels of a stereo one are
        painted as one picture, or side by side from the same noise by a model without left and
        right

    Notes
    -----
    The sampler starts from the source's latents with as much noise as there is at the time
    `strength`, and takes that share of the steps. At 1 the result is what `generate` makes of the
    same settings and length, as loud as the source's picture where that names its own scale.

    References
    ----------
    Meng et al., SDEdit (2022).
    """
    chosen = settings.resolved(model)
    sonogram = sonogram_from_source(model, source)
    facts = {"verb": "remix", "source": source_name(source), **chosen.to_dict()}
    if chosen.strength == 0:
        about = {**model_facts(model), **facts}
        return Clip(Sonogram(sonogram.values, sonogram.params, about))
    picture, peak = picture_from_sonogram(sonogram)
    latents = latents_from_picture(model, picture)
    noise = noise_grid(model, latents.shape[-1], chosen.seed)
    heard = Heard(None, None)
    if chosen.strength < 1:
        heard = listen(model, sonogram, sonogram.duration_s / 2)
    steps = number_of_steps(chosen, chosen.strength)
    still = on_progress and (lambda _step, _steps: on_progress(0, steps))
    guide, since_beat_s = guide_of_remix(model, chosen, chosen.strength, heard, noise, still)
    canvas = Canvas(
        np.broadcast_to(noise, latents.shape),
        everywhere(guide),
        latents,
        np.full((1, 1, *latents.shape[2:]), chosen.strength, np.float32),
        since_beat_s=since_beat_s,
    )
    painted = paint(model, canvas, chosen, on_progress=on_progress)
    result = picture_from_latents(model, painted, like=picture)[..., : sonogram.n_frames]
    return Clip(painted_sonogram(model, result, facts, peak=peak))


def guide_of_remix(
    model: Model,
    settings: Sampling,
    strength: float,
    heard: Heard,
    noise: npt.NDArray[np.float32],
    on_progress: OnProgress | None = None,
) -> tuple[Guidance, float | None]:
    """The guide, and the seconds from the beginning of a bar to the first column, if it is kept.

    Parameters
    ----------
    settings : resolved for the model
    heard : in the middle of the source; at strength 1 it says nothing
    noise : (1, C, H, W) of the grid
    on_progress : told of the steps of a sketch
    """
    if strength == 1:
        facts = facts_from_settings(model, settings, guess_tempo=True)
        facts = facts_of_sketch(model, settings, facts, noise, on_progress=on_progress)
        return guide_from_settings(model, settings, facts), 0.0
    over_s = model.params.duration_s(noise.shape[-1] * model.cell[1])
    return guide_as_heard(model, settings, heard, 0.0, over_s)
