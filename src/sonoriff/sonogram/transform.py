"""What real Fourier transforms of eight columns at a time look up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

RADICES = (6, 5, 4, 3, 2)


@dataclass(frozen=True, eq=False)
class TransformPlan:
    """What a real transform of `n_fft` samples looks up.

    Attributes
    ----------
    n_fft : samples; twice a product of 2, 3 and 5
    radices : int64; their product is ``n_fft // 2``
    pass_turns : float32 (k, 2), turns of the passes of the half-length transform, one after the
        other
    real_turns : float32 (n_fft // 4 + 1, 2), turns between the two halves of a real transform
    """

    n_fft: int
    radices: IntArray
    pass_turns: FloatArray
    real_turns: FloatArray


def is_smooth(number: int) -> bool:
    """Whether a number is a product of 2, 3 and 5."""
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


@lru_cache(maxsize=256)
def _radices(length: int) -> tuple[int, ...]:
    """The fewest passes."""
    if length == 1:
        return ()
    ways = [(r, *_radices(length // r)) for r in RADICES if length % r == 0]
    assert ways, f"{length} has factors other than 2, 3 and 5"
    return min(ways, key=len)


@lru_cache(maxsize=16)
def transform_plan(n_fft: int) -> TransformPlan:
    """Plan of a transform length."""
    assert n_fft % 2 == 0, n_fft
    radices, left, turns = _radices(n_fft // 2), n_fft // 2, []
    for radix in radices:
        block = left // radix
        angle = np.outer(np.arange(block), np.arange(1, radix)) / left
        turns.append(np.exp(-2j * np.pi * angle).reshape(-1))
        left = block
    turns.append(np.zeros(1))  # a transform of two samples has no pass
    half = np.exp(-2j * np.pi * np.arange(n_fft // 4 + 1) / n_fft) / 2j
    return TransformPlan(
        n_fft, np.asarray(radices, np.int64), _pairs(np.concatenate(turns)), _pairs(half)
    )


def _pairs(values: npt.NDArray[np.complex128]) -> FloatArray:
    return np.stack([values.real, values.imag], axis=-1).astype(np.float32).reshape(-1)
