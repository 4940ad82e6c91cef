"""From runs to models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from sonoriff.errors import CheckpointError
from sonoriff.models.small.autoencoder import AutoencoderConfig, SonogramAutoencoder
from sonoriff.models.small.denoiser import Denoiser, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.training.checkpoint import find_checkpoint


def _averaged(run: Path, recipe: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    checkpoint = find_checkpoint(run)
    if checkpoint is None:
        raise CheckpointError(f"{run} holds no checkpoint: train first, or name the run's folder")
    state = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    if state["facts"]["recipe"] != recipe:
        raise CheckpointError(f"{run} is a run of {state['facts']['recipe']}, expected {recipe}")
    return state, load_file(checkpoint / "ema.safetensors")


def load_autoencoder(run: Path) -> SonogramAutoencoder:
    """The autoencoder of a model folder, or the averaged one of a run, ready to code latents.

    The scale of its latents is part of it, see `measure_latents`: an autoencoder whose scale was
    not measured yet raises CheckpointError.
    """
    if (run / "model_index.json").exists():
        return SmallModel.from_pretrained(run, dtype=torch.float32).autoencoder
    state, tensors = _averaged(run, "autoencoder")
    model = SonogramAutoencoder(AutoencoderConfig.from_dict(state["facts"]["model"]))
    model.load_state_dict(tensors)
    if bool((model.latent_scale == 1).all()):
        raise CheckpointError(f"{run} has not finished: the scale of its latents is not measured")
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def export_model(denoiser_run: Path, autoencoder_run: Path, output: Path, *, name: str) -> None:
    """Write the averaged weights of both runs as a model folder, float16 safetensors."""
    state, tensors = _averaged(denoiser_run, "denoiser")
    denoiser = Denoiser(DenoiserConfig.from_dict(state["facts"]["model"]))
    denoiser.load_state_dict(tensors)
    steps = state["facts"].get("steps_before", 0) + state["step"]
    facts = {"name": name, "denoiser_steps": steps}
    model = SmallModel(load_autoencoder(autoencoder_run), denoiser.eval(), facts)
    model.save_pretrained(output)
