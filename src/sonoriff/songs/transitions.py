"""Risers and fills, painted over the end of a section: noise that climbs, and strokes that roll.

Both are as loud as the section that they end, so they need no measure of their own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.music import BEATS_PER_BAR, bar_seconds
from sonoriff.songs.plan import Section, Song
from sonoriff.sonogram.filter_bank import row_frequencies
from sonoriff.sonogram.params import SonogramParams

FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
# The middle of a riser's band at its beginning and end, and its width, octaves to either side.
_RISER_HZ, _RISER_OCTAVES = (400.0, 6000.0), 0.9
# Level of each pixel of a riser, beside the loudest fifth of the section's, at its ends.
_RISER_DB = (-36.0, -8.0)
# A fill: this many strokes a beat, in the last beats; the band of a stroke; how it decays.
_STROKES, _FILL_BEATS = 4, 2
_STROKE_HZ, _STROKE_OCTAVES, _DECAY_S = 1800.0, 1.6, 0.06
_FILL_DB = (-18.0, -8.0)
_LOUDEST = 80.0  # percentile


def add_transitions(values: FloatArray, params: SonogramParams, song: Song) -> None:
    """Paint the risers and fills of a song's plan.

    Parameters
    ----------
    values : (C, M, N), changed in place
    """
    bar_frames = bar_seconds(song.bpm) * params.frames_per_second
    places = [round(bar * bar_frames) for bar in song.first_bars()]
    for i, section in enumerate(song.sections[:-1]):
        if section.transition not in _SHAPES:
            continue
        line, first = min(places[i + 1], values.shape[-1]), places[i]
        levels = _SHAPES[section.transition](section, params, line - first, bar_frames)
        width = levels.shape[1]
        reference = _loudest_db(values[..., first:line], params)
        noise = np.random.default_rng([song.seed_of(i), i]).exponential(size=levels.shape)
        power = noise * 10.0 ** ((levels + reference) / 10.0)
        values[..., line - width : line] = _added(values[..., line - width : line], power, params)


def _riser(section: Section, params: SonogramParams, room: int, bar_frames: float) -> Array:
    """Level of each pixel, dB: a band that climbs and grows."""
    width = min(room, round(section.transition_bars * bar_frames))
    way = (np.arange(width) + 0.5) / width
    low, high = np.log2(_RISER_HZ)
    middle = low + (high - low) * way
    first, last = _RISER_DB
    return _band(params, middle, _RISER_OCTAVES) + first + (last - first) * way


def _fill(section: Section, params: SonogramParams, room: int, bar_frames: float) -> Array:
    """Level of each pixel, dB: strokes in even steps that grow louder."""
    del section
    beat = bar_frames / BEATS_PER_BAR
    width = min(room, round(_FILL_BEATS * beat))
    frames = np.arange(width) - (width - _FILL_BEATS * beat)
    step = beat / _STROKES
    since_s = (frames % step) / params.frames_per_second
    first, last = _FILL_DB
    way = np.floor(frames / step) * step / max(width, 1)
    decay_db = -10.0 / np.log(10.0) * since_s / _DECAY_S * 2.0
    middle = np.full(width, np.log2(_STROKE_HZ))
    rise_db = first + (last - first) * way
    return np.asarray(_band(params, middle, _STROKE_OCTAVES) + rise_db + decay_db, np.float64)


_SHAPES = {"riser": _riser, "fill": _fill}


def _band(params: SonogramParams, middle: Array, octaves: float) -> Array:
    """A bell over the logarithm of the frequency, dB, (M, N); 0 in its middle."""
    place = np.log2(np.maximum(row_frequencies(params), 1.0))[:, None]
    return np.asarray(-4.34 * ((place - middle) / octaves) ** 2, np.float64)


def _loudest_db(values: FloatArray, params: SonogramParams) -> float:
    level = float(np.percentile(values, _LOUDEST))
    return level if params.scale == "log" else 20.0 * np.log10(max(level, 1e-9))


def _added(values: FloatArray, power: Array, params: SonogramParams) -> FloatArray:
    """Values with this power more in every pixel."""
    if params.scale == "log":
        total = 10.0 * np.log10(10.0 ** (values.astype(np.float64) / 10.0) + power)
        return np.asarray(np.clip(total, params.db_min, params.db_max), np.float32)
    return np.asarray(np.sqrt(values.astype(np.float64) ** 2 + power), np.float32)
