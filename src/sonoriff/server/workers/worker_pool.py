"""Pool of worker processes with a queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from sonoriff.errors import BusyError, Cancelled, CheckpointError
from sonoriff.server.deadlines import within
from sonoriff.server.logs import pass_on
from sonoriff.server.workers.ipc import Message
from sonoriff.server.workers.replies import ModelInfo
from sonoriff.server.workers.task_queue import Call, Payer, Waiting
from sonoriff.server.workers.turn import (
    TaskFailed,
    TooMuchError,
    Turn,
    WorkerDied,
    received,
    settle,
)
from sonoriff.server.workers.worker_process import LocalProcess, Spawn, WorkerProcess

__all__ = ["TaskFailed", "TooMuchError", "WorkerDied", "WorkerPool"]
log = logging.getLogger(__name__)
_MAX_FAILED_STARTS = 3
# How long after a start that failed the next is tried, once a model was loaded before.
_AGAIN_S = (0.0, 1.0, 5.0, 15.0)
# A worker is added when tasks have waited this long, and leaves when it had none for so long.
_GROW_S, _SHRINK_S = 1.0, 60.0
# Windows per batch. On a CPU two take 0.78 of the time of two in turn, and more gain nothing;
# a GPU is hardly busy with one.
_MOST_TOGETHER, _MOST_ON_CPU = 4, 2


class WorkerPool:
    """A queue and the processes that serve it, most urgent task first.

    Parameters
    ----------
    name : for logs and metrics
    options : for the workers, see `sonoriff.server.workers.worker`
    devices : one process is started on each
    max_workers : of them and of those that are added, on the last device, while tasks wait; None
        adds none
    spawn : starts a process, on this machine or elsewhere
    max_waiting : maximum number of queued tasks
    task_s : timeout of a task; its process is killed
    cancel_s : grace period of a cancelled task before its process is killed; None waits
    waiting : the queue
    interludes : whether urgent tasks run between the steps of a task whose client is over its
        share

    Notes
    -----
    A process that dies is replaced. Its running calls raise `WorkerDied`: tasks are pure functions,
    so they may be retried. Some tasks are batched, see `Waiting`.
    """

    def __init__(
        self,
        name: str,
        options: dict[str, Any],
        devices: Sequence[str],
        *,
        max_workers: int | None = None,
        spawn: Spawn = LocalProcess.started,
        max_waiting: int,
        task_s: float,
        cancel_s: float | None = None,
        waiting: Waiting | None = None,
        interludes: bool = False,
    ) -> None:
        self.name = name
        self.model_info: ModelInfo | None = None
        # Loading progress of the first process, 0 to 1.
        self.loading = 0.0
        self.fatal: str | None = None
        self.restarts = 0
        # Number of calls made in batches.
        self.n_together = 0
        self.ready = asyncio.Event()
        self._options, self._devices, self._spawn = options, devices, spawn
        self._max_workers = max(len(devices), max_workers or 0)
        # Those that were added while tasks waited.
        self._added: set[asyncio.Task[None]] = set()
        self._max_waiting, self._task_s, self._cancel_s = max_waiting, task_s, cancel_s
        self._waiting = waiting or Waiting()
        self._interludes = interludes
        # Number of tasks run between the steps of another.
        self.n_between = 0
        self._number = 0
        self._runners: list[asyncio.Task[None]] = []
        # With the tasks that forward their logs.
        self._processes: dict[WorkerProcess, asyncio.Task[None]] = {}

    @property
    def loading_line(self) -> str:
        """Loading progress in words."""
        return f"the model is being loaded, {round(100 * self.loading)} %: try again soon"

    @property
    def waiting(self) -> int:
        """Number of tasks not yet started."""
        return len(self._waiting)

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the running workers."""
        return [process.pid for process in self._processes if process.returncode is None]

    def start(self) -> None:
        """Start the processes; `ready` is set once a model is loaded."""
        self._runners = [asyncio.create_task(self._keep(device)) for device in self._devices]
        if self._max_workers > len(self._devices):
            self._runners.append(asyncio.create_task(self._grow()))

    async def stop(self) -> None:
        """Stop the processes; pending calls raise `Cancelled`."""
        self.ready.clear()
        runners = [*self._runners, *self._added]
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
        while calls := self._waiting.take(1, asyncio.get_running_loop().time()):
            settle(calls, Cancelled("the server stops"))

    async def call(
        self,
        header: dict[str, Any],
        blobs: Sequence[bytes] = (),
        *,
        spare_s: float = 0.0,
        kind: Hashable = None,
        payer: Payer = ("", ""),
        steps: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Message:
        """Run a task on a worker and return its reply.

        Parameters
        ----------
        spare_s : seconds until the result is needed; the most urgent task runs first
        kind : batch key; tasks with equal keys may be made together, None goes alone
        payer : client and stream to charge
        steps : denoising steps; 0 if the task is short
        on_progress : called with ``(step, steps)``

        Raises
        ------
        BusyError
            too many tasks are queued
        Cancelled, ParameterError, WorkerDied, TaskFailed, TooMuchError
            as reported by the worker, or because it died

        Notes
        -----
        Cancelling the coroutine stops the task between two steps, without affecting others of its
        batch.
        """
        if self.waiting >= self._max_waiting:
            raise BusyError(f"{self.waiting} tasks wait already: try again later")
        self._number += 1
        deadline = asyncio.get_running_loop().time() + spare_s
        numbered = {**header, "number": self._number, "task_s": self._task_s}
        call = Call(
            numbered,
            blobs,
            deadline=deadline,
            kind=kind,
            payer=payer,
            steps=steps,
            on_progress=on_progress,
        )
        self._waiting.add(call)
        try:
            return await call.result
        except asyncio.CancelledError:
            self._waiting.remove(call)
            call.cancel()
            self._see_to_its_end(call)
            raise

    def _see_to_its_end(self, call: Call) -> None:
        """Kill the process if it does not stop a cancelled task in time: others are waiting."""
        process = call.process
        if process is None or self._cancel_s is None:
            return

        def end() -> None:
            if call.process is process:
                log.warning("worker does not stop", extra={"facts": {"lane": self.name}})
                process.kill()

        # A task stops between steps only, so allow for its longest one.
        asyncio.get_running_loop().call_later(self._cancel_s + call.step_s, end)

    async def _grow(self) -> None:
        """Add a worker while tasks wait, up to the most there may be."""
        while True:
            before = self.waiting
            await asyncio.sleep(_GROW_S)
            room = self._max_workers - len(self._devices) - len(self._added)
            if self.model_info is not None and min(before, self.waiting) > 0 and room > 0:
                runner = asyncio.create_task(self._keep(self._devices[-1], idle_s=_SHRINK_S))
                self._added.add(runner)
                runner.add_done_callback(self._added.discard)

    async def _keep(self, device: str, idle_s: float | None = None) -> None:
        """Keep a process running, replaced when it dies, until it had no task for `idle_s`."""
        failed_starts = 0
        while self.fatal is None:
            began = False
            try:
                await asyncio.sleep(_AGAIN_S[min(failed_starts, len(_AGAIN_S) - 1)])
                process = await self._started(device)
                try:
                    device_type = await self._load(process)
                    began, failed_starts = True, 0
                    most = _MOST_ON_CPU if device_type == "cpu" else _MOST_TOGETHER
                    if await self._work(process, most, idle_s):
                        return
                finally:
                    await self._ended(process)
            except CheckpointError as error:
                self.fatal = str(error)
            except WorkerDied:
                self.restarts += 1
                failed_starts += 0 if began else 1
                log.warning("worker died", extra={"facts": {"lane": self.name}})
                if failed_starts >= _MAX_FAILED_STARTS and self.model_info is None:
                    self.fatal = "the worker process ends before its model is loaded"
        self.ready.set()

    async def _started(self, device: str) -> WorkerProcess:
        process = await self._spawn({**self._options, "device": device})
        self._processes[process] = asyncio.create_task(pass_on(process, self.name))
        return process

    async def _load(self, process: WorkerProcess) -> str:
        """Wait until the model is loaded; returns the type of its device."""
        header, _ = await received(process)
        while header["type"] == "loading":
            self.loading = header["share"]
            header, _ = await received(process)
        if header["type"] == "fatal":
            raise CheckpointError(header["message"])
        self.model_info = ModelInfo(**header["model"])
        self.ready.set()
        return str(header["device"])

    async def _work(self, process: WorkerProcess, most: int, idle_s: float | None) -> bool:
        """Run calls on a process; whether it ended for want of them."""
        loop = asyncio.get_running_loop()
        while True:
            calls = await self._next(process, most, idle_s)
            if not calls:
                return True
            began = loop.time()
            turn = Turn(process, calls, self._waiting, interludes=self._interludes)
            try:
                await within(turn.run(), self._task_s)
            except asyncio.TimeoutError as error:
                turn.settle(TooMuchError(f"not done after {self._task_s:g} s: ask for less"))
                raise WorkerDied("took too long") from error
            except WorkerDied as error:
                turn.settle(error)
                raise
            except asyncio.CancelledError:
                turn.settle(Cancelled("the server stops"))
                raise
            finally:
                turn.end()
            if not turn.n_between and not any(call.result.cancelled() for call in calls):
                self._waiting.note(calls, loop.time() - began)
            self.n_together += len(calls) if len(calls) > 1 else 0
            self.n_between += turn.n_between

    async def _next(self, process: WorkerProcess, most: int, idle_s: float | None) -> list[Call]:
        """The next calls to run, none if none came for `idle_s`.

        Raises WorkerDied if the idle process exits meanwhile.
        """
        loop, gone = asyncio.get_running_loop(), asyncio.ensure_future(process.wait())
        try:
            while not gone.done() and process.returncode is None:
                if calls := self._waiting.take(most, loop.time()):
                    return calls
                filled = asyncio.ensure_future(self._waiting.filled())
                try:
                    done, _ = await asyncio.wait(
                        {filled, gone}, timeout=idle_s, return_when=asyncio.FIRST_COMPLETED
                    )
                finally:
                    filled.cancel()
                if not done:
                    return []
            raise WorkerDied("the idle worker process has died")
        finally:
            gone.cancel()

    async def _ended(self, process: WorkerProcess) -> None:
        await process.removed()
        await self._processes.pop(process)
