"""The small model's networks, whatever computes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import save_file

from sonoriff.errors import CheckpointError
from sonoriff.files import atomic_path, write_text
from sonoriff.models.lora import Layers
from sonoriff.models.small.conditions import DenoiserConditions
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.tensors import TensorFile

FloatArray = npt.NDArray[np.float32]
Conditions = DenoiserConditions[npt.NDArray[Any]]
WEIGHTS = "diffusion_pytorch_model.safetensors"
CONFIGS: dict[str, type[AutoencoderConfig] | type[DenoiserConfig]] = {
    "autoencoder": AutoencoderConfig,
    "denoiser": DenoiserConfig,
}


class Networks(Protocol):
    """Autoencoder and denoiser over NumPy arrays; see the classes in `models.small.torch`."""

    @property
    def device(self) -> str:
        """Where they compute: "cpu", "cuda:0", "mps"."""

    @property
    def precision(self) -> str:
        """In which numbers: "float32", "int8", "bfloat16", "float16"."""

    @property
    def autoencoder_config(self) -> AutoencoderConfig:
        """Shape of the autoencoder."""

    @property
    def denoiser_config(self) -> DenoiserConfig:
        """Shape of the denoiser."""

    def velocity(
        self,
        noisy: FloatArray,
        time: FloatArray,
        conditions: Conditions,
        known: FloatArray,
        mask: FloatArray,
    ) -> FloatArray:
        """Noise minus data, (B, C, H, W), at times (B,)."""

    def encode(self, picture: FloatArray) -> FloatArray:
        """Latents (B, C, H, W) of pictures (B, 1, M, N)."""

    def decode(self, latents: FloatArray) -> FloatArray:
        """Pictures (B, 1, M, N) of latents (B, C, H, W)."""

    def tensor(self, network: str, name: str) -> FloatArray:
        """One of the weights, float32."""

    def layers(self) -> Mapping[str, Layers]:
        """Those of each network that a LoRA may change."""

    def tensors(self, network: str) -> Mapping[str, npt.NDArray[Any]]:
        """All weights of a network by name, of any float type."""


@dataclass(frozen=True)
class StoredNetwork:
    """A network as a model folder has it: its shape, and its tensors as they are stored."""

    config: AutoencoderConfig | DenoiserConfig
    tensors: TensorFile


def read_network(folder: Path) -> StoredNetwork:
    """The network in ``autoencoder`` or ``denoiser`` of a model folder.

    Raises
    ------
    CheckpointError
        files are missing or damaged
    """
    try:
        fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = CONFIGS[folder.name].from_dict(fields)
        return StoredNetwork(config, TensorFile(folder / WEIGHTS))
    except (
        *(OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError),
        SafetensorError,
    ) as error:
        raise CheckpointError(
            f"cannot load the {folder.name} in {folder.parent}: {error}"
        ) from error


def write_network(
    folder: Path,
    config: AutoencoderConfig | DenoiserConfig,
    tensors: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Write what `read_network` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    with atomic_path(folder / WEIGHTS) as partial:
        save_file(whole, partial, metadata={"format": "pt"})
    write_text(folder / "config.json", json.dumps(config.to_dict(), indent=1) + "\n")


def tensors_digest(tensors: Mapping[str, FloatArray]) -> str:
    """Short digest of float32 tensors by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor, np.float32).tobytes())
    return digest.hexdigest()[:12]
