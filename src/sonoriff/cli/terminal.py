"""Sonograms drawn with half blocks, two pixels per character."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.sonogram import Sonogram

if TYPE_CHECKING:
    from rich.text import Text

_UPPER_HALF = "\u2580"
# Black, violet, orange, pale yellow; perceptually uniform in brightness.
_STOPS = ("000004", "29115a", "721f81", "b73779", "f1605d", "feb078", "fcfdbf")
_PALETTE = np.array([tuple(bytes.fromhex(stop)) for stop in _STOPS], dtype=np.float64)


def picture_text(sonogram: Sonogram, width: int, lines: int) -> Text:
    """Thumbnail for a colour terminal: the maximum over channels at each point.

    Parameters
    ----------
    width, lines : size in characters; each line shows two rows
    """
    from rich.text import Text

    from sonoriff.sonogram.plot import decibels_from_sonogram

    small = _shrunk(decibels_from_sonogram(sonogram).max(axis=0), 2 * lines, width)
    colours = _colours(small)[::-1]  # highest frequency first
    text = Text(no_wrap=True)
    for upper, lower in zip(colours[::2], colours[1::2], strict=True):
        for above, below in zip(upper, lower, strict=True):
            text.append(_UPPER_HALF, style=f"{_hex(above)} on {_hex(below)}")
        text.append("\n")
    text.rstrip()
    return text


def _shrunk(picture: npt.NDArray[np.float32], rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Downscale by block means; smaller pictures are upscaled by repetition."""
    for axis, size in ((0, rows), (1, columns)):
        length = picture.shape[axis]
        edges = (np.arange(size + 1) * length) // size
        if length < size:
            picture = picture.take(edges[:-1], axis=axis)
        else:
            sums = np.add.reduceat(picture, edges[:-1], axis=axis)
            counts = np.diff(edges)
            picture = sums / (counts[:, None] if axis == 0 else counts)
    return np.asarray(picture, dtype=np.float32)


def _colours(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    low, high = float(picture.min()), float(picture.max())
    level = (picture - low) / max(high - low, 1e-6) * (len(_PALETTE) - 1)
    stops = np.arange(len(_PALETTE))
    planes = [np.interp(level, stops, _PALETTE[:, channel]) for channel in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def _hex(colour: npt.NDArray[np.uint8]) -> str:
    return f"#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}"
