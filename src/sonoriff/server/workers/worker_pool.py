"""Pool of worker processes with a queue."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from pathlib import Path
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

__all__ = ["TaskFailed", "TooMuchError", "WorkerDied", "WorkerPool"]
log = logging.getLogger(__name__)
_MAX_FAILED_STARTS = 3
_PIPE_BYTES = 1 << 20
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
        self._options, self._devices = options, devices
        self._max_waiting, self._task_s, self._cancel_s = max_waiting, task_s, cancel_s
        self._waiting = waiting or Waiting()
        self._interludes = interludes
        # Number of tasks run between the steps of another.
        self.n_between = 0
        self._number = 0
        self._runners: list[asyncio.Task[None]] = []
        # Their folders, and the tasks that forward their logs.
        self._processes: dict[Process, Path] = {}
        self._readers: dict[Process, asyncio.Task[None]] = {}

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

    async def stop(self) -> None:
        """Stop the processes; pending calls raise `Cancelled`."""
        self.ready.clear()
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
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
                with suppress(ProcessLookupError):
                    process.kill()

        # A task stops between steps only, so allow for its longest one.
        asyncio.get_running_loop().call_later(self._cancel_s + call.step_s, end)

    async def _keep(self, device: str) -> None:
        """Keep a process running, and replace it when it dies."""
        failed_starts = 0
        while self.fatal is None:
            began = False
            try:
                process = await self._started(device)
                try:
                    device_type = await self._load(process)
                    began, failed_starts = True, 0
                    most = _MOST_ON_CPU if device_type == "cpu" else _MOST_TOGETHER
                    await self._work(process, most)
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
        # Its files are removed with it, however it ends.
        folder = Path(self._options["folder"]) / secrets.token_hex(6)
        folder.mkdir(parents=True)
        options = {**self._options, "device": device, "folder": str(folder)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sonoriff.server.workers.worker",
            json.dumps(options),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_PIPE_BYTES,
        )
        self._processes[process] = folder
        self._readers[process] = asyncio.create_task(pass_on(process, self.name))
        return process

    async def _load(self, process: Process) -> str:
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

    async def _work(self, process: Process, most: int) -> None:
        loop = asyncio.get_running_loop()
        while True:
            calls = await self._next(process, most)
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

    async def _next(self, process: Process, most: int) -> list[Call]:
        """The next calls to run; raises WorkerDied if the idle process exits meanwhile."""
        loop, gone = asyncio.get_running_loop(), asyncio.ensure_future(process.wait())
        try:
            while not gone.done() and process.returncode is None:
                if calls := self._waiting.take(most, loop.time()):
                    return calls
                filled = asyncio.ensure_future(self._waiting.filled())
                try:
                    await asyncio.wait({filled, gone}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    filled.cancel()
            raise WorkerDied("the idle worker process has died")
        finally:
            gone.cancel()

    async def _ended(self, process: Process) -> None:
        """Kill a process: it holds nothing that is needed."""
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await self._readers.pop(process)
        await asyncio.to_thread(shutil.rmtree, self._processes.pop(process), ignore_errors=True)
