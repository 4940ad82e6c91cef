"""Worker processes and the queue before them."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from sonoriff.errors import (
    BusyError,
    Cancelled,
    CheckpointError,
    ParameterError,
    SonoriffError,
)
from sonoriff.server.link import Message, packed, receive

log = logging.getLogger(__name__)
_MAX_FAILED_STARTS = 3
_PIPE_BYTES = 1 << 20


class WorkerDied(SonoriffError):
    """The process at work has gone; the task may be given to another."""


class TaskFailed(SonoriffError):
    """The worker met an error of ours; its log has the trace."""


class _Call:
    """A task on its way through the queue."""

    def __init__(
        self,
        header: dict[str, Any],
        blobs: Sequence[bytes],
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self.header, self.blobs, self.on_progress = header, blobs, on_progress
        self.result: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.process: Process | None = None

    def cancel(self) -> None:
        """Tell the worker, where one is at it, that nobody waits any more."""
        if self.process is not None and self.process.stdin is not None:
            with suppress(OSError, RuntimeError):
                self.process.stdin.write(
                    packed({"task": "cancel", "number": self.header["number"]})
                )


class Lane:
    """A queue and the processes that work it off, the most urgent task first.

    Parameters
    ----------
    name : for logs and metrics
    options : for the workers, see `sonoriff.server.worker`
    devices : a process for each
    max_waiting : tasks; more are refused
    task_s : after which a process that is still at a task is ended

    Notes
    -----
    A process that dies is replaced. The call that it was at raises `WorkerDied`: tasks are pure
    functions, so it may be made again.
    """

    def __init__(
        self,
        name: str,
        options: dict[str, Any],
        devices: Sequence[str],
        *,
        max_waiting: int,
        task_s: float,
    ) -> None:
        self.name = name
        self.facts: dict[str, Any] | None = None
        # How far the first process is with its model, 0 to 1.
        self.loading = 0.0
        self.fatal: str | None = None
        self.restarts = 0
        self.ready = asyncio.Event()
        self._options, self._devices = options, devices
        self._max_waiting, self._task_s = max_waiting, task_s
        self._queue: asyncio.PriorityQueue[tuple[float, int, _Call]] = asyncio.PriorityQueue()
        self._number = 0
        self._runners: list[asyncio.Task[None]] = []
        self._processes: set[Process] = set()

    @property
    def loading_line(self) -> str:
        """How far the model is, for people."""
        return f"the model is being loaded, {round(100 * self.loading)} %: try again soon"

    @property
    def waiting(self) -> int:
        """Tasks that no process has begun."""
        return self._queue.qsize()

    @property
    def process_ids(self) -> list[int]:
        """Of the workers that live."""
        return [process.pid for process in self._processes if process.returncode is None]

    def start(self) -> None:
        """Start the processes; `ready` is set once a model is loaded."""
        self._runners = [asyncio.create_task(self._keep(device)) for device in self._devices]

    async def stop(self) -> None:
        """End the processes; whoever waits gets `Cancelled`."""
        self.ready.clear()
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        while not self._queue.empty():
            _, _, call = self._queue.get_nowait()
            _settle(call, Cancelled("the server stops"))

    async def call(
        self,
        header: dict[str, Any],
        blobs: Sequence[bytes] = (),
        *,
        urgency: float = 0.0,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Message:
        """What a worker makes of a task.

        Parameters
        ----------
        urgency : smaller goes first
        on_progress : told ``(step, steps)``

        Raises
        ------
        BusyError
            too many tasks wait
        Cancelled, ParameterError, WorkerDied, TaskFailed
            as the worker said, or because it cannot say any more

        Notes
        -----
        Cancelling the coroutine stops the work between two of its steps.
        """
        if self.waiting >= self._max_waiting:
            raise BusyError(f"{self.waiting} tasks wait already: try again later")
        self._number += 1
        call = _Call({**header, "number": self._number}, blobs, on_progress)
        self._queue.put_nowait((urgency, self._number, call))
        try:
            return await call.result
        except asyncio.CancelledError:
            call.cancel()
            raise

    async def _keep(self, device: str) -> None:
        """Keep a process at work, and replace it when it dies."""
        failed_starts = 0
        while self.fatal is None:
            began = False
            try:
                process = await self._started(device)
                try:
                    await self._load(process)
                    began, failed_starts = True, 0
                    await self._work(process)
                finally:
                    await self._ended(process)
            except CheckpointError as error:
                self.fatal = str(error)
            except WorkerDied:
                self.restarts += 1
                failed_starts += 0 if began else 1
                log.warning("worker died", extra={"facts": {"lane": self.name}})
                if failed_starts >= _MAX_FAILED_STARTS:
                    self.fatal = "the worker process ends before its model is loaded"
        self.ready.set()

    async def _started(self, device: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sonoriff.server.worker",
            json.dumps({**self._options, "device": device}),
            stdin=PIPE,
            stdout=PIPE,
            limit=_PIPE_BYTES,
        )
        self._processes.add(process)
        return process

    async def _load(self, process: Process) -> None:
        header, _ = await _received(process)
        while header["type"] == "loading":
            self.loading = header["share"]
            header, _ = await _received(process)
        if header["type"] == "fatal":
            raise CheckpointError(header["message"])
        del header["type"]
        self.facts = header
        self.ready.set()

    async def _work(self, process: Process) -> None:
        while True:
            _, _, call = await self._next(process)
            if call.result.done():  # cancelled while it waited
                continue
            call.process = process
            try:
                await asyncio.wait_for(_done(process, call), self._task_s)
            except asyncio.TimeoutError as error:
                _settle(call, TaskFailed(f"not done after {self._task_s:g} s: ask for less"))
                raise WorkerDied("took too long") from error
            except WorkerDied as error:
                _settle(call, error)
                raise
            except asyncio.CancelledError:
                _settle(call, Cancelled("the server stops"))
                raise
            finally:
                call.process = None

    async def _next(self, process: Process) -> tuple[float, int, _Call]:
        """The most urgent call; WorkerDied where the idle process goes meanwhile."""
        waiting = asyncio.ensure_future(self._queue.get())
        gone = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done() and not gone.done():
                return waiting.result()
            if waiting.done():
                self._queue.put_nowait(waiting.result())
            raise WorkerDied("the idle worker process has gone")
        finally:
            waiting.cancel()
            gone.cancel()

    async def _ended(self, process: Process) -> None:
        """End a process, without mercy: it holds nothing that is needed."""
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        self._processes.discard(process)


async def _received(process: Process) -> Message:
    assert process.stdout is not None
    try:
        return await receive(process.stdout)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise WorkerDied("the worker process has gone") from error


async def _done(process: Process, call: _Call) -> None:
    """Hand a call to a process and wait until it is finished with it."""
    assert process.stdin is not None
    try:
        process.stdin.write(packed(call.header, call.blobs))
        await process.stdin.drain()
    except (ConnectionError, RuntimeError) as error:
        raise WorkerDied("the worker process has gone") from error
    while True:
        header, blobs = await _received(process)
        kind = header.pop("type")
        if header.pop("number") != call.header["number"]:
            continue
        if kind == "progress":
            if call.on_progress is not None and not call.result.done():
                call.on_progress(header["step"], header["steps"])
        elif kind == "done":
            if not call.result.done():
                call.result.set_result((header, blobs))
            return
        else:
            _settle(call, _error(header))
            return


def _settle(call: _Call, error: SonoriffError) -> None:
    if not call.result.done():
        call.result.set_exception(error)


def _error(header: dict[str, Any]) -> SonoriffError:
    kinds = {"invalid": ParameterError, "cancelled": Cancelled}
    return kinds.get(header["code"], TaskFailed)(header["message"])
