"""Parts that many tests share: real ones, tiny."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sonoriff import threads

if TYPE_CHECKING:
    from postgresql_server import PostgresqlServer
    from sonoriff.models.small.model import SmallModel


# Before torch is loaded: its threads do not spin while they wait, as in the program itself; beside
# busy processes the tests of tiny models took a hundred times as long. Their number is fixed, since
# the last bits of a sum depend on it.
os.environ.setdefault("OMP_NUM_THREADS", str(threads.usable_cores()))
for _name, _value in threads.SPIN.items():
    os.environ.setdefault(_name, _value)


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> SmallModel:
    """A model of the bundled kind with random weights; its cells are those of the real one.

    Shared by all tests: not to be changed.
    """
    import torch

    from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
    from sonoriff.models.small.model import SmallModel
    from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
    from sonoriff.models.small.torch.denoiser import Denoiser
    from sonoriff.models.small.torch.networks import TorchNetworks

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
    shape = DenoiserConfig(latent_channels=6, stereo=True, grid_width=8, width=64, depth=2, heads=1)
    denoiser = Denoiser(shape)
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    trained = SmallModel(TorchNetworks(autoencoder.eval(), denoiser.eval()), {"name": "tiny"})
    trained.save_pretrained(folder, dtype="float32")
    return SmallModel.from_pretrained(folder, precision="float32")


@pytest.fixture(scope="session")
def stable_diffusion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stable Diffusion's own parts in diffusers layout, tiny, with random weights.

    Shared by all tests: not to be changed; copy it first. A latent cell covers 8 x 8 pixels as in
    the real one, a window is 16 cells wide, the tokenizer knows single letters.
    """
    import tiny_stable_diffusion

    folder = tmp_path_factory.mktemp("models") / "tiny-riffusion"
    tiny_stable_diffusion.save(folder)
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A real PostgreSQL; tests take a database each."""
    from postgresql_server import find_programs, running_postgresql

    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgresql(programs) as server:
        yield server
