"""The parts of a server: workers, streams, jobs and history."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from sonoriff.errors import BusyError, ParameterError
from sonoriff.server.config import ServerConfig
from sonoriff.server.folder_lock import FolderLock
from sonoriff.server.http.doorkeeper import Buckets, Doorkeeper, Holdings
from sonoriff.server.jobs import Jobs
from sonoriff.server.metrics import Metrics
from sonoriff.server.seeds import SeedImages
from sonoriff.server.store import Store
from sonoriff.server.streaming.socket import Closing
from sonoriff.server.streaming.streams import Streams
from sonoriff.server.workers.ray_process import RayWorkers, connect, disconnect
from sonoriff.server.workers.replies import ModelInfo
from sonoriff.server.workers.rlimits import memory_for_a_task
from sonoriff.server.workers.task_queue import Waiting
from sonoriff.server.workers.worker_pool import WorkerPool
from sonoriff.server.workers.worker_process import LocalProcess, Spawn

log = logging.getLogger(__name__)
_RETIRE_S = 3600.0
# How often leases are renewed, and riffs of servers that have gone are looked for, at least.
_RENEW_S, _TAKE_S = 10.0, 5.0
# The page loads many small files at once.
PAGE_FILES = 6
# How long a client's past riffs lower its priority.
_RIFF_MEMORY_S = 600.0


class Service:
    """The parts of a server and their life cycle.

    Parameters
    ----------
    on_fatal : called with a one-line message if the server cannot start

    Notes
    -----
    Streams and riffs have separate workers, so that a long riff never delays a stream. The riff
    workers start once the stream workers have loaded their model.
    """

    def __init__(self, config: ServerConfig, on_fatal: Callable[[str], None]) -> None:
        limits = config.limits
        self.config, self._on_fatal = config, on_fatal
        self._ray: RayWorkers | None = None
        self.door = Doorkeeper(config)
        self.buckets = Buckets(limits.requests_per_minute, time.monotonic)
        self.page_buckets = Buckets(PAGE_FILES * limits.requests_per_minute, time.monotonic)
        self.holdings = Holdings(limits.max_uploads_bytes, limits.max_uploads_bytes_per_client)
        self.metrics = Metrics()
        self.seeds = SeedImages(config.seed_images)
        options = {
            "model": config.model,
            "prediction": config.prediction,
            "max_pixels": limits.max_pixels,
            "max_source_s": limits.max_source_s,
            "memory_bytes": config.worker_bytes or memory_for_a_task(),
            "folder": str(config.work_folder),
        }
        self.stream_pool = WorkerPool(
            "streams",
            {**options, "nice": 0, "warm_up": True},
            config.devices,
            max_workers=config.max_workers,
            spawn=self._spawn(config.worker_cpus),
            max_waiting=2 * limits.max_streams,
            task_s=limits.task_s,
            interludes=True,
        )
        self.riff_pool = WorkerPool(
            "riffs",
            {**options, "nice": config.riff_nice, "warm_up": False},
            config.devices[:1],
            # Of a cluster's processors none is set aside for riffs: they give way to streams.
            spawn=self._spawn(0.0),
            max_waiting=2 * limits.max_jobs,
            task_s=limits.task_s,
            cancel_s=limits.cancel_s,
            waiting=Waiting(memory_s=_RIFF_MEMORY_S, free_s=0.0),
        )
        for pool in (self.stream_pool, self.riff_pool):
            self.metrics.watch(pool)
        self.streams = Streams(self.stream_pool, limits, self.metrics)
        self._lock: FolderLock | None = None
        self._store: Store | None = None
        self._jobs: Jobs | None = None
        self._draining = False
        self._tasks: list[asyncio.Task[None]] = []

    def _spawn(self, cpus: float) -> Spawn:
        """What starts a worker: here, or on the cluster once it is joined."""
        if self.config.ray is None:
            return LocalProcess.started
        if self._ray is None:
            self._ray = RayWorkers(self.config.model)
        return partial(self._ray.started, cpus=cpus)

    @property
    def store(self) -> Store:
        """The history."""
        assert self._store is not None
        return self._store

    @property
    def jobs(self) -> Jobs:
        """Queued and running riffs."""
        assert self._jobs is not None
        return self._jobs

    @property
    def ready(self) -> bool:
        """Whether the model is loaded and requests are accepted."""
        return self.stream_pool.model_info is not None and not self._draining

    @property
    def is_stopping(self) -> bool:
        """Whether nothing new is accepted."""
        return self._draining

    @property
    def model_info(self) -> ModelInfo | None:
        """The loaded model; None before."""
        return self.stream_pool.model_info

    def check_ready(self) -> None:
        """Raise BusyError while the model is loading or the server is stopping."""
        if self._draining:
            raise BusyError("the server is stopping: try again soon")
        if not self.ready:
            raise BusyError(self.stream_pool.loading_line)

    async def check_health(self) -> None:
        """Like `check_ready`; also raises BusyError if the history or the disk is unusable."""
        self.check_ready()
        await asyncio.to_thread(self.store.check)

    async def start(self) -> None:
        """Open the history and start the workers; returns before the models are loaded."""
        config = self.config
        try:
            if config.ray is not None:
                await asyncio.to_thread(connect, config.ray)
            self._lock = await asyncio.to_thread(FolderLock, config.data_folder)
            await asyncio.to_thread(_empty, config.work_folder)
            self._store = await asyncio.to_thread(
                Store,
                config.data_folder,
                config.database_url,
                config.limits,
                self._lock.server,
                shared=config.shares_riffs,
                files_url=config.files,
            )
        except (ParameterError, OSError) as error:
            self._on_fatal(str(error))
            return
        self._jobs = Jobs(self.riff_pool, self._store, self.metrics, config.limits, self.holdings)
        self.stream_pool.start()
        lease_s = config.limits.lease_s
        store, jobs = self._store, self._jobs
        self._tasks = [
            asyncio.create_task(self._start_riffs()),
            asyncio.create_task(_every(_RETIRE_S, partial(asyncio.to_thread, store.retire))),
            asyncio.create_task(_every(lease_s / 3, partial(asyncio.to_thread, store.end_lost))),
            asyncio.create_task(_every(min(_RENEW_S, lease_s / 3), jobs.renew)),
        ]
        if store.shared:
            taking = _every(min(_TAKE_S, lease_s / 6), self._take_up)
            self._tasks.append(asyncio.create_task(taking))

    async def _take_up(self) -> None:
        """Take riffs of servers that have gone, once this one can make them."""
        if self.riff_pool.model_info is not None:
            await self.jobs.take_up()

    async def _start_riffs(self) -> None:
        for pool in (self.stream_pool, self.riff_pool):
            if pool is self.riff_pool:
                pool.start()
            await pool.ready.wait()
            if pool.fatal is not None:
                self._on_fatal(pool.fatal)
                return

    async def drain(self) -> None:
        """Accept nothing new, let the current riff finish, and close the streams."""
        if self._draining:
            return
        self._draining = self.streams.closed = True
        for connection in self.streams.connections:
            connection.close(Closing(1001, end="shutdown"))
        if self._jobs is not None:
            await self._jobs.drain(self.config.grace_s)

    async def stop(self) -> None:
        """Stop workers and close the history."""
        await self.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self.stream_pool.stop(), self.riff_pool.stop())
        if self.config.ray is not None:
            await asyncio.to_thread(disconnect)
        if self._store is not None:
            self._store.close()
        if self._lock is not None:
            self._lock.release()


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Run a maintenance task of the history periodically."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception as error:
            log.error("history not kept", exc_info=error)


def _empty(folder: Path) -> None:
    """Create the folder, or clear what a killed server left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
