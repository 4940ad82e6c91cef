"""What the processor can do."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_VNNI = frozenset({"avx512_vnni", "avx_vnni", "avx512vnni"})


@lru_cache(maxsize=1)
def adds_int8_wide() -> bool:
    """Whether products of 8 bits are added up in 32 bits at once (VNNI, or an ARM processor).

    AVX2 alone adds two of them in 16 bits, which saturates: a picture made with full 8 bits is
    full of lines. Where nothing is known the answer is no.
    """
    if platform.machine().lower() in ("arm64", "aarch64"):
        return True
    try:
        lines = _CPUINFO.read_text("ascii", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return not _VNNI.isdisjoint(flags)


def largest_weight() -> int:
    """Largest whole number for a weight that is safe to multiply here: 127, or 63 (7 bits)."""
    return 127 if adds_int8_wide() else 63
