"""The denoiser's recipe: where a run begins and what it stores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sonoriff.errors import CheckpointError
from sonoriff.models.small.autoencoder import AutoencoderConfig, SonogramAutoencoder
from sonoriff.models.small.denoiser import Denoiser, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.training.config import LoopConfig
from sonoriff.training.denoiser import DenoiserRecipe
from sonoriff.training.export import export_model, load_autoencoder
from sonoriff.training.latents import LatentSet, latents_digest
from sonoriff.training.loop import train

SHAPE = DenoiserConfig(latent_channels=4, grid_width=8, width=64, depth=1, heads=1)
CODER = AutoencoderConfig(
    latent_channels=4,
    widths=(8, 8, 8),
    encoder_blocks=(1, 1, 1),
    decoder_blocks=(1, 1, 1),
    strides=((4, 2), (2, 1)),
)


def latent_set(n: int = 8) -> LatentSet:
    random = np.random.default_rng(0)
    latents = (random.normal(size=(n, 4, 8, 8)) * 2 + 3).astype(np.float16)
    text = random.normal(size=(n, 384)).astype(np.float16)
    splits = ["train"] * (n - 2) + ["validation"] * 2
    return LatentSet(
        latents=[latents],
        text=[text],
        spans=[[(i, i + 1)] for i in range(n)],
        entries=[{"split": split, "facts": {"bpm": 120, "key": "A"}} for split in splits],
        places=[(0, i) for i in range(n)],
    )


def recipe(start: SmallModel | None = None) -> DenoiserRecipe:
    return DenoiserRecipe(latent_set(), SonogramAutoencoder(CODER).eval(), SHAPE, start=start)


def test_a_new_denoiser_knows_where_the_latents_lie() -> None:
    denoiser = recipe().build()
    assert isinstance(denoiser, Denoiser)
    assert float(denoiser.level.mean()) == pytest.approx(3, abs=0.3)
    assert float(denoiser.spread.mean()) == pytest.approx(2, abs=0.3)


def test_a_run_goes_on_from_an_exported_model_and_counts_its_steps(tmp_path: Path) -> None:
    coder = SonogramAutoencoder(CODER).eval()
    coder.latent_scale.fill_(2.0)
    torch.manual_seed(1)
    first = SmallModel(coder, Denoiser(SHAPE).eval(), {"name": "first", "denoiser_steps": 7})
    first.save_pretrained(tmp_path / "first")
    start = SmallModel.from_pretrained(tmp_path / "first", dtype=torch.float32)

    again = recipe(start)
    built = again.build().state_dict()
    for name, tensor in start.denoiser.state_dict().items():
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
