"""Train, validation and test: by source, never by clip."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from sonoriff.errors import ParameterError

_SHARES = (("train", 0.92), ("validation", 0.04), ("test", 0.04))

_WORDS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


def split_named(word: str) -> str:
    """train, validation or test, by whichever of its usual names.

    Raises
    ------
    ParameterError
        no name of a split
    """
    split = _WORDS.get(word.strip().lower())
    if split is None:
        raise ParameterError(f"unknown split {word!r}: expected one of {', '.join(_WORDS)}")
    return split


def _order(name: str) -> bytes:
    """A fixed shuffle of names."""
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def divide(sources: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The sources of one genre by split; with three or more, each split has at least one."""
    ranked = sorted(set(sources), key=_order)
    if len(ranked) < 3:
        return {"train": tuple(ranked), "validation": (), "test": ()}
    held = max(1, round(len(ranked) * 0.06))
    return {
        "validation": tuple(ranked[:held]),
        "test": tuple(ranked[held : 2 * held]),
        "train": tuple(ranked[2 * held :]),
    }


def draw_split(rng: random.Random) -> str:
    """A split by its share: 92, 4 and 4 per cent."""
    roll = rng.random()
    for name, share in _SHARES:
        roll -= share
        if roll < 0:
            return name
    return "train"


def draw_source(rng: random.Random, sources: Sequence[str]) -> tuple[str, str]:
    """(source, split): the split first, so that the shares hold however few sources there are."""
    parts = divide(sources)
    split = draw_split(rng)
    if not parts[split]:
        split = "train"
    return rng.choice(parts[split]), split


def split_of(source: str) -> str:
    """The split of a source that stands alone, by its hash."""
    place = int.from_bytes(_order(source), "big") / 2**64
    return "train" if place < 0.92 else "validation" if place < 0.96 else "test"
