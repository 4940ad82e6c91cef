"""Where networks run, and in which number formats that is fast; PyTorch only where it is needed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonoriff.errors import CheckpointError, ParameterError

if TYPE_CHECKING:
    import torch

NEED_TORCH = "this needs PyTorch, which is not installed: pip install 'sonoriff[torch]'"
_NAMES = ("float32", "int8", "bfloat16", "float16")
# Where NVIDIA's or AMD's driver shows itself, on Linux and on Windows.
_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "C:/Windows/System32/nvcuda.dll")


@lru_cache(maxsize=1)
def has_torch() -> bool:
    """Whether PyTorch is installed."""
    return importlib.util.find_spec("torch") is not None


def device_named(name: str) -> str:
    """A device that is there; for "auto" the first of cuda, mps and cpu.

    Raises
    ------
    CheckpointError
        no such device, or PyTorch, which all but the processor needs, is not installed
    """
    if name == "cpu":
        return name
    if name == "auto" and not _may_have_gpu():
        return "cpu"
    if not has_torch():
        if name == "auto":
            return "cpu"
        raise CheckpointError(NEED_TORCH)
    import torch

    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    if name == "auto":
        return next((kind for kind, found in there.items() if found()), "cpu")
    try:
        kind = torch.device(name).type
    except RuntimeError as error:
        raise CheckpointError(f"there is no device {name!r}: cpu, cuda or mps") from error
    if kind in there and not there[kind]():
        raise CheckpointError(f"this machine has no {kind} device that torch can use: take cpu")
    return name


def _may_have_gpu() -> bool:
    """Whether it is worth the second that importing PyTorch takes to ask."""
    return sys.platform == "darwin" or any(Path(driver).exists() for driver in _DRIVERS)


def precision_named(dtype: Any) -> str | None:
    """The name of a precision, also of a torch.dtype; None stays None, for the fastest.

    Raises
    ------
    ParameterError
        there is none of that name
    """
    if dtype is None:
        return None
    name = str(dtype).removeprefix("torch.")
    if name not in _NAMES:
        raise ParameterError(f"dtype must be one of {', '.join(_NAMES)}, got {name!r}")
    return name


def dtype_named(precision: str | None, device: torch.device | str) -> torch.dtype:
    """The torch.dtype of a name, or the device's fastest; ParameterError for "int8"."""
    import torch

    if precision is None:
        return fastest_dtype(device)
    if precision == "int8":
        raise ParameterError("PyTorch computes in float32, bfloat16 or float16, not in int8")
    dtype: torch.dtype = getattr(torch, precision)
    return dtype


def multiplies_bfloat16(device: torch.device | str = "cpu") -> bool:
    """Whether the hardware multiplies bfloat16: AMX or AVX512-BF16, or a GPU that can.

    There it takes less than half the time of float32; elsewhere it is emulated, and up to a hundred
    times slower.
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if kind != "cpu":
        return False
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def fastest_dtype(device: torch.device | str) -> torch.dtype:
    """bfloat16 where the hardware multiplies it, float16 on other GPUs, else float32."""
    import torch

    if multiplies_bfloat16(device):
        return torch.bfloat16
    return torch.float16 if torch.device(device).type == "cuda" else torch.float32
