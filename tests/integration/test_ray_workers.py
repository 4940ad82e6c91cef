"""Workers on a real Ray cluster of several nodes: the same bytes, and nothing lost with a node."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from sonoriff.models.small.model import SmallModel
from sonoriff.server.workers import ray_process, worker_pool
from sonoriff.server.workers.ray_process import RayWorkers, _unpacked, connect, packed_model
from sonoriff.server.workers.worker_pool import WorkerDied, WorkerPool
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt

Use = Callable[[WorkerPool], Awaitable[None]]


def window(text: str = "a", steps: int = 1) -> dict[str, Any]:
    """The task of a first window."""
    scene = Scene(prompts=(WeightedPrompt(text),), num_inference_steps=steps)
    return {"task": "window", "schedule": SceneSchedule((Cue(scene),)).to_dict()}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without processors, so that workers run on nodes that can go."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    connect(made.address)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def options(small_model: SmallModel, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "model").mkdir()
    small_model.save_pretrained(tmp_path / "model")
    return {
        "model": str(tmp_path / "model"),
        "max_pixels": 1000,
        "max_source_s": 10.0,
        "nice": 0,
        "warm_up": False,
        "memory_bytes": None,
        "folder": str(tmp_path / "work"),
    }


def using(options: dict[str, Any], do: Use, *, on_ray: bool, **how: Any) -> None:
    async def run() -> None:
        started = partial(RayWorkers(options["model"]).started, cpus=1.0)
        spawn = {"spawn": started} if on_ray else {}
        pool = WorkerPool("test", options, ["cpu"], max_waiting=16, task_s=600.0, **spawn, **how)
        pool.start()
        try:
            await pool.ready.wait()
            await do(pool)
        finally:
            await pool.stop()

    asyncio.run(run())


def test_a_node_gives_what_this_machine_gives(cluster: Any, options: dict[str, Any]) -> None:
    found: list[Any] = []

    async def ask(pool: WorkerPool) -> None:
        told: list[tuple[int, int]] = []
        found.append(await pool.call(window(steps=3), [b""], on_progress=lambda *s: told.append(s)))
        assert told[-1] == (3, 3)

    node = cluster.add_node(num_cpus=1)
    using(options, ask, on_ray=False)
    using(options, ask, on_ray=True)
    cluster.remove_node(node)
    assert found[0] == found[1]


def test_a_killed_worker_and_a_lost_node_are_replaced(
    cluster: Any, options: dict[str, Any]
) -> None:
    async def losing(pool: WorkerPool) -> None:
        whole = await pool.call(window(), [b""])
        (pid,) = pool.process_ids
        os.kill(pid, signal.SIGKILL)
        assert await asking(pool) == whole
        assert pool.restarts == 1
        second = cluster.add_node(num_cpus=1)
        assert second is not None
        cluster.remove_node(nodes[0], allow_graceful=False)
        assert await asking(pool) == whole
        assert pool.restarts >= 2
        nodes.append(second)

    nodes = [cluster.add_node(num_cpus=1)]
    using(options, losing, on_ray=True)
    cluster.remove_node(nodes[-1])


async def asking(pool: WorkerPool) -> Any:
    """A window, asked for again where its worker has died, as a stream does."""
    for _ in range(5):
        try:
            return await pool.call(window(), [b""])
        except WorkerDied:
            continue
    raise AssertionError("five workers died")


def test_workers_are_added_while_tasks_wait(
    cluster: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_pool, "_GROW_S", 0.05)
    monkeypatch.setattr(worker_pool, "_SHRINK_S", 1.0)

    async def many(pool: WorkerPool) -> None:
        calls = [pool.call(window(f"prompt {i}", steps=20), [b""]) for i in range(8)]
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, len(pool.process_ids))
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        assert len(await asyncio.gather(*calls)) == 8
        while len(pool.process_ids) > 1:
            await asyncio.sleep(0.05)
        watching.cancel()
        assert most == 2

    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    using(options, many, on_ray=True, max_workers=2)
    for node in nodes:
        cluster.remove_node(node)


def test_a_node_with_another_version_is_a_line(
    cluster: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = cluster.add_node(num_cpus=1)
    own = ray_process.__version__
    monkeypatch.setattr(ray_process, "__version__", "99.0")

    async def ended(pool: WorkerPool) -> None:
        assert pool.fatal is not None
        assert f"a node of the Ray cluster has Sonoriff {own}, this server 99.0" in pool.fatal

    using(options, ended, on_ray=True)
    cluster.remove_node(node)


def test_a_cluster_that_is_not_there_is_a_line() -> None:
    command = [sys.executable, "-m", "sonoriff", "serve", "--port", "0", "--ray", "127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    assert done.returncode != 0
    said = done.stderr.decode().strip().splitlines()[-1]
    assert "no Ray cluster can be joined at '127.0.0.1:9'" in said


def test_a_model_is_unpacked_once_on_a_node(tmp_path: Path) -> None:
    (tmp_path / "model" / "denoiser").mkdir(parents=True)
    (tmp_path / "model" / "denoiser" / "config.json").write_text("{}")
    files = packed_model(str(tmp_path / "model"))
    assert files == {"denoiser/config.json": b"{}"}
    first, second = _unpacked(files), _unpacked(files)
    assert first == second
    assert (first / "denoiser" / "config.json").read_text() == "{}"
    assert packed_model(None) is None
    assert packed_model("sonoriff-small") is None
