"""What a worker process may take of the machine, so that a mistake costs one task."""

from __future__ import annotations

import os
import re
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

_OUT_OF_MEMORY = re.compile("out of memory|can't allocate memory|not enough memory|bad_alloc", re.I)
_SMALLEST, _LARGEST = 2 * 2**30, 8 * 2**30


def memory_for_a_task() -> int | None:
    """Bytes that a worker may take beyond its model: half of the machine's, 2 to 8 GiB."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return max(_SMALLEST, min(_LARGEST, total // 2))


def limit_memory(more_bytes: int | None) -> None:
    """Let this process take so much more memory than it has now; None is no limit.

    A task that wants more gets a MemoryError and fails alone. Linux only: elsewhere the limit
    would also count what is only mapped.
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
    """Let this process use its cores for so long from now on, then the system ends it.

    The server gives up earlier, by the clock; this is for a worker whose server cannot.
    """
    if seconds is None or resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds * (os.cpu_count() or 1)) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def is_out_of_memory(error: Exception) -> bool:
    """Whether numpy or torch found no memory for something."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and bool(_OUT_OF_MEMORY.search(str(error)))
    )
