"""How far a model's music follows the energy that is asked for: by words alone, and as it is told.

Usage: python -m benchmarks.energy [--seed 3]

Six prompts with the energies 1, 3 and 5. For each way: by how much the measured energy rises from 1
to 5, on average, and for how many prompts it rises at each step.
"""

from __future__ import annotations

import argparse

import numpy as np

from sonoriff.analysis.energy import energy_of_picture
from sonoriff.models.registry import load_model
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.pipeline.guides import ENERGY_WORDS

_PROMPTS = (
    *("jazz piano trio", "techno, 132 bpm", "rock with electric guitar"),
    *("calm ambient pads", "orchestra film music", "lo-fi hip hop"),
)
_LEVELS = (1, 3, 5)


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=3)
    seed = parser.parse_args().seed
    model = load_model(None)
    for way in ("words", "energy"):
        measured = np.zeros((len(_PROMPTS), len(_LEVELS)))
        for i, prompt in enumerate(_PROMPTS):
            for j, level in enumerate(_LEVELS):
                settings = GenerateSettings(prompt=prompt, energy=level, seed=seed)
                if way == "words":
                    said = ", ".join(filter(None, (prompt, ENERGY_WORDS.get(level))))
                    settings = GenerateSettings(prompt=said, seed=seed)
                values = generate(model, settings).sonogram.values
                measured[i, j] = energy_of_picture(values[-1])
        rise = float((measured[:, -1] - measured[:, 0]).mean())
        rising = int((np.diff(measured, axis=1) > 0).all(axis=1).sum())
        print(f"{way}: rises by {rise:.2f}, at each step in {rising} of {len(_PROMPTS)}")


if __name__ == "__main__":
    main()
