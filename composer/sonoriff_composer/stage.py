"""Where a band stands: how far from the middle, and how wide.

Low and loud is in the middle, as bass, kick and lead are mixed; what accompanies goes to the sides,
left and right in turn, so that the mix does not lean.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

# Furthest from the middle, -1 to 1, and how much of a signal is different on both sides.
_SPREADS = (0.25, 0.45, 0.7)
_REACH = {"drums": 0.0, "bass": 0.0, "lead": 0.35, "chords": 0.9, "arpeggio": 1.0, "pad": 0.6}
_WIDTHS = {"drums": 0.15, "bass": 0.0, "lead": 0.15, "chords": 0.3, "arpeggio": 0.25, "pad": 0.6}


@dataclass(frozen=True)
class Seat:
    """A place on the stage.

    Attributes
    ----------
    pan : -1 is left, 1 is right
    width : 0 is a point; the share of the sound that differs from side to side
    """

    pan: float = 0.0
    width: float = 0.0


def seats(roles: Sequence[str], rng: random.Random) -> list[Seat]:
    """The places of parts with these roles (drums, bass, chords, arpeggio, pad, lead)."""
    spread, side = rng.choice(_SPREADS), rng.choice((-1.0, 1.0))
    found = []
    for role in roles:
        reach = _REACH.get(role, 0.8)
        pan = side * reach * spread * rng.uniform(0.4, 1.0)
        if reach:
            side = -side
        found.append(Seat(pan, _WIDTHS.get(role, 0.2) * rng.uniform(0.5, 1.3)))
    return found
