"""Mel rows of the notes of keys and chords, as conditioning features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonoriff.analysis.chords import Chord
from sonoriff.models.small.conditions import CHORD_WIDTH
from sonoriff.sonogram.filter_bank import row_frequencies
from sonoriff.sonogram.params import HIFI, SonogramParams

FloatArray = npt.NDArray[np.float32]
# Semitones above the tonic of the nested sets tonic, triad and scale, by mode; the unknown mode
# has what major and natural minor share.
_SETS = {
    "unknown": ((0,), (0, 7), (0, 2, 5, 7)),
    "major": ((0,), (0, 4, 7), (0, 2, 4, 5, 7, 9, 11)),
    "minor": ((0,), (0, 3, 7), (0, 2, 3, 5, 7, 8, 10)),
}
_C0_HZ = 440.0 * 2 ** (-57 / 12)
# Half-width of a partial in a note's row: a third of a semitone, at least this many hertz.
_PARTIAL_HZ = 15.0


def note_rows(params: SonogramParams) -> FloatArray:
    """How much each mel row belongs to each of the twelve notes, C first: (12, n_mels).

    A bell around every octave of the note, as wide as a partial in the picture, minus the mean of
    the twelve: the lower the row, the more the notes run together, and the less it says.
    """
    hz = row_frequencies(params)
    semitones = 12 * np.log2(hz / _C0_HZ)
    width = np.maximum(1 / 3, 12 * np.log2(1 + _PARTIAL_HZ / hz))
    away = (semitones[None] - np.arange(12)[:, None] + 6) % 12 - 6
    bells = np.exp(-0.5 * (away / width) ** 2)
    rows: FloatArray = (bells - bells.mean(axis=0)).astype(np.float32)
    return rows


def scale_table(latent_rows: int, params: SonogramParams = HIFI) -> FloatArray:
    """The notes of keys, row of latent cells by row: (modes + 1, 12, H, 3 x rows of a cell).

    The first mode is the unknown one. A network that is told a key by number has to learn for
    every key anew which lines it has; here it is shown them.
    """
    notes = note_rows(params)
    sets = np.stack(
        [
            [
                [notes[[(key + d) % 12 for d in some]].sum(axis=0) for some in sets]
                for key in range(12)
            ]
            for sets in _SETS.values()
        ]
    )
    # (modes, keys, sets, H, rows of a cell) -> (modes, keys, H, sets x rows of a cell)
    sets = sets.reshape(*sets.shape[:3], latent_rows, -1).swapaxes(2, 3)
    return np.ascontiguousarray(sets.reshape(*sets.shape[:3], -1))


def chord_table(latent_rows: int, params: SonogramParams = HIFI) -> FloatArray:
    """The notes, row of latent cells by row: (12, H, rows of a cell)."""
    return note_rows(params).reshape(12, latent_rows, -1)


def chord_vector(chord: Chord | None) -> FloatArray:
    """(24,), 1 for the root among the first twelve notes and for the tones behind; 0 for None."""
    vector = np.zeros(CHORD_WIDTH, np.float32)
    if chord is not None:
        vector[[chord.root, *(12 + tone for tone in chord.tones)]] = 1.0
    return vector
