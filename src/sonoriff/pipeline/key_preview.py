"""One key for music longer than a window: the key its first window would come out in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sonoriff.models.protocol import Model, MusicAttributes
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.guides import everywhere, guide_from_settings
from sonoriff.pipeline.paint import number_of_steps, paint
from sonoriff.pipeline.settings import OnProgress, Sampling
from sonoriff.pipeline.source_analysis import key_of_latents

# The key is settled early in sampling: half of the steps suffice for a preview.
_STEPS = 0.5


def sketch_steps(model: Model, sampling: Sampling, facts: MusicAttributes, width: int) -> int:
    """Steps of the preview for a grid of `width` cells; 0 if none is needed."""
    window = model.latent_shape(model.window_frames)[2]
    if facts.key is not None or facts.chords or not model.takes_facts or width <= window:
        return 0
    return number_of_steps(sampling, _STEPS)


def facts_of_sketch(
    model: Model,
    sampling: Sampling,
    facts: MusicAttributes,
    noise: npt.NDArray[np.float32],
    *,
    since_beat_s: float = 0.0,
    on_progress: OnProgress | None = None,
) -> MusicAttributes:
    """`facts`, with a key for all windows of a grid where they name none.

    Windows that do not overlap know nothing of each other's key, and without a condition each comes
    out in a key of its own. So the first window is previewed and its key conditions all of them.

    Parameters
    ----------
    sampling : resolved for the model
    noise : (1, C, H, W)
    since_beat_s : as of a `Canvas`
    on_progress : told ``(step, steps)`` of the sketch
    """
    steps = sketch_steps(model, sampling, facts, noise.shape[-1])
    if steps == 0:
        return facts
    first = noise[..., : model.latent_shape(model.window_frames)[2]]
    guide = guide_from_settings(model, sampling, facts)
    canvas = Canvas(first, everywhere(guide), since_beat_s=since_beat_s)
    latents = paint(
        model, canvas, replace(sampling, num_inference_steps=steps), on_progress=on_progress
    )
    key = key_of_latents(model, latents)
    return facts if key is None else replace(facts, key=key[0], mode=key[1])
