"""What tests of a running server do again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

WAIT_S = 300.0


def wait_until(true: Callable[[], Any]) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
