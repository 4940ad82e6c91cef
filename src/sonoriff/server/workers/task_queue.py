"""Queue of tasks for the workers, and the choice of batches."""

from __future__ import annotations

import asyncio
import math
from bisect import insort
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sonoriff.server.workers.ipc import Message, packed
from sonoriff.server.workers.shares import Shares
from sonoriff.server.workers.worker_process import WorkerProcess

Payer = tuple[str, str]


class Call:
    """A queued or running task.

    Parameters
    ----------
    deadline : time by which it is needed, on the event loop's clock
    kind : batch key; calls with equal keys can be made together, None goes alone
    payer : client and stream whose shares are charged
    steps : denoising steps, as a measure of its length; 0 if it is short

    Attributes
    ----------
    result : future of the result
    process : process that runs it
    steps_left : as last reported by the process
    step_s : longest step so far
    """

    def __init__(
        self,
        header: dict[str, Any],
        blobs: Sequence[bytes],
        *,
        deadline: float = 0.0,
        kind: Hashable = None,
        payer: Payer = ("", ""),
        steps: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.header, self.blobs, self.on_progress = header, blobs, on_progress
        self.deadline, self.kind, self.payer, self.steps = deadline, kind, payer, steps
        self.steps_left: float = math.inf
        self.result: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.process: WorkerProcess | None = None
        self.step_s = 0.0
        self._step_at: float | None = None

    @property
    def number(self) -> int:
        """Number by which the worker refers to it."""
        return int(self.header["number"])

    def note_step(self, now: float) -> None:
        """Record a finished step."""
        if self._step_at is not None:
            self.step_s = max(self.step_s, now - self._step_at)
        self._step_at = now

    def cancel(self) -> None:
        """Tell the worker, if it is running, that the result is no longer needed."""
        if self.process is not None and self.process.stdin is not None:
            with suppress(OSError, RuntimeError):
                self.process.stdin.write(packed({"cancel": self.number}))


class Waiting:
    """Waiting calls, ordered by deadline.

    Calls of clients that have used more than their share of worker time come after all others;
    likewise, within a client, those of streams that have used more than theirs.

    Parameters
    ----------
    memory_s, free_s : see `Shares`

    Attributes
    ----------
    usual_s : recent duration of one batchable call
    """

    def __init__(self, memory_s: float = 10.0, free_s: float = 2.0) -> None:
        self.usual_s = 0.0
        self._calls: list[Call] = []
        self._shares = partial(Shares, memory_s, free_s)
        self._clients = self._shares()
        self._streams: dict[str, Shares] = {}
        self._filled, self._another = asyncio.Event(), asyncio.Event()

    def __len__(self) -> int:
        return len(self._calls)

    async def filled(self) -> None:
        """Wait until there may be a call to take."""
        await self._filled.wait()

    async def another(self) -> None:
        """Wait until a call is added."""
        await self._another.wait()

    def add(self, call: Call) -> None:
        """Insert a call."""
        insort(self._calls, call, key=lambda c: (c.deadline, c.number))
        self._filled.set()
        self._another.set()
        self._another = asyncio.Event()

    def remove(self, call: Call) -> None:
        """Remove a call, if present."""
        with suppress(ValueError):
            self._calls.remove(call)

    def take(self, most: int, now: float) -> list[Call]:
        """Take the most urgent call and those to batch with it; empty if none waits.

        Parameters
        ----------
        most : maximum batch size
        now : current time, on the clock of the deadlines

        Notes
        -----
        A batch costs less than its calls in turn, but each call waits for all. A call is urgent if
        its deadline comes before a full batch could be done. An urgent call is batched with other
        urgent calls only: they finish sooner than in turn, while a call with time to spare would
        delay it. Nothing overtakes an urgent call that does not fit.
        """
        self._filled.clear()
        if not self._calls:
            return []
        ranks = {call.number: self.rank(call, now) for call in self._calls}
        first = min(self._calls, key=lambda call: ranks[call.number])
        others = [
            call
            for call in self._calls
            if call is not first and ranks[call.number] == ranks[first.number]
        ]
        taken, late = [first], now + most * self.usual_s
        for call in others:
            if len(taken) >= most or first.kind is None or first.deadline < late <= call.deadline:
                break
            if call.kind == first.kind:
                taken.append(call)
            elif call.deadline < late:
                break
        self._calls = [call for call in self._calls if call not in taken]
        if self._calls:
            self._filled.set()
        return taken

    def rank(self, call: Call, now: float) -> tuple[bool, bool]:
        """Whether client and stream are over their shares: sorts before the deadline."""
        client, stream = call.payer
        others = {c.payer[0] for c in self._calls}
        streams = {c.payer[1] for c in self._calls if c.payer[0] == client}
        own = self._streams.get(client)
        return (
            self._clients.is_over(client, others, now),
            own is not None and own.is_over(stream, streams, now),
        )

    def charge(self, calls: Sequence[Call], seconds: float, now: float) -> None:
        """Charge worker time to the payers of calls."""
        for call in calls:
            client, stream = call.payer
            self._clients.note(client, seconds / len(calls), now)
            if client not in self._streams:
                self._streams[client] = self._shares()
            self._streams[client].note(stream, seconds / len(calls), now)
        for client in [c for c in self._streams if self._clients.of(c, now) == 0.0]:
            del self._streams[client]

    def take_between(self, running: Sequence[Call], left_s: float, now: float) -> list[Call]:
        """Take a call too urgent to wait for the running ones, if its client may interrupt them.

        Parameters
        ----------
        left_s : estimated time left for the running calls
        """
        if not self._calls or not running:
            return []
        late = now + left_s + self.usual_s
        for call in sorted(self._calls, key=lambda call: self.rank(call, now)):
            if call.deadline <= late and self._may_interrupt(call, running, now):
                self.remove(call)
                return [call]
        return []

    def _may_interrupt(self, call: Call, running: Sequence[Call], now: float) -> bool:
        """Whether a call may run between the steps of others.

        It must be shorter than what is left of them, since nothing else comes between meanwhile.
        Either their clients are over their shares and its own is not; or its client has not used
        an equal share of a worker that is never idle: the first long call of a client that has
        used nothing yet would otherwise make everybody late.
        """
        if call.steps >= max(other.steps_left for other in running):
            return False
        if self.rank(call, now) < min(self.rank(other, now) for other in running):
            return True
        clients = {other.payer[0] for other in running}
        if call.payer[0] in clients:
            return False
        clients |= {other.payer[0] for other in self._calls}
        return self._clients.is_within(call.payer[0], clients, now)

    def note(self, calls: Sequence[Call], took_s: float) -> None:
        """Update the usual duration from a batch."""
        if calls[0].kind is not None:
            each = took_s / len(calls)
            self.usual_s = 0.5 * (self.usual_s + each) if self.usual_s else each
