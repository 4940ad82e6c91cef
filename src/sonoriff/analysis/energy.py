"""Musical energy: how full the spectrum is and how many onsets it has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

STEPS = 5
# Pictures of clips at -18 LUFS: a cell sounds above this, dB, and rises count from there.
_AUDIBLE_DB, _FLOOR_DB = -60.0, -70.0
# Means and spreads of both figures, and where a fifth of the clips each ends, over 500 clips, half
# of them recordings (`hifi` pictures).
_FULL, _RISE = (0.479, 0.160), (1.506, 0.573)
_EDGES = (-1.60, -0.55, 0.46, 1.56)


def energy_of_picture(picture_db: npt.NDArray[np.floating]) -> float:
    """Energy of a picture, about 0 for music of all kinds; the calmest -5, the busiest 5.

    Parameters
    ----------
    picture_db : (M, N), dB, of the `hifi` format and of sound at -18 LUFS

    Notes
    -----
    The sum of two standard scores: the share of the picture that sounds, and the mean rise from
    each second column to the next.
    """
    picture = np.asarray(picture_db, np.float32)
    full = float((picture > _AUDIBLE_DB).mean())
    rises = np.diff(np.maximum(picture, _FLOOR_DB)[:, ::2], axis=1)
    rise = float(np.maximum(rises, 0.0).mean()) if rises.size else 0.0
    return (full - _FULL[0]) / _FULL[1] + (rise - _RISE[0]) / _RISE[1]


def step_of_energy(energy: float) -> int:
    """The step, 1 (calm) to 5 (full), that an energy falls into; a fifth of all music each."""
    return 1 + int(np.searchsorted(_EDGES, energy))
