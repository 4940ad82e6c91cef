"""A piece of music with everything needed to make it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sonoriff.sonogram.sonogram import Sonogram

if TYPE_CHECKING:
    from sonoriff.pipeline.sound_file import Bits


@dataclass(frozen=True, eq=False)
class Clip:
    """A sonogram, its sound on demand, and the settings it was made with.

    Attributes
    ----------
    sonogram : the picture; its metadata are the settings
    """

    sonogram: Sonogram

    @property
    def settings(self) -> Mapping[str, Any]:
        """Verb, prompt, seed and all other settings, as stored in the picture file."""
        return self.sonogram.metadata

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.sonogram.params.sample_rate

    @cached_property
    def waveform(self) -> npt.NDArray[np.float32]:
        """float32 (C, T), decoded with quality "fast"; computed on first use.

        A loop is decoded as a circle: its last sample is followed by its first.
        """
        from sonoriff.pipeline.circular import decode_loop, samples_of_loop
        from sonoriff.sonogram import decode

        n_samples = samples_of_loop(self.sonogram)
        if n_samples is not None:
            return decode_loop(self.sonogram, n_samples)
        return decode(self.sonogram, quality="fast")

    @classmethod
    def load(cls, path: Path | str) -> Clip:
        """A clip from the picture that `save` wrote."""
        from sonoriff.sonogram.picture import load_picture

        return cls(load_picture(path))

    def save(
        self, path: Path | str, *, sample_rate: int | None = None, bits: Bits | None = None
    ) -> None:
        """Write the picture (.png) or the sound (.wav .flac .ogg .mp3 .opus).

        Sound that would clip is scaled down as a whole. Sound files say title, prompt, seed, tempo
        and key; WAV files also bars, sections and loop points.

        Parameters
        ----------
        sample_rate : of the sound, 44100 or 48000 Hz; None is the clip's own
        bits : "16", "24" or "float", of WAV, and of FLAC without float; None is 16
        """
        target = Path(path)
        if target.suffix.lower() == ".png":
            from sonoriff.sonogram.picture import save_picture

            save_picture(target, self.sonogram)
        else:
            from sonoriff.pipeline.sound_file import save_sound

            save_sound(target, self.waveform, self.sonogram, sample_rate=sample_rate, bits=bits)

    def __repr__(self) -> str:
        return f"Clip({self.sonogram!r})"
