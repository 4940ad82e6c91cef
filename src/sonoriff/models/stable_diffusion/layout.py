"""What lies in a folder or file of Stable Diffusion: files, configurations, tokenizer.

Read before any network is made, so that what does not fit is refused in one line that says what it
is.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from sonoriff.errors import CheckpointError

NETWORKS = ("unet", "vae", "text_encoder")
PICKLES = (".bin", ".ckpt", ".pt", ".pth")
STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}
STEMS["text_encoder"] = "model"
# Kinds of weights files to take where there is no plain one, the best first.
_VARIANTS = ("fp16", "bf16")
_EXPECTED = "expected Stable Diffusion v1.5 or a model of its kind"
# By what the names of a single file's tensors begin with.
_OTHER_KINDS = (
    ("conditioner.embedders.1.", "Stable Diffusion XL"),
    ("conditioner.embedders.0.", "the refiner of Stable Diffusion XL"),
    ("cond_stage_model.model.", "Stable Diffusion 2"),
    ("model.diffusion_model.joint_blocks.", "Stable Diffusion 3"),
    ("model.diffusion_model.double_blocks.", "Flux"),
    ("double_blocks.", "Flux"),
    ("lora_unet_", "a LoRA (--lora)"),
    ("lora_te_", "a LoRA (--lora)"),
    ("unet.down_blocks.", "a LoRA (--lora)"),
    ("control_model.", "a ControlNet"),
    ("first_stage_model.", "an autoencoder alone"),
    ("encoder.", "an autoencoder alone"),
    ("down_blocks.", "a UNet alone, in the layout of diffusers: give its whole folder"),
    ("emb_params", "a textual style (--style)"),
)


def variant_of(folder: Path, part: str) -> str | None:
    """Which weights of a network to take: "" for plain ones, "fp16" and the like, None for none."""
    pattern = rf"{STEMS[part]}(?:\.([A-Za-z0-9_]+))?(?:-\d{{5}}-of-\d{{5}})?\.safetensors"
    matches = [re.fullmatch(pattern, file.name) for file in (folder / part).glob("*.safetensors")]
    found = {match[1] or "" for match in matches if match}
    if "" in found:
        return ""
    return next((v for v in (*_VARIANTS, *sorted(found)) if v in found), None)


def is_complete(folder: Path) -> bool:
    """Whether a folder in diffusers layout has the weights of all networks as safetensors."""
    return all(variant_of(folder, part) is not None for part in NETWORKS)


def check_weights(folder: Path, name: str) -> None:
    """Refuse what lacks weights, and pickles, with a line that says what to do."""
    missing = [part for part in NETWORKS if variant_of(folder, part) is None]
    if not missing:
        return
    kind = str(config_of(folder / "model_index.json").get("_class_name", ""))
    if not (folder / "unet").is_dir() and kind:
        raise CheckpointError(f"{name} is a {kind}: {_EXPECTED}")
    if any(file.suffix in PICKLES for part in missing for file in (folder / part).glob("*")):
        raise CheckpointError(pickle_refused(folder))
    raise CheckpointError(
        f"{name} has no safetensors of its {', '.join(missing)}: expected a folder in the layout "
        "of diffusers"
    )


def pickle_refused(path: Path) -> str:
    """Why a pickle is not read, and what to do."""
    return (
        f"{path.name} is a pickle, which can run any program when it is read; write it as "
        f"safetensors first: sonoriff models convert {path}"
    )


def config_of(path: Path) -> dict[str, Any]:
    """A JSON file's mapping; an empty one where there is no such file.

    Raises
    ------
    CheckpointError
        it is damaged, or no mapping
    """
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"cannot load {path}: {str(error).splitlines()[0]}") from error
    if not isinstance(config, dict):
        raise CheckpointError(
            f"cannot load {path}: expected a mapping, got {type(config).__name__}"
        )
    return config


def check_configs(folder: Path, name: str) -> None:
    """CheckpointError, in one line, for networks of another kind, or that do not fit together."""
    unet, vae, text = (config_of(folder / part / "config.json") for part in NETWORKS)
    if unet.get("addition_embed_type"):
        raise CheckpointError(f"{name} is Stable Diffusion XL or of its kind: {_EXPECTED}")
    channels, latents = unet.get("in_channels", 4), vae.get("latent_channels", 4)
    if channels not in (latents, 2 * latents + 1):
        raise CheckpointError(
            f"the UNet of {name} has {channels} input channels: expected {latents}, or "
            f"{2 * latents + 1} of an inpainting model"
        )
    if unet.get("out_channels", 4) != latents:
        raise CheckpointError(
            f"the UNet of {name} gives {unet['out_channels']} channels, its autoencoder takes "
            f"{latents}: they belong to different models"
        )
    for key in ("class_embed_type", "num_class_embeds", "encoder_hid_dim_type"):
        if unet.get(key) is not None:
            raise CheckpointError(f"the UNet of {name} wants more than text ({key}): {_EXPECTED}")
    width, given = unet.get("cross_attention_dim", 1280), text.get("hidden_size", 512)
    if isinstance(width, int) and width != given:
        raise CheckpointError(
            f"the text encoder of {name} gives {given} numbers a word, its UNet takes {width}: "
            "they belong to different models"
        )


def check_tokenizer(folder: Path, name: str) -> None:
    """CheckpointError unless a tokenizer is there, whole.

    With half of it transformers makes one that reads every prompt as the same.
    """
    place = folder / "tokenizer"
    whole = [place / "tokenizer.json"]
    halves = [place / "vocab.json", place / "merges.txt"]
    if all(file.is_file() and file.stat().st_size for file in whole):
        return
    missing = [file.name for file in halves if not file.is_file() or not file.stat().st_size]
    if not missing:
        return
    raise CheckpointError(
        f"{name} has no {' and no '.join(missing)} in {place.name}/, or they are empty: copy the "
        "whole folder tokenizer of its base model there"
    )


def check_single_file(path: Path) -> int:
    """Input channels of the UNet in a single file; CheckpointError where it is of another kind."""
    try:
        with safe_open(path, framework="pt") as opened:
            names = list(opened.keys())
            first = "model.diffusion_model.input_blocks.0.0.weight"
            channels = opened.get_slice(first).get_shape()[1] if first in names else 0
    except (OSError, SafetensorError, IndexError) as error:
        raise CheckpointError(f"cannot load {path}: {error}") from error
    begins_as = {start: kind for start, kind in _OTHER_KINDS if _any_begins(names, start)}
    if channels and "first_stage_model." in begins_as:
        del begins_as["first_stage_model."]
    for kind in begins_as.values():
        raise CheckpointError(f"{path.name} is {kind}: {_EXPECTED}")
    if channels and channels not in (4, 9):
        raise CheckpointError(
            f"the UNet of {path.name} has {channels} input channels: expected 4, or 9 of an "
            "inpainting model"
        )
    return channels


def _any_begins(names: list[str], start: str) -> bool:
    return any(name.startswith(start) for name in names)
