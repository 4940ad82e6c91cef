"""The small model's networks in PyTorch behind the protocol of all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.models.lora import Layers
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.networks import (
    Conditions,
    FloatArray,
    read_network,
)
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.models.small.torch.denoiser import Denoiser
from sonoriff.models.torch_layers import layers_of

Network = TypeVar("Network", SonogramAutoencoder, Denoiser)


class TorchNetworks:
    """Autoencoder and denoiser as modules on one device.

    Attributes
    ----------
    autoencoder, denoiser : in evaluation mode where they were loaded
    """

    def __init__(self, autoencoder: SonogramAutoencoder, denoiser: Denoiser) -> None:
        self.autoencoder, self.denoiser = autoencoder, denoiser

    @classmethod
    def from_folder(
        cls, folder: Path, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> TorchNetworks:
        """Those of a model folder; CheckpointError where files are missing or damaged."""
        autoencoder = _loaded(folder / "autoencoder", SonogramAutoencoder)
        denoiser = _loaded(folder / "denoiser", Denoiser)
        return cls(autoencoder, denoiser).to(device, dtype)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> TorchNetworks:
        """Move both, in place; returns itself."""
        self.autoencoder.to(device, dtype)
        self.denoiser.to(device, dtype)
        return self

    @property
    def device(self) -> str:
        """Where they compute."""
        return str(self._place.device)

    @property
    def precision(self) -> str:
        """In which numbers."""
        return str(self._place.dtype).removeprefix("torch.")

    @property
    def autoencoder_config(self) -> AutoencoderConfig:
        """Shape of the autoencoder."""
        return self.autoencoder.config

    @property
    def denoiser_config(self) -> DenoiserConfig:
        """Shape of the denoiser."""
        return self.denoiser.config

    @property
    def _place(self) -> Tensor:
        return self.denoiser.row_position

    def _given(self, array: FloatArray) -> Tensor:
        return torch.from_numpy(np.require(array, np.float32, ["C", "W"])).to(self._place)

    @torch.inference_mode()
    def velocity(
        self,
        noisy: FloatArray,
        time: FloatArray,
        conditions: Conditions,
        known: FloatArray,
        mask: FloatArray,
    ) -> FloatArray:
        """Noise minus data, (B, C, H, W), at times (B,)."""
        place = self._place
        told = conditions.map(lambda array: torch.from_numpy(array).to(place.device))
        told = told.with_text(told.text.to(place.dtype))
        times = torch.from_numpy(time).to(place.device)
        velocity = self.denoiser(
            self._given(noisy), times, told, self._given(known), self._given(mask)
        )
        return _array(velocity)

    @torch.inference_mode()
    def encode(self, picture: FloatArray) -> FloatArray:
        """Latents (B, C, H, W) of pictures (B, 1, M, N)."""
        return _array(self.autoencoder.encode(self._given(picture)))

    @torch.inference_mode()
    def decode(self, latents: FloatArray) -> FloatArray:
        """Pictures (B, 1, M, N) of latents (B, C, H, W)."""
        return _array(self.autoencoder.decode(self._given(latents)))

    def tensor(self, network: str, name: str) -> FloatArray:
        """One of the weights, float32."""
        return _array(self._module(network).state_dict()[name])

    def layers(self) -> Mapping[str, Layers]:
        """Linear layers and convolutions of each network."""
        return {name: layers_of(self._module(name)) for name in ("denoiser", "autoencoder")}

    def tensors(self, network: str) -> Mapping[str, FloatArray]:
        """All weights of a network by name, float32."""
        state = self._module(network).state_dict()
        return {name: _array(tensor) for name, tensor in state.items()}

    def _module(self, network: str) -> nn.Module:
        module: nn.Module = getattr(self, network)
        return module


def torch_networks(model: SmallModel) -> TorchNetworks:
    """A model's networks as modules; ParameterError where it was loaded to run elsewhere."""
    if not isinstance(model.networks, TorchNetworks):
        raise ParameterError(
            f"{model.name} was not loaded in PyTorch: load it with backend='torch'"
        )
    return model.networks


def _array(tensor: Tensor) -> FloatArray:
    array: FloatArray = tensor.detach().float().cpu().numpy()
    return array


def _loaded(folder: Path, kind: type[Network]) -> Network:
    stored = read_network(folder)
    tensors = {n: torch.from_numpy(t.astype(np.float32)) for n, t in stored.tensors.items()}
    try:
        # Not on the meta device: that imports the whole compiler, a second of a processor.
        with torch.random.fork_rng(devices=[]):
            module: Network = kind(stored.config)  # type: ignore[arg-type]  # of the same kind
        module.load_state_dict(tensors, assign=True)
    except (ValueError, TypeError, AttributeError, LookupError, RuntimeError) as error:
        raise CheckpointError(
            f"cannot load the {folder.name} in {folder.parent}: {error}"
        ) from error
    module.eval().requires_grad_(False)
    return module
