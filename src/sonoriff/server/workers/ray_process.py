"""Workers on the nodes of a Ray cluster: an actor holds the process, its pipes go through Ray.

The worker, its messages and the pool's rules are those of one machine. Ray chooses the node, says
when it has gone, and keeps a model's files once a node.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import socket
import tempfile
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.server.deadlines import within
from sonoriff.server.workers.turn import WorkerDied
from sonoriff.server.workers.worker_process import PIPE_BYTES, Writer, command_of_worker
from sonoriff.version import __version__

_NEED_RAY = "--ray needs Ray: pip install 'sonoriff[cluster]' brings it"
# What a node may take to end a worker before its actor is killed.
_END_S = 10.0
_CONNECT_S = 5.0
Files = dict[str, bytes]


def connect(address: str) -> None:
    """Join a Ray cluster.

    Parameters
    ----------
    address : "host:port" of the cluster's head, "auto" for one that runs on this machine, or
        "local" for a cluster of this machine alone, which ends with this process

    Raises
    ------
    ParameterError
        Ray is not installed, or nothing of its version answers there
    """
    try:
        import ray
    except ImportError as error:
        raise ParameterError(_NEED_RAY) from error
    where = None if address == "local" else address
    try:
        _check_reachable(address)
        ray.init(
            where,
            ignore_reinit_error=True,
            include_dashboard=False if where is None else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
            namespace="sonoriff",
        )
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ParameterError(
            f"no Ray cluster can be joined at {address!r}: {said}; start one with `ray start "
            "--head`, or use --ray local"
        ) from error


def _check_reachable(address: str) -> None:
    """OSError or ValueError where nothing listens: Ray itself would ask for many minutes."""
    if address in ("local", "auto"):
        return
    host, _, port = address.partition("://")[2 * ("://" in address)].rpartition(":")
    socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()


def disconnect() -> None:
    """Leave the cluster."""
    import ray

    ray.shutdown()


def packed_model(name: str | None) -> Files | None:
    """The files of a model folder by relative path; None for a model that every node has."""
    if name is None or not Path(name).is_dir():
        return None
    root = Path(name)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


class WorkerHost:
    """The actor: a worker process on its node. Every method is called from afar."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="sonoriff-worker-"))

    async def start(self, options: dict[str, Any], files: Files | None) -> tuple[str, int]:
        """Start the process; the version of Sonoriff here, and the process id."""
        if files is not None:
            options = {**options, "model": str(await asyncio.to_thread(_unpacked, files))}
        self._process = await asyncio.create_subprocess_exec(
            *command_of_worker({**options, "folder": str(self._folder)}),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=PIPE_BYTES,
        )
        return __version__, self._process.pid

    async def write(self, data: bytes) -> None:
        """Hand bytes to the process."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def read(self, name: str) -> bytes:
        """What has come on "stdout" or "stderr"; empty at its end."""
        stream: asyncio.StreamReader = getattr(self._process, name)
        return await stream.read(PIPE_BYTES)

    async def end(self) -> None:
        """Kill the process and remove its files."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _unpacked(files: Files) -> Path:
    """The model's files on this node, written once for all of its workers."""
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    folder = Path(tempfile.gettempdir()) / f"sonoriff-model-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        for name, data in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        try:
            partial.rename(folder)
        except OSError:  # another worker of this node was quicker
            shutil.rmtree(partial, ignore_errors=True)
    return folder


class RayWorkers:
    """Starts workers on a cluster that was joined with `connect`.

    Parameters
    ----------
    model : name or folder; the files of a folder are put into the object store once
    """

    def __init__(self, model: str | None) -> None:
        self._model = model
        self._files: Any = None

    async def started(self, options: dict[str, Any], cpus: float) -> RayProcess:
        """Start a worker where the cluster has room.

        Parameters
        ----------
        cpus : processors that Ray sets aside for it; 0 for one that takes what is left

        Raises
        ------
        WorkerDied
            its node has gone, or cannot start it
        CheckpointError
            the node has another version of Sonoriff
        """
        import ray

        gpus = 1 if options["device"].startswith("cuda") else 0
        if self._files is None:
            files = await asyncio.to_thread(packed_model, self._model)
            # Another call may have been quicker meanwhile.
            self._files = self._files or ray.put(files)
        make: Any = ray.remote(WorkerHost)
        host = make.options(num_cpus=cpus, num_gpus=gpus, max_concurrency=4).remote()
        try:
            version, pid = await host.start.remote(options, self._files)
        except ray.exceptions.RayError as error:
            raise WorkerDied("a node of the cluster cannot start a worker") from error
        except BaseException:
            ray.kill(host)
            raise
        if version != __version__:
            ray.kill(host)
            raise CheckpointError(
                f"a node of the Ray cluster has Sonoriff {version}, this server {__version__}: "
                "install the same version everywhere"
            )
        return RayProcess(host, pid)


class RayProcess:
    """A worker process behind an actor; see `WorkerProcess`."""

    def __init__(self, host: Any, pid: int) -> None:
        self._host, self.pid = host, pid
        self.returncode: int | None = None
        self.stdin: Writer = _HostWriter(host)
        self.stdout = asyncio.StreamReader(PIPE_BYTES)
        self.stderr = asyncio.StreamReader(PIPE_BYTES)
        self._pumps = [asyncio.create_task(self._pump(name)) for name in ("stdout", "stderr")]

    async def _pump(self, name: str) -> None:
        """Pass on what the process says, until it or its node has gone."""
        import ray

        stream: asyncio.StreamReader = getattr(self, name)
        try:
            while data := await self._host.read.remote(name):
                stream.feed_data(data)
        except ray.exceptions.RayError:
            pass
        finally:
            stream.feed_eof()
            self.returncode = -1

    def kill(self) -> None:
        """End the actor, and with it the process, whose input closes."""
        import ray

        with suppress(Exception):
            ray.kill(self._host)

    async def wait(self) -> None:
        """Wait for its end."""
        # Not `gather`: who no longer waits must not end what is read.
        await asyncio.wait(self._pumps)

    async def removed(self) -> None:
        """End the process, remove its files, and give its place in the cluster back."""
        import ray

        with suppress(ray.exceptions.RayError, asyncio.TimeoutError):
            await within(self._ended(), _END_S)
        self.kill()
        await self.wait()

    async def _ended(self) -> None:
        await self._host.end.remote()


class _HostWriter:
    def __init__(self, host: Any) -> None:
        self._host = host
        self._under_way: list[Any] = []

    def write(self, data: bytes) -> None:
        self._under_way.append(self._host.write.remote(data))

    async def drain(self) -> None:
        import ray

        writes, self._under_way = self._under_way, []
        try:
            for write in writes:
                await write
        except ray.exceptions.RayError as error:
            raise ConnectionResetError("the worker's node has gone") from error
