"""Resource limits of worker processes, so that a runaway task fails alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

try:
    import resource
except ImportError:  # not available on Windows
    resource = None  # type: ignore[assignment]

_OUT_OF_MEMORY = re.compile("out of memory|can't allocate memory|not enough memory|bad_alloc", re.I)
_SMALLEST, _LARGEST = 2 * 2**30, 8 * 2**30


def memory_for_a_task() -> int | None:
    """Memory a worker may use beyond its model: half of the machine's, within 2 to 8 GiB."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return max(_SMALLEST, min(_LARGEST, total // 2))


def limit_memory(more_bytes: int | None) -> None:
    """Limit the memory this process may use beyond its current use; None sets no limit.

    Beyond it a task gets a MemoryError and fails alone. Linux only: elsewhere the limit would
    also count mapped files.
    """
    if more_bytes is None or resource is None or not Path("/proc/self/status").exists():
        return
    found = re.search(r"VmData:\s*(\d+) kB", Path("/proc/self/status").read_text())
    if found:
        limit = int(found.group(1)) * 1024 + more_bytes
        resource.setrlimit(
            resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1])
        )


def limit_time(seconds: float | None) -> None:
    """Limit the CPU time this process may use from now on; beyond it the system kills it.

    The server's own timeout is shorter; this covers workers whose server cannot act.
    """
    if seconds is None or resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds * (os.cpu_count() or 1)) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error means that numpy or torch ran out of memory."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and bool(_OUT_OF_MEMORY.search(str(error)))
    )
