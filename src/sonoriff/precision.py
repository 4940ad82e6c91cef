"""Where networks run, and in which number formats that is fast."""

from __future__ import annotations

import torch


def device_named(name: torch.device | str) -> torch.device | str:
    """The name itself; for "auto" that of the first of cuda, mps and cpu that is there."""
    if name != "auto":
        return name
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def multiplies_bfloat16(device: torch.device | str = "cpu") -> bool:
    """Whether the hardware multiplies bfloat16: AMX or AVX512-BF16, or a GPU that can.

    There it takes less than half the time of float32; elsewhere it is emulated, and up to a hundred
    times slower.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if kind != "cpu":
        return False
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def fastest_dtype(device: torch.device | str) -> torch.dtype:
    """bfloat16 where the hardware multiplies it, float16 on other GPUs, else float32."""
    if multiplies_bfloat16(device):
        return torch.bfloat16
    return torch.float16 if torch.device(device).type == "cuda" else torch.float32
