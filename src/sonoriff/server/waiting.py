"""Tasks that wait for a worker, and which of them are made together."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from bisect import insort
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any

from sonoriff.server.link import Message, packed


class Call:
    """A task on its way through the queue.

    Parameters
    ----------
    deadline : when it is needed, on the loop's clock
    kind : calls of one kind can be made together; None goes alone

    Attributes
    ----------
    result : to be set by whoever has it made
    process : that is at it
    """

    def __init__(
        self,
        header: dict[str, Any],
        blobs: Sequence[bytes],
        *,
        deadline: float = 0.0,
        kind: Hashable = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.header, self.blobs, self.on_progress = header, blobs, on_progress
        self.deadline, self.kind = deadline, kind
        self.result: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.process: Process | None = None

    @property
    def number(self) -> int:
        """By which the worker names it."""
        return int(self.header["number"])

    def cancel(self) -> None:
        """Tell the worker, where one is at it, that nobody waits any more."""
        if self.process is not None and self.process.stdin is not None:
            with suppress(OSError, RuntimeError):
                self.process.stdin.write(packed({"cancel": self.number}))


class Waiting:
    """Calls, those that are needed first before the others.

    Attributes
    ----------
    usual_s : what one of those that can be made together takes, of late
    """

    def __init__(self) -> None:
        self.usual_s = 0.0
        self._calls: list[Call] = []
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._calls)

    async def filled(self) -> None:
        """Wait until there may be a call."""
        await self._filled.wait()

    def add(self, call: Call) -> None:
        """Put a call in its place."""
        insort(self._calls, call, key=lambda c: (c.deadline, c.number))
        self._filled.set()

    def remove(self, call: Call) -> None:
        """Take a call out, if it is there."""
        with suppress(ValueError):
            self._calls.remove(call)

    def take(self, most: int, now: float) -> list[Call]:
        """The call that is needed first, and those that are made with it; none where none waits.

        Parameters
        ----------
        most : calls
        now : on the clock of the deadlines

        Notes
        -----
        Together they cost less than one after the other, but each has to wait for all. A call is
        urgent where it is needed before as many as may go together can be made. An urgent one takes
        along only others that are urgent: they are done sooner so than by turns, while one that has
        time would only hold it up. Nothing goes before an urgent one that does not fit.
        """
        self._filled.clear()
        if not self._calls:
            return []
        first, *others = self._calls
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

    def note(self, calls: Sequence[Call], took_s: float) -> None:
        """Learn from calls that were made together how long one takes."""
        if calls[0].kind is not None:
            each = took_s / len(calls)
            self.usual_s = 0.5 * (self.usual_s + each) if self.usual_s else each
