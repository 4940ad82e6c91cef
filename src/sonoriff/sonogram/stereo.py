"""Left and right around their middle.

A stereo sonogram of the "log" scale has three planes: the levels of left, of right, and of the
middle (L + R) / 2. The third says what the two others cannot: how much of both is one sound.
With powers L², R² and M², the mean T = (L² + R²) / 2 and the side S = (L - R) / 2,

    pan    (L² - R²) / (L² + R²), -1 (right) to 1 (left)
    width  S² / T = 1 - M² / T, 0 (mono) over 1/2 (unrelated) to 1 (opposite)

The decoder finds the sound of the middle and adds a side to it: the part that goes with the middle,
E[MS] / M² = pan / (2 (1 - width)), and as much again of the middle turned by a right angle as
makes up the width. The mean of both channels is the middle, whatever the side is.

References
----------
Breebaart, van de Par, Kohlrausch & Schuijers, Parametric Coding of Stereo Audio (2005), whose level
difference and coherence these are; the prediction of a side is that of USAC (ISO/IEC 23003-3).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.decode_grid import hann
from sonoriff.sonogram.filter_bank import row_frequencies
from sonoriff.sonogram.overlap import (
    Analysis,
    Synthesis,
    frames_from_spectrum,
    spectrum_from_frames,
)
from sonoriff.sonogram.params import SonogramParams

FloatArray = npt.NDArray[np.float32]
PLANES = 3
# Of recorded stereo music on the average, where a picture says nothing of it.
_USUAL_CORRELATION = 0.66
MOST_WIDTH = 0.9
# 20 dB between the sides; nearer to 1 the fainter one would hang on rounding.
_MOST_PAN = 0.98
# Rows and columns to either side over which powers are averaged: a pixel's own are chance.
_ROWS, _COLUMNS = 2, 1
# Rows after which the side turns the other way, bins at least, and the share in which it does.
_TURN_ROWS, _TURN_BINS, _FLANK = 10, 12, 0.3


def power_of_level(level_db: FloatArray, params: SonogramParams) -> FloatArray:
    """Powers of levels in dB; the lowest level is nothing at all."""
    power = np.power(np.float32(10.0), level_db / np.float32(10.0))
    return np.asarray(np.where(level_db <= params.db_min, np.float32(0.0), power), np.float32)


def pan_and_width(left: FloatArray, right: FloatArray, mid: FloatArray) -> FloatArray:
    """Pan in [-1, 1] and width in [0, `MOST_WIDTH`], (2, ...), of powers; 0 where all is silent."""
    both = left + right
    there = both > 0
    safe = np.where(there, both, np.float32(1.0))
    pan = np.where(there, (left - right) / safe, np.float32(0.0))
    width = np.where(there, np.float32(1.0) - np.float32(2.0) * mid / safe, np.float32(0.0))
    return np.stack([pan, np.clip(width, 0.0, MOST_WIDTH)]).astype(np.float32)


def levels_from_mid(
    mid_db: FloatArray, pan: FloatArray, width: FloatArray, params: SonogramParams
) -> FloatArray:
    """Planes left, right, mid in dB (3, ...) of the middle's level, pan and width."""
    width = np.clip(width, 0.0, MOST_WIDTH)
    # No further to a side than its width lets it be.
    most = np.minimum(2.0 * np.sqrt(width * (1.0 - width)), _MOST_PAN)
    pan = np.clip(pan, -most, most)
    mean = mid_db - np.float32(10.0) * np.log10(np.float32(1.0) - width)
    sides = [mean + np.float32(10.0) * np.log10(np.float32(1.0) + p) for p in (pan, -pan)]
    levels = np.clip([*sides, mid_db], params.db_min, params.db_max)
    return np.where(mid_db <= params.db_min, params.db_min, levels).astype(np.float32)


def with_mid(sides: FloatArray, params: SonogramParams) -> FloatArray:
    """Planes (3, M, N) of left and right in dB (2, M, N), as alike as those of music mostly are."""
    left, right = power_of_level(sides, params)
    cross = np.float32(2.0 * _USUAL_CORRELATION) * np.sqrt(left * right)
    mid = np.float32(0.25) * (left + right + cross)
    level = 10.0 * np.log10(np.maximum(mid, 1e-30))
    return np.concatenate([sides, np.clip(level, params.db_min, params.db_max)[None]]).astype(
        np.float32
    )


class Upmix:
    """The sound of the middle and the planes of its columns to left and right, piece by piece.

    Parameters
    ----------
    params : a format of the "log" scale
    """

    def __init__(self, params: SonogramParams) -> None:
        self._params = params
        win, hop = params.win_length, params.hop_length
        self.look_ahead_frames = -(-win // hop) - 1
        self._skip = (win - hop) // 2
        self._analysis = Analysis(win, hop, self._skip, 1, mirrored=False)
        self._analysis.push(np.zeros((1, self._skip), np.float32))
        self._synthesis = Synthesis(hann(win), hop, 1)
        self._mid = np.zeros((1, 0), np.float32)
        # Before the first column nothing sounds.
        self._levels = np.full((PLANES, _COLUMNS, params.n_mels), params.db_min, np.float32)

    def expect(self, columns: FloatArray) -> None:
        """Planes (3, M, n) of columns whose sound is to come."""
        self._levels = np.concatenate([self._levels, np.swapaxes(columns, 1, 2)], axis=1)

    def push(self, mid: FloatArray) -> FloatArray:
        """The middle's samples (1, t) in, both channels of those that are final out, (2, t')."""
        self._mid = np.concatenate([self._mid, mid], axis=1)
        return self._given(self._side(self._analysis.push(mid)))

    def finish(self, mid: FloatArray, n_frames: int) -> FloatArray:
        """The last samples in, all that is left of a sound of `n_frames` columns out."""
        self._mid = np.concatenate([self._mid, mid], axis=1)
        end = np.full((PLANES, self._params.n_mels, _COLUMNS), self._params.db_min, np.float32)
        self.expect(end)
        side = self._side(self._analysis.flush(mid, n_frames))
        return self._given(np.concatenate([side, self._synthesis.flush()], axis=1))

    def _side(self, stretch: FloatArray) -> FloatArray:
        """The side's samples of a stretch of whole frames."""
        n_frames = self._analysis.n_frames(stretch)
        win, hop = self._params.win_length, self._params.hop_length
        if not n_frames:
            return np.zeros((1, 0), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(stretch[0], win)[::hop] * hann(win)
        spectrum = spectrum_from_frames(frames[None], win)
        along, across = self._gains(self._levels[:, : n_frames + 2 * _COLUMNS])
        self._levels = self._levels[:, n_frames:]
        spectrum = spectrum * (along + across * _turns(self._params))
        return self._synthesis.push(frames_from_spectrum(spectrum, win))

    def _gains(self, levels: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of each bin (n, F): the share of the middle, and of the middle turned."""
        left, right, mid = _spread(power_of_level(levels, self._params))
        there = mid > 0
        safe = np.where(there, mid, np.float32(1.0))
        along = np.where(there, (left - right) / (np.float32(4.0) * safe), np.float32(0.0))
        side = np.where(there, (left + right) / (np.float32(2.0) * safe) - 1, np.float32(0.0))
        most = np.float32(MOST_WIDTH / (1 - MOST_WIDTH))
        along = np.clip(along, -np.sqrt(most), np.sqrt(most))
        across = np.sqrt(np.clip(side, along * along, most) - along * along)
        below, share = _rows_of_bins(self._params)
        return (
            along[:, below] * (1 - share) + along[:, below + 1] * share,
            across[:, below] * (1 - share) + across[:, below + 1] * share,
        )

    def _given(self, side: FloatArray) -> FloatArray:
        skipped = min(self._skip, side.shape[1])
        self._skip -= skipped
        side = side[:, skipped:]
        count = min(side.shape[1], self._mid.shape[1])
        mid, self._mid = self._mid[:, :count], self._mid[:, count:]
        return np.concatenate([mid + side[:, :count], mid - side[:, :count]])


def _spread(power: FloatArray) -> FloatArray:
    """Sums (3, n - 2 columns, M) of powers (3, n, M) over the columns and rows around each."""
    n = power.shape[1] - 2 * _COLUMNS
    columns = np.add.reduce([power[:, i : i + n] for i in range(2 * _COLUMNS + 1)])
    rows = np.pad(columns, ((0, 0), (0, 0), (_ROWS, _ROWS)))
    m = power.shape[2]
    total: FloatArray = np.add.reduce([rows[..., i : i + m] for i in range(2 * _ROWS + 1)])
    return total


@lru_cache(maxsize=8)
def _rows_of_bins(params: SonogramParams) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """The row below each bin, and how far the bin is on the way to the next one."""
    hz = np.fft.rfftfreq(params.win_length, 1.0 / params.sample_rate)
    place = np.interp(hz, row_frequencies(params), np.arange(params.n_mels))
    below = np.minimum(place.astype(np.intp), params.n_mels - 2)
    return below, (place - below).astype(np.float32)


@lru_cache(maxsize=8)
def _turns(params: SonogramParams) -> npt.NDArray[np.complex64]:
    """How the side stands to the middle in each bin: at a right angle, now ahead, now behind.

    In a sum with a real share a right angle gives just the wanted level of every partial, where
    any filter of another phase would raise some and lower others.
    """
    below, share = _rows_of_bins(params)
    steps = np.minimum(np.gradient(below + share) / _TURN_ROWS, 1.0 / _TURN_BINS)
    place = np.cumsum(steps)
    # A staircase of half turns downwards in phase: a delay, never an echo ahead of the sound.
    stairs = np.floor(place) + np.clip((place % 1.0 - (1.0 - _FLANK)) / _FLANK, 0.0, 1.0)
    turns = np.exp(-1j * np.pi * (0.5 + stairs))
    turns[0] = turns[-1] = 0.0
    return np.asarray(turns, np.complex64)
