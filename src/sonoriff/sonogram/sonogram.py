"""The Sonogram value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.sonogram.params import SonogramParams


@dataclass(frozen=True, eq=False)
class Sonogram:
    """A picture of sound with the facts that belong to it.

    Attributes
    ----------
    values : float32 (P, M, N); linear mel amplitude >= 0 for the "power" scale, dB in
        [db_min, db_max] for the "log" scale; low frequencies first. The planes are the sound's one
        channel; or left and right; or, for the "log" scale, left, right and their middle
    params : what rows, columns and values mean
    metadata : prompt, seed, model id and the like; JSON types only
    """

    values: npt.NDArray[np.float32]
    params: SonogramParams
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        values = self.values
        if values.ndim != 3 or values.shape[1] != self.params.n_mels or 0 in values.shape:
            raise ParameterError(
                f"a {self.params.name} sonogram has the shape (planes, {self.params.n_mels}, "
                f"columns), got {values.shape}"
            )
        if not np.isfinite(values).all():
            raise ParameterError("sonogram values must be finite numbers")

    @property
    def n_channels(self) -> int:
        """Number of audio channels, 1 or 2."""
        return min(2, int(self.values.shape[0]))

    @property
    def mono(self) -> npt.NDArray[np.float32]:
        """The sound's one channel or its middle, (M, N); of left and right alone their mean."""
        values = self.values
        return np.asarray(values.mean(axis=0) if len(values) == 2 else values[-1], np.float32)

    @property
    def n_frames(self) -> int:
        """Number of columns, N."""
        return int(self.values.shape[2])

    @property
    def duration_s(self) -> float:
        """Length in seconds: N hops."""
        return self.params.duration_s(self.n_frames)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to a PNG file; see `sonoriff.sonogram.picture.save_picture`."""
        from sonoriff.sonogram.picture import save_picture

        save_picture(path, self)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Sonogram:
        """Read from a PNG or JPEG file; see `sonoriff.sonogram.picture.load_picture`."""
        from sonoriff.sonogram.picture import load_picture

        return load_picture(path)

    def _repr_html_(self) -> str:
        """In a notebook: the picture with axes, and a player."""
        from sonoriff.sonogram.notebook import html_from_sonogram

        return html_from_sonogram(self)

    def __repr__(self) -> str:
        prompt = self.metadata.get("prompt")
        about = f", {prompt!r}" if prompt else ""
        return (
            f"Sonogram({self.params.name}, {self.n_channels} channel"
            f"{'s' if self.n_channels > 1 else ''}, {self.n_frames} columns, "
            f"{self.duration_s:.2f} s{about})"
        )
