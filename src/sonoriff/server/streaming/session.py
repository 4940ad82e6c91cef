"""State of a stream: what was made and what was sent. No tasks, no clock, no I/O."""

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
    """Result of one call of the engine.

    Attributes
    ----------
    window : message that describes its window
    first_column, columns : uint8, column after column
    sides : left and right of each column, where columns are their middle; else empty
    first_sample, sound : int16, interleaved
    n_columns, n_samples : number of columns and samples
    state : state of the engine after it; empty once it is no longer needed
    """

    window: WindowMessage
    first_column: int
    n_columns: int
    columns: bytes
    first_sample: int
    n_samples: int
    sound: bytes
    state: bytes
    sides: bytes = b""

    @property
    def index(self) -> int:
        """Index of its window."""
        return self.window.index

    @property
    def end_sample(self) -> int:
        """End of its sound, which is before the end of its window."""
        return self.first_sample + self.n_samples

    @property
    def end_column(self) -> int:
        """End of its columns."""
        return self.first_column + self.n_columns


@dataclass(frozen=True)
class Format:
    """Format of a stream's frames, and geometry of its windows.

    Attributes
    ----------
    cell_samples : windows begin and end at multiples of this
    lag_samples : the sound of a window ends at most this much before the window
    column_lead : maximum number of columns sent ahead of the sound
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
        """Bytes of one sample of all channels."""
        return 2 * self.channels

    @property
    def column_bytes(self) -> int:
        """Bytes of one column: of two channels their middle is shown."""
        return self.n_mels

    @property
    def side_bytes(self) -> int:
        """Bytes of left and right of one column; none of one channel."""
        return 2 * self.n_mels if self.channels == 2 else 0


class Session:
    """A stream: its schedule, the chunks made so far, and the position sent so far.

    Parameters
    ----------
    form : format of the frames
    scene : the first scene
    ahead_samples : how far beyond the sent samples a client may request

    Attributes
    ----------
    next_sample : first sample not yet sent
    until : end of the requested samples
    reserve : samples beyond those sent that a change keeps, to leave time for making the next
    cut_to : sample at which the last window has to end early; None if it stays whole
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
        # Windows below this index have been sent at least in part.
        self._opened = 0
        self._next_window = self._next_column = 0
        self._sent = 0

    @property
    def made_until(self) -> int:
        """First sample not yet made."""
        return self._chunks[-1].end_sample if self._chunks else 0

    @property
    def next_first_sample(self) -> int:
        """First sample of the next window."""
        return self._chunks[-1].window.end_sample if self._chunks else 0

    @property
    def state(self) -> bytes:
        """State of the engine after the last chunk; empty at the start."""
        return self._chunks[-1].state if self._chunks else b""

    @property
    def state_before(self) -> bytes:
        """State of the engine before the last window."""
        return self._chunks[-2].state if len(self._chunks) > 1 else b""

    @property
    def satisfied(self) -> bool:
        """Whether all requested samples have been sent."""
        return self.next_sample >= self.until

    @property
    def free_from(self) -> int:
        """First sample at which another window may begin.

        Samples already sent stay unchanged, and so does the reserve beyond them.
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
        """First sample at or after `sample` at which a flow window can end."""
        return -(-sample // self.form.cell_samples) * self.form.cell_samples

    def want(self, until: int) -> None:
        """Request samples; `until` never decreases and is capped by the limit."""
        self.until = max(self.until, min(until, self.next_sample + self._ahead))

    def change(self, scene: Scene, at: int | None, *, goes_on: bool = False) -> int:
        """Switch to a scene; returns the first sample at which it may be heard.

        Windows that begin there or later are discarded; a flow window around it is marked to be
        cut (`cut_to`) before the next one is made.

        Parameters
        ----------
        at : earliest sample; None is as soon as possible
        goes_on : keep the flow window that is being made

        Raises
        ------
        ParameterError
            too many changes are pending; nothing is changed
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
                f"at most {MAX_CUES - 1} scene changes may be pending: wait until some are "
                "heard, or send one without `at`, which replaces them all"
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
        """End the last window at a sample, if it is a flow window that extends beyond it."""
        if self._chunks and self._chunks[-1].window.mode == "flow":
            cell = self._cell_end(sample)
            if cell < self.next_first_sample:
                self.cut_to = cell
                self._chunks[-1] = self._shortened(self._chunks[-1], cell)

    def _shortened(self, chunk: Chunk, end_sample: int) -> Chunk:
        """The part of a chunk that a cut at `end_sample` cannot change; keeps its state."""
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
            sides=chunk.sides[: n_columns * form.side_bytes],
            n_samples=min(chunk.n_samples, n_samples),
            sound=chunk.sound[: n_samples * form.sample_bytes],
        )

    def add(self, chunk: Chunk) -> None:
        """Add a chunk: the next window, or the last one after its cut."""
        if self.cut_to is not None:
            last = self._chunks.pop()
            assert chunk.first_column == last.first_column
            assert chunk.end_sample >= last.end_sample
            self.cut_to = None
        assert chunk.first_sample == self.made_until
        first = self.next_first_sample
        assert chunk.window.first_sample == first
        self._chunks.append(chunk)
        # A change that came while this window was made and kept it.
        for cue in self.schedule.cues:
            if cue.at > first:
                self._cut_at(cue.at)
                break
        # Windows up to here are final, or cut at a change: cues before are no longer needed.
        self.schedule = _pruned(self.schedule, self.next_first_sample)

    def outgoing(self) -> list[Outgoing] | None:
        """The next messages up to one sound frame; None if there is nothing to send."""
        place = self.next_sample
        chunk = next((c for c in self._chunks if c.first_sample <= place < c.end_sample), None)
        if self.satisfied or chunk is None:
            return None
        messages: list[Outgoing] = list(self._windows(chunk, place))
        stop = min(place + MAX_SAMPLES, self.until, chunk.end_sample)
        # Send no more columns than belong to the sound: sent columns cannot be changed.
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
            yield columns_frame(data, form.n_mels, first, form.hop_length)

    def resume(self, next_sample: int) -> bool:
        """Rewind to a sample; False if it is no longer available."""
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
        """Bytes of the available columns in [start, stop)."""
        size = self.form.column_bytes
        return b"".join(
            c.columns[max(0, start - c.first_column) * size : max(0, stop - c.first_column) * size]
            for c in self._chunks
        )

    def sides(self, start: int, stop: int) -> bytes:
        """Bytes of left and right of the available columns in [start, stop)."""
        size = self.form.side_bytes
        return b"".join(
            c.sides[max(0, start - c.first_column) * size : max(0, stop - c.first_column) * size]
            for c in self._chunks
        )

    def sound(self, start: int, stop: int) -> bytes:
        """Bytes of the available samples in [start, stop)."""
        size = self.form.sample_bytes
        return b"".join(
            c.sound[max(0, start - c.first_sample) * size : max(0, stop - c.first_sample) * size]
            for c in self._chunks
        )

    def part(self, first_sample: int, end_sample: int) -> tuple[bytes, bytes, bytes] | None:
        """Columns, sides and sound of a sent range, in whole columns; None if it is gone."""
        hop = self.form.hop_length
        start, stop = first_sample // hop, end_sample // hop
        known = self._chunks[0] if self._chunks else None
        if known is None or start >= stop or stop * hop > self._sent:
            return None
        if start < known.first_column or start * hop < known.first_sample:
            return None
        sound = self.sound(start * hop, stop * hop)
        return self.columns(start, stop), self.sides(start, stop), sound

    def _forget(self) -> None:
        """Drop states that are no longer needed and chunks that are too old."""
        for chunk in self._chunks:
            if chunk.index < self._opened - 2:
                chunk.state = b""
        oldest = self._sent - KEEP_S * self.form.sample_rate
        while len(self._chunks) > 1 and self._chunks[0].end_sample < oldest:
            if self._chunks[0].index >= self._opened - 2:
                break
            self._chunks.pop(0)


def _pruned(schedule: SceneSchedule, sample: int) -> SceneSchedule:
    """The schedule without cues that end before `sample`."""
    cues = schedule.cues
    in_force = max(i for i, cue in enumerate(cues) if cue.at <= sample)
    return SceneSchedule((Cue(cues[in_force].scene), *cues[in_force + 1 :]))
