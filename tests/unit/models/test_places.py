"""Where Stable Diffusion comes from: one file in the original layout, and the hub's cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import original_layout
from sonoriff.errors import CheckpointError
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.registry import list_models, load_model
from sonoriff.models.stable_diffusion.hub import CONFIG_REPOSITORY
from sonoriff.models.stable_diffusion.model import StableDiffusionModel


def loaded(place: Path | str) -> StableDiffusionModel:
    model = load_model(place, dtype=torch.float32)
    assert isinstance(model, StableDiffusionModel)
    return model


def assert_same(a: StableDiffusionModel, b: StableDiffusionModel) -> None:
    """Equal text, predictions, latents and pictures."""
    rows = [m.encode_prompt(parse_prompt("jazz"), MusicAttributes())[0].embedding for m in (a, b)]
    torch.testing.assert_close(rows[0], rows[1])
    x = np.random.default_rng(0).standard_normal((1, 4, 64, 8), np.float32)
    predictions = [
        m.predict(x, 0.5, m.collate([row], [None], x.shape[-1]))
        for m, row in zip((a, b), rows, strict=True)
    ]
    np.testing.assert_allclose(predictions[0], predictions[1], atol=1e-5)
    np.testing.assert_allclose(a.decode(x), b.decode(x), atol=1e-5)
    picture = np.random.default_rng(0).random((1, 1, 512, 64), np.float32)
    np.testing.assert_allclose(a.encode(picture), b.encode(picture), atol=1e-5)


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and a hub that nothing answers at; the cache's folder."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return cache


def cached(folder: Path, cache: Path, name: str) -> None:
    """Put a folder into the hub's cache under a name, as a download would."""
    root = cache / f"models--{name.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(folder, root / "snapshots" / commit)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(commit)


def test_a_single_file_beside_a_configuration_is_the_model_it_was_made_of(
    stable_diffusion_folder: Path, tmp_path: Path
) -> None:
    for part in ("model_index.json", "scheduler", "tokenizer"):
        source = stable_diffusion_folder / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / part)
    for part in ("unet", "vae", "text_encoder"):
        (tmp_path / part).mkdir()
        shutil.copy(stable_diffusion_folder / part / "config.json", tmp_path / part)
    file = tmp_path / "whole.safetensors"
    original_layout.save(stable_diffusion_folder, file)
    model = loaded(file)
    assert model.name == "whole"
    assert_same(model, loaded(stable_diffusion_folder))


def test_a_single_file_takes_its_configuration_from_the_hubs_cache(
    stable_diffusion_folder: Path, tmp_path: Path, no_network: Path
) -> None:
    file = tmp_path / "whole.safetensors"
    original_layout.save(stable_diffusion_folder, file)
    with pytest.raises(CheckpointError, match="connect to the network once"):
        load_model(file)
    cached(stable_diffusion_folder, no_network, CONFIG_REPOSITORY)
    assert_same(loaded(file), loaded(stable_diffusion_folder))


def test_a_single_file_with_weights_missing_is_refused(
    stable_diffusion_folder: Path, tmp_path: Path, no_network: Path
) -> None:
    from safetensors.torch import load_file, save_file

    cached(stable_diffusion_folder, no_network, CONFIG_REPOSITORY)
    file = tmp_path / "whole.safetensors"
    original_layout.save(stable_diffusion_folder, file)
    tensors = load_file(file)
    for key in ("model.diffusion_model.out.2.weight", "first_stage_model.quant_conv.weight"):
        save_file({k: v for k, v in tensors.items() if k != key}, file)
        with pytest.raises(CheckpointError, match="weights are missing"):
            load_model(file)
    save_file({"nothing": torch.zeros(1)}, file)
    with pytest.raises(CheckpointError, match="weights are missing"):
        load_model(file)


def test_the_hub_is_not_asked_for_what_is_in_its_cache(
    stable_diffusion_folder: Path, no_network: Path
) -> None:
    cached(stable_diffusion_folder, no_network, "someone/riffs")
    model = loaded("someone/riffs")
    assert model.name == "someone/riffs"
    assert_same(model, loaded(stable_diffusion_folder))
    (found,) = [m for m in list_models() if m.origin == "downloaded"]
    assert (found.name, found.kind) == ("someone/riffs", "stable diffusion")


def test_what_is_not_here_is_not_fetched_unasked(no_network: Path) -> None:
    with pytest.raises(CheckpointError, match="sonoriff models fetch riffusion/riffusion-model-v1"):
        load_model("riffusion/riffusion-model-v1")
    assert not list(no_network.rglob("*.safetensors"))


def test_a_model_of_the_hub_in_pickles_is_refused_with_what_to_do(
    stable_diffusion_folder: Path, tmp_path: Path, no_network: Path
) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(stable_diffusion_folder, folder)
    for file in (folder / "unet").glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))
    cached(folder, no_network, "someone/old")
    with pytest.raises(CheckpointError, match="sonoriff models fetch someone/old"):
        load_model("someone/old")
