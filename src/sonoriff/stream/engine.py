"""The stream as a pure function: state in; columns, samples and the next state out."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.errors import Cancelled, ParameterError
from sonoriff.models.protocol import Model
from sonoriff.pipeline.canvas import likeness
from sonoriff.pipeline.latent_codec import values_from_picture
from sonoriff.pipeline.paint import paint_together
from sonoriff.pipeline.prediction import OnMember
from sonoriff.pipeline.settings import OnProgress
from sonoriff.pipeline.source_analysis import LIKELY_KEY, find_key
from sonoriff.sonogram.stereo import PLANES
from sonoriff.sonogram.streaming import StreamingDecoder
from sonoriff.stream.position import Blend, StreamPosition, heaviest, key_of, words_of
from sonoriff.stream.riff import Riff
from sonoriff.stream.scene import Scene, SceneSchedule
from sonoriff.stream.window_planner import (
    FLOW_CONTEXT,
    RIFF_CONTEXT,
    SPARE_CELLS,
    Plan,
    WindowPlanner,
)

FloatArray = npt.NDArray[np.float32]
# Share of the model's window that the first one has.
_FIRST = 1 / 2
# Cells kept back until their successors are known: the decoder looks at its neighbours.
HOLD_CELLS = 4


@dataclass(frozen=True)
class Window:
    """Description of a stretch of the stream.

    Attributes
    ----------
    index : counted from 0
    first_sample, end_sample : where it begins and where the next one does
    scene : in force
    prompts : the blend heard, shares adding up to 1
    seed, alpha : place of its noise between two seeds
    bpm : None where no tempo is set
    key : "D minor"; None where none is named and none was heard before
    bar, first_bar_sample : number of the bar at its start, with the fraction, and the first
        sample from there at which a bar begins; None where no tempo is set
    """

    index: int
    first_sample: int
    end_sample: int
    scene: Scene
    prompts: Blend
    seed: int
    alpha: float
    bpm: float | None
    key: str | None
    bar: float | None
    first_bar_sample: int | None


@dataclass(frozen=True, eq=False)
class RiffState:
    """Complete, immutable state of a stream; created by `RiffStream`.

    Attributes
    ----------
    schedule : what to play when; replace it with `with_schedule`
    decoder : with what it has been given so far
    n_cells : latent cells that are settled
    n_columns, n_samples : given out so far
    latents : (1, C, H, n), the last of the settled cells; None at the start
    columns : float32 (P, M, n), those that the last window gave out
    window : the last one made
    """

    schedule: SceneSchedule
    decoder: StreamingDecoder
    n_cells: int = 0
    n_columns: int = 0
    n_samples: int = 0
    latents: FloatArray | None = None
    columns: FloatArray | None = None
    window: Window | None = None
    course: StreamPosition | None = None
    riff: Riff | None = None

    def with_schedule(self, schedule: SceneSchedule) -> RiffState:
        """The same state with another schedule."""
        return replace(self, schedule=schedule)


Made = tuple[FloatArray, FloatArray, RiffState]


class RiffStream:
    """Endless music.

    A change of scene inside a window of *flow* ends that window: what was painted beyond is left
    out, and the next window begins at the first cell at or after the change. A riff changes only
    between its units, which are whole beats.

    Parameters
    ----------
    model : any
    decoder_seed : of the phase of bins too faint to integrate

    Notes
    -----
    Latents are one unbroken sequence: each window is painted with the last cells before it known,
    and decoded together with them. The picture is the decoder's view of that sequence, and the
    sound is what one streaming decoder makes of the picture. No step knows of clips.

    The same schedule gives the same stream, to the last bit on the same machine where it is made
    alone. Made together with others it is the same but for rounding: sums of a batch of another
    length are added up in another order.
    """

    def __init__(self, model: Model, *, decoder_seed: int = 0) -> None:
        self.model = model
        self._decoder_seed = decoder_seed
        self._painter = WindowPlanner(model)

    @property
    def cell_samples(self) -> int:
        """Samples that one latent cell lasts."""
        return self._painter.cell_samples

    @property
    def context_samples(self) -> int:
        """Windows of flow that begin here or later are painted on canvases of one size."""
        return self._painter.context_cells * self.cell_samples

    def start(self, schedule: SceneSchedule) -> RiffState:
        """The state before the first sample."""
        decoder = StreamingDecoder(self.model.params, quality="fast", seed=self._decoder_seed)
        return RiffState(schedule, decoder)

    @property
    def column_lead(self) -> int:
        """Maximum number of columns sent ahead of the sound."""
        decoder = StreamingDecoder(self.model.params, quality="fast")
        return decoder.look_ahead_frames(PLANES if self.model.stereo else 1)

    @property
    def lag_samples(self) -> int:
        """The sound that `next` gives ends at most so many samples before its window."""
        return HOLD_CELLS * self.cell_samples + self.column_lead * self.model.params.hop_length

    def next_sample(self, state: RiffState) -> int:
        """Start of the next window: the earliest sample that a change can affect."""
        return state.n_cells * self.cell_samples

    def next(self, state: RiffState, *, on_progress: OnProgress | None = None) -> Made:
        """Produce the next window.

        Parameters
        ----------
        state : is left as it is, and may be used again
        on_progress : told ``(step, steps)``; what it raises stops the work

        Returns
        -------
        columns : float32 (P, M, n), as in `Sonogram`, those from ``state.n_columns`` on
        samples : float32 (C, t), those from ``state.n_samples`` on
        state : after them; its `window` says what was made
        """
        tell = (lambda _place, step, steps: on_progress(step, steps)) if on_progress else None
        ((_, made),) = self.next_together([state], on_progress=tell)
        return made

    def next_together(
        self, states: Sequence[RiffState], *, on_progress: OnMember | None = None
    ) -> Iterator[tuple[int, Made]]:
        """One window of each of several streams, through the same batches where they fit.

        Parameters
        ----------
        states : each as for `next`
        on_progress : told ``(place, step, steps)``, `place` in `states`. A stream for which it
            raises `Cancelled` is left out from there on; what else it raises stops the work

        Yields
        ------
        place, made : as soon as it is there; what was left out is not yielded

        Raises
        ------
        Cancelled
            all were left out
        """
        plans = [self._plan(state) for state in states]
        groups: dict[Any, list[int]] = {}
        for place, plan in enumerate(plans):
            groups.setdefault(likeness(plan.canvas, plan.sampling), []).append(place)
        stopped, any_made = None, False
        for places in groups.values():
            try:
                painted = paint_together(
                    self.model,
                    [plans[place].canvas for place in places],
                    [plans[place].sampling for place in places],
                    on_progress=_of_places(on_progress, places),
                )
            except Cancelled as error:
                stopped = error
                continue
            for place, latents in zip(places, painted, strict=True):
                if latents is not None:
                    any_made = True
                    yield place, self._made(states[place], plans[place], latents)
        if stopped is not None and not any_made:
            raise stopped

    def _plan(self, state: RiffState) -> Plan:
        """Plan the next window."""
        rate, first = self.model.params.sample_rate, self.next_sample(state)
        scene = state.schedule.scene_at(first)
        likely_bpm = self._painter.likely_bpm(scene)
        course = (
            StreamPosition.begun(scene, rate, likely_bpm)
            if state.course is None
            else state.course.entered(scene, first, rate, likely_bpm)
        )
        riff = self._riff(state.riff, course, first)
        if riff is not None:
            course = replace(course, bars=riff.bars)
        n_new = self._new_cells(state, riff)
        return self._painter.plan(course, riff, state.n_cells, n_new, state.latents)

    def _made(self, state: RiffState, plan: Plan, painted: FloatArray) -> Made:
        """A window that is painted, and the state after it."""
        course, riff, n_new = plan.course, plan.riff, plan.n_new
        latents = plan.joined(painted)
        start = state.n_cells + n_new - latents.shape[-1] + (SPARE_CELLS if riff else 0)
        picture = self.model.decode(latents)
        if riff is None:
            n_new = self._until_cue(state, n_new)
        else:
            turned = course.morph.share_at(self.next_sample(state)) < 1.0
            riff = replace(riff, renewing=riff.renewing or turned)
            riff = riff.played(picture, start * self.model.cell[1])
        n_cells = state.n_cells + n_new
        after = replace(
            state,
            n_cells=n_cells,
            latents=latents[..., : n_cells - start],
            window=self._window(state, course, plan.blend, n_new),
            course=course.moved(self._pace(course, riff)),
            riff=riff,
        )
        part = self._part(picture, state.n_columns, start, self._settled_columns(n_cells))
        return self._given(state, after, part)

    def cut(self, before: RiffState, after: RiffState, n_cells: int) -> Made:
        """What `next` would have given if a cue lay at the cell `n_cells`; nothing is painted.

        Parameters
        ----------
        before, after : a window of flow
        n_cells : where it is to end, inside of it

        Returns
        -------
        columns, samples, state : as from `next`, each the beginning of what it was
        """
        if after.riff is not None or after.window is None or after.latents is None:
            raise ParameterError("only a window of flow can be cut")
        assert after.columns is not None
        if not before.n_cells < n_cells <= after.n_cells:
            raise ParameterError(
                f"a window of the cells [{before.n_cells}, {after.n_cells}) cannot end at {n_cells}"
            )
        short = replace(
            after,
            n_cells=n_cells,
            latents=after.latents[..., : after.latents.shape[-1] - (after.n_cells - n_cells)],
            window=replace(after.window, end_sample=n_cells * self.cell_samples),
        )
        n_columns = max(0, self._settled_columns(n_cells) - before.n_columns)
        return self._given(before, short, after.columns[..., :n_columns])

    def _settled_columns(self, n_cells: int) -> int:
        """Columns that cells to come no longer change."""
        return max(0, n_cells - HOLD_CELLS) * self.model.cell[1]

    def _until_cue(self, state: RiffState, n_new: int) -> int:
        """Cells of a window that ends where the scene changes."""
        first = self.next_sample(state)
        cues = (-(-cue.at // self.cell_samples) for cue in state.schedule.cues if cue.at > first)
        return min([n_new, *(cell - state.n_cells for cell in cues)])

    def finish(self, state: RiffState) -> tuple[FloatArray, FloatArray]:
        """Flush the stream: the remaining columns and samples, as from `next`."""
        if state.latents is None:
            planes, channels = (PLANES, 2) if self.model.stereo else (1, 1)
            empty = np.zeros((planes, self.model.params.n_mels, 0), np.float32)
            return empty, np.zeros((channels, 0), np.float32)
        start = state.n_cells - state.latents.shape[-1]
        picture = self.model.decode(state.latents)
        stop = state.n_cells * self.model.cell[1]
        part = self._part(picture, state.n_columns, start, stop)
        columns, samples, last = self._given(state, state, part)
        return columns, np.concatenate([samples, last.decoder.flush()], axis=1)

    def _part(self, picture: FloatArray, first: int, start: int, stop: int) -> FloatArray:
        """Columns [first, stop) of a picture that begins at the cell `start`."""
        skip = start * self.model.cell[1]
        part = picture[..., first - skip : max(stop, first) - skip]
        return values_from_picture(part, self.model.params, 0.0)

    def _given(self, before: RiffState, after: RiffState, columns: FloatArray) -> Made:
        """Columns that follow those of `before`, their sound, and `after` with both counted."""
        decoder = copy.deepcopy(before.decoder)
        samples = decoder.push(columns)
        counted = replace(
            after,
            decoder=decoder,
            course=self._hearing(before.course, after.course, samples),
            columns=columns,
            n_columns=before.n_columns + columns.shape[2],
            n_samples=before.n_samples + samples.shape[1],
        )
        return columns, samples, counted

    def _hearing(
        self, before: StreamPosition | None, after: StreamPosition | None, samples: FloatArray
    ) -> StreamPosition | None:
        """The course with the key to go on in: that of before, else that of `samples`, if any."""
        if after is None:
            return None
        key = before.key if before is not None else None
        if any(key_of(after.scene, words_of(prompt.text)) for prompt in after.scene.prompts):
            key = None
        elif key is None and samples.size:
            key = find_key(samples.mean(axis=0), self.model.params.sample_rate, LIKELY_KEY)
        return replace(after, key=key)

    def _riff(self, riff: Riff | None, course: StreamPosition, first: int) -> Riff | None:
        """The riff to go on with, or a new one where mode, tempo or length have changed."""
        if course.scene.mode != "riff" or course.bars is None:
            return None
        room = self._painter.window_cells * (1 - RIFF_CONTEXT) - SPARE_CELLS
        # A riff counts from where it begins, on a bar or not.
        bars = replace(course.bars, origin=first)
        fresh = Riff.begun(
            bars, self.model.params.hop_length, course.scene.bars, room * self.cell_samples
        )
        if riff is None or riff.bars.bpm != bars.bpm:
            return fresh
        same = (riff.unit_beats, riff.n_units) == (fresh.unit_beats, fresh.n_units)
        return riff if same else fresh

    def _new_cells(self, state: RiffState, riff: Riff | None) -> int:
        if riff is not None:
            return max(1, round(riff.unit_end / self.cell_samples) - state.n_cells)
        share = _FIRST if state.latents is None else 1 - FLOW_CONTEXT
        return max(1, round(share * self._painter.window_cells))

    def _pace(self, course: StreamPosition, riff: Riff | None) -> float:
        """How far the seed moves after a window."""
        if riff is None:
            return 1.0
        return course.scene.walk if riff.place == 0 else 0.0

    def _window(self, state: RiffState, course: StreamPosition, blend: Blend, n_new: int) -> Window:
        first = self.next_sample(state)
        bars = course.bars
        key = key_of(course.scene, words_of(heaviest(course.scene))) or course.key
        return Window(
            index=0 if state.window is None else state.window.index + 1,
            first_sample=first,
            end_sample=first + n_new * self.cell_samples,
            scene=course.scene,
            prompts=blend,
            seed=course.walk.seed,
            alpha=course.walk.alpha,
            bpm=bars.bpm if bars else None,
            key=" ".join(filter(None, key)) if key else None,
            bar=bars.bar_at(first) if bars else None,
            first_bar_sample=bars.next_bar(first) if bars else None,
        )


def _of_places(on_progress: OnMember | None, places: list[int]) -> OnMember | None:
    """Progress of some of the streams, told with the places of all."""
    if on_progress is None:
        return None
    return lambda member, step, steps: on_progress(places[member], step, steps)
