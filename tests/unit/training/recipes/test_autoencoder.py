"""The recipes where there is little music, and where the model is on another device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tiny_recipes
from sonoriff.errors import CorpusError
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.torch.denoiser import Denoiser
from sonoriff.models.small.torch.networks import torch_networks
from sonoriff.pipeline.clip import Clip
from sonoriff.sonogram import Sonogram
from sonoriff.sonogram.params import HIFI
from sonoriff.training.config import LoopConfig
from sonoriff.training.loop import train
from sonoriff.training.recipes import autoencoder, denoiser
from sonoriff.training.recipes.autoencoder import measure_latents

META = torch.device("meta")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that every machine has: it knows shapes only, so that a figure of it is made up."""
    monkeypatch.setattr(torch.Tensor, "__float__", lambda _: 0.5)


def test_without_held_out_clips_the_sheet_shows_training_clips(tmp_path: Path) -> None:
    settings = LoopConfig(steps=2, batch_size=2, learning_rate=1e-3, precision="no")
    train(tiny_recipes.autoencoder_recipe("train", "train"), settings, tmp_path)
    assert (tmp_path / "samples" / "step-0000002.png").exists()
    assert "validation" not in (tmp_path / "log.jsonl").read_text()


@pytest.mark.parametrize("make", [tiny_recipes.autoencoder_recipe, tiny_recipes.denoiser_recipe])
def test_without_training_clips_the_corpus_is_named(make: Any) -> None:
    with pytest.raises(CorpusError, match="nothing to learn from"):
        make("validation", "test")


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", ["autoencoder", "denoiser"])
def test_a_batch_goes_where_the_model_is(name: str) -> None:
    recipe = tiny_recipes.RECIPES[name]()
    model = recipe.build().to(META)
    loss, _ = recipe.loss(model, torch.Generator().manual_seed(0), 2)
    assert loss.device == META
    assert recipe.validate(model)


@pytest.mark.usefixtures("elsewhere")
def test_sheet_and_scale_are_made_where_the_model_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipes.autoencoder_recipe("train", "train", "validation")
    model = recipe.build().to(META)
    measure_latents(model, recipe.pictures)  # type: ignore[arg-type]
    shown: list[tuple[str, torch.Tensor]] = []
    monkeypatch.setattr(autoencoder, "save_sheet", lambda _, rows, **__: shown.extend(rows))
    monkeypatch.setattr(autoencoder, "sonogram_from_picture", lambda _: None)
    monkeypatch.setattr(autoencoder, "save_sounds", lambda *_: None)
    recipe.sample(model, tmp_path, 1)
    assert [picture.device for _, picture in shown] == [META, META]


def test_a_sheet_is_painted_on_one_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[object] = []

    def painted(small: SmallModel, _: Any) -> Clip:
        networks = torch_networks(small)
        places.extend((str(networks.autoencoder.latent_mean.device), small.device))
        return Clip(Sonogram(np.full((1, 256, 512), HIFI.db_min, np.float32), HIFI))

    monkeypatch.setattr(denoiser, "generate", painted)
    recipe = tiny_recipes.denoiser_recipe("train", "validation")
    model = recipe.build()
    assert isinstance(model, Denoiser)
    recipe.sample(model.to(META), tmp_path, 1)
    assert places == ["meta", "meta"]
