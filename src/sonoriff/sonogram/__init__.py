"""Pictures of sound: formats, transforms, phase, and files."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sonoriff.sonogram.params import HIFI, PRESETS, RIFFUSION_V1, SonogramParams, params_by_name
from sonoriff.sonogram.sonogram import Sonogram

if TYPE_CHECKING:
    from sonoriff.sonogram.codec import decode, encode
    from sonoriff.sonogram.picture import load_picture, save_picture
    from sonoriff.sonogram.streaming import StreamingDecoder

# Loaded when first asked for, with what each needs.
_LAZY = {
    "decode": "codec",
    "encode": "codec",
    "StreamingDecoder": "streaming",
    "load_picture": "picture",
    "save_picture": "picture",
}

__all__ = [
    "HIFI",
    "PRESETS",
    "RIFFUSION_V1",
    "Sonogram",
    "SonogramParams",
    "StreamingDecoder",
    "decode",
    "encode",
    "load_picture",
    "params_by_name",
    "save_picture",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
