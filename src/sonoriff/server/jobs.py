"""Riffs that are being made: queue, progress, cancel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sonoriff.errors import BusyError, Cancelled, ParameterError, SonoriffError
from sonoriff.server.config import Limits
from sonoriff.server.lanes import Lane, TooMuchError, WorkerDied
from sonoriff.server.metrics import Metrics
from sonoriff.server.store import ENDED, Riff, Store

log = logging.getLogger(__name__)


class Job:
    """A riff on its way. `record` is what clients see."""

    def __init__(self, riff: Riff, client: str) -> None:
        self.record, self.client = riff.record(), client
        self.task: asyncio.Task[None] | None = None
        self.wanted = True
        self.ending = False
        self._news = asyncio.Event()

    def update(self, **changes: Any) -> None:
        """Change the record, and wake whoever watches."""
        self.record = {**self.record, **changes}
        self._news.set()
        self._news = asyncio.Event()

    async def changes(self) -> AsyncIterator[dict[str, Any]]:
        """The record now and after every change, up to its last."""
        while True:
            news, record = self._news, self.record
            yield record
            if record["state"] in ENDED:
                return
            await news.wait()


class Jobs:
    """All jobs under way.

    Parameters
    ----------
    lane : whose workers make the riffs
    limits : how many may wait or be made, of one client and in all
    """

    def __init__(self, lane: Lane, store: Store, metrics: Metrics, limits: Limits) -> None:
        self._lane, self._store, self._metrics = lane, store, metrics
        self._max_jobs, self._max_of_client = limits.max_jobs, limits.max_jobs_per_client
        self._jobs: dict[str, Job] = {}
        # Clients of what has its place but is no job, or none yet.
        self._coming: list[str] = []
        self._open = True

    def __len__(self) -> int:
        return len(self._jobs)

    def find(self, riff_id: str) -> Job | None:
        """A job that has not ended."""
        return self._jobs.get(riff_id)

    def check_room(self, client: str) -> None:
        """BusyError where no more can be taken, of this client or at all."""
        if not self._open:
            raise BusyError("the server is stopping")
        clients = [*(job.client for job in self._jobs.values()), *self._coming]
        if len(clients) >= self._max_jobs:
            raise BusyError(f"{self._max_jobs} riffs are waiting already: try again later")
        if clients.count(client) >= self._max_of_client:
            raise BusyError(f"{self._max_of_client} riffs of yours are waiting: try again later")

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """A place for something that is no riff of the history, but made as one."""
        self.check_room(client)
        self._coming.append(client)
        try:
            yield
        finally:
            self._coming.remove(client)

    async def submit(
        self,
        verb: str,
        settings: dict[str, Any],
        task: dict[str, Any],
        blobs: Sequence[bytes],
        client: str,
    ) -> Job:
        """Queue a riff.

        Parameters
        ----------
        settings : as they are kept; `task` is what the worker gets besides
        client : who asks, for limits
        """
        self.check_room(client)
        self._coming.append(client)
        try:
            prompt = str(settings.get("prompt", ""))
            riff = await asyncio.to_thread(self._store.add, verb, prompt, settings)
        finally:
            self._coming.remove(client)
        job = self._jobs[riff.id] = Job(riff, client)
        header = {"task": "riff", "verb": verb, "settings": settings, **task}
        job.task = asyncio.create_task(self._run(job, header, blobs))
        return job

    async def cancel(self, job: Job) -> None:
        """Stop a job, and wait until it has stopped."""
        first, job.wanted = job.wanted, False
        if job.task is not None:
            if first and not job.ending:
                job.task.cancel()
            await asyncio.gather(job.task, return_exceptions=True)

    async def drain(self, grace_s: float) -> None:
        """Take no more, give the one under way some time, and stop the rest."""
        self._open = False
        jobs = list(self._jobs.values())
        for job in jobs:
            if job.record["state"] == "queued":
                await self.cancel(job)
        running = {job.task for job in jobs if job.task is not None and not job.task.done()}
        if running:
            await asyncio.wait(running, timeout=grace_s)
        for job in jobs:
            await self.cancel(job)

    async def _run(self, job: Job, header: dict[str, Any], blobs: Sequence[bytes]) -> None:
        riff_id, verb = job.record["id"], job.record["verb"]
        state, error = "failed", None
        try:
            facts, (picture, sound) = await self._made(job, header, blobs)
            await asyncio.to_thread(
                self._store.finish, riff_id, picture, sound, facts["duration_s"]
            )
            state = "done"
        except (Cancelled, asyncio.CancelledError):
            state = "cancelled"
            error = None if not job.wanted and self._open else "the server was stopped: ask again"
        except ParameterError as wrong:
            error = str(wrong)
        except (BusyError, TooMuchError) as refused:
            error = str(refused)
        except SonoriffError as failure:
            log.error("riff failed", extra={"facts": {"riff": riff_id, "error": repr(failure)}})
            error = f"the server failed at this riff ({riff_id} in its log)"
        except Exception as failure:  # a full disk, say, or a database that has gone
            log.error("riff lost", exc_info=failure, extra={"facts": {"riff": riff_id}})
            error = f"the server failed at this riff ({riff_id} in its log)"
        # From here on nothing may cancel the task: it has to clear its place.
        job.ending = True
        try:
            last = await asyncio.to_thread(self._noted, riff_id, state, error)
        except Exception as failure:
            log.error("riff not noted", exc_info=failure, extra={"facts": {"riff": riff_id}})
            last = {"state": "failed", "error": error}
        self._jobs.pop(riff_id, None)
        job.update(**last)
        self._metrics.jobs.labels(verb, last["state"]).inc()

    def _noted(self, riff_id: str, state: str, error: str | None) -> dict[str, Any]:
        """Note how a riff ended; its last record. Blocks."""
        if state != "done":
            self._store.set_state(riff_id, state, error)
        riff = self._store.find(riff_id)
        return riff.record() if riff is not None else {"state": state, "error": error}

    async def _made(
        self, job: Job, header: dict[str, Any], blobs: Sequence[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """What the worker makes; a worker that dies gets a second chance."""
        told, payer = _telling(job), (job.client, "")
        try:
            return await self._lane.call(header, blobs, payer=payer, on_progress=told)
        except WorkerDied:
            return await self._lane.call(header, blobs, payer=payer, on_progress=told)


def _telling(job: Job) -> Callable[[int, int], None]:
    """Notes progress in a job's record."""

    def told(step: int, steps: int) -> None:
        job.update(state="running", progress=round(min(1.0, step / max(1, steps)), 4))

    return told
