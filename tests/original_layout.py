"""A checkpoint in one file, with the names that Stable Diffusion was first published with."""

from __future__ import annotations

import re
from pathlib import Path

_UNET_RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
)
_UNET_ENDS = (
    ("time_embedding.linear_1", "time_embed.0"),
    ("time_embedding.linear_2", "time_embed.2"),
    ("conv_in", "input_blocks.0.0"),
    ("conv_norm_out", "out.0"),
    ("conv_out", "out.2"),
    ("mid_block.resnets.0", "middle_block.0"),
    ("mid_block.attentions.0", "middle_block.1"),
    ("mid_block.resnets.1", "middle_block.2"),
)


def save(folder: Path, file: Path) -> None:
    """Write the networks of a folder in diffusers layout as one file."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from safetensors.torch import load_file, save_file

    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    vae = AutoencoderKL.from_pretrained(folder / "vae")
    layers = unet.config.layers_per_block
    tensors = {
        f"model.diffusion_model.{_unet_name(name, layers)}": tensor
        for name, tensor in unet.state_dict().items()
    }
    last = len(vae.config.block_out_channels) - 1
    tensors |= {
        f"first_stage_model.{_vae_name(name, last)}": tensor
        for name, tensor in vae.state_dict().items()
    }
    for name, tensor in load_file(folder / "text_encoder" / "model.safetensors").items():
        plain = name.removeprefix("text_model.")
        tensors[f"cond_stage_model.transformer.text_model.{plain}"] = tensor
    # What such files hold besides.
    tensors["alphas_cumprod"] = torch.linspace(0.999, 0.005, 1000)
    tensors["model_ema.num_updates"] = torch.tensor(1)
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, file)


def _unet_name(name: str, layers: int) -> str:
    for ours, theirs in _UNET_ENDS:
        if name.startswith(f"{ours}."):
            name = name.replace(ours, theirs, 1)
            return name if "attentions" in ours else _resnet(name)
    match = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.+)", name)
    assert match, name
    side, kind, rest = match.group(1), match.group(3), match.group(5)
    block, place = int(match.group(2)), int(match.group(4))
    number = block * (layers + 1) + place + (1 if side == "down" else 0)
    root = "input_blocks" if side == "down" else "output_blocks"
    if kind == "resnets":
        return f"{root}.{number}.0.{_resnet(rest)}"
    if kind == "attentions":
        return f"{root}.{number}.1.{rest}"
    if kind == "downsamplers":
        return f"{root}.{(block + 1) * (layers + 1)}.0.{rest.replace('conv', 'op')}"
    # Beside the attention where there is one: the tiny model's first upper block has it.
    beside = 2 if block == 0 else 1
    return f"{root}.{block * (layers + 1) + layers}.{beside}.{rest}"


def _resnet(name: str) -> str:
    for ours, theirs in _UNET_RESNET:
        name = re.sub(rf"(^|\.){ours}\.", rf"\g<1>{theirs}.", name)
    return name


def _vae_name(name: str, last: int) -> str:
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    name = name.replace("mid_block.attentions.0", "mid.attn_1")
    name = re.sub(r"down_blocks\.(\d+)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d+)\.resnets", lambda m: f"up.{last - int(m[1])}.block", name)
    return re.sub(
        r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{last - int(m[1])}.upsample", name
    )
