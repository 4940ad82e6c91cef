"""Files of low-rank changes (LoRA), read whole: what cannot be applied is refused by its name.

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

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError

from sonoriff.errors import CheckpointError
from sonoriff.models.tensors import read_metadata, read_tensors

FloatArray = npt.NDArray[np.float32]

_DOWN = re.compile(
    r"(?:\.lora_A(?:\.default)?|[._]lora\.down|\.lora_linear_layer\.down|\.lora_down)\.weight$"
)
_UP_OF_DOWN = (
    ("lora_A", "lora_B"),
    ("lora.down", "lora.up"),
    ("lora_linear_layer.down", "lora_linear_layer.up"),
    ("lora_down", "lora_up"),
)
_EMBEDDING = re.compile(r"bundle_emb\.(.+)\.(?:string_to_param\.\*|emb_params)")
_NETWORKS = ("unet", "text_encoder")
# What a tensor that is left over is, by a part of its name; the first that fits.
_KINDS = (
    *(("dora_scale", "DoRA"), ("lora_magnitude_vector", "DoRA"), ("hada_", "LoHa")),
    *(("lokr_", "LoKr"), ("oft_", "OFT"), ("on_input", "IA3"), ("ia3", "IA3")),
    *(("w_norm", "changes of norms"), ("b_norm", "changes of norms")),
    *((".diff_b", "changes of biases"), (".diff", "changes that are not low-rank")),
    *((".bias", "changes of biases"), ("lora_embedding", "LoRA of a table of words")),
    *((".scalar", "LyCORIS with learned scales"), ("bundle_emb", "an embedding of another kind")),
    ("", "whole weights"),
)
# Ways to begin a training that change the weights of the model, which the file does not hold.
_CHANGED_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")


@dataclass(frozen=True)
class Change:
    """``scale * up @ down``, added to the weight of a module.

    Attributes
    ----------
    down, up : (r, in, ...) and (out, r, ...)
    mid : (r, r, h, w) between the two where a convolution is taken apart after Tucker
    """

    module: str
    down: FloatArray
    up: FloatArray
    scale: float
    mid: FloatArray | None = None


@dataclass(frozen=True)
class LoraFile:
    """What a file holds.

    Attributes
    ----------
    file : the weights' own path
    embeddings : words with learned vectors (n, D) that came along
    """

    file: Path
    changes: list[Change]
    embeddings: dict[str, FloatArray]


def read_lora(path: Path) -> LoraFile:
    """Read a file or folder.

    Raises
    ------
    CheckpointError
        damaged, a pickle, or holding what cannot be applied: DoRA, LoHa, norms and the like
    """
    file, config = file_of_lora(path)
    try:
        configs = {"": config, **_diffusers_configs(read_metadata(file))}
        tensors = {name: t.astype(np.float32) for name, t in read_tensors(file).items()}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot read {file}: {error}") from error
    for each in configs.values():
        _check_config(each, file)
    changes, used = _changes(tensors, configs, file)
    embeddings = {
        match[1]: tensor
        for name, tensor in tensors.items()
        if (match := _EMBEDDING.fullmatch(name))
    }
    used |= {name for name in tensors if name.endswith(".alpha") or _EMBEDDING.fullmatch(name)}
    _check_left_over([name for name in tensors if name not in used], changes, file)
    if not changes:
        raise CheckpointError(f"{file} holds no LoRA")
    return LoraFile(file, changes, embeddings)


def file_of_lora(path: Path) -> tuple[Path, dict[str, Any]]:
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
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"cannot read {config}: {error}") from error


def _changes(
    tensors: Mapping[str, FloatArray], configs: Mapping[str, Mapping[str, Any]], file: Path
) -> tuple[list[Change], set[str]]:
    """Pairs of factors, and the names of the tensors that they are made of."""
    found: list[Change] = []
    used: set[str] = set()
    for name, down in tensors.items():
        if not _DOWN.search(name):
            continue
        up = tensors.get(_up_name(name))
        if up is None:
            raise CheckpointError(f"{file} is damaged: {name} is without its other half")
        module = _DOWN.sub("", name)
        own, mid = tensors.get(f"{module}.alpha"), f"{module}.lora_mid.weight"
        scale = _scale(module, down.shape[0], own, configs)
        found.append(Change(_plain(module), down, up, scale, tensors.get(mid)))
        used |= {name, _up_name(name), mid}
    return found, used


def _diffusers_configs(metadata: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Ranks and alphas that newer versions of diffusers note in the file, for each network."""
    try:
        noted = dict(json.loads(metadata.get("lora_adapter_metadata", "{}")))
    except (ValueError, TypeError):
        return {}
    configs: dict[str, dict[str, Any]] = {}
    for name, value in noted.items():
        network, _, key = name.partition(".")
        configs.setdefault(network, {})[key] = value
    return configs


def _check_config(config: Mapping[str, Any], file: Path) -> None:
    """Refuse what changes more than the two factors say."""
    kind = config.get("peft_type") or "LORA"
    if str(kind).upper() != "LORA":
        raise CheckpointError(f"{file} holds {kind}, expected plain LoRA")
    if config.get("use_dora"):
        raise CheckpointError(f"{file} holds DoRA, expected plain LoRA")
    begun = str(config.get("init_lora_weights") or "").lower()
    if begun.startswith(_CHANGED_BASE):
        raise CheckpointError(
            f"{file} was trained from {begun}, which changes the model's own weights too: save it "
            "as plain LoRA (path_initial_model_for_weight_conversion of peft)"
        )


def _check_left_over(names: list[str], changes: list[Change], file: Path) -> None:
    if not names:
        return
    kind = next(kind for part, kind in _KINDS if any(part in name for name in names))
    if not changes and kind == _KINDS[-1][1]:
        raise CheckpointError(f"{file} holds no LoRA but {kind}: is it a model (--model)?")
    raise CheckpointError(
        f"{file} holds {kind}, which cannot be applied ({names[0]}"
        f"{f' and {len(names) - 1} more' if len(names) > 1 else ''}): expected plain LoRA"
    )


def _up_name(down: str) -> str:
    for mark, other in _UP_OF_DOWN:
        if mark in down:
            return down.replace(mark, other)
    return down


def _plain(module: str) -> str:
    """A module's name without what peft and old versions of diffusers put into it."""
    module = module.removeprefix("base_model.model.").replace(".base_model.model.", ".")
    return module.replace(".processor.", ".")


def _scale(
    module: str, rank: int, own: FloatArray | None, configs: Mapping[str, Mapping[str, Any]]
) -> float:
    """alpha / r, or alpha / sqrt(r) where that was chosen; 1 where nothing is said."""
    plain, config = _plain(module), configs[""]
    for network in _NETWORKS:
        if plain.startswith(f"{network}.") and network in configs:
            plain, config = plain.removeprefix(f"{network}."), configs[network]
    if own is not None:
        alpha = float(own)
    else:
        alpha = _by_pattern(config.get("alpha_pattern") or {}, plain)
        alpha = float(config.get("lora_alpha", rank)) if alpha is None else float(alpha)
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _by_pattern(patterns: Mapping[str, Any], name: str) -> Any:
    """peft's rule: the first regular expression that fits the end of a name, from a dot on."""
    for pattern, value in patterns.items():
        try:
            if re.match(rf"(.*\.)?({pattern})$", name):
                return value
        except re.error:
            continue
    return None
