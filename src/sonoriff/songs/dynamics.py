"""How full a song sounds over its course: the level of each section follows its energy.

A model that is told an energy follows it only roughly. What a section has too much or too little of
is made up for by its level, as a fader does in a mix.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.energy import energy_of_picture
from sonoriff.music import BEATS_PER_BAR, bar_seconds
from sonoriff.songs.plan import Song
from sonoriff.sonogram.params import SonogramParams

FloatArray = npt.NDArray[np.float32]
# By how much a step of energy is louder than the one below, and by how much more it measures.
_STEP_DB, _STEP_ENERGY = 2.0, 0.5
# So much more a picture measures for each decibel.
_ENERGY_OF_DB = 0.14
# At most this much makes up for what was painted too calm or too full.
_CORRECTION_DB = 6.0
# A rise takes the bar before the line, so that nothing jumps there; a fall the half beat after it.
_FALL_BEATS = 0.5
# The last bar fades by this much, dB.
_FADE_DB = 40.0


def section_gains_db(
    values: FloatArray, params: SonogramParams, song: Song, bounds: list[int]
) -> list[tuple[float, float] | None]:
    """Gains at the beginning and end of each section; None where the plan names no energy.

    Parameters
    ----------
    values : (C, M, N) of the whole song
    bounds : first frame of each section, and N

    Notes
    -----
    The first section with an energy sets the measure of the others, so that an edit elsewhere
    changes no level but that of the section itself.
    """
    gains: list[tuple[float, float] | None] = []
    anchor: float | None = None
    for i, (first, last) in enumerate(itertools.pairwise(bounds)):
        energy = song.resolved(i).energy
        if energy is None:
            gains.append(None)
            continue
        correction = 0.0
        if params.scale == "log":
            expected = _STEP_ENERGY * (sum(energy) / 2 - 3)
            found = energy_of_picture(values[-1, :, first:last]) - expected
            anchor = found if anchor is None else anchor
            correction = (anchor - found) / _ENERGY_OF_DB
            correction = min(max(correction, -_CORRECTION_DB), _CORRECTION_DB)
        gains.append((_level_db(energy[0]) + correction, _level_db(energy[1]) + correction))
    return gains


def _level_db(energy: float) -> float:
    return _STEP_DB * (energy - 4.0)


def gain_curve_db(
    gains: list[tuple[float, float] | None],
    bounds: list[int],
    bar_frames: float,
) -> FloatArray:
    """Gain of each frame, (N,): that of the sections, with ramps before rises and after falls."""
    curve = np.zeros(bounds[-1], np.float32)
    known = [pair if pair is not None else (0.0, 0.0) for pair in gains]
    for (first, last), pair in zip(itertools.pairwise(bounds), known, strict=True):
        curve[first:last] = np.linspace(*pair, last - first, dtype=np.float32)
    beat = bar_frames / BEATS_PER_BAR
    for line, before, after in zip(bounds[1:-1], known, known[1:], strict=False):
        jump = after[0] - before[1]
        if jump > 0:
            width = min(round(bar_frames), line)
            curve[line - width : line] += jump * np.linspace(0, 1, width, dtype=np.float32) ** 2
        elif jump < 0:
            width = min(max(1, round(_FALL_BEATS * beat)), bounds[-1] - line)
            curve[line : line + width] -= jump * np.linspace(1, 0, width, dtype=np.float32)
    return curve


def level_sections(values: FloatArray, params: SonogramParams, song: Song) -> None:
    """Give each section of a song its level, and let the last bar fade.

    Parameters
    ----------
    values : (C, M, N), changed in place
    """
    n_frames = values.shape[-1]
    bar_frames = bar_seconds(song.bpm) * params.frames_per_second
    bounds = [min(round(bar * bar_frames), n_frames) for bar in song.first_bars()]
    bounds[-1] = n_frames
    gains = section_gains_db(values, params, song, bounds)
    curve = gain_curve_db(gains, bounds, bar_frames)
    width = min(round(bar_frames), n_frames)
    fall = np.linspace(0.0, 1.0, width, dtype=np.float32) ** 2
    curve[n_frames - width :] -= np.float32(_FADE_DB) * fall
    make_louder(values, params, curve)


def make_louder(values: FloatArray, params: SonogramParams, gain_db: FloatArray) -> None:
    """Change values (C, M, N) in place by a gain for each frame, within their scale."""
    if params.scale == "log":
        # What is silent stays so.
        np.add(values, gain_db, out=values, where=values > params.db_min)
        np.clip(values, params.db_min, params.db_max, out=values)
    else:
        values *= np.asarray(10.0 ** (gain_db / 20.0), np.float32)
