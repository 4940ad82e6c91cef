"""LoRAs for Stable Diffusion as the world's training scripts write them, by their exact names."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn

from sonoriff.models.lora import Lora, merge_lora
from sonoriff.models.torch_layers import layers_of

RANK, ALPHA = 2, 1.0
UNET = "down_blocks.0.attentions.0.transformer_blocks.0"
PARTS = [f"{UNET}.attn{n}.to_{part}" for n in (1, 2) for part in ("q", "k", "v", "out.0")]
TEXT = "encoder.layers.0.self_attn.q_proj"

Tensors = dict[str, torch.Tensor]
Namer = Callable[[str], tuple[str, str]]


def factors(module: nn.Module, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    assert isinstance(module, nn.Linear)
    generator = torch.Generator().manual_seed(seed)
    down = torch.randn(RANK, module.in_features, generator=generator)
    return down, torch.randn(module.out_features, RANK, generator=generator)


def of_todays_script(part: str) -> tuple[str, str]:
    """`train_text_to_image_lora.py` of diffusers, as peft names them."""
    return f"unet.{part}.lora_A.weight", f"unet.{part}.lora_B.weight"


def of_the_script_with_peft(part: str) -> tuple[str, str]:
    """The same script from 0.22 on: peft's layers under diffusers' names."""
    return f"unet.{part}.lora.down.weight", f"unet.{part}.lora.up.weight"


def of_the_old_script(part: str) -> tuple[str, str]:
    """The same script until 0.21: in the attention processors."""
    block, layer = part.removesuffix(".0").rsplit(".", 1)
    stem = f"unet.{block}.processor.{layer}_lora"
    return f"{stem}.down.weight", f"{stem}.up.weight"


def of_the_oldest_script(part: str) -> tuple[str, str]:
    """`unet.save_attn_procs` until 0.16: the same without the name of the network."""
    down, up = of_the_old_script(part)
    return down.removeprefix("unet."), up.removeprefix("unet.")


def of_kohya(part: str) -> tuple[str, str]:
    stem = f"lora_unet_{part.replace('.', '_')}"
    return f"{stem}.lora_down.weight", f"{stem}.lora_up.weight"


def lora_of(unet: nn.Module, namer: Namer) -> Tensors:
    tensors: Tensors = {}
    for seed, part in enumerate(PARTS):
        down, up = namer(part)
        tensors[down], tensors[up] = factors(unet.get_submodule(part), seed)
        if namer is of_kohya:
            tensors[down.replace("lora_down.weight", "alpha")] = torch.tensor(ALPHA)
    return tensors


@pytest.fixture
def pipeline(stable_diffusion_folder: Path) -> StableDiffusionPipeline:
    """Tiny, with a UNet whose first block has attention, as in Stable Diffusion v1.5."""
    found = StableDiffusionPipeline.from_pretrained(stable_diffusion_folder)
    config = dict(found.unet.config)
    for blocks in ("down_block_types", "up_block_types"):
        config[blocks] = tuple(reversed(config[blocks]))
    torch.manual_seed(0)
    found.unet = UNet2DConditionModel.from_config(config).requires_grad_(False)
    return found


@pytest.mark.parametrize(
    ("namer", "in_diffusers"),
    [
        (of_todays_script, True),
        (of_the_script_with_peft, True),
        (of_the_old_script, True),
        (of_the_oldest_script, False),
        (of_kohya, True),
    ],
)
def test_a_public_lora_changes_the_unet_as_in_diffusers(
    pipeline: StableDiffusionPipeline, tmp_path: Path, namer: Namer, in_diffusers: bool
) -> None:
    plain, ours = pipeline.unet, copy.deepcopy(pipeline.unet)
    save_file(lora_of(plain, namer), tmp_path / "pytorch_lora_weights.safetensors")
    assert merge_lora({"unet": layers_of(ours)}, Lora(tmp_path)) == len(PARTS)
    strength = ALPHA / RANK if namer is of_kohya else 1.0
    for seed, part in enumerate(PARTS):
        module = plain.get_submodule(part)
        down, up = factors(module, seed)
        expected = module.get_parameter("weight") + strength * up @ down
        torch.testing.assert_close(ours.get_submodule(part).weight, expected)
    changed = [n for n, w in plain.state_dict().items() if not torch.equal(w, ours.state_dict()[n])]
    assert sorted(changed) == sorted(f"{part}.weight" for part in PARTS)
    if not in_diffusers:  # it no longer reads what it once wrote
        return
    pipeline.load_lora_weights(tmp_path)
    torch.manual_seed(0)
    x, states = torch.randn(1, 4, 16, 16), torch.randn(1, 77, plain.config.cross_attention_dim)
    with torch.no_grad():
        mine, theirs = (
            unet(x, 500, encoder_hidden_states=states).sample for unet in (ours, pipeline.unet)
        )
    torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("part", "halves"),
    [
        (f"text_encoder.text_model.{TEXT}.lora_linear_layer", ("down", "up")),
        (f"text_encoder.text_model.{TEXT}.lora", ("down", "up")),
        (f"text_encoder.text_model.{TEXT}", ("lora_A", "lora_B")),
        (f"lora_te_text_model_{TEXT.replace('.', '_')}", ("lora_down", "lora_up")),
    ],
)
def test_a_public_lora_changes_the_text_encoder(
    pipeline: StableDiffusionPipeline, tmp_path: Path, part: str, halves: tuple[str, str]
) -> None:
    plain, ours = pipeline.text_encoder, copy.deepcopy(pipeline.text_encoder)
    names = [name for name, _ in plain.named_modules() if name.endswith(TEXT)]
    assert len(names) == 1
    module = plain.get_submodule(names[0])
    down, up = factors(module, 0)
    tensors = {f"{part}.{half}.weight": t for half, t in zip(halves, (down, up), strict=True)}
    save_file(tensors, tmp_path / "style.safetensors")
    assert merge_lora({"text_encoder": layers_of(ours)}, Lora(tmp_path / "style.safetensors")) == 1
    torch.testing.assert_close(
        ours.get_submodule(names[0]).weight, module.get_parameter("weight") + up @ down
    )
