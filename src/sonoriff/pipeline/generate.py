"""Text to music."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.clip import Clip
from sonoriff.pipeline.guides import everywhere, facts_from_settings, guide_from_settings
from sonoriff.pipeline.key_preview import facts_of_sketch, sketch_steps
from sonoriff.pipeline.latent_codec import painted_sonogram, picture_from_latents
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import OnProgress, Sampling, check_duration, stage


@dataclass(frozen=True, kw_only=True)
class GenerateSettings(Sampling):
    """Everything that determines a clip, besides the model.

    Attributes
    ----------
    duration_s : seconds, at most 600; None is one window
    """

    prompt: str
    duration_s: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_duration(self.duration_s)


def generate(
    model: Model, settings: GenerateSettings, *, on_progress: OnProgress | None = None
) -> Clip:
    """A clip for a prompt.

    The same settings give the same clip on the same machine. `on_progress(step, steps)` may raise
    `Cancelled` to stop between two steps.
    """
    return next(generate_many(model, settings, 1, on_progress=on_progress))


def generate_many(
    model: Model,
    settings: GenerateSettings,
    count: int,
    *,
    batch_size: int = 1,
    on_progress: OnProgress | None = None,
) -> Iterator[Clip]:
    """Yield clips for the seeds S, S + 1, ... as they finish.

    Parameters
    ----------
    count : clips, at least 1
    batch_size : clips painted together. Each has the noise of its own seed, so that it is the clip
        that `generate` makes, up to the rounding of sums of another length. Clips longer than a
        window, for which no key is named, and those of LCM are painted one by one
    on_progress : told ``(step, steps)`` of all batches together
    """
    if count < 1 or batch_size < 1:
        raise ParameterError(f"count and batch size must be 1 or more: {count}, {batch_size}")
    chosen = settings.resolved(model)
    assert chosen.num_inference_steps is not None
    n_frames = frames_from_duration(model, chosen.duration_s)
    width = model.latent_shape(n_frames)[2]
    known = facts_from_settings(model, chosen, guess_tempo=True)
    guide = guide_from_settings(model, chosen, known)
    sketched = sketch_steps(model, chosen, known, width)
    if sketched or chosen.sampler == "lcm":
        # Each seed has its own key, or its own fresh noise at each step.
        batch_size = 1
    steps = sketched + chosen.num_inference_steps
    total = steps * -(-count // batch_size)
    for batch, first in enumerate(range(0, count, batch_size)):
        seeds = [chosen.seed + i for i in range(first, min(first + batch_size, count))]
        noise = np.concatenate([noise_grid(model, width, seed) for seed in seeds])
        own = known
        done = batch * steps
        if sketched:
            told = stage(on_progress, done, total)
            own = facts_of_sketch(model, chosen, known, noise, on_progress=told)
            guide = guide_from_settings(model, chosen, own)
        latents = paint(
            model,
            Canvas(noise, everywhere(guide), since_beat_s=0.0),
            replace(chosen, seed=seeds[0]),
            on_progress=stage(on_progress, done + sketched, total),
        )
        for seed, one in zip(seeds, np.split(latents, len(seeds)), strict=True):
            picture = picture_from_latents(model, one)[..., :n_frames]
            values = replace(chosen, seed=seed).to_dict()
            facts = {"verb": "generate", **values, "attributes": own.named()}
            yield Clip(painted_sonogram(model, picture, facts))


def frames_from_duration(model: Model, duration_s: float | None) -> int:
    """Columns of a length, one window where it is None."""
    if duration_s is None:
        return model.window_frames
    return max(1, round(duration_s * model.params.frames_per_second))
