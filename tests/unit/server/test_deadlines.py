"""A time limit neither swallows a cancellation nor loses an error."""

from __future__ import annotations

import asyncio

import pytest

from sonoriff.server.deadlines import within


@pytest.mark.parametrize("ticks", range(5))
def test_what_is_cancelled_as_its_work_ends_stops(ticks: int) -> None:
    """At each turn of the loop around that moment; with `asyncio.wait_for` one of them is lost."""

    async def main() -> None:
        ended, n_more = asyncio.Event(), 0

        async def forever() -> None:
            nonlocal n_more
            while True:
                await within(ended.wait(), 60.0)
                n_more += 1
                await asyncio.sleep(3600.0)

        task = asyncio.create_task(forever())
        for _ in range(5):
            await asyncio.sleep(0)
        ended.set()
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5.0)
        assert done
        assert task.cancelled()

    asyncio.run(main())


def test_what_takes_too_long_is_cancelled() -> None:
    async def main() -> None:
        stopped = asyncio.Event()

        async def work() -> None:
            try:
                await asyncio.sleep(3600.0)
            finally:
                stopped.set()

        with pytest.raises(asyncio.TimeoutError):
            await within(work(), 0.0)
        assert stopped.is_set()

    asyncio.run(main())


def test_results_and_errors_come_through() -> None:
    async def failing() -> None:
        raise ValueError("of the work")

    async def main() -> None:
        assert await within(asyncio.sleep(0, "result"), 60.0) == "result"
        with pytest.raises(ValueError, match="of the work"):
            await within(failing(), 60.0)

    asyncio.run(main())
