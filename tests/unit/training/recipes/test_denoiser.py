"""The denoiser's recipe: where a run begins and what it stores."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sonoriff.errors import CheckpointError
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.models.small.torch.denoiser import Denoiser
from sonoriff.models.small.torch.networks import TorchNetworks, torch_networks
from sonoriff.training.config import LoopConfig
from sonoriff.training.data.latents import latents_digest
from sonoriff.training.export import export_model, load_autoencoder
from sonoriff.training.loop import train
from sonoriff.training.recipes.denoiser import DenoiserRecipe
from tiny_recipes import CODER, SHAPE, SPLITS, latent_set


def recipe(start: SmallModel | None = None) -> DenoiserRecipe:
    return DenoiserRecipe(
        latent_set(*SPLITS), SonogramAutoencoder(CODER).eval(), SHAPE, start=start
    )


def test_a_new_denoiser_knows_where_the_latents_lie() -> None:
    denoiser = recipe().build()
    assert isinstance(denoiser, Denoiser)
    assert float(denoiser.level.mean()) == pytest.approx(3, abs=0.3)
    assert float(denoiser.spread.mean()) == pytest.approx(2, abs=0.3)


def test_a_run_goes_on_from_an_exported_model_and_counts_its_steps(tmp_path: Path) -> None:
    coder = SonogramAutoencoder(CODER).eval()
    coder.latent_scale.fill_(2.0)
    torch.manual_seed(1)
    networks = TorchNetworks(coder, Denoiser(SHAPE).eval())
    first = SmallModel(networks, {"name": "first", "denoiser_steps": 7})
    first.save_pretrained(tmp_path / "first")
    start = SmallModel.from_pretrained(tmp_path / "first", precision="float32", backend="torch")

    again = recipe(start)
    built = again.build().state_dict()
    for name, tensor in torch_networks(start).denoiser.state_dict().items():
        assert torch.equal(built[name], tensor), name

    again.sample = lambda *_: None  # type: ignore[method-assign]
    train(again, LoopConfig(steps=2, batch_size=2, learning_rate=1e-3), tmp_path / "run")
    export_model(tmp_path / "run", tmp_path / "first", tmp_path / "second", name="second")
    second = SmallModel.from_pretrained(tmp_path / "second")
    assert second.facts["denoiser_steps"] == 9
    assert torch.equal(load_autoencoder(tmp_path / "first").latent_scale, coder.latent_scale)


def test_a_folder_that_holds_neither_run_nor_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_autoencoder(tmp_path)


def test_a_decoder_that_has_learnt_more_keeps_the_latents() -> None:
    coder = SonogramAutoencoder(CODER)
    before = latents_digest(coder)
    with torch.no_grad():
        coder.decoder.linear.weight += 1.0
    assert latents_digest(coder) == before
    with torch.no_grad():
        coder.encoder.linear.weight += 1.0
    assert latents_digest(coder) != before
