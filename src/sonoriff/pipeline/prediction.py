"""The guided prediction of whole canvases: windows, branches and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from sonoriff.diffusion.schedule import data_from_prediction
from sonoriff.errors import Cancelled
from sonoriff.models.protocol import Model, Term
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.settings import Sampling
from sonoriff.pipeline.tiling import merged, window_columns

FloatArray = npt.NDArray[np.float32]
OnMember = Callable[[int, int, int], None]


class Prediction:
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
        self.noise = np.concatenate([canvas.noise for canvas in canvases])
        self.source = _joined([canvas.source for canvas in canvases])
        self.strength_map = _joined(
            [
                c.strength_map
                if c.strength_map is None
                else np.broadcast_to(c.strength_map, (len(c.noise), *c.strength_map.shape[1:]))
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

    def velocity(self, x: FloatArray, time: float) -> FloatArray:
        """For samplers of flows."""
        prediction = self._whole(x, time)
        held = self._held(time)
        if held is None:
            return prediction
        assert self.source is not None
        return np.where(held, (x - self.source) / time, prediction)

    def denoised(self, x: FloatArray, time: float) -> FloatArray:
        """For samplers that know the schedule."""
        data = data_from_prediction(self.model.schedule, x, self._whole(x, time), time)
        held = self._held(time)
        if held is None:
            return data
        assert self.source is not None
        return np.where(held, self.source, data)

    def _held(self, time: float) -> npt.NDArray[np.bool_] | None:
        """Cells that still follow the source at `time`."""
        if self.strength_map is None or self.source is None:
            return None
        # The first time may be rounded up to a training step: what is free at the start is free
        # there. The slack is for times that float32 has rounded.
        held: npt.NDArray[np.bool_] = self.strength_map < min(time, self.start) - 1e-6
        return held

    def _whole(self, x: FloatArray, time: float) -> FloatArray:
        low, high = self.interval
        guided = low <= time <= high
        if guided not in self.plans:
            self.plans[guided] = self._plan(guided=guided)
        parts: list[list[FloatArray | None]] = [[None] * len(self.columns) for _ in self.canvases]
        for batch in self.plans[guided]:
            for (canvas, where, term), result in batch.evaluate(self, x, time):
                before, share = parts[canvas][where], term.weight * result
                parts[canvas][where] = share if before is None else before + share
        return np.concatenate(
            [
                np.zeros_like(x[rows])
                if i in self.left_out
                else merged(
                    cast(list[FloatArray], parts[i]), self.columns, self.width, self.overlap
                )
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


def _joined(parts: list[FloatArray | None]) -> FloatArray | None:
    """All of them, or None where there are none."""
    return None if parts[0] is None else np.concatenate(cast(list[FloatArray], parts))


_Job = tuple[int, int, Term]


class _Batch:
    """Evaluations that go through the model together; stacked once, used at every step."""

    def __init__(self, jobs: list[_Job]) -> None:
        self.jobs = jobs
        self.stacked: Any = None
        self.known: tuple[FloatArray, FloatArray] | None = None

    def evaluate(
        self, whole: Prediction, x: FloatArray, time: float
    ) -> list[tuple[_Job, FloatArray]]:
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
        return list(zip(self.jobs, np.split(prediction, list(accumulate(sizes))[:-1]), strict=True))

    def _parts(self, whole: Prediction, grid: FloatArray) -> FloatArray:
        """The windows of a grid that the jobs are about."""
        return np.concatenate(
            [grid[whole.rows[canvas]][..., whole.columns[where]] for canvas, where, _ in self.jobs]
        )

    def _known(self, whole: Prediction) -> tuple[FloatArray, FloatArray] | None:
        if (
            not whole.model.supports_inpainting
            or whole.source is None
            or whole.strength_map is None
        ):
            return None
        mask = (whole.strength_map == 0.0).astype(np.float32)
        if not mask.any():
            return None
        return self._parts(whole, whole.source), self._parts(whole, mask)
