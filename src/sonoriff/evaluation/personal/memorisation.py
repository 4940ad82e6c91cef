"""Whether a model gives its training clips back: how near its outputs come to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating] | npt.NDArray[np.uint8]
_ROWS, _COLUMNS = 32, 64
# Correlation of shape above which two clips are the same music whatever the folder is like.
_SAME = 0.97
_SURE = 0.90


@dataclass(frozen=True)
class Likeness:
    """An output and the training clip that it is most like.

    Attributes
    ----------
    similarity : correlation of the pictures at the best shift in time, at most 1
    """

    output: str
    clip: str
    similarity: float


@dataclass(frozen=True)
class Memorisation:
    """How near outputs come to training clips.

    Attributes
    ----------
    nearest : of every output, the nearest first
    usual : similarity that nineteen of twenty clips of different files stay below
    limit : above this an output counts as a copy
    """

    nearest: tuple[Likeness, ...]
    usual: float
    limit: float

    @property
    def copies(self) -> tuple[Likeness, ...]:
        """Outputs that are too like a training clip."""
        return tuple(each for each in self.nearest if each.similarity > self.limit)

    def in_words(self) -> str:
        """What it means, for somebody who wants to use the model."""
        if not self.nearest:
            return "Nothing was compared with the training clips."
        best = self.nearest[0]
        figures = (
            f"the nearest output has a likeness of {best.similarity:.2f} to {best.clip}; different "
            f"files of this folder stay below {self.usual:.2f}"
        )
        if not self.copies:
            return f"No sign of copying: {figures}."
        return (
            f"Warning: {len(self.copies)} of {len(self.nearest)} outputs are nearly copies of "
            f"training clips ({figures}). The model has learnt some of your music by heart. Train "
            "for fewer steps, with a lower rank or more music, and do not publish outputs as new "
            "music where the training clips are not yours."
        )


def compared(
    outputs: dict[str, Array], clips: dict[str, Array], sources: dict[str, str]
) -> Memorisation:
    """Compare pictures of outputs with those of training clips.

    Parameters
    ----------
    outputs, clips : pictures (M, N) in dB or levels, by name; all of one format. The beginnings of
        the length of the shortest are compared
    sources : the file of each clip; clips of different files tell what is usual

    Notes
    -----
    Pictures are pooled to 32 x 64, freed of the mean of each row, so that a common timbre does not
    count, and correlated at every cyclic shift in time.
    """
    names = list(clips)
    frames = min(p.shape[1] for p in (*outputs.values(), *clips.values()))
    clips = {name: picture[:, :frames] for name, picture in clips.items()}
    outputs = {name: picture[:, :frames] for name, picture in outputs.items()}
    stored = _spectra(np.stack([_shape(clips[name]) for name in names]))
    found = []
    for output, picture in outputs.items():
        values = _likeness(_shape(picture), stored)
        best = int(values.argmax())
        found.append(Likeness(output, names[best], float(values[best])))
    usual = _usual(clips, names, sources, stored)
    limit = min(_SAME, max(_SURE, usual + 0.5 * (1.0 - usual)))
    ranked = tuple(sorted(found, key=lambda each: -each.similarity))
    return Memorisation(ranked, usual, limit)


def _usual(
    clips: dict[str, Array],
    names: list[str],
    sources: dict[str, str],
    stored: npt.NDArray[np.complex64],
    most: int = 64,
) -> float:
    """Similarity to the nearest clip of another file that one clip in twenty exceeds."""
    owners = np.array([sources[name] for name in names])
    nearest = []
    for i in np.linspace(0, len(names) - 1, min(most, len(names))).astype(int):
        others = owners != owners[i]
        if others.any():
            values = _likeness(_shape(clips[names[i]]), stored[others])
            nearest.append(float(values.max()))
    return float(np.quantile(nearest, 0.95)) if nearest else 0.0


def _shape(picture: Array) -> npt.NDArray[np.float32]:
    """(32, 64), each row without its mean, of unit length; all zero where nothing changes."""
    x = np.asarray(picture, np.float32)
    x = x[: x.shape[0] // _ROWS * _ROWS, : x.shape[1] // _COLUMNS * _COLUMNS]
    pooled = x.reshape(_ROWS, x.shape[0] // _ROWS, _COLUMNS, -1).mean(axis=(1, 3))
    pooled = pooled - pooled.mean(axis=1, keepdims=True)
    length = float(np.linalg.norm(pooled))
    return np.asarray(pooled / length if length > 1e-6 else 0.0 * pooled, np.float32)


def _spectra(shapes: npt.NDArray[np.float32]) -> npt.NDArray[np.complex64]:
    return np.asarray(np.fft.rfft(shapes, axis=-1), np.complex64)


def _likeness(
    shape: npt.NDArray[np.float32], stored: npt.NDArray[np.complex64]
) -> npt.NDArray[np.float32]:
    """Largest correlation over shifts in time with each stored clip: (n,)."""
    product = (np.fft.rfft(shape, axis=-1).conj()[None] * stored).sum(axis=1)
    return np.asarray(np.fft.irfft(product, n=_COLUMNS, axis=-1).max(axis=-1), np.float32)
