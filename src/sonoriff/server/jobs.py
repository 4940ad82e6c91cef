"""Queued and running riffs: progress and cancellation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sonoriff.errors import BusyError, Cancelled, ParameterError, SonoriffError
from sonoriff.server.config import Limits
from sonoriff.server.http.doorkeeper import Holdings
from sonoriff.server.leases import Work
from sonoriff.server.metrics import Metrics
from sonoriff.server.riff_files import RefusedError
from sonoriff.server.store import ENDED, NoRoomError, RiffRecord, Store, StoreError
from sonoriff.server.workers.worker_pool import TooMuchError, WorkerDied, WorkerPool

log = logging.getLogger(__name__)
T = TypeVar("T")
# Seconds between attempts to write to the history: 90 s including the attempts themselves.
_TRIES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 15.0)
# Riffs of servers that have gone are taken while fewer places than this are occupied.
_FEW = 2
_LOOK_S = 0.05


class Job:
    """A queued or running riff.

    Attributes
    ----------
    record : what clients see
    attempt : proof of the server's lease on it
    wanted : nobody has cancelled it
    ending : it is being noted how it ended
    lost : the lease has gone to another server, or the riff has ended there
    handed_back : another server is to make it
    over : this server does no more for it, even where the riff has not ended
    """

    def __init__(self, riff: RiffRecord, client: str, attempt: int = 1) -> None:
        self.record, self.client, self.attempt = riff.record(), client, attempt
        self.task: asyncio.Task[None] | None = None
        self.wanted = True
        self.ending = self.lost = self.handed_back = self.over = False
        self._news = asyncio.Event()

    def update(self, **changes: Any) -> None:
        """Update the record and wake all watchers."""
        self.record = {**self.record, **changes}
        self._news.set()
        self._news = asyncio.Event()

    async def changes(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the record now and after every change, until the riff has ended or left."""
        while True:
            news, record = self._news, self.record
            yield record
            if self.over or record["state"] in ENDED:
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
        # Set when work that is not kept in the history is waited for no longer.
        self._stopped = asyncio.Event()
        self._noting: set[asyncio.Task[None]] = set()

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

    async def before_stop(self, work: Coroutine[Any, Any, T]) -> T:
        """Result of work that has a place; raises BusyError if the server stops first."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise BusyError("the server is stopping: ask again")
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

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
        held, work = sum(map(len, blobs)), Work(task, blobs, client)
        if not self._holdings.take(client, held):
            raise BusyError("too many sources wait: try again when some are done")
        self._coming.append(client)
        try:
            prompt = str(settings.get("prompt", ""))
            riff = await asyncio.to_thread(self._added, verb, prompt, settings, owner, work)
        except BaseException:
            self._holdings.give_back(client, held)
            raise
        finally:
            self._coming.remove(client)
        return self._begun(Job(riff, client), work, held)

    def _begun(self, job: Job, work: Work, held: int) -> Job:
        """Queue a job; `held` bytes count against its client's quota until it is over."""
        self._jobs[job.record["id"]] = job
        header = {"task": "riff", "verb": job.record["verb"], "settings": job.record["settings"]}
        job.task = asyncio.create_task(self._run(job, {**header, **work.task}, work.blobs))
        job.task.add_done_callback(lambda _task: self._holdings.give_back(job.client, held))
        return job

    async def take_up(self) -> None:
        """Take riffs whose servers have gone, while there is little else to do."""
        while self._open and self.n_places < _FEW:
            taken = await asyncio.to_thread(self._store.take)
            if taken is None:
                return
            log.info("riff taken up", extra={"facts": {"riff": taken.riff.id}})
            job = self._begun(Job(taken.riff, taken.work.client, taken.attempt), taken.work, 0)
            if not self._open:
                await self._hand_back(job)

    async def renew(self) -> None:
        """Renew the leases, and stop what another server has taken or ended."""
        jobs = list(self._jobs.values())
        held = await asyncio.to_thread(self._store.renew)
        for job in jobs if self._store.shared else ():
            if held.get(job.record["id"]) != job.attempt and not job.ending:
                job.lost = True
                await self.cancel(job)

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
        """Accept no more jobs, give the running one time to finish, and hand back the rest."""
        self._open = False
        loop = asyncio.get_running_loop()
        end, jobs = loop.time() + grace_s, list(self._jobs.values())
        for job in jobs:
            if job.record["state"] == "queued":
                await self._hand_back(job)
        running = {job.task for job in jobs if job.task is not None and not job.task.done()}
        if running:
            await asyncio.wait(running, timeout=grace_s)
        for job in jobs:
            await self._hand_back(job)
        while self._coming and self._lane.model_info and loop.time() < end:
            await asyncio.sleep(_LOOK_S)
        self._stopped.set()

    async def _hand_back(self, job: Job) -> None:
        """Cancel a job at shutdown; where another server can make it, it is queued again."""
        job.handed_back = self._store.shared and job.wanted
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
                job.attempt,
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
            last = await _kept(self._noted, job, state, error)
        except Exception as failure:
            log.error("riff not noted", exc_info=failure, extra={"facts": {"riff": riff_id}})
            last = {"state": "failed", "error": error}
        self._jobs.pop(riff_id, None)
        job.over = True
        job.update(**last)
        ended = last["state"] if last["state"] in ENDED else "handed_back"
        self._metrics.jobs.labels(verb, ended).inc()

    def _noted(self, job: Job, state: str, error: str | None) -> dict[str, Any]:
        """Store how a riff ended, or hand it back; returns its last record. Blocking."""
        riff_id = job.record["id"]
        given = job.handed_back and state == "cancelled"
        if state != "done" and not job.lost:
            given = given and self._store.hand_back(riff_id, job.attempt)
            if not given:
                self._store.set_state(riff_id, state, error, job.attempt)
        riff = self._store.find(riff_id)
        return riff.record() if riff is not None else {"state": state, "error": error}

    async def _made(
        self, job: Job, header: dict[str, Any], blobs: Sequence[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Result of the worker; retried once if the worker dies."""
        on_progress, payer = self._telling(job), (job.client, "")
        try:
            return await self._lane.call(header, blobs, payer=payer, on_progress=on_progress)
        except WorkerDied:
            return await self._lane.call(header, blobs, payer=payer, on_progress=on_progress)

    def _telling(self, job: Job) -> Callable[[int, int], None]:
        """Callback that writes progress to a job's record."""

        def on_progress(step: int, steps: int) -> None:
            if job.record["state"] == "queued" and self._store.shared:
                noting = asyncio.create_task(self._note_running(job))
                self._noting.add(noting)
                noting.add_done_callback(self._noting.discard)
            job.update(state="running", progress=round(min(1.0, step / max(1, steps)), 4))

        return on_progress

    async def _note_running(self, job: Job) -> None:
        """Tell other servers that a riff is being made."""
        with suppress(StoreError):
            await asyncio.to_thread(self._store.begin, job.record["id"], job.attempt)


async def _kept(work: Callable[..., T], *given: Any) -> T:
    """Write to the history, retrying while it is locked or unreachable. Non-blocking."""
    for wait_s in _TRIES_S:
        try:
            return await asyncio.to_thread(work, *given)
        except (NoRoomError, RefusedError):
            raise
        except StoreError:
            await asyncio.sleep(wait_s)
    return await asyncio.to_thread(work, *given)
