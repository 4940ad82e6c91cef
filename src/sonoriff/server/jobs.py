"""Queued and running riffs: progress and cancellation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sonoriff.errors import BusyError, Cancelled, ParameterError, SonoriffError
from sonoriff.server.config import Limits
from sonoriff.server.http.doorkeeper import Holdings
from sonoriff.server.metrics import Metrics
from sonoriff.server.store import ENDED, NoRoomError, RiffRecord, Store, StoreError
from sonoriff.server.workers.worker_pool import TooMuchError, WorkerDied, WorkerPool

log = logging.getLogger(__name__)
T = TypeVar("T")
# Seconds between attempts to write to the history: 90 s including the attempts themselves.
_TRIES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 15.0)


class Job:
    """A queued or running riff. `record` is what clients see."""

    def __init__(self, riff: RiffRecord, client: str) -> None:
        self.record, self.client = riff.record(), client
        self.task: asyncio.Task[None] | None = None
        self.wanted = True
        self.ending = False
        self._news = asyncio.Event()

    def update(self, **changes: Any) -> None:
        """Update the record and wake all watchers."""
        self.record = {**self.record, **changes}
        self._news.set()
        self._news = asyncio.Event()

    async def changes(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the record now and after every change, until the riff has ended."""
        while True:
            news, record = self._news, self.record
            yield record
            if record["state"] in ENDED:
                return
            await news.wait()


class Jobs:
    """All queued and running jobs.

    Parameters
    ----------
    pool : workers that make the riffs
    limits : maximum number of jobs, per client and in total
    holdings : quota that the sources of queued jobs count against
    """

    def __init__(
        self, pool: WorkerPool, store: Store, metrics: Metrics, limits: Limits, holdings: Holdings
    ) -> None:
        self._holdings = holdings
        self._lane, self._store, self._metrics = pool, store, metrics
        self._max_jobs, self._max_of_client = limits.max_jobs, limits.max_jobs_per_client
        self._jobs: dict[str, Job] = {}
        # Clients of reserved places that are not jobs (yet).
        self._coming: list[str] = []
        self._open = True

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def n_places(self) -> int:
        """Number of occupied places."""
        return len(self._jobs) + len(self._coming)

    def find(self, riff_id: str) -> Job | None:
        """The job of a riff that has not ended."""
        return self._jobs.get(riff_id)

    def check_room(self, client: str) -> None:
        """Raise BusyError if the client's limit or the total limit is reached."""
        if not self._open:
            raise BusyError("the server is stopping")
        clients = [*(job.client for job in self._jobs.values()), *self._coming]
        if len(clients) >= self._max_jobs:
            raise BusyError(f"{self._max_jobs} riffs are waiting already: try again later")
        if clients.count(client) >= self._max_of_client:
            raise BusyError(f"{self._max_of_client} riffs of yours are waiting: try again later")

    @contextmanager
    def place(self, client: str) -> Iterator[None]:
        """Reserve a place for work that is queued like a riff but not kept in the history."""
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
        owner: str = "",
    ) -> Job:
        """Queue a riff.

        Parameters
        ----------
        settings : as stored in the history; `task` holds what else the worker needs
        client : identity for limits
        owner : owner of the riff; "" if riffs are not private
        """
        self.check_room(client)
        held = sum(map(len, blobs))
        if not self._holdings.take(client, held):
            raise BusyError("too many sources wait: try again when some are done")
        self._coming.append(client)
        try:
            prompt = str(settings.get("prompt", ""))
            riff = await asyncio.to_thread(self._added, verb, prompt, settings, owner)
        except BaseException:
            self._holdings.give_back(client, held)
            raise
        finally:
            self._coming.remove(client)
        job = self._jobs[riff.id] = Job(riff, client)
        header = {"task": "riff", "verb": verb, "settings": settings, **task}
        job.task = asyncio.create_task(self._run(job, header, blobs))
        job.task.add_done_callback(lambda _task: self._holdings.give_back(client, held))
        return job

    def _added(self, *riff: Any) -> RiffRecord:
        """Add a riff to the history if there is room. Blocking."""
        self._store.check_room()
        return self._store.add(*riff)

    async def cancel(self, job: Job) -> None:
        """Cancel a job and wait until it has stopped."""
        first, job.wanted = job.wanted, False
        if job.task is not None:
            if first and not job.ending:
                job.task.cancel()
            await asyncio.gather(job.task, return_exceptions=True)

    async def drain(self, grace_s: float) -> None:
        """Accept no more jobs, give the running one time to finish, and cancel the rest."""
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
            await _kept(
                self._store.finish,
                riff_id,
                picture,
                sound,
                facts["duration_s"],
                facts["attributes"],
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
        except Exception as failure:  # such as a full disk or an unreachable database
            log.error("riff lost", exc_info=failure, extra={"facts": {"riff": riff_id}})
            error = f"the server failed at this riff ({riff_id} in its log)"
        # From here on the task must not be cancelled: it has to free its place.
        job.ending = True
        try:
            last = await _kept(self._noted, riff_id, state, error)
        except Exception as failure:
            log.error("riff not noted", exc_info=failure, extra={"facts": {"riff": riff_id}})
            last = {"state": "failed", "error": error}
        self._jobs.pop(riff_id, None)
        job.update(**last)
        self._metrics.jobs.labels(verb, last["state"]).inc()

    def _noted(self, riff_id: str, state: str, error: str | None) -> dict[str, Any]:
        """Store how a riff ended; returns its final record. Blocking."""
        if state != "done":
            self._store.set_state(riff_id, state, error)
        riff = self._store.find(riff_id)
        return riff.record() if riff is not None else {"state": state, "error": error}

    async def _made(
        self, job: Job, header: dict[str, Any], blobs: Sequence[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Result of the worker; retried once if the worker dies."""
        on_progress, payer = _telling(job), (job.client, "")
        try:
            return await self._lane.call(header, blobs, payer=payer, on_progress=on_progress)
        except WorkerDied:
            return await self._lane.call(header, blobs, payer=payer, on_progress=on_progress)


async def _kept(work: Callable[..., T], *given: Any) -> T:
    """Write to the history, retrying while it is locked or unreachable. Non-blocking."""
    for wait_s in _TRIES_S:
        try:
            return await asyncio.to_thread(work, *given)
        except NoRoomError:
            raise
        except StoreError:
            await asyncio.sleep(wait_s)
    return await asyncio.to_thread(work, *given)


def _telling(job: Job) -> Callable[[int, int], None]:
    """Callback that writes progress to a job's record."""

    def on_progress(step: int, steps: int) -> None:
        job.update(state="running", progress=round(min(1.0, step / max(1, steps)), 4))

    return on_progress
