"""Random masks for training: what of a latent grid is known.

A model that is told a mask and the latents under it in training can inpaint, extend and go on
without any further trick.
"""

from __future__ import annotations

import torch
from torch import Tensor


def random_mask(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """A float (1, rows, columns) mask, 1 where the latents are known.

    A quarter of the masks are time spans, causal ones among them, some are bands of frequency,
    some free rectangles; the rest (60 %) is empty: plain generation.
    """
    mask = torch.zeros(1, rows, columns)
    choice = float(torch.rand(1, generator=generator))
    if choice < 0.60:
        return mask
    if choice < 0.75:  # causal: the start (or, seldom, the end) is known
        known = _between(generator, columns // 8, columns * 3 // 4)
        at_start = float(torch.rand(1, generator=generator)) < 0.8
        mask[:, :, : known if at_start else columns] = 1.0
        if not at_start:
            mask[:, :, : columns - known] = 0.0
        return mask
    mask.fill_(1.0)
    if choice < 0.85:  # a hole in time
        width = _between(generator, columns // 8, columns * 3 // 4)
        start = _between(generator, 0, columns - width)
        mask[:, :, start : start + width] = 0.0
    elif choice < 0.93:  # a band of frequency
        height = _between(generator, 1, max(1, rows * 3 // 4))
        start = _between(generator, 0, rows - height)
        mask[:, start : start + height] = 0.0
    else:  # rectangles
        for _ in range(_between(generator, 1, 3)):
            height = _between(generator, 1, rows)
            width = _between(generator, columns // 16, columns // 2)
            top = _between(generator, 0, rows - height)
            left = _between(generator, 0, columns - width)
            mask[:, top : top + height, left : left + width] = 0.0
    return mask


def _between(generator: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high + 1, (1,), generator=generator))
