"""Waiting with a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(work: Awaitable[T], seconds: float) -> T:
    """Result of `work`, which is cancelled after so many seconds.

    Until Python 3.12 `asyncio.wait_for` returns as if nothing had happened where it is cancelled in
    the moment in which its work ends: what was told to stop in that moment never did.

    Raises
    ------
    asyncio.TimeoutError
        it was not done in time
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # of a task that nobody waits for any more it would be complained
    if not done:
        raise asyncio.TimeoutError
    return task.result()
