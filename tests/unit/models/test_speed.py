"""What makes Stable Diffusion faster: other convolutions, and features that are used again."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sonoriff.errors import ParameterError
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel
from sonoriff.models.stable_diffusion import winograd
from sonoriff.models.stable_diffusion.model import StableDiffusionModel
from sonoriff.models.stable_diffusion.reuse import Rows, step
from sonoriff.pipeline.generate import GenerateSettings, generate


@pytest.fixture(scope="module")
def model(stable_diffusion_folder: Path) -> StableDiffusionModel:
    loaded = load_model(stable_diffusion_folder, dtype=torch.float32)
    assert isinstance(loaded, StableDiffusionModel)
    return loaded


@pytest.mark.parametrize("channels", [(256, 320), (1280, 256)])
@pytest.mark.parametrize("size", [(9, 13), (1, 1), (8, 8)])
def test_the_short_way_gives_what_the_convolution_gives(
    channels: tuple[int, int], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(*channels, 3, padding=1)).requires_grad_(False)
    x = torch.randn(2, channels[0], *size)
    expected = network(x)
    winograd.quicken(network)
    assert torch.equal(network(x), expected), "outside inference mode nothing changes"
    # Errors are below 5e-5 of the spread in the model's own sizes; rounding, not approximation.
    near = {"atol": 2e-4 * float(expected.std()), "rtol": 0.0} if expected.numel() > 1 else {}
    with torch.inference_mode():
        torch.testing.assert_close(network(x), expected, **near)
        whole = network(x)
        monkeypatch.setattr(winograd, "_STRIP_NUMBERS", 1)
        torch.testing.assert_close(network(x), whole)


def test_changed_weights_are_heard_and_learning_is_untouched() -> None:
    network = nn.Sequential(nn.Conv2d(256, 256, 3, padding=1))
    winograd.quicken(network)
    x = torch.randn(1, 256, 4, 4)
    with torch.inference_mode():
        before = network(x)
    (network(x) ** 2).mean().backward()
    weight = network[0].weight
    assert weight.grad is not None
    with torch.no_grad():
        weight.mul_(2.0)
    assert copy.deepcopy(network)(x).shape == before.shape
    with torch.inference_mode():
        plain = F.conv2d(x, weight, network[0].bias, padding=1)
        torch.testing.assert_close(network(x), plain, atol=1e-3, rtol=1e-3)


def test_other_convolutions_are_left_alone() -> None:
    others = [nn.Conv2d(256, 256, 3, padding=1, stride=2), nn.Conv2d(256, 256, 1)]
    others += [nn.Conv2d(4, 256, 3, padding=1), nn.Conv2d(256, 256, 3, padding=1, groups=2)]
    for other in others:
        winograd.quicken(other)
        assert "forward" not in vars(other)


def rows(model: StableDiffusionModel) -> Rows:
    (term,) = model.encode_prompt(parse_prompt("jazz"), MusicAttributes())
    return model.collate([term.embedding], [None], 64)


def test_the_outer_layers_with_fresh_features_give_the_whole(model: StableDiffusionModel) -> None:
    x, batch = torch.randn(1, 4, 64, 16), rows(model)
    time = torch.tensor(500.0)
    with torch.inference_mode():
        whole = step(model.unet, x, time, batch, 1)
        batch.steps = 0
        torch.testing.assert_close(step(model.unet, x, time, batch, 2), whole)
        # The second step takes the features of the first: of the same input, so the same.
        torch.testing.assert_close(step(model.unet, x, time, batch, 2), whole)
        other = step(model.unet, x + 1, time, batch, 2)
        torch.testing.assert_close(other, step(model.unet, x + 1, time, rows(model), 1))


def test_reuse_computes_the_inner_layers_at_every_second_step(model: StableDiffusionModel) -> None:
    settings = GenerateSettings(prompt="organ", num_inference_steps=6, sampler="ddim")
    calls: list[int] = []
    handle = model.unet.mid_block.register_forward_hook(lambda *_: calls.append(1))
    try:
        exact = generate(model, settings)
        assert len(calls) == 6
        reused = generate(replace(model, reuse=2), settings)
        assert len(calls) == 9
    finally:
        handle.remove()
    assert reused.settings["model"] == "tiny-riffusion + reuse:2"
    difference = abs(exact.sonogram.values - reused.sonogram.values).mean()
    assert 0 < difference < 0.5 * exact.sonogram.values.std()


def test_reuse_is_refused_where_it_has_no_meaning(
    stable_diffusion_folder: Path, small_model: SmallModel, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError, match="reuse must be"):
        load_model(stable_diffusion_folder, reuse=0)
    small_model.save_pretrained(tmp_path / "small")
    with pytest.raises(ParameterError, match="no inner layers"):
        load_model(tmp_path / "small", reuse=2)
