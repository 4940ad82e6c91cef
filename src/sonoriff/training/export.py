"""From runs to models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file
from torch import nn

from sonoriff.errors import CheckpointError
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.sides import CHANNELS
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.models.small.torch.denoiser import Denoiser
from sonoriff.models.small.torch.networks import TorchNetworks
from sonoriff.sonogram.params import HIFI
from sonoriff.training.checkpoint import damage_in_words, find_checkpoint, read_state

Network = TypeVar("Network", bound=nn.Module)


def _averaged(
    run: Path, recipe: str, build: Callable[[dict[str, Any]], Network]
) -> tuple[dict[str, Any], Network]:
    """State of a run, and its averaged weights in the network that `build` makes of a shape."""
    checkpoint = find_checkpoint(run)
    if checkpoint is None:
        raise CheckpointError(f"{run} holds no checkpoint: train first, or name the run's folder")
    with damage_in_words(f"cannot load the {recipe} of {checkpoint}"):
        state = read_state(checkpoint)
        if state["facts"]["recipe"] != recipe:
            raise CheckpointError(
                f"{run} is a run of {state['facts']['recipe']}, expected {recipe}"
            )
        model = build(state["facts"]["model"])
        model.load_state_dict(load_file(checkpoint / "ema.safetensors"))
    return state, model


def check_fit(denoiser: DenoiserConfig, autoencoder: SonogramAutoencoder) -> None:
    """Raises CheckpointError where the one does not paint the latents of the other."""
    config = autoencoder.config
    sides = CHANNELS if denoiser.stereo else 0
    made = (config.latent_channels + sides, HIFI.n_mels // config.cell[0])
    painted = (denoiser.latent_channels, denoiser.latent_rows)
    if made != painted:
        raise CheckpointError(
            f"the denoiser paints latents of {painted[0]} channels and {painted[1]} rows, the "
            f"autoencoder's have {made[0]} and {made[1]}: name the autoencoder it was trained with"
        )


def load_autoencoder(run: Path) -> SonogramAutoencoder:
    """The autoencoder of a model folder, or the averaged one of a run, ready to code latents.

    The scale of its latents is part of it, see `measure_latents`: an autoencoder whose scale was
    not measured yet raises CheckpointError, as one that is damaged or of another version does.
    """
    if (run / "model_index.json").exists():
        return TorchNetworks.from_folder(run).autoencoder
    _, model = _averaged(
        run, "autoencoder", lambda shape: SonogramAutoencoder(AutoencoderConfig.from_dict(shape))
    )
    if bool((model.latent_scale == 1).all()):
        raise CheckpointError(f"{run} has not finished: the scale of its latents is not measured")
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def export_model(denoiser_run: Path, autoencoder_run: Path, output: Path, *, name: str) -> None:
    """Write the averaged weights of both runs as a model folder, float16 safetensors.

    Raises CheckpointError where one of them is missing, damaged, of another version, or of a shape
    that the other does not fit.
    """
    state, denoiser = _averaged(
        denoiser_run, "denoiser", lambda shape: Denoiser(DenoiserConfig.from_dict(shape))
    )
    autoencoder = load_autoencoder(autoencoder_run)
    check_fit(denoiser.config, autoencoder)
    steps = state["facts"].get("steps_before", 0) + state["step"]
    facts = {"name": name, "denoiser_steps": steps}
    SmallModel(TorchNetworks(autoencoder, denoiser.eval()), facts).save_pretrained(output)
