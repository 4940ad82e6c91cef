"""What the denoiser is told besides the latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

ArrayT = TypeVar("ArrayT")
OtherT = TypeVar("OtherT")
CHORD_WIDTH = 24


@dataclass(frozen=True)
class DenoiserConditions(Generic[ArrayT]):
    """Inputs of the denoiser besides latents, NumPy arrays or tensors.

    Any of them may be absent for a batch member.

    Attributes
    ----------
    text : (B, L, text_width) states of the prompt's tokens
    present : bool (B, L); all false is "no prompt"
    bpm : float (B,), beats a minute, 0 for unknown
    key : int (B,), index into KEYS, -1 for unknown
    mode : int (B,), index into MODES, -1 for unknown
    beat : float (B,), beats since a bar began when the grid begins, NaN for unknown; counts only
        where `bpm` is known
    kind : int (B,), index into KINDS, -1 for unknown
    energy : int (B,), 1 to 5, 0 for unknown
    chords : float (B, W or 1, 24), for each column the root among the first twelve notes and all
        tones among the others; zero for unknown
    """

    text: ArrayT
    present: ArrayT
    bpm: ArrayT
    key: ArrayT
    mode: ArrayT
    beat: ArrayT
    kind: ArrayT
    energy: ArrayT
    chords: ArrayT

    def map(self, change: Callable[[ArrayT], OtherT]) -> DenoiserConditions[OtherT]:
        """The same with each array changed: moved, or made a tensor."""
        return DenoiserConditions(**{name: change(array) for name, array in self.arrays().items()})

    def with_text(self, text: ArrayT) -> DenoiserConditions[ArrayT]:
        """The same with other states of the prompt's tokens."""
        return replace(self, text=text)

    def arrays(self) -> dict[str, Any]:
        """All of them by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
