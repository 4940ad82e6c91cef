"""One training step of a full-size Stable Diffusion v1.5 UNet with random weights: memory, time.

Usage: python -m benchmarks.fine_tuning [--lora] [--batch-size N] [--ema]
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from sonoriff.corpus.manifest import ClipLabels, CorpusClip
from sonoriff.diffusion.schedule import scaled_linear_schedule
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.training.adapters import LoraConfig
from sonoriff.training.config import LoopConfig
from sonoriff.training.data.posteriors import DiffusionData
from sonoriff.training.ema import AveragedModel
from sonoriff.training.optimizer import make_optimizer
from sonoriff.training.recipes.stable_diffusion import DiffusionConfig, StableDiffusionRecipe


def make_recipe(*, lora: bool) -> StableDiffusionRecipe:
    """Two random clips, one random caption."""
    clip = CorpusClip("00.flac", ("music",), ClipLabels(), "train", "file", "CC0-1.0")
    posteriors = np.random.default_rng(0).normal(size=(2, 8, 64, 64)).astype(np.float16)
    states = np.random.default_rng(1).normal(size=(77, 768)).astype(np.float16)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768).to(device)
    base = StableDiffusionModel(
        unet=unet,
        vae=AutoencoderKL(),
        text_encoder=None,
        tokenizer=None,
        schedule=scaled_linear_schedule(prediction="noise"),
        title="random",
    )
    return StableDiffusionRecipe(
        DiffusionData([posteriors], [clip, clip], [(0, 0), (0, 1)]),
        base,
        DiffusionConfig(prediction="noise", gradient_checkpointing=True),
        {"music": states, "": states},
        None,
        LoraConfig() if lora else None,
        "random",
        ("music",),
    )


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lora", action="store_true")
    parser.add_argument("--ema", action="store_true")
    parser.add_argument("--batch-size", type=int, default=1)
    wanted = parser.parse_args()
    config = LoopConfig(steps=1, batch_size=wanted.batch_size, learning_rate=1e-5)
    recipe = make_recipe(lora=wanted.lora)
    model = recipe.build()
    average = AveragedModel(model, 0.999 if wanted.ema else 0.0)
    optimizer = make_optimizer(model, config)
    started = time.monotonic()
    loss, _ = recipe.loss(model, torch.Generator().manual_seed(0), config.batch_size)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
    optimizer.step()
    average.update(model)
    seconds = time.monotonic() - started
    cuda = torch.cuda.is_available()
    peak = torch.cuda.max_memory_allocated() if cuda else _peak_resident()
    row = {
        "trained": "LoRA" if wanted.lora else "all",
        "parameters": sum(p.numel() for p in model.parameters()),
        "batch_size": wanted.batch_size,
        "average": wanted.ema,
        "device": "cuda" if cuda else "cpu",
        "loss": round(float(loss.detach()), 4),
        "step_s": round(seconds, 1),
        "peak_gb": round(peak / 1e9, 2),
    }
    print(json.dumps(row))


def _peak_resident() -> int:
    """Bytes; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
