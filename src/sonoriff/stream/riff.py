"""The riff that variations are made of: whole bars of picture, laid end to end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sonoriff.music import BEATS_PER_BAR
from sonoriff.stream.position import Bars

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Riff:
    """A riff and the place in it.

    A riff is made in units, the longest stretches of 1, 2, 4 ... beats that fit a window. The
    first pass paints it; it is recorded, and guides those after.

    Attributes
    ----------
    bars : tempo and origin
    hop_length : samples a column
    unit_beats, n_units : length of a unit, and of the riff in units
    unit : number of the next unit, counted from the origin
    picture : (1, P, M, F) of the riff, None while it is first painted
    recorded : (1, P, M, n) of the pass under way
    renewing : the pass under way replaces `picture`
    """

    bars: Bars
    hop_length: int
    unit_beats: int
    n_units: int
    unit: int = 0
    picture: FloatArray | None = None
    recorded: FloatArray | None = None
    renewing: bool = False

    @staticmethod
    def begun(bars: Bars, hop_length: int, n_bars: int | None, max_samples: float) -> Riff:
        """An unpainted riff at the origin of `bars`.

        Parameters
        ----------
        n_bars : length; None is a bar, or a unit where that is longer
        max_samples : of a unit
        """
        beats = 1 << 6
        while beats > 1 and beats * bars.beat_samples > max_samples:
            beats //= 2
        whole = n_bars * BEATS_PER_BAR if n_bars else max(BEATS_PER_BAR, beats)
        beats = min(beats, whole)
        return Riff(bars, hop_length, beats, whole // beats)

    @property
    def place(self) -> int:
        """Number of the next unit within the riff."""
        return self.unit % self.n_units

    @property
    def unit_end(self) -> float:
        """Sample at which the next unit ends, with its fraction."""
        return self.bars.origin + (self.unit + 1) * self.unit_beats * self.bars.beat_samples

    @property
    def first_frame(self) -> int:
        """Column at which the pass under way began."""
        return self._frame_of_pass(self.unit // self.n_units)

    @property
    def n_frames(self) -> int:
        """Columns of the pass under way; another pass may have one more or less."""
        return self._frame_of_pass(self.unit // self.n_units + 1) - self.first_frame

    def _frame_of_pass(self, number: int) -> int:
        length = self.n_units * self.unit_beats * self.bars.beat_samples
        return round((self.bars.origin + number * length) / self.hop_length)

    def guide(self, start: int, stop: int) -> FloatArray | None:
        """The riff's picture at the stream's columns [start, stop), laid end to end."""
        if self.picture is None:
            return None
        places = np.arange(start, stop) - self.first_frame
        return self.picture[..., places % self.picture.shape[-1]]

    def played(self, picture: FloatArray, start: int) -> Riff:
        """The riff after a unit.

        Parameters
        ----------
        picture : (1, P, M, n), the stream's columns from `start` on, to the unit's end or further
        """
        first, last = self.first_frame, self.first_frame + self.n_frames
        have = 0 if self.recorded is None else self.recorded.shape[-1]
        end = last
        if self.place + 1 < self.n_units:
            end = round(self.unit_end / self.hop_length)
        part = picture[..., first + have - start : end - start]
        recorded = part if self.recorded is None else np.concatenate([self.recorded, part], axis=-1)
        following = replace(self, unit=self.unit + 1, recorded=recorded)
        if following.place:
            return following
        kept = recorded if self.picture is None or self.renewing else self.picture
        return replace(following, picture=kept, recorded=None, renewing=False)
