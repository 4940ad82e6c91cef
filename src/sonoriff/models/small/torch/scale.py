"""The notes of keys and chords as layers without weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sonoriff.models.small.scale import chord_table, scale_table
from sonoriff.sonogram.params import HIFI, SonogramParams


class ScaleRows(nn.Module):
    """The notes of keys, row of latent cells by row, see `scale_table`.

    `width` is what it gives for one row.
    """

    table: Tensor

    def __init__(self, latent_rows: int, params: SonogramParams = HIFI) -> None:
        super().__init__()
        table = torch.from_numpy(scale_table(latent_rows, params))
        self.width = table.shape[-1]
        self.register_buffer("table", table, persistent=False)

    def forward(self, key: Tensor, mode: Tensor) -> Tensor:
        """(B,) and (B,), -1 for unknown -> (B, H, width); zero where the key is unknown."""
        return self.table[mode + 1, key.clamp_min(0)] * (key >= 0)[:, None, None]


class ChordRows(nn.Module):
    """The notes of chords, row of latent cells by row: those of the root, and those of all tones.

    `width` is what it gives for one row.
    """

    table: Tensor

    def __init__(self, latent_rows: int, params: SonogramParams = HIFI) -> None:
        super().__init__()
        table = torch.from_numpy(chord_table(latent_rows, params))
        self.width = 2 * table.shape[-1]
        self.register_buffer("table", table, persistent=False)

    def forward(self, chords: Tensor) -> Tensor:
        """(B, W, 24) of `chord_vector` -> (B, H, W, width)."""
        roots, tones = chords.to(self.table.dtype).chunk(2, dim=-1)
        rows = [torch.einsum("bwn,nhr->bhwr", notes, self.table) for notes in (roots, tones)]
        return torch.cat(rows, dim=-1)
