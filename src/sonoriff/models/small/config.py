"""Shapes of the small model's networks, and the numbers under which conditions are told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

ROPE_BASE = 100.0
ENERGIES = 5
CONDITIONS = ("kind", "energy", "chords")
# Waves a beat: bars of four, three and two beats, whole beats, halves, triplets, quarters.
BEAT_PARTS = (1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """Shape of the autoencoder.

    Attributes
    ----------
    latent_channels : channels C of the latent grid
    widths : channels at each resolution, finest first
    encoder_blocks, decoder_blocks : residual blocks at each resolution
    patch : side of the pixel patch that one cell of the finest resolution holds
    strides : (frequency, time) step between neighbouring resolutions
    """

    latent_channels: int = 32
    widths: tuple[int, ...] = (96, 192, 192)
    encoder_blocks: tuple[int, ...] = (1, 2, 2)
    decoder_blocks: tuple[int, ...] = (2, 2, 3)
    patch: int = 4
    strides: tuple[tuple[int, int], ...] = ((2, 2), (2, 2))

    @property
    def cell(self) -> tuple[int, int]:
        """Size of one latent cell in pixels: (mel rows, columns)."""
        rows = columns = self.patch
        for frequency, time in self.strides:
            rows, columns = rows * frequency, columns * time
        return rows, columns

    def to_dict(self) -> dict[str, Any]:
        """Every field, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> AutoencoderConfig:
        """Inverse of `to_dict`, also after a trip through JSON."""

        def frozen(value: Any) -> Any:
            return tuple(frozen(v) for v in value) if isinstance(value, list | tuple) else value

        return cls(**{name: frozen(value) for name, value in fields.items()})


@dataclass(frozen=True, kw_only=True)
class DenoiserConfig:
    """Shape of the denoiser.

    Attributes
    ----------
    latent_channels, latent_rows : C and H of the latent grid; its width is free
    stereo : whether the last two channels are pan and width, beside those of the autoencoder
    grid_width : channels of the convolutions at every cell of the grid
    grid_blocks : convolution blocks before and after the transformer
    width, depth, heads : of the transformer, whose tokens are the columns
    cross_every : every how many blocks the text is looked at
    text_width : width of a text token's state
    column_seconds : seconds that a column of latent cells lasts
    conditions : which of `CONDITIONS` it is told besides text, tempo and key
    """

    latent_channels: int = 40
    latent_rows: int = 8
    stereo: bool = False
    grid_width: int = 96
    grid_blocks: tuple[int, int] = (1, 2)
    width: int = 320
    depth: int = 8
    heads: int = 5
    cross_every: int = 2
    text_width: int = 384
    column_seconds: float = 8 * 512 / 44_100
    conditions: tuple[str, ...] = CONDITIONS

    def to_dict(self) -> dict[str, Any]:
        """Every field, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> DenoiserConfig:
        """Inverse of `to_dict`, also after a trip through JSON."""
        # Configurations from before conditions existed.
        tuples = {"conditions": (), **fields}
        return cls(**{**fields, **{n: tuple(tuples[n]) for n in ("grid_blocks", "conditions")}})
