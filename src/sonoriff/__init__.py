"""Sonoriff: music from text, painted as a sonogram and played.

>>> import sonoriff
>>> model = sonoriff.load()
>>> clip = model.generate("smooth tropical dance jazz", seed=7)
>>> clip.save("riff.wav")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sonoriff.version import __version__

if TYPE_CHECKING:
    from sonoriff.api import Clip, Sonoriff, load
    from sonoriff.audio import read_audio, write_audio
    from sonoriff.songs.plan import Song
    from sonoriff.songs.wish import plan_song
    from sonoriff.sonogram import Sonogram, decode, encode


# Loaded when first asked for, with what each needs.
_LAZY = {
    "Clip": "sonoriff.api",
    "Sonogram": "sonoriff.sonogram",
    "Sonoriff": "sonoriff.api",
    "Song": "sonoriff.songs.plan",
    "decode": "sonoriff.sonogram",
    "encode": "sonoriff.sonogram",
    "load": "sonoriff.api",
    "plan_song": "sonoriff.songs.wish",
    "read_audio": "sonoriff.audio",
    "write_audio": "sonoriff.audio",
}

__all__ = [
    "Clip",
    "Song",
    "Sonogram",
    "Sonoriff",
    "__version__",
    "decode",
    "encode",
    "load",
    "plan_song",
    "read_audio",
    "write_audio",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
