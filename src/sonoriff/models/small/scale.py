"""Mel rows of the notes of keys and chords, as conditioning features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from sonoriff.analysis.chords import Chord
from sonoriff.sonogram.filter_bank import row_frequencies
from sonoriff.sonogram.params import HIFI, SonogramParams

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


def note_rows(params: SonogramParams) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """How much each mel row belongs to each of the twelve notes, C first: (12, n_mels).

    A bell around every octave of the note, as wide as a partial in the picture, minus the mean of
    the twelve: the lower the row, the more the notes run together, and the less it says.
    """
    hz = row_frequencies(params)
    semitones = 12 * np.log2(hz / _C0_HZ)
    width = np.maximum(1 / 3, 12 * np.log2(1 + _PARTIAL_HZ / hz))
    away = (semitones[None] - np.arange(12)[:, None] + 6) % 12 - 6
    bells = np.exp(-0.5 * (away / width) ** 2)
    rows: np.ndarray[tuple[int, int], np.dtype[np.float32]] = (bells - bells.mean(axis=0)).astype(
        np.float32
    )
    return rows


class ScaleRows(nn.Module):
    """The notes of keys, row of latent cells by row.

    A network that is told a key by number has to learn for every key anew which lines it has; here
    it is shown them. `width` is what it gives for one row.
    """

    table: Tensor

    def __init__(self, latent_rows: int, params: SonogramParams = HIFI) -> None:
        super().__init__()
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
        table = torch.from_numpy(np.ascontiguousarray(sets)).flatten(3)
        self.width = table.shape[-1]
        self.register_buffer("table", table, persistent=False)

    def forward(self, key: Tensor, mode: Tensor) -> Tensor:
        """(B,) and (B,), -1 for unknown -> (B, H, width); zero where the key is unknown."""
        return self.table[mode + 1, key.clamp_min(0)] * (key >= 0)[:, None, None]


def chord_vector(chord: Chord | None) -> Tensor:
    """(24,), 1 for the root among the first twelve notes and for the tones behind; 0 for None."""
    vector = torch.zeros(24)
    if chord is not None:
        vector[[chord.root, *(12 + tone for tone in chord.tones)]] = 1.0
    return vector


class ChordRows(nn.Module):
    """The notes of chords, row of latent cells by row: those of the root, and those of all tones.

    `width` is what it gives for one row.
    """

    table: Tensor

    def __init__(self, latent_rows: int, params: SonogramParams = HIFI) -> None:
        super().__init__()
        notes = note_rows(params).reshape(12, latent_rows, -1)
        self.width = 2 * notes.shape[-1]
        self.register_buffer("table", torch.from_numpy(notes), persistent=False)

    def forward(self, chords: Tensor) -> Tensor:
        """(B, W, 24) of `chord_vector` -> (B, H, W, width)."""
        roots, tones = chords.to(self.table.dtype).chunk(2, dim=-1)
        rows = [torch.einsum("bwn,nhr->bhwr", notes, self.table) for notes in (roots, tones)]
        return torch.cat(rows, dim=-1)
