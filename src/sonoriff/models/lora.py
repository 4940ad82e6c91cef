"""Low-rank changes (LoRA) added to the weights of a model when it is loaded.

Three layouts of safetensors files are read: peft's (a folder with adapter_config.json, or its
adapter_model.safetensors), diffusers' (``unet.`` and ``text_encoder.`` before the names), and that
of kohya-ss, in which names are joined by underscores.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from sonoriff.errors import CheckpointError, ParameterError

_WITH_SCALE = re.compile(r"(.+):([+-]?(?:\d+\.?\d*|\.\d+))")
_DOWN = re.compile(
    r"(?:\.lora_A(?:\.default)?|[._]lora\.down|\.lora_linear_layer\.down|\.lora_down)\.weight$"
)
_UP_OF_DOWN = (
    ("lora_A", "lora_B"),
    ("lora.down", "lora.up"),
    ("lora_linear_layer.down", "lora_linear_layer.up"),
    ("lora_down", "lora_up"),
)
_KOHYA = {"lora_unet_": "unet", "lora_te_": "text_encoder", "lora_te1_": "text_encoder"}
_MAX_SCALE = 10.0
# In the notes of a file, or in the facts of a model: the guidance that it is to be played with.
GUIDANCE_NOTE = "guidance_scale"


@dataclass(frozen=True)
class Lora:
    """A file or folder of low-rank changes, and how strongly to apply it."""

    path: Path
    scale: float = 1.0

    @property
    def name(self) -> str:
        """Short, for the settings of a clip; never the whole path."""
        stem = self.path.stem if self.path.suffix == ".safetensors" else self.path.name
        return f"{stem}:{self.scale:g}"


@dataclass(frozen=True)
class _Change:
    """``scale * up @ down``, added to the weight of a module."""

    module: str
    down: Tensor
    up: Tensor
    scale: float


def parse_lora(text: str) -> Lora:
    """``PATH`` or ``PATH:SCALE``, the scale in [-10, 10].

    Raises
    ------
    ParameterError
        there is no such file or folder, or the scale is out of range
    """
    path, scale = Path(text), 1.0
    match = _WITH_SCALE.fullmatch(text)
    if match and not path.exists():
        path, scale = Path(match.group(1)), float(match.group(2))
    if not path.exists():
        raise ParameterError(f"there is no LoRA {path}: expected PATH or PATH:SCALE")
    if not abs(scale) <= _MAX_SCALE:
        raise ParameterError(f"a LoRA's scale must be in [-10, 10], got {scale:g}")
    return Lora(path, scale)


@torch.no_grad()
def merge_lora(modules: Mapping[str, nn.Module], lora: Lora) -> int:
    """Add a LoRA to the weights of networks; the number of weights that changed.

    Parameters
    ----------
    modules : networks by name; a change is looked for in the one that it names, else in all

    Raises
    ------
    CheckpointError
        damaged, a pickle, made for another model, or of a kind that is not read

    Notes
    -----
    ``W + scale * alpha / r * up @ down``; nothing is slower afterwards.

    References
    ----------
    Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021).
    """
    changes = _changes(lora.path)
    places = _places(modules)
    found = [(change, _place(change.module, places)) for change in changes]
    strange = [change.module for change, place in found if place is None]
    if strange:
        raise CheckpointError(
            f"{lora.path} was made for another model: {len(strange)} of its {len(changes)} parts "
            f"have no place here, {strange[0]} among them"
        )
    for change, place in found:
        assert place is not None
        _add(place, change, lora)
    return len(changes)


def guidance_of(lora: Lora) -> float | None:
    """The guidance that a LoRA is to be played with; None where it says nothing."""
    try:
        with safe_open(_file(lora.path)[0], framework="pt") as opened:
            noted = float((opened.metadata() or {}).get(GUIDANCE_NOTE, "nan"))
    except (OSError, SafetensorError, ValueError):
        return None
    return noted if math.isfinite(noted) and noted >= 0 else None


def _changes(path: Path) -> list[_Change]:
    file, config = _file(path)
    try:
        with safe_open(file, framework="pt") as opened:
            tensors = {name: opened.get_tensor(name).float() for name in opened.keys()}  # noqa: SIM118
            config = {**_diffusers_config(opened.metadata() or {}), **config}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot read {file}: {error}") from error
    if any("magnitude" in name or "hada_" in name or "lokr_" in name for name in tensors):
        raise CheckpointError(f"{file} is a DoRA, LoHa or LoKr, of which only plain LoRA is read")
    found = []
    for name, down in tensors.items():
        if not _DOWN.search(name):
            continue
        up = tensors.get(_up_name(name))
        if up is None:
            raise CheckpointError(f"{file} is damaged: {name} is without its other half")
        module = _DOWN.sub("", name)
        found.append(_Change(_plain(module), down, up, _alpha(module, tensors, config, down)))
    if not found:
        raise CheckpointError(f"{file} holds no LoRA")
    return found


def _file(path: Path) -> tuple[Path, dict[str, Any]]:
    """The file of weights, and peft's configuration where there is one."""
    folder = path if path.is_dir() else path.parent
    if path.is_dir():
        files = sorted(path.glob("*.safetensors"))
        named = [f for f in files if f.stem in ("adapter_model", "pytorch_lora_weights")]
        if len(named or files) != 1:
            raise CheckpointError(
                f"{path} holds {len(files)} .safetensors files, expected one, for example "
                "adapter_model.safetensors"
            )
        path = (named or files)[0]
    if path.suffix != ".safetensors":
        raise CheckpointError(f"{path.name} is no .safetensors file; pickles are not read")
    config = folder / "adapter_config.json"
    if path.stem != "adapter_model" or not config.is_file():
        return path, {}
    try:
        return path, dict(json.loads(config.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {config}: {error}") from error


def _diffusers_config(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Ranks and alphas that newer versions of diffusers note in the file, those of the UNet."""
    try:
        noted = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except ValueError:
        return {}
    return {name.removeprefix("unet."): value for name, value in noted.items()}


def _up_name(down: str) -> str:
    for mark, other in _UP_OF_DOWN:
        if mark in down:
            return down.replace(mark, other)
    return down


def _plain(module: str) -> str:
    """A module's name without what peft and old versions of diffusers put into it."""
    module = module.removeprefix("base_model.model.").replace(".base_model.model.", ".")
    return module.replace(".processor.", ".")


def _alpha(
    module: str, tensors: Mapping[str, Tensor], config: Mapping[str, Any], down: Tensor
) -> float:
    """alpha / r, or alpha / sqrt(r) where that was chosen; 1 where nothing is said."""
    rank = down.shape[0]
    plain = _plain(module)
    own = tensors.get(f"{module}.alpha")
    patterns: Mapping[str, float] = config.get("alpha_pattern") or {}
    special = next((a for name, a in patterns.items() if plain.endswith(name)), None)
    if own is not None:
        alpha = float(own)
    else:
        alpha = float(special if special is not None else config.get("lora_alpha", rank))
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _places(modules: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Modules with weights by every name that a file may give them; the first network wins."""
    places: dict[str, nn.Module] = {}
    kohya = {network: prefix for prefix, network in _KOHYA.items()}
    for network, root in modules.items():
        for name, module in root.named_modules():
            if not isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
                continue
            places[f"{network}.{name}"] = module
            places.setdefault(name, module)
            flat = name.replace(".", "_")
            places.setdefault(f"{kohya.get(network, network + '_')}{flat}", module)
            if network == "text_encoder":
                places.setdefault(f"lora_te_{flat}", module)
    return places


def _place(name: str, places: Mapping[str, nn.Module]) -> nn.Module | None:
    """The module; ``to_out`` was once the name of what is ``to_out.0`` now, and transformers' text
    encoder once had one level more."""
    without_level = name.replace("text_model.", "").replace("text_model_", "")
    with_level = re.sub(r"^(text_encoder\.|lora_te1?_)", r"\1text_model.", name)
    for candidate in (name, f"{name}.0", without_level, with_level):
        if candidate in places:
            return places[candidate]
    return None


def _add(module: nn.Module, change: _Change, lora: Lora) -> None:
    weight = module.weight
    assert isinstance(weight, Tensor)
    product = change.up.flatten(1) @ change.down.flatten(1)
    if product.numel() != weight.numel():
        raise CheckpointError(
            f"{lora.path} was made for another model: {change.module} is {tuple(weight.shape)} here"
        )
    more = lora.scale * change.scale * product.view(weight.shape)
    weight.copy_(weight.float() + more.to(weight.device))
