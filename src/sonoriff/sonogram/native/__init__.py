"""The codec's inner loops in C, built with the package; ``None`` where there was no compiler."""

from __future__ import annotations

import ctypes
import sys
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.errors import SonoriffWarning

SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
LIBRARY = Path(__file__).with_name(f"codec{SUFFIX}")
_RETURNS = {"transform_rows": ctypes.c_int64}
_NAMES = (
    *("transform_rows", "magnitude_from_mel", "mel_columns", "consistency_step"),
    *("overlap_add", "spread_phase"),
)


@lru_cache(maxsize=1)
def library() -> Any:
    """The loaded library; None where it is missing or of another machine.

    Calls leave other threads of Python running.
    """
    try:
        loaded = ctypes.CDLL(str(LIBRARY))
        for name in _NAMES:
            getattr(loaded, name).restype = _RETURNS.get(name)
    except (OSError, AttributeError):
        warnings.warn(
            "the codec runs without its library in C and takes a hundred times as long: install a "
            "C compiler, then Sonoriff again",
            SonoriffWarning,
            stacklevel=2,
        )
        return None
    return loaded


def call(name: str, *arguments: npt.NDArray[Any] | int | float) -> int:
    """Call a function: arrays by their address, whole numbers as int64, others as float.

    Arrays must be C-contiguous and of the type that the function names.
    """
    given: list[Any] = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            assert argument.flags.c_contiguous, name
            assert argument.dtype != np.float64, name
            given.append(ctypes.c_void_p(argument.ctypes.data))
        elif isinstance(argument, float):
            given.append(ctypes.c_float(argument))
        else:
            given.append(ctypes.c_int64(int(argument)))
    result: int = getattr(library(), name)(*given)
    return result
