"""What is painted, and on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.pipeline.guidance import Guidance
from sonoriff.pipeline.settings import Sampling

FloatArray = npt.NDArray[np.float32]
# Of windows, as a share of their width.
OVERLAP = 0.25


@dataclass(frozen=True)
class Canvas:
    """What is painted, and on what.

    Attributes
    ----------
    noise : (B, C, H, W); all members of the batch share the same settings
    guide_at : guide of the window whose middle is at a column
    source : (B, C, H, W) latents to start from, or None
    strength_map : (1, 1, H, W), the time at which a cell leaves the noised source and is painted
        freely: 0 never, 1 at once. None is 1 everywhere
    overlap : of windows, as a share of their width
    circular : the end is followed by the start
    since_beat_s : seconds from the beginning of a bar to the first column; None is unknown
    """

    noise: FloatArray
    guide_at: Callable[[float], Guidance]
    source: FloatArray | None = None
    strength_map: FloatArray | None = None
    overlap: float = OVERLAP
    circular: bool = False
    since_beat_s: float | None = None

    @property
    def start(self) -> float:
        """The time at which painting starts: 1, or less if no cell is free earlier."""
        return 1.0 if self.strength_map is None else float(self.strength_map.max())

    @property
    def has_known(self) -> bool:
        """Whether any cell of the source stays fixed."""
        if self.strength_map is None or self.source is None:
            return False
        return bool((self.strength_map == 0.0).any())


def likeness(canvas: Canvas, sampling: Sampling) -> tuple[Any, ...]:
    """Key under which canvases can be painted in the same batch."""
    noise, s = canvas.noise, sampling
    how = (s.sampler, s.num_inference_steps, s.shift, s.guidance_interval)
    what = (canvas.source is None, canvas.strength_map is None, canvas.has_known, canvas.start)
    return (*how, *what, *noise.shape[1:], canvas.overlap, canvas.circular)
