"""LoRA files against the libraries that made them: the change that peft or diffusers makes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file
from torch import nn

from sonoriff.errors import CheckpointError
from sonoriff.models.lora import Lora, merge_lora
from sonoriff.models.prompts import parse_prompt
from sonoriff.models.protocol import MusicAttributes
from sonoriff.models.registry import load_model
from sonoriff.models.small.model import SmallModel
from sonoriff.models.torch_layers import layers_of

TO_Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
KOHYA = f"lora_unet_{TO_Q.replace('.', '_')}"
CONV = "down_blocks.0.resnets.0.conv1"


@pytest.fixture(scope="module")
def pipeline(stable_diffusion_folder: Path) -> StableDiffusionPipeline:
    return StableDiffusionPipeline.from_pretrained(
        stable_diffusion_folder, safety_checker=None, local_files_only=True
    )


def pair(rank: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(rank, 16, generator=generator), torch.randn(16, rank, generator=generator)


def kohya(**more: torch.Tensor) -> dict[str, torch.Tensor]:
    down, up = pair()
    tensors = {f"{KOHYA}.lora_down.weight": down, f"{KOHYA}.lora_up.weight": up}
    return {**tensors, **{name.replace("__", "."): tensor for name, tensor in more.items()}}


def assert_equal(ours: nn.Module, theirs: nn.Module) -> None:
    expected = dict(theirs.named_parameters())
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight, expected[name], atol=1e-5, rtol=1e-5)


def adapted(network: nn.Module, seed: int, **config: Any) -> Any:
    torch.manual_seed(seed)
    wanted = peft.LoraConfig(init_lora_weights=False, **config)
    return peft.get_peft_model(copy.deepcopy(network), wanted)


def injected(network: nn.Module, **config: Any) -> Any:
    """As the training scripts of diffusers add an adapter."""
    torch.manual_seed(1)
    copied: Any = copy.deepcopy(network)
    copied.add_adapter(peft.LoraConfig(init_lora_weights=False, **config))
    return copied


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
@pytest.mark.parametrize("rslora", [False, True])
@pytest.mark.parametrize("text_alpha", [4, 32])
def test_each_network_has_the_alpha_that_diffusers_noted_for_it(
    pipeline: StableDiffusionPipeline,
    stable_diffusion_folder: Path,
    tmp_path: Path,
    text_alpha: int,
    rslora: bool,
) -> None:
    unet = injected(pipeline.unet, r=4, lora_alpha=4, target_modules=["to_q", "to_v"])
    text = injected(
        pipeline.text_encoder,
        r=4,
        lora_alpha=text_alpha,
        use_rslora=rslora,
        target_modules=["q_proj", "v_proj"],
        alpha_pattern={"v_proj": 7},
    )
    StableDiffusionPipeline.save_lora_weights(
        tmp_path,
        unet_lora_layers=peft.get_peft_model_state_dict(unet),
        text_encoder_lora_layers=peft.get_peft_model_state_dict(text),
        unet_lora_adapter_metadata=unet.peft_config["default"].to_dict(),
        text_encoder_lora_adapter_metadata=text.peft_config["default"].to_dict(),
    )
    ours = {name: copy.deepcopy(getattr(pipeline, name)) for name in ("unet", "text_encoder")}
    merge_lora({name: layers_of(network) for name, network in ours.items()}, Lora(tmp_path))
    theirs = StableDiffusionPipeline.from_pretrained(
        stable_diffusion_folder, safety_checker=None, local_files_only=True
    )
    theirs.load_lora_weights(tmp_path)
    theirs.fuse_lora()
    theirs.unload_lora_weights()
    assert_equal(ours["unet"], theirs.unet)
    assert_equal(ours["text_encoder"], theirs.text_encoder)
    plain = pipeline.text_encoder.get_parameter("encoder.layers.0.self_attn.q_proj.weight")
    changed = ours["text_encoder"].get_parameter("encoder.layers.0.self_attn.q_proj.weight")
    assert float((changed - plain).detach().abs().max()) > 0.1


@pytest.mark.filterwarnings("ignore:The following alpha_pattern keys:RuntimeWarning")
@pytest.mark.parametrize(
    "patterns",
    [
        {"alpha_pattern": {r"attn\d\.to_q": 9}},
        {"alpha_pattern": {r"down_blocks\.1.*to_q": 9, "to_v": 2}},
        {"alpha_pattern": {"to_q": 9}, "rank_pattern": {r".*attn1\.to_v": 2}},
        {"rank_pattern": {"to_q": 3}, "use_rslora": True},
        {"alpha_pattern": {"q": 9}},
    ],
)
def test_patterns_mean_what_peft_takes_them_for(
    pipeline: StableDiffusionPipeline, tmp_path: Path, patterns: dict[str, Any]
) -> None:
    theirs = adapted(
        pipeline.unet, 1, r=4, lora_alpha=4, target_modules=["to_q", "to_v", "conv1"], **patterns
    )
    theirs.save_pretrained(tmp_path)
    ours = copy.deepcopy(pipeline.unet)
    assert merge_lora({"unet": layers_of(ours)}, Lora(tmp_path)) > 4
    assert_equal(ours, theirs.merge_and_unload())
    assert not torch.equal(
        ours.get_submodule(TO_Q).weight, pipeline.unet.get_submodule(TO_Q).weight
    )


def test_a_convolution_taken_apart_after_tucker(
    pipeline: StableDiffusionPipeline, tmp_path: Path
) -> None:
    stem = f"lora_unet_{CONV.replace('.', '_')}"
    torch.manual_seed(0)
    down, up = nn.Conv2d(8, 4, 1, bias=False), nn.Conv2d(4, 8, 1, bias=False)
    mid = nn.Conv2d(4, 4, 3, padding=1, bias=False)
    parts = {"lora_down": down, "lora_mid": mid, "lora_up": up}
    tensors = {f"{stem}.{name}.weight": part.weight.detach() for name, part in parts.items()}
    save_file({**tensors, f"{stem}.alpha": torch.tensor(2.0)}, tmp_path / "a.safetensors")
    ours = copy.deepcopy(pipeline.unet)
    merge_lora({"unet": layers_of(ours)}, Lora(tmp_path, 0.5))
    x = torch.randn(1, 8, 8, 8)
    before, after = (unet.get_submodule(CONV)(x) for unet in (pipeline.unet, ours))
    torch.testing.assert_close(after, before + 0.25 * up(mid(down(x))), atol=1e-5, rtol=1e-4)


BROKEN: dict[str, tuple[Callable[[], dict[str, torch.Tensor]], str]] = {
    "LyCORIS DoRA": (lambda: kohya(**{f"{KOHYA}__dora_scale": torch.ones(16, 1)}), "DoRA"),
    "peft DoRA": (
        lambda: kohya(**{f"unet.{TO_Q}.lora_magnitude_vector": torch.ones(16)}),
        "DoRA",
    ),
    "norms": (lambda: kohya(lora_unet_conv_norm_out__w_norm=torch.ones(8)), "changes of norms"),
    "differences": (lambda: kohya(lora_unet_conv_in__diff=torch.ones(8, 4, 3, 3)), "low-rank"),
    "biases": (lambda: kohya(lora_unet_conv_in__diff_b=torch.ones(8)), "changes of biases"),
    "LoHa": (lambda: {f"{KOHYA}.hada_w1_a": torch.ones(4, 16)}, "LoHa"),
    "LoKr": (lambda: {f"{KOHYA}.lokr_w1": torch.ones(4, 4)}, "LoKr"),
    "OFT": (lambda: kohya(**{f"{KOHYA}__oft_blocks": torch.ones(4, 4, 4)}), "OFT"),
    "IA3": (lambda: {f"{KOHYA}.on_input": torch.ones(16)}, "IA3"),
    "learned scales": (lambda: kohya(**{f"{KOHYA}__scalar": torch.ones(())}), "learned scales"),
    "whole weights": (lambda: kohya(unet__conv_in__weight=torch.ones(8)), "whole weights"),
    "SDXL": (
        lambda: {
            f"lora_te2_text_model_x.lora_{half}.weight": part
            for half, part in zip(("down", "up"), pair(), strict=True)
        },
        "Stable Diffusion XL",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_applied_is_refused_by_its_name(
    pipeline: StableDiffusionPipeline, tmp_path: Path, kind: str
) -> None:
    make, words = BROKEN[kind]
    save_file(make(), tmp_path / "a.safetensors")
    kept = copy.deepcopy(pipeline.unet)
    with pytest.raises(CheckpointError, match=words):
        merge_lora({"unet": layers_of(kept)}, Lora(tmp_path))
    assert_equal(kept, pipeline.unet)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"peft_type": "LOHA"}, "LOHA"),
        ({"init_lora_weights": "pissa_niter_4"}, "pissa"),
        ({"init_lora_weights": "olora"}, "olora"),
    ],
)
def test_a_configuration_that_means_more_is_refused(
    pipeline: StableDiffusionPipeline, tmp_path: Path, config: dict[str, Any], words: str
) -> None:
    theirs = adapted(pipeline.unet, 1, r=4, target_modules=["to_q"])
    theirs.save_pretrained(tmp_path)
    place = tmp_path / "adapter_config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **config}))
    with pytest.raises(CheckpointError, match=words):
        merge_lora({"unet": layers_of(copy.deepcopy(pipeline.unet))}, Lora(tmp_path))


@pytest.mark.parametrize(("bias", "words"), [("all", "biases"), ("lora_only", "biases")])
def test_biases_that_peft_saved_are_refused(
    pipeline: StableDiffusionPipeline, tmp_path: Path, bias: Any, words: str
) -> None:
    theirs = adapted(pipeline.unet, 1, r=4, target_modules=["conv1"], bias=bias)
    theirs.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=words):
        merge_lora({"unet": layers_of(copy.deepcopy(pipeline.unet))}, Lora(tmp_path))


def test_words_that_come_with_a_lora_are_taught(
    stable_diffusion_folder: Path, small_model: SmallModel, tmp_path: Path
) -> None:
    file = tmp_path / "a.safetensors"
    vectors = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    save_file(kohya(**{"bundle_emb.dusk.string_to_param.*": vectors}), file)
    alone = tmp_path / "alone.safetensors"
    save_file(kohya(), alone)
    style = tmp_path / "dusk.safetensors"
    save_file({"emb_params": vectors}, style)
    from sonoriff.models.stable_diffusion.styles import Style

    both = load_model(stable_diffusion_folder, loras=[Lora(file)], dtype=torch.float32)
    apart = load_model(
        stable_diffusion_folder, loras=[Lora(alone)], styles=[Style(style)], dtype=torch.float32
    )
    rows = [
        model.encode_prompt(parse_prompt("a dusk song"), MusicAttributes())[0].embedding
        for model in (both, apart)
    ]
    assert torch.equal(rows[0], rows[1])
    assert "dusk" in both.name
    small_model.save_pretrained(tmp_path / "small")
    with pytest.raises(CheckpointError, match="brings words"):
        load_model(tmp_path / "small", loras=[Lora(file)])
