"""A worker's turn at a batch of tasks, and urgent tasks in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sonoriff.errors import Cancelled, ParameterError, SonoriffError
from sonoriff.server.workers.ipc import Message, joined, packed, receive
from sonoriff.server.workers.task_queue import Call, Waiting
from sonoriff.server.workers.worker_process import WorkerProcess


class WorkerDied(SonoriffError):
    """The worker process died; the task may be retried."""


class TaskFailed(SonoriffError):
    """The task failed with a bug; the worker's log has the traceback."""


class TooMuchError(SonoriffError):
    """The task exceeded its time or memory limit."""


class Turn:
    """Calls that a process is running.

    Parameters
    ----------
    calls : the batch
    waiting : queue to take urgent calls from and to charge time to
    interludes : whether urgent calls may run in between, one at a time

    Attributes
    ----------
    n_between : number of calls run in between
    """

    def __init__(
        self, process: WorkerProcess, calls: Sequence[Call], waiting: Waiting, *, interludes: bool
    ) -> None:
        self.n_between = 0
        self._process, self._waiting, self._interludes = process, waiting, interludes
        self._loop = asyncio.get_running_loop()
        self._main, self._between = list(calls), list[Call]()
        self._left: dict[int, Call] = {}
        self._began = self._charged_at = self._loop.time()
        # Progress of the calls that began the turn.
        self._progress = 0.0

    async def run(self) -> None:
        """Wait until the process has finished all calls; raises WorkerDied if it dies."""
        await self._hand_over(self._main)
        message = asyncio.ensure_future(received(self._process))
        try:
            while self._left:
                news: set[asyncio.Future[Any]] = {message}
                if self._open:
                    news.add(asyncio.ensure_future(self._waiting.another()))
                await asyncio.wait(news, return_when=asyncio.FIRST_COMPLETED)
                for other in news - {message}:
                    other.cancel()
                self._charge()
                if message.done():
                    self._take_in(*message.result())
                    if self._left:
                        message = asyncio.ensure_future(received(self._process))
                if self._open:
                    await self._come_between()
        finally:
            # Nobody waits for the result any more.
            message.add_done_callback(lambda done: done.cancelled() or done.exception())
            message.cancel()

    def settle(self, error: SonoriffError) -> None:
        """Fail the calls that have no result yet."""
        settle([*self._main, *self._between], error)

    def end(self) -> None:
        """Detach the calls from the process."""
        for call in (*self._main, *self._between):
            call.process = None

    @property
    def _open(self) -> bool:
        """Whether an urgent call may run now."""
        left = self._left.values()
        return self._interludes and bool(left) and not any(c in left for c in self._between)

    async def _come_between(self) -> None:
        """Send an urgent call to the process."""
        now, done = self._loop.time(), self._progress
        if not done:  # nothing comes between before the first step, nor is known what is left
            return
        left_s = (now - self._began) * (1.0 - done) / done
        running = [call for call in self._main if call.number in self._left]
        if calls := self._waiting.take_between(running, left_s, now):
            self._between = calls
            self.n_between += 1
            await self._hand_over(calls, between=True)

    async def _hand_over(self, calls: Sequence[Call], *, between: bool = False) -> None:
        for call in calls:
            call.process, self._left[call.number] = self._process, call
        header, blobs = joined([(call.header, call.blobs) for call in calls])
        try:
            self._process.stdin.write(packed({**header, "between": between}, blobs))
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise WorkerDied("the worker process has died") from error

    def _charge(self) -> None:
        """Charge the time since the last charge to the calls it was spent on."""
        now = self._loop.time()
        between = [call for call in self._between if call.number in self._left]
        self._waiting.charge(between or self._main, now - self._charged_at, now)
        self._charged_at = now

    def _take_in(self, header: dict[str, Any], blobs: list[bytes]) -> None:
        kind, call = header.pop("type"), self._left.get(header.pop("number"))
        if call is None:
            return
        if kind == "progress":
            self._note_progress(call, header["step"], header["steps"])
            return
        del self._left[call.number]
        if call in self._between:
            call.process = None
        if kind == "error":
            settle([call], _error(header))
        elif not call.result.done():
            call.result.set_result((header, blobs))

    def _note_progress(self, call: Call, step: int, steps: int) -> None:
        if call in self._main:
            self._progress = step / max(1, steps)
        call.steps_left = steps - step
        call.note_step(self._loop.time())
        if call.on_progress is not None and not call.result.done():
            call.on_progress(step, steps)


async def received(process: WorkerProcess) -> Message:
    """Receive a worker's message; raises WorkerDied if the worker has gone."""
    try:
        return await receive(process.stdout)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise WorkerDied("the worker process has died") from error


def settle(calls: Sequence[Call], error: SonoriffError) -> None:
    """Fail calls with an error."""
    for call in calls:
        if not call.result.done():
            call.result.set_exception(error)


def _error(header: dict[str, Any]) -> SonoriffError:
    kinds: dict[str, type[SonoriffError]] = {
        "invalid": ParameterError,
        "cancelled": Cancelled,
        "too_much": TooMuchError,
    }
    return kinds.get(header["code"], TaskFailed)(header["message"])
