"""Write a model between two: the weights of its denoiser are a mean of both.

python scripts/average_models.py BEFORE AFTER OUTPUT [--share 0.5]

AFTER was trained on from BEFORE. Where it is stereo and BEFORE is not, what belongs to pan and
width is its own.

References
----------
Wortsman et al., Robust fine-tuning of zero-shot models (2022).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from sonoriff.models.small.networks import WEIGHTS
from sonoriff.models.small.sides import CHANNELS

Array = npt.NDArray[np.float32]


def widened(before: dict[str, Array], after: dict[str, Array]) -> dict[str, Array]:
    """`before` with the channels that only `after` has."""
    wide = {name: after[name].copy() for name in before}
    old = len(before["level"])
    new = old + CHANNELS
    for name, tensor in before.items():
        if tensor.shape == after[name].shape:
            wide[name] = tensor
        elif name == "enter.weight":
            wide[name][:, :old] = tensor[:, :old]
            wide[name][:, new : new + old] = tensor[:, old : 2 * old]
            wide[name][:, -1] = tensor[:, -1]
        else:
            wide[name][:old] = tensor
    return wide


def main() -> None:
    """Write the model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("before", "after", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of AFTER")
    given = parser.parse_args()
    place = Path("denoiser") / WEIGHTS
    stored = load_file(given.after / place)
    before, after = (
        {name: tensor.astype(np.float32) for name, tensor in load_file(folder / place).items()}
        for folder in (given.before, given.after)
    )
    begun = widened(before, after)
    mean = {
        name: ((1 - given.share) * begun[name] + given.share * after[name]).astype(kind.dtype)
        for name, kind in stored.items()
    }
    shutil.copytree(given.after, given.output)
    save_file(mean, given.output / place, metadata={"format": "pt"})


if __name__ == "__main__":
    main()
