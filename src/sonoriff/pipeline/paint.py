"""The one denoising loop that every verb runs through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from sonoriff.diffusion.samplers import SAMPLERS, invert_euler
from sonoriff.diffusion.schedule import NoiseSchedule, noised
from sonoriff.diffusion.schedule_samplers import SCHEDULE_SAMPLERS, invert_ddim, sample_lcm
from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.prediction import OnMember, Prediction
from sonoriff.pipeline.settings import OnProgress, Sampling
from sonoriff.threads import follow_free_cores

FloatArray = npt.NDArray[np.float32]


def number_of_steps(sampling: Sampling, start: float) -> int:
    """Steps that are taken from a time below 1: as long ones as from 1."""
    assert sampling.num_inference_steps is not None
    # The slack is for a start that float32 has rounded, times a thousand steps.
    return max(1, math.ceil(sampling.num_inference_steps * start - 1e-4))


def paint(
    model: Model, canvas: Canvas, sampling: Sampling, *, on_progress: OnProgress | None = None
) -> FloatArray:
    """Latents (B, C, H, W), float32.

    Parameters
    ----------
    sampling : resolved for the model
    on_progress : told ``(step, steps)`` after each step; what it raises stops the work

    Notes
    -----
    A cell that is not yet released follows the noised source exactly, because its data are said
    to be the source's. In the end a cell that is never released is the source's to the last bit:
    nothing is noised afterwards, as happens where the known part is put back after each step.
    """
    tell = (lambda _member, step, steps: on_progress(step, steps)) if on_progress else None
    (painted,) = paint_together(model, [canvas], [sampling], on_progress=tell)
    assert painted is not None
    return painted


def paint_together(
    model: Model,
    canvases: Sequence[Canvas],
    samplings: Sequence[Sampling],
    *,
    on_progress: OnMember | None = None,
) -> list[FloatArray | None]:
    """What `paint` makes of each canvas, through the same batches.

    Parameters
    ----------
    canvases, samplings : of equal `likeness`
    on_progress : told ``(canvas, step, steps)`` after each step. A canvas for which it raises
        `Cancelled` is left out from there on; anything else that it raises stops the work

    Returns
    -------
    latents as from `paint`, None for what was left out

    Raises
    ------
    Cancelled
        all were left out

    Notes
    -----
    Each is what it would be alone, but for the rounding of sums that are as long as the batch is.
    """
    sampling, canvas = samplings[0], canvases[0]
    assert sampling.sampler is not None
    assert sampling.shift is not None
    start = canvas.start
    if start == 0.0 and canvas.source is not None:
        return [canvas.source for canvas in canvases]
    follow_free_cores()
    times = model.schedule.sampling_times(
        number_of_steps(sampling, start), start=start, shift=sampling.shift
    )
    predict = Prediction(model, canvases, sampling)
    x, source, strength_map = predict.noise, predict.source, predict.strength_map
    if start < 1.0 and source is not None:
        x = noised(model.schedule, source, predict.noise, start)
    elif source is not None and strength_map is not None:
        x = np.where(strength_map < 1.0, noised(model.schedule, source, predict.noise, 1.0), x)
    tell = (lambda i, n, _x: predict.tell(on_progress, i, n)) if on_progress else None
    name = sampling.sampler
    if name in SAMPLERS:
        x = SAMPLERS[name](predict.velocity, x, times, on_step=tell)
    elif name == "lcm":
        schedule = cast(NoiseSchedule, model.schedule)
        x = sample_lcm(
            predict.denoised,
            x,
            times,
            schedule,
            fresh_noise=lambda step: np.concatenate(
                [
                    _fresh_noise(model, c.noise, s.seed, step)
                    for c, s in zip(canvases, samplings, strict=True)
                ]
            ),
            on_step=tell,
        )
    else:
        sample = cast(Any, SCHEDULE_SAMPLERS[name])
        x = sample(predict.denoised, x, times, model.schedule, on_step=tell)
    if source is not None and strength_map is not None:
        x = np.where(strength_map == 0.0, source, x)
    return [None if i in predict.left_out else x[rows] for i, rows in enumerate(predict.rows)]


def inverted(
    model: Model,
    source: FloatArray,
    guide: Guidance,
    strength: float,
    sampling: Sampling,
    *,
    on_progress: OnProgress | None = None,
) -> FloatArray:
    """The noise (B, C, H, W) from which DDIM at that strength comes back to `source`.

    Parameters
    ----------
    source : (B, C, H, W) latents
    guide : without guidance, else there is no way back
    strength : time up to which the way is gone back
    """
    if strength == 0.0:
        return np.zeros_like(source)
    assert sampling.shift is not None
    times = model.schedule.sampling_times(
        number_of_steps(sampling, strength), start=strength, shift=sampling.shift
    )
    predict = Prediction(model, [Canvas(source, lambda _middle: guide)], sampling)
    tell = (lambda i, n, _x: on_progress(i, n)) if on_progress else None
    if model.schedule.prediction == "flow":
        x = invert_euler(predict.velocity, source, times, on_step=tell)
    else:
        x = invert_ddim(predict.denoised, source, times, model.schedule, on_step=tell)
    alpha, sigma = model.schedule.alpha_sigma(float(times[0]))
    noise: FloatArray = (x - alpha * source) / np.float32(sigma)
    return noise


def _fresh_noise(model: Model, like: FloatArray, seed: int, step: int) -> FloatArray:
    """Noise of a step, other than that of the start and of every other step."""
    other = (seed * 1009 + step + 1) % 2**63
    return np.broadcast_to(noise_grid(model, like.shape[-1], other), like.shape)
