"""Real workers behind a queue: what comes in between, and what ends one that does not stop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sonoriff.models.small.model import SmallModel
from sonoriff.server.workers.task_queue import Call
from sonoriff.server.workers.worker_pool import TooMuchError, WorkerPool
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt

Use = Callable[[WorkerPool], Awaitable[None]]


def window(steps: int) -> dict[str, Any]:
    """The task of a first window."""
    scene = Scene(prompts=(WeightedPrompt("a"),), num_inference_steps=steps)
    return {"task": "window", "schedule": SceneSchedule((Cue(scene),)).to_dict()}


@pytest.fixture
def use(small_model: SmallModel, tmp_path: Path) -> Callable[..., None]:
    """Starts a lane with one worker, and uses it."""
    (tmp_path / "model").mkdir()
    small_model.save_pretrained(tmp_path / "model")
    options = {
        "model": str(tmp_path / "model"),
        "max_pixels": 1000,
        "max_source_s": 10.0,
        "nice": 0,
        "warm_up": False,
        "memory_bytes": None,
        "folder": str(tmp_path),
    }

    def run(do: Use, **how: Any) -> None:
        async def using() -> None:
            pool = WorkerPool(
                "test", options, ["cpu"], **{"max_waiting": 8, "task_s": 600.0, **how}
            )
            pool.start()
            try:
                await pool.ready.wait()
                assert pool.model_info is not None
                await do(pool)
            finally:
                await pool.stop()

        asyncio.run(using())

    return run


def test_a_listener_does_not_wait_for_one_who_asks_for_fifty_steps(use: Any) -> None:
    async def two(pool: WorkerPool) -> None:
        order: list[str] = []
        begun = asyncio.Event()

        async def ask(client: str, steps: int, **how: Any) -> None:
            await pool.call(window(steps), [b""], payer=(client, client), **how)
            order.append(client)

        # As if the first had kept the worker busy before.
        now = asyncio.get_running_loop().time()
        pool._waiting.charge([Call({"number": 0}, [], payer=("greedy", "greedy"))], 9.0, now)
        greedy = asyncio.create_task(ask("greedy", 20, on_progress=lambda *_: begun.set()))
        await begun.wait()
        await ask("polite", 1)
        assert order == ["polite"]
        await greedy
        await pool.call(window(1), [b""])
        assert pool.n_between == 1

    use(two, interludes=True)


def test_a_worker_that_goes_on_after_a_cancel_is_replaced(use: Any) -> None:
    async def cancelling(pool: WorkerPool) -> None:
        begun = asyncio.Event()
        call = pool.call(window(20), [b""], on_progress=lambda *_: begun.set())
        task = asyncio.create_task(call)
        await begun.wait()
        (pid,) = pool.process_ids
        os.kill(pid, signal.SIGSTOP)  # deaf to everything
        task.cancel()
        header, _ = await pool.call(window(1), [b""])
        assert header["window"]["index"] == 0
        assert pid not in pool.process_ids
        assert pool.restarts == 1

    use(cancelling, cancel_s=0.1)


def test_a_worker_that_takes_too_long_is_replaced_and_it_is_said(use: Any) -> None:
    async def waiting(pool: WorkerPool) -> None:
        (pid,) = pool.process_ids
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(TooMuchError, match="not done after 3 s"):
            await pool.call(window(1), [b""])
        header, _ = await pool.call(window(1), [b""])
        assert header["window"]["index"] == 0
        assert pid not in pool.process_ids

    use(waiting, task_s=3.0)
