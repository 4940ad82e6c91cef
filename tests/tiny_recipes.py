"""The recipes of the small model on random data. Run as a module, one process of several."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from line_recipe import LineRecipe
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.training.config import LoopConfig
from sonoriff.training.data.latents import LatentSet
from sonoriff.training.data.pictures import PictureSet
from sonoriff.training.loop import train
from sonoriff.training.recipes.autoencoder import AutoencoderRecipe
from sonoriff.training.recipes.denoiser import DenoiserRecipe

SHAPE = DenoiserConfig(latent_channels=4, grid_width=8, width=64, depth=1, heads=1)
CODER = AutoencoderConfig(
    latent_channels=4,
    widths=(8, 8, 8),
    encoder_blocks=(1, 1, 1),
    decoder_blocks=(1, 1, 1),
    strides=((4, 2), (2, 1)),
)


def picture_set(*splits: str) -> PictureSet:
    """One random picture a split."""
    random = np.random.default_rng(0)
    levels = random.integers(0, 256, (len(splits), 256, 512)).astype(np.uint8)
    return PictureSet([levels], [{"split": split, "text": "noise, all of it"} for split in splits])


def latent_set(*splits: str) -> LatentSet:
    """One random latent and caption a split."""
    random = np.random.default_rng(0)
    n = len(splits)
    return LatentSet(
        latents=[(random.normal(size=(n, 4, 8, 8)) * 2 + 3).astype(np.float16)],
        text=[random.normal(size=(n, 384)).astype(np.float16)],
        spans=[[(i, i + 1)] for i in range(n)],
        entries=[{"split": split, "facts": {"bpm": 120, "key": "A"}} for split in splits],
        places=[(0, i) for i in range(n)],
    )


def autoencoder_recipe(*splits: str) -> AutoencoderRecipe:
    return AutoencoderRecipe(picture_set(*splits), CODER)


def denoiser_recipe(*splits: str) -> DenoiserRecipe:
    coder = SonogramAutoencoder(CODER).eval()
    return DenoiserRecipe(latent_set(*splits), coder, SHAPE, sheet_prompts=("techno",))


SPLITS = ("train",) * 6 + ("validation",) * 2
RECIPES: dict[str, Callable[[], Any]] = {
    "line": LineRecipe,
    "autoencoder": lambda: autoencoder_recipe(*SPLITS),
    "denoiser": lambda: denoiser_recipe(*SPLITS),
}


if __name__ == "__main__":
    settings = LoopConfig(
        steps=int(sys.argv[2]),
        batch_size=3,
        learning_rate=1e-2,
        warmup_steps=1,
        precision="no",
    )
    train(RECIPES[sys.argv[3]](), settings, Path(sys.argv[1]))
    # All is saved. At the interpreter's own end a thread of torch's that is still there aborts the
    # process, once in a hundred times ("terminate called without an active exception").
    sys.stderr.flush()
    os._exit(0)
