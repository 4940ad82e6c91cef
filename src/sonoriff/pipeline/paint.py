"""The one denoising loop that every verb runs through."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from sonoriff.diffusion.samplers import SAMPLERS, invert_euler
from sonoriff.diffusion.schedule import NoiseSchedule, data_from_prediction, noised
from sonoriff.diffusion.schedule_samplers import SCHEDULE_SAMPLERS, invert_ddim, sample_lcm
from sonoriff.models.protocol import Condition, Model, Term
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.settings import OnProgress, Sampling
from sonoriff.pipeline.windows import merged, window_columns

OVERLAP = 0.25


@dataclass(frozen=True)
class Guide:
    """Where to go and what to keep away from.

    Attributes
    ----------
    positive, negative : conditions
    guidance_scale : 1 leaves the negative one out
    """

    positive: Condition
    negative: Condition
    guidance_scale: float

    def terms(self, *, guided: bool) -> Condition:
        """All evaluations with their shares, those of equal rows together."""
        if not guided or self.guidance_scale == 1.0:
            return self.positive
        scale = self.guidance_scale
        pairs = [(scale * t.weight, t.row) for t in self.positive]
        pairs += [((1.0 - scale) * t.weight, t.row) for t in self.negative]
        weights: dict[int, float] = {}
        for weight, row in pairs:
            weights[id(row)] = weights.get(id(row), 0.0) + weight
        rows = {id(row): row for _, row in pairs}
        return tuple(Term(weight, rows[i]) for i, weight in weights.items() if weight != 0.0)


@dataclass(frozen=True)
class Canvas:
    """What is painted, and on what.

    Attributes
    ----------
    noise : (B, C, H, W); members of the batch are painted alike
    guide_at : guide of the window whose middle is at a column
    source : (B, C, H, W) latents to start from, or None
    release : (1, 1, H, W), the time at which a cell leaves the noised source and is painted
        freely: 0 never, 1 at once. None is 1 everywhere
    overlap : of windows, as a share of their width
    circular : the end is followed by the start
    since_beat_s : seconds from a beat to the first column; None is unknown
    """

    noise: Tensor
    guide_at: Callable[[float], Guide]
    source: Tensor | None = None
    release: Tensor | None = None
    overlap: float = OVERLAP
    circular: bool = False
    since_beat_s: float | None = None


def number_of_steps(sampling: Sampling, start: float) -> int:
    """Steps that are taken from a time below 1: as long ones as from 1."""
    assert sampling.num_inference_steps is not None
    return max(1, math.ceil(sampling.num_inference_steps * start - 1e-6))


@torch.inference_mode()
def paint(
    model: Model, canvas: Canvas, sampling: Sampling, *, on_progress: OnProgress | None = None
) -> Tensor:
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
    assert sampling.sampler is not None
    start = 1.0 if canvas.release is None else float(canvas.release.max())
    if start == 0.0 and canvas.source is not None:
        return canvas.source
    times = model.schedule.sampling_times(
        number_of_steps(sampling, start), start=start, shift=sampling.shift
    )
    x = canvas.noise
    if start < 1.0 and canvas.source is not None:
        x = noised(model.schedule, canvas.source, canvas.noise, start)
    elif canvas.source is not None and canvas.release is not None:
        x = torch.where(
            canvas.release < 1.0, noised(model.schedule, canvas.source, canvas.noise, 1.0), x
        )
    predict = _Prediction(model, canvas, sampling)
    tell = (lambda i, n, _x: on_progress(i, n)) if on_progress else None
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
            fresh_noise=lambda i: _fresh_noise(model, canvas.noise, sampling.seed, i),
            on_step=tell,
        )
    else:
        sample = cast(Any, SCHEDULE_SAMPLERS[name])
        x = sample(predict.denoised, x, times, model.schedule, on_step=tell)
    if canvas.source is not None and canvas.release is not None:
        x = torch.where(canvas.release == 0.0, canvas.source, x)
    return x


@torch.inference_mode()
def inverted(
    model: Model,
    source: Tensor,
    guide: Guide,
    strength: float,
    sampling: Sampling,
    *,
    on_progress: OnProgress | None = None,
) -> Tensor:
    """The noise (B, C, H, W) from which DDIM at that strength comes back to `source`.

    Parameters
    ----------
    source : (B, C, H, W) latents
    guide : without guidance, else there is no way back
    strength : time up to which the way is gone back
    """
    if strength == 0.0:
        return torch.zeros_like(source)
    times = model.schedule.sampling_times(
        number_of_steps(sampling, strength), start=strength, shift=sampling.shift
    )
    predict = _Prediction(model, Canvas(source, lambda _middle: guide), sampling)
    tell = (lambda i, n, _x: on_progress(i, n)) if on_progress else None
    if model.schedule.prediction == "flow":
        x = invert_euler(predict.velocity, source, times, on_step=tell)
    else:
        x = invert_ddim(predict.denoised, source, times, model.schedule, on_step=tell)
    alpha, sigma = model.schedule.alpha_sigma(float(times[0]))
    return (x - alpha * source) / sigma


def _fresh_noise(model: Model, like: Tensor, seed: int, step: int) -> Tensor:
    """Noise of a step, other than that of the start and of every other step."""
    other = (seed * 1009 + step + 1) % 2**63
    return noise_grid(model, like.shape[-1], other).expand_as(like)


class _Prediction:
    """The guided prediction of a whole canvas: all windows and branches in one batch."""

    def __init__(self, model: Model, canvas: Canvas, sampling: Sampling) -> None:
        self.model, self.canvas, self.interval = model, canvas, sampling.guidance_interval
        self.width = canvas.noise.shape[-1]
        window = model.latent_shape(model.window_frames)[2]
        self.overlap = round(canvas.overlap * min(window, self.width))
        self.columns = window_columns(self.width, window, self.overlap, circular=canvas.circular)
        middles = [float(c[0]) + (len(c) - 1) / 2 for c in self.columns]
        self.guides = [canvas.guide_at(middle) for middle in middles]
        self.plans: dict[bool, list[_Batch]] = {}

    def since_beat_s(self, column: int) -> float | None:
        """Seconds from a beat to a column of the canvas."""
        start, params = self.canvas.since_beat_s, self.model.params
        if start is None:
            return None
        return start + column * self.model.cell[1] / params.frames_per_second

    def velocity(self, x: Tensor, time: float) -> Tensor:
        """For samplers of flows."""
        prediction = self._whole(x, time)
        held = self._held(time)
        if held is None:
            return prediction
        assert self.canvas.source is not None
        return torch.where(held, (x - self.canvas.source) / time, prediction)

    def denoised(self, x: Tensor, time: float) -> Tensor:
        """For samplers that know the schedule."""
        data = data_from_prediction(self.model.schedule, x, self._whole(x, time), time)
        held = self._held(time)
        if held is None:
            return data
        assert self.canvas.source is not None
        return torch.where(held, self.canvas.source, data)

    def _held(self, time: float) -> Tensor | None:
        """Cells that still follow the source at `time`."""
        if self.canvas.release is None or self.canvas.source is None:
            return None
        # The slack is for times that float32 has rounded.
        return self.canvas.release < time - 1e-6

    def _whole(self, x: Tensor, time: float) -> Tensor:
        low, high = self.interval
        guided = low <= time <= high
        if guided not in self.plans:
            self.plans[guided] = self._plan(guided=guided)
        parts: list[Tensor | None] = [None] * len(self.columns)
        for batch in self.plans[guided]:
            for where, weight, result in batch.evaluate(self, x, time):
                before = parts[where]
                parts[where] = weight * result if before is None else before + weight * result
        return merged(cast(list[Tensor], parts), self.columns, self.width, self.overlap)

    def _plan(self, *, guided: bool) -> list[_Batch]:
        """Every (window, term), cut into batches that the model likes."""
        members = len(self.canvas.noise)
        jobs = [
            (where, term)
            for where, guide in enumerate(self.guides)
            for term in guide.terms(guided=guided)
        ]
        size = max(1, self.model.max_batch // members)
        batches: list[_Batch] = []
        for job in jobs:
            same_width = batches and len(self.columns[batches[-1].jobs[0][0]]) == len(
                self.columns[job[0]]
            )
            if same_width and len(batches[-1].jobs) < size:
                batches[-1].jobs.append(job)
            else:
                batches.append(_Batch([job]))
        return batches


class _Batch:
    """Evaluations that go through the model together; stacked once, used at every step."""

    def __init__(self, jobs: list[tuple[int, Term]]) -> None:
        self.jobs = jobs
        self.stacked: Any = None
        self.known: tuple[Tensor, Tensor] | None = None

    def evaluate(
        self, whole: _Prediction, x: Tensor, time: float
    ) -> list[tuple[int, float, Tensor]]:
        """``(window, weight, prediction)`` of every job."""
        model, members = whole.model, len(x)
        columns = [whole.columns[where].to(x.device) for where, _ in self.jobs]
        if self.stacked is None:
            self.stacked = model.stack(
                [t.row for _, t in self.jobs for _ in range(members)],
                [whole.since_beat_s(int(c[0])) for c in columns for _ in range(members)],
            )
            self.known = self._known(whole.canvas, columns, model)
        parts = torch.cat([x[..., places] for places in columns])
        known, mask = self.known or (None, None)
        results = torch.split(model.predict(parts, time, self.stacked, known, mask), members)
        return [(w, t.weight, r) for (w, t), r in zip(self.jobs, results, strict=True)]

    def _known(
        self, canvas: Canvas, columns: list[Tensor], model: Model
    ) -> tuple[Tensor, Tensor] | None:
        if not model.takes_known or canvas.release is None or canvas.source is None:
            return None
        mask = (canvas.release == 0.0).float()
        if not bool(mask.any()):
            return None
        masks = mask.expand(len(canvas.source), -1, -1, -1)
        return (
            torch.cat([canvas.source[..., places] for places in columns]),
            torch.cat([masks[..., places] for places in columns]),
        )
