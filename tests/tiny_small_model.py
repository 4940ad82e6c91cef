"""A model of the bundled kind with random weights; its cells are those of the real one."""

from __future__ import annotations

from pathlib import Path

import torch

from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.models.small.torch.denoiser import Denoiser
from sonoriff.models.small.torch.networks import TorchNetworks


def save_tiny(folder: Path) -> Path:
    """Write such a model as a folder, in float32."""
    coder = AutoencoderConfig(
        latent_channels=4,
        widths=(8, 8, 8),
        encoder_blocks=(1, 0, 0),
        decoder_blocks=(1, 0, 0),
        strides=((4, 2), (2, 1)),
    )
    torch.manual_seed(0)
    autoencoder = SonogramAutoencoder(coder)
    # A fresh one has zeros at its ends, and each cell would stand alone: no join could be heard.
    for part in (autoencoder.encoder, autoencoder.decoder):
        for layer in part.layers.modules():
            if isinstance(layer, torch.nn.Conv2d):
                torch.nn.init.normal_(layer.weight, std=0.03)
    # A linear code of random directions: what is painted then depends on what was there.
    basis = torch.linalg.qr(torch.randn(256, 4)).Q.T
    autoencoder.set_linear(0.25 * basis, torch.tensor(-0.2))
    small = {"grid_width": 8, "width": 64, "depth": 2, "heads": 1}
    denoiser = Denoiser(DenoiserConfig(latent_channels=6, stereo=True, **small))
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    trained = SmallModel(TorchNetworks(autoencoder.eval(), denoiser.eval()), {"name": "tiny"})
    trained.save_pretrained(folder, dtype="float32")
    return folder
