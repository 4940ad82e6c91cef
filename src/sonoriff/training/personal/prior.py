"""What a base model makes of a prompt, kept to be trained on so that it is not forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonoriff.files import atomic_path
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.pipeline.canvas import Canvas
from sonoriff.pipeline.guides import everywhere, guide_from_settings
from sonoriff.pipeline.noise import noise_grid
from sonoriff.pipeline.paint import paint
from sonoriff.pipeline.settings import Sampling
from sonoriff.training.data.posteriors import quick_digest


@dataclass(frozen=True)
class Prior:
    """Latents of the base model's own clips, float32 (n, C, H, W), scaled."""

    latents: Tensor

    def draw(self, generator: torch.Generator, count: int) -> Tensor:
        """`count` of them, any more than once."""
        return self.latents[torch.randint(len(self.latents), (count,), generator=generator)]


def prepare_prior(
    base: StableDiffusionModel,
    prompt: str,
    count: int,
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Prior:
    """Make the clips that are not there yet, seeds 0, 1, 2 ...; the sound is never needed."""
    name = hashlib.blake2b(prompt.encode(), digest_size=4).hexdigest()
    own = folder / quick_digest(base.unet) / f"{name}-{base.schedule.prediction}"
    own.mkdir(parents=True, exist_ok=True)
    settings = Sampling(prompt=prompt).resolved(base)
    guide = guide_from_settings(base, settings)
    width = base.latent_shape(base.window_frames)[2]
    found = []
    for seed in range(count):
        path = own / f"{seed:05d}.npy"
        if not path.exists():
            canvas = Canvas(noise_grid(base, width, seed), everywhere(guide))
            latents = paint(base, canvas, settings)[0, :, ::-1]
            with atomic_path(path) as partial, partial.open("wb") as stream:
                np.save(stream, latents)
        found.append(np.load(path))
        if progress:
            progress(seed + 1, count)
    return Prior(torch.from_numpy(np.stack(found)))
