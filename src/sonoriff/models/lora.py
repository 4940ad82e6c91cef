"""Low-rank changes (LoRA) added to the weights of a model when it is loaded."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.lora_file import Change, file_of_lora, read_lora
from sonoriff.models.tensors import read_metadata

FloatArray = npt.NDArray[np.float32]

_WITH_SCALE = re.compile(r"(.+):([+-]?(?:\d+\.?\d*|\.\d+))")
_KOHYA = {"lora_unet_": "unet", "lora_te_": "text_encoder", "lora_te1_": "text_encoder"}
_OF_XL = ("lora_te2_", "text_encoder_2.", "lora_unet_input_blocks_", "lora_unet_output_blocks_")
_MAX_SCALE = 10.0
# In the notes of a file, or in the facts of a model: the guidance that it is to be played with.
GUIDANCE_NOTE = "guidance_scale"


class Layer(Protocol):
    """A linear layer or a convolution, whatever computes it.

    Attributes
    ----------
    shape : of its weight, (out, in, ...)
    """

    shape: tuple[int, ...]

    def add(self, change: FloatArray) -> None:
        """Add to its weight, an array of `shape`."""


Layers = Mapping[str, Layer]


@dataclass(frozen=True)
class Lora:
    """A file or folder of low-rank changes, and how strongly to apply it."""

    path: Path
    scale: float = 1.0

    @property
    def name(self) -> str:
        """Short name for a clip's settings; never the full path."""
        stem = self.path.stem if self.path.suffix == ".safetensors" else self.path.name
        return f"{stem}:{self.scale:g}"


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


def merge_lora(networks: Mapping[str, Layers], lora: Lora) -> int:
    """Add a LoRA to the weights of networks; the number of weights that changed.

    Parameters
    ----------
    networks : layers of each by name; a change is looked for in the one that it names, else in
        all

    Raises
    ------
    CheckpointError
        damaged, a pickle, made for another model, or holding what cannot be applied

    Notes
    -----
    ``W + scale * alpha / r * up @ down``; nothing is slower afterwards.

    References
    ----------
    Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2021).
    """
    return merge_changes(networks, read_lora(lora.path).changes, lora)


def merge_changes(networks: Mapping[str, Layers], changes: list[Change], lora: Lora) -> int:
    """`merge_lora` of what was read already."""
    places = _places(networks)
    found = [(change, _place(change.module, places)) for change in changes]
    strange = [change.module for change, place in found if place is None]
    if strange:
        large = any(name.startswith(_OF_XL) for name in strange)
        raise CheckpointError(
            f"{lora.path} was made for {'Stable Diffusion XL' if large else 'another model'}: "
            f"{len(strange)} of its {len(changes)} parts have no place here, "
            f"{strange[0]} among them"
        )
    for change, place in found:
        assert place is not None
        _add(place, change, lora)
    return len(changes)


def guidance_of(lora: Lora) -> float | None:
    """Guidance scale that a LoRA recommends; None if it has none."""
    try:
        noted = float(read_metadata(file_of_lora(lora.path)[0]).get(GUIDANCE_NOTE, "nan"))
    except (OSError, SafetensorError, ValueError):
        return None
    return noted if math.isfinite(noted) and noted >= 0 else None


def _places(networks: Mapping[str, Layers]) -> dict[str, Layer]:
    """Layers by every name that a file may give them; the first network wins."""
    places: dict[str, Layer] = {}
    kohya = {network: prefix for prefix, network in _KOHYA.items()}
    for network, layers in networks.items():
        for name, layer in layers.items():
            places[f"{network}.{name}"] = layer
            places.setdefault(name, layer)
            flat = name.replace(".", "_")
            places.setdefault(f"{kohya.get(network, network + '_')}{flat}", layer)
            if network == "text_encoder":
                places.setdefault(f"lora_te_{flat}", layer)
    return places


def _place(name: str, places: Layers) -> Layer | None:
    """The layer; ``to_out`` was once the name of what is ``to_out.0`` now, and transformers' text
    encoder once had one level more."""
    without_level = name.replace("text_model.", "").replace("text_model_", "")
    with_level = re.sub(r"^(text_encoder\.|lora_te1?_)", r"\1text_model.", name)
    for candidate in (name, f"{name}.0", without_level, with_level):
        if candidate in places:
            return places[candidate]
    return None


def _add(layer: Layer, change: Change, lora: Lora) -> None:
    product, shape = _product(change), layer.shape
    if product is None or product.size != math.prod(shape) or len(product) != shape[0]:
        raise CheckpointError(
            f"{lora.path} was made for another model: {change.module} is {tuple(shape)} here"
        )
    layer.add(np.float32(lora.scale * change.scale) * product.reshape(shape))


def _product(change: Change) -> FloatArray | None:
    """What is added, before its scale, (out, in, ...); None where the factors do not fit."""
    down, up = (part.reshape(len(part), -1) for part in (change.down, change.up))
    try:
        product: FloatArray = (
            up @ down
            if change.mid is None
            else np.einsum("om,mn...,ni->oi...", up, change.mid, down)
        )
    except ValueError:
        return None
    return product
