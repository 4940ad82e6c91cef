"""The one denoising loop that every verb runs through."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, cast

import torch
from torch import Tensor

from sonoriff.diffusion.samplers import SAMPLERS, invert_euler
from sonoriff.diffusion.schedule import NoiseSchedule, data_from_prediction, noised
from sonoriff.diffusion.schedule_samplers import SCHEDULE_SAMPLERS, invert_ddim, sample_lcm
from sonoriff.errors import Cancelled
from sonoriff.models.protocol import Conditioning, Model, Term
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.settings import OnProgress, Sampling
from sonoriff.pipeline.tiling import merged, window_columns
from sonoriff.threads import follow_free_cores

OVERLAP = 0.25
OnMember = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Guidance:
    """Where to go and what to keep away from.

    Attributes
    ----------
    positive, negative : conditions
    guidance_scale : 1 leaves the negative one out
    """

    positive: Conditioning
    negative: Conditioning
    guidance_scale: float

    def terms(self, *, guided: bool) -> Conditioning:
        """All evaluations with their shares, those of equal rows together."""
        if not guided or self.guidance_scale == 1.0:
            return self.positive
        scale = self.guidance_scale
        pairs = [(scale * t.weight, t.embedding) for t in self.positive]
        pairs += [((1.0 - scale) * t.weight, t.embedding) for t in self.negative]
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
    since_beat_s : seconds from the beginning of a bar to the first column; None is unknown
    """

    noise: Tensor
    guide_at: Callable[[float], Guidance]
    source: Tensor | None = None
    strength_map: Tensor | None = None
    overlap: float = OVERLAP
    circular: bool = False
    since_beat_s: float | None = None

    @property
    def start(self) -> float:
        """The time at which painting begins: 1, or less where no cell is free before."""
        return 1.0 if self.strength_map is None else float(self.strength_map.max())

    @property
    def has_known(self) -> bool:
        """Whether cells of the source are never released."""
        if self.strength_map is None or self.source is None:
            return False
        return bool((self.strength_map == 0.0).any())


def number_of_steps(sampling: Sampling, start: float) -> int:
    """Steps that are taken from a time below 1: as long ones as from 1."""
    assert sampling.num_inference_steps is not None
    # The slack is for a start that float32 has rounded, times a thousand steps.
    return max(1, math.ceil(sampling.num_inference_steps * start - 1e-4))


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
    tell = (lambda _member, step, steps: on_progress(step, steps)) if on_progress else None
    (painted,) = paint_together(model, [canvas], [sampling], on_progress=tell)
    assert painted is not None
    return painted


def likeness(canvas: Canvas, sampling: Sampling) -> tuple[Any, ...]:
    """What canvases must have in common to be painted together."""
    noise, s = canvas.noise, sampling
    how = (s.sampler, s.num_inference_steps, s.shift, s.guidance_interval)
    what = (canvas.source is None, canvas.strength_map is None, canvas.has_known, canvas.start)
    return (*how, *what, *noise.shape[1:], canvas.overlap, canvas.circular)


@torch.inference_mode()
def paint_together(
    model: Model,
    canvases: Sequence[Canvas],
    samplings: Sequence[Sampling],
    *,
    on_progress: OnMember | None = None,
) -> list[Tensor | None]:
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
    predict = _Prediction(model, canvases, sampling)
    x, source, strength_map = predict.noise, predict.source, predict.strength_map
    if start < 1.0 and source is not None:
        x = noised(model.schedule, source, predict.noise, start)
    elif source is not None and strength_map is not None:
        x = torch.where(strength_map < 1.0, noised(model.schedule, source, predict.noise, 1.0), x)
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
            fresh_noise=lambda step: torch.cat(
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
        x = torch.where(strength_map == 0.0, source, x)
    return [None if i in predict.left_out else x[rows] for i, rows in enumerate(predict.rows)]


@torch.inference_mode()
def inverted(
    model: Model,
    source: Tensor,
    guide: Guidance,
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
    assert sampling.shift is not None
    times = model.schedule.sampling_times(
        number_of_steps(sampling, strength), start=strength, shift=sampling.shift
    )
    predict = _Prediction(model, [Canvas(source, lambda _middle: guide)], sampling)
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
    """The guided prediction of whole canvases: all windows and branches in one batch.

    Parameters
    ----------
    canvases : of equal `likeness`; their rows follow each other in `x`

    Attributes
    ----------
    noise, source, release : (B, ., H, W) of all canvases, the last two where they have them
    start : the time at which painting begins
    rows : of each canvas
    left_out : canvases that are not evaluated any more
    """

    def __init__(self, model: Model, canvases: Sequence[Canvas], sampling: Sampling) -> None:
        assert sampling.guidance_interval is not None
        self.model, self.canvases, self.interval = model, canvases, sampling.guidance_interval
        self.noise = torch.cat([canvas.noise for canvas in canvases])
        self.source = _joined([canvas.source for canvas in canvases])
        self.strength_map = _joined(
            [
                c.strength_map
                if c.strength_map is None
                else c.strength_map.expand(len(c.noise), -1, -1, -1)
                for c in canvases
            ]
        )
        self.start = canvases[0].start
        ends = list(accumulate(len(canvas.noise) for canvas in canvases))
        self.rows = [slice(*ends) for ends in zip([0, *ends], ends, strict=False)]
        self.left_out: set[int] = set()
        self.width = self.noise.shape[-1]
        window = model.latent_shape(model.window_frames)[2]
        canvas = canvases[0]
        self.overlap = round(canvas.overlap * min(window, self.width))
        self.columns = window_columns(self.width, window, self.overlap, circular=canvas.circular)
        middles = [float(c[0]) + (len(c) - 1) / 2 for c in self.columns]
        self.guides = [[canvas.guide_at(middle) for middle in middles] for canvas in canvases]
        self.plans: dict[bool, list[_Batch]] = {}

    def tell(self, on_progress: OnMember, step: int, steps: int) -> None:
        """Tell of a step, and leave out what is not wanted any more."""
        for i in range(len(self.canvases)):
            if i in self.left_out:
                continue
            try:
                on_progress(i, step, steps)
            except Cancelled:
                self.left_out.add(i)
                self.plans.clear()
                if len(self.left_out) == len(self.canvases):
                    raise

    def since_beat_s(self, canvas: int, column: int) -> float | None:
        """Seconds from the beginning of a bar to a column of a canvas."""
        start, params = self.canvases[canvas].since_beat_s, self.model.params
        if start is None:
            return None
        return start + column * self.model.cell[1] / params.frames_per_second

    def velocity(self, x: Tensor, time: float) -> Tensor:
        """For samplers of flows."""
        prediction = self._whole(x, time)
        held = self._held(time)
        if held is None:
            return prediction
        assert self.source is not None
        return torch.where(held, (x - self.source) / time, prediction)

    def denoised(self, x: Tensor, time: float) -> Tensor:
        """For samplers that know the schedule."""
        data = data_from_prediction(self.model.schedule, x, self._whole(x, time), time)
        held = self._held(time)
        if held is None:
            return data
        assert self.source is not None
        return torch.where(held, self.source, data)

    def _held(self, time: float) -> Tensor | None:
        """Cells that still follow the source at `time`."""
        if self.strength_map is None or self.source is None:
            return None
        # The first time may be rounded up to a training step: what is free at the start is free
        # there. The slack is for times that float32 has rounded.
        return self.strength_map < min(time, self.start) - 1e-6

    def _whole(self, x: Tensor, time: float) -> Tensor:
        low, high = self.interval
        guided = low <= time <= high
        if guided not in self.plans:
            self.plans[guided] = self._plan(guided=guided)
        parts: list[list[Tensor | None]] = [[None] * len(self.columns) for _ in self.canvases]
        for batch in self.plans[guided]:
            for (canvas, where, term), result in batch.evaluate(self, x, time):
                before, share = parts[canvas][where], term.weight * result
                parts[canvas][where] = share if before is None else before + share
        return torch.cat(
            [
                torch.zeros_like(x[rows])
                if i in self.left_out
                else merged(cast(list[Tensor], parts[i]), self.columns, self.width, self.overlap)
                for i, rows in enumerate(self.rows)
            ]
        )

    def _plan(self, *, guided: bool) -> list[_Batch]:
        """Every (canvas, window, term), cut into batches that the model likes."""
        jobs = [
            (i, where, term)
            for i, guides in enumerate(self.guides)
            if i not in self.left_out
            for where, guide in enumerate(guides)
            for term in guide.terms(guided=guided)
        ]
        batches: list[_Batch] = []
        room = 0
        for job in jobs:
            size = len(self.canvases[job[0]].noise)
            same_width = batches and len(self.columns[batches[-1].jobs[0][1]]) == len(
                self.columns[job[1]]
            )
            if same_width and size <= room:
                batches[-1].jobs.append(job)
            else:
                batches.append(_Batch([job]))
                room = self.model.max_batch
            room -= size
        return batches


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    """All of them, or None where there are none."""
    return None if parts[0] is None else torch.cat(cast(list[Tensor], parts))


_Job = tuple[int, int, Term]


class _Batch:
    """Evaluations that go through the model together; stacked once, used at every step."""

    def __init__(self, jobs: list[_Job]) -> None:
        self.jobs = jobs
        self.stacked: Any = None
        self.known: tuple[Tensor, Tensor] | None = None

    def evaluate(self, whole: _Prediction, x: Tensor, time: float) -> list[tuple[_Job, Tensor]]:
        """The prediction of every job."""
        model = whole.model
        sizes = [len(whole.canvases[canvas].noise) for canvas, _, _ in self.jobs]
        if self.stacked is None:
            firsts = [
                whole.since_beat_s(canvas, int(whole.columns[where][0]))
                for canvas, where, _ in self.jobs
            ]
            self.stacked = model.collate(
                [
                    t.embedding
                    for (_, _, t), n in zip(self.jobs, sizes, strict=True)
                    for _ in range(n)
                ],
                [first for first, n in zip(firsts, sizes, strict=True) for _ in range(n)],
                len(whole.columns[self.jobs[0][1]]),
            )
            self.known = self._known(whole)
        known, mask = self.known or (None, None)
        prediction = model.predict(self._parts(whole, x), time, self.stacked, known, mask)
        return list(zip(self.jobs, torch.split(prediction, sizes), strict=True))

    def _parts(self, whole: _Prediction, grid: Tensor) -> Tensor:
        """The windows of a grid that the jobs are about."""
        return torch.cat(
            [
                grid[whole.rows[canvas]][..., whole.columns[where].to(grid.device)]
                for canvas, where, _ in self.jobs
            ]
        )

    def _known(self, whole: _Prediction) -> tuple[Tensor, Tensor] | None:
        if (
            not whole.model.supports_inpainting
            or whole.source is None
            or whole.strength_map is None
        ):
            return None
        mask = (whole.strength_map == 0.0).float()
        if not bool(mask.any()):
            return None
        return self._parts(whole, whole.source), self._parts(whole, mask)
