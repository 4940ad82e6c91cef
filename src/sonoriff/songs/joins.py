"""Joins that strike no harder than the song's other bar lines do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.music import bar_seconds
from sonoriff.songs.plan import Song
from sonoriff.sonogram.params import SonogramParams

FloatArray = npt.NDArray[np.float32]
# What lies this far below the loudest is not heard rising.
_RANGE_DB = 60.0
# Columns to each side of a bar line in which its stroke rises.
_REACH = 4
# A join may rise as this part of the other bar lines do; of fewer than so many nothing is known.
_USUAL, _FEWEST = 0.75, 5
# After the stroke the level may rise by so much more with each column.
_GROWTH = 1.1


def soften_joins(values: FloatArray, params: SonogramParams, song: Song) -> None:
    """Slow the rise where sections meet down to what most other bar lines of the song have.

    A join is painted with the sound of both sides known; yet what begins there is often struck
    harder than a bar within a section is. The rise takes some columns more, a few hundredths of a
    second. Pictures of amplitudes, the "power" scale, are let alone.

    Parameters
    ----------
    values : (C, M, N) of the whole song, changed in place
    """
    if params.scale != "log":
        return
    bar_frames = bar_seconds(song.bpm) * params.frames_per_second
    joins = song.first_bars()[1:-1]
    floor_db = np.float32(values[-1].max() - _RANGE_DB)

    def rise(column: int, before: FloatArray) -> float:
        """Of the last channel, the middle, over the column before: dB, mean over rows."""
        low, high = (np.maximum(x, floor_db) for x in (before[-1], values[-1, :, column]))
        return float(np.maximum(high - low, 0.0).mean())

    def around(bar: int) -> range:
        line = round(bar * bar_frames)
        return range(max(1, line - _REACH), min(line + _REACH, values.shape[-1]))

    usual = [
        max((rise(column, values[..., column - 1]) for column in around(bar)), default=0.0)
        for bar in range(1, song.bars)
        if bar not in joins
    ]
    if len(usual) < _FEWEST:
        return
    for bar in joins:
        most, stroke = float(np.quantile(usual, _USUAL)), around(bar)
        for column in range(stroke.start, values.shape[-1]):
            before = values[..., column - 1]
            found = rise(column, before)
            if found > most:
                step = values[..., column] - before
                values[..., column] = before + np.float32(most / found) * step
            elif column >= stroke.stop:
                break
            if column >= stroke.stop:
                most *= _GROWTH
