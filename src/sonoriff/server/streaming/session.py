"""What a stream has made and given out. No tasks, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sonoriff.errors import ParameterError
from sonoriff.server.streaming.frames import MAX_COLUMNS, MAX_SAMPLES, columns_frame, sound_frame
from sonoriff.server.workers.replies import WindowMessage
from sonoriff.stream.scene import Cue, Scene, SceneSchedule

Outgoing = dict[str, Any] | bytes
REPEAT_S = 30.0
KEEP_S = 62.0
MAX_CUES = 16


@dataclass
class Chunk:
    """What one call of the engine gave.

    Attributes
    ----------
    window : the message that describes it
    first_column, columns : uint8, column after column
    first_sample, sound : int16, interleaved
    n_columns, n_samples : of them
    state : of the engine after it; empty once it can no longer be gone back to
    """

    window: WindowMessage
    first_column: int
    n_columns: int
    columns: bytes
    first_sample: int
    n_samples: int
    sound: bytes
    state: bytes

    @property
    def index(self) -> int:
        """Number of its window."""
        return self.window.index

    @property
    def end_sample(self) -> int:
        """First sample after its sound, which ends before its window does."""
        return self.first_sample + self.n_samples

    @property
    def end_column(self) -> int:
        """First column after it."""
        return self.first_column + self.n_columns


@dataclass(frozen=True)
class Format:
    """Of a stream's frames, and of the windows that they come from.

    Attributes
    ----------
    cell_samples : windows begin and end at multiples of it
    lag_samples : the sound of a window ends at most so much before the window
    column_lead : columns that have been given out beyond the sound, at most
    """

    sample_rate: int
    channels: int
    hop_length: int
    n_mels: int
    cell_samples: int
    lag_samples: int
    column_lead: int

    @property
    def sample_bytes(self) -> int:
        """Of one sample of all channels."""
        return 2 * self.channels

    @property
    def column_bytes(self) -> int:
        """Of one column of all channels."""
        return self.channels * self.n_mels


class Session:
    """A stream: its schedule, what was made of it, and how far it was sent.

    Parameters
    ----------
    form : of the frames
    scene : to begin with
    ahead_samples : that may be wanted beyond what was sent

    Attributes
    ----------
    next_sample : the first one not yet sent
    until : samples below it are wanted
    reserve : samples beyond those sent that a change leaves alone, so that there is time for it
    cut_to : sample at which the last window is to end; None where it may go on to its end
    """

    def __init__(self, form: Format, scene: Scene, ahead_samples: int) -> None:
        self.form = form
        self.scene = scene
        self.schedule = SceneSchedule((Cue(scene),))
        self.next_sample = self.until = 0
        self.reserve = 0
        self.cut_to: int | None = None
        self._ahead = ahead_samples
        self._chunks: list[Chunk] = []
        # Windows below this number have been sent, in part at least, to some connection.
        self._opened = 0
        self._next_window = self._next_column = 0
        self._sent = 0

    @property
    def made_until(self) -> int:
        """First sample that is not made."""
        return self._chunks[-1].end_sample if self._chunks else 0

    @property
    def next_first_sample(self) -> int:
        """Where the next window begins."""
        return self._chunks[-1].window.end_sample if self._chunks else 0

    @property
    def state(self) -> bytes:
        """Of the engine after all that is made; empty at the start."""
        return self._chunks[-1].state if self._chunks else b""

    @property
    def state_before(self) -> bytes:
        """Of the engine before the last window."""
        return self._chunks[-2].state if len(self._chunks) > 1 else b""

    @property
    def satisfied(self) -> bool:
        """Whether all that is wanted has been sent."""
        return self.next_sample >= self.until

    @property
    def free_from(self) -> int:
        """First sample at which another window may begin.

        What was sent stays as it is, and so does what is made beyond it as far as `reserve` goes.
        """
        form = self.form
        kept = self._sent + self.reserve + form.lag_samples
        staying = [
            chunk.window
            for chunk in self._chunks
            if chunk.index < self._opened or (self._opened and chunk.window.first_sample < kept)
        ]
        if not staying:
            return 0
        first, end = staying[-1].first_sample, staying[-1].end_sample
        if staying[-1].mode != "flow":
            return end
        return min(end, max(self._cell_end(kept), first + form.cell_samples))

    def _cell_end(self, sample: int) -> int:
        """The first sample at or after one at which a window of flow can end."""
        return -(-sample // self.form.cell_samples) * self.form.cell_samples

    def want(self, until: int) -> None:
        """Ask for sound; never falls, and never goes further than the limit."""
        self.until = max(self.until, min(until, self.next_sample + self._ahead))

    def change(self, scene: Scene, at: int | None, *, goes_on: bool = False) -> int:
        """Play a scene; the first sample at which it may be heard.

        Windows that begin there or later are thrown away; one of flow that it lies in is to be
        cut, `cut_to`, before another is made.

        Parameters
        ----------
        at : not before this sample; None is as soon as possible
        goes_on : a window of flow is being made that is to follow what is there. It stays

        Raises
        ------
        ParameterError
            too many changes are to come already; everything stays as it was
        """
        form = self.form
        from_sample = max(self.free_from, at or 0)
        if goes_on:
            kept = self._sent + self.reserve + form.lag_samples
            soonest = self.next_first_sample + form.cell_samples
            from_sample = max(from_sample, self._cell_end(kept), soonest)
        schedule = self.schedule.with_scene(scene, from_sample)
        if len(schedule.cues) > MAX_CUES:
            raise ParameterError(
                f"at most {MAX_CUES - 1} changes of scene may be to come: wait until some are "
                "heard, or send one without `at`, which takes the place of all those"
            )
        self.scene, self.schedule = scene, schedule
        while self._chunks and self._chunks[-1].index >= self._opened:
            if self._chunks[-1].window.first_sample < from_sample:
                break
            self._chunks.pop()
            self.cut_to = None
        self._cut_at(from_sample)
        self.schedule = _pruned(self.schedule, self.next_first_sample)
        return max(from_sample, self.next_first_sample)

    def _cut_at(self, sample: int) -> None:
        """Have the last window end at a sample, if it is one of flow that goes further."""
        if self._chunks and self._chunks[-1].window.mode == "flow":
            cell = self._cell_end(sample)
            if cell < self.next_first_sample:
                self.cut_to = cell
                self._chunks[-1] = self._shortened(self._chunks[-1], cell)

    def _shortened(self, chunk: Chunk, end_sample: int) -> Chunk:
        """As much of a window as is certain to stay when it ends at a sample; its state is kept."""
        form = self.form
        n_samples = max(0, end_sample - form.lag_samples - chunk.first_sample)
        last = (end_sample - form.lag_samples) // form.hop_length + form.column_lead
        n_columns = max(0, last - chunk.first_column)
        self._next_window = min(self._next_window, chunk.index)
        return replace(
            chunk,
            window=replace(chunk.window, end_sample=end_sample),
            n_columns=min(chunk.n_columns, n_columns),
            columns=chunk.columns[: n_columns * form.column_bytes],
            n_samples=min(chunk.n_samples, n_samples),
            sound=chunk.sound[: n_samples * form.sample_bytes],
        )

    def add(self, chunk: Chunk) -> None:
        """Take what was made: another window, or the last one cut."""
        if self.cut_to is not None:
            last = self._chunks.pop()
            assert chunk.first_column == last.first_column
            assert chunk.end_sample >= last.end_sample
            self.cut_to = None
        assert chunk.first_sample == self.made_until
        first = self.next_first_sample
        assert chunk.window.first_sample == first
        self._chunks.append(chunk)
        # A change that came while it was made, and let it go on.
        for cue in self.schedule.cues:
            if cue.at > first:
                self._cut_at(cue.at)
                break
        # Windows as far as here stay, or are cut where a change comes: what is over is done with.
        self.schedule = _pruned(self.schedule, self.next_first_sample)

    def outgoing(self) -> list[Outgoing] | None:
        """What goes out next, as far as one sound frame; None where nothing does."""
        place = self.next_sample
        chunk = next((c for c in self._chunks if c.first_sample <= place < c.end_sample), None)
        if self.satisfied or chunk is None:
            return None
        messages: list[Outgoing] = list(self._windows(chunk, place))
        stop = min(place + MAX_SAMPLES, self.until, chunk.end_sample)
        # No more of the picture than goes with the sound: what was sent cannot be changed.
        lead = -(-stop // self.form.hop_length) + self.form.column_lead
        last_column = min(lead, chunk.end_column)
        if self._next_column < last_column:
            messages += self._column_frames(self._next_column, last_column)
            self._next_column = last_column
        messages.append(sound_frame(self.sound(place, stop), self.form.channels, place))
        self.next_sample = stop
        self._sent = max(self._sent, stop)
        self._forget()
        return messages

    def _windows(self, chunk: Chunk, place: int) -> Iterator[dict[str, Any]]:
        for other in self._chunks:
            if self._next_window <= other.index <= chunk.index:
                if other.window.end_sample > place:
                    yield other.window.to_dict()
                self._next_window = other.index + 1
        self._opened = max(self._opened, chunk.index + 1)

    def _column_frames(self, start: int, stop: int) -> Iterator[bytes]:
        form = self.form
        for first in range(start, stop, MAX_COLUMNS):
            data = self.columns(first, min(stop, first + MAX_COLUMNS))
            yield columns_frame(data, form.channels, form.n_mels, first, form.hop_length)

    def resume(self, next_sample: int) -> bool:
        """Go back to a sample that was sent, or is the next; False where it cannot be had."""
        reach = self._sent - REPEAT_S * self.form.sample_rate
        if not max(0, reach) <= next_sample <= self._sent:
            return False
        column = next_sample // self.form.hop_length
        if self._chunks and column < self._chunks[0].first_column:
            return False
        self.next_sample = self.until = next_sample
        self._next_column = column
        self._next_window = 0
        return True

    def columns(self, start: int, stop: int) -> bytes:
        """Bytes of the columns [start, stop), as far as they are there."""
        size = self.form.column_bytes
        return b"".join(
            c.columns[max(0, start - c.first_column) * size : max(0, stop - c.first_column) * size]
            for c in self._chunks
        )

    def sound(self, start: int, stop: int) -> bytes:
        """Bytes of the samples [start, stop), as far as they are there."""
        size = self.form.sample_bytes
        return b"".join(
            c.sound[max(0, start - c.first_sample) * size : max(0, stop - c.first_sample) * size]
            for c in self._chunks
        )

    def part(self, first_sample: int, end_sample: int) -> tuple[bytes, bytes] | None:
        """Columns and sound of a stretch that was sent, on whole columns; None if it is gone."""
        hop = self.form.hop_length
        start, stop = first_sample // hop, end_sample // hop
        known = self._chunks[0] if self._chunks else None
        if known is None or start >= stop or stop * hop > self._sent:
            return None
        if start < known.first_column or start * hop < known.first_sample:
            return None
        return self.columns(start, stop), self.sound(start * hop, stop * hop)

    def _forget(self) -> None:
        """Let go of states that cannot be gone back to, and of what lies too far back."""
        for chunk in self._chunks:
            if chunk.index < self._opened - 2:
                chunk.state = b""
        oldest = self._sent - KEEP_S * self.form.sample_rate
        while len(self._chunks) > 1 and self._chunks[0].end_sample < oldest:
            if self._chunks[0].index >= self._opened - 2:
                break
            self._chunks.pop(0)


def _pruned(schedule: SceneSchedule, sample: int) -> SceneSchedule:
    """Without the cues that are over before `sample`."""
    cues = schedule.cues
    in_force = max(i for i, cue in enumerate(cues) if cue.at <= sample)
    return SceneSchedule((Cue(cues[in_force].scene), *cues[in_force + 1 :]))
