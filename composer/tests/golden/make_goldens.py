"""Writes goldens.json: what the composer makes of a seed is the provenance of shipped weights.

Usage: python composer/tests/golden/make_goldens.py

A score is pinned to the last note (a digest), a sound to a tenth of a decibel in eight bands, since
the last bits of an oscillator differ between versions of NumPy.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

GOLDENS = Path(__file__).with_name("goldens.json")
# Programme, seed, index. Of "samples" only bells: the others need recordings that are fetched.
PIECES = (
    *((name, 1, index) for name in ("accompaniment", "players", "bands") for index in (0, 7)),
    *(("electronic", 1, index) for index in (0, 3)),
    ("scores", 4, 0),
)
_BANDS = 8


def golden_of(programme: str, seed: int, index: int) -> dict[str, Any]:
    """Facts, places of the clips, and a digest of the score or the levels of the sound."""
    from sonoriff_composer.render import PROGRAMMES

    piece = import_module(PROGRAMMES[programme][0]).compose(seed, index)
    golden: dict[str, Any] = {
        "facts": json.loads(json.dumps(asdict(piece.facts))),
        "starts_s": [round(start, 6) for start in piece.starts_s],
        "split": piece.split,
        "source": piece.source,
    }
    if piece.score is not None:
        notes = json.dumps(asdict(piece.score))
        golden["score"] = hashlib.sha256(notes.encode()).hexdigest()
        golden["notes"] = sum(len(part.notes) for part in piece.score.parts)
    else:
        golden["levels_db"] = levels_of(piece.waveform)
    return golden


def levels_of(waveform: npt.NDArray[np.float32]) -> list[float]:
    """Mean level of eight octaves of the middle from 60 Hz up, dB."""
    mono = waveform.astype(np.float64).mean(axis=0)
    power = np.abs(np.fft.rfft(mono)) ** 2
    edges = np.array([60.0 * 2**i for i in range(_BANDS + 1)]) / 44_100 * len(mono)
    bands = [power[int(a) : int(b)].mean() for a, b in pairwise(edges)]
    return [round(float(10 * np.log10(band + 1e-12)), 3) for band in bands]


def main() -> None:
    """Write them."""
    found = {f"{p}-{s}-{i}": golden_of(p, s, i) for p, s, i in PIECES}
    GOLDENS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
