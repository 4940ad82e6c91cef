"""The small model's networks on onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.models.lora import Layer, Layers
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.networks import (
    Conditions,
    FloatArray,
    StoredNetwork,
    read_network,
)
from sonoriff.models.small.onnx.session import Session
from sonoriff.models.small.onnx.stored import graph_of
from sonoriff.models.small.scale import chord_table, scale_table

PRECISIONS = ("int8", "float32")
# Of the parts that are loaded by themselves.
_NETWORK = {"denoiser": "denoiser", "encoder": "autoencoder", "decoder": "autoencoder"}
# Tables of two axes that are no linear layers.
_TABLES = frozenset({"key", "mode", "kind", "energy"})


class OnnxNetworks:
    """Autoencoder and denoiser on the processor, each loaded when it is first needed.

    Parameters
    ----------
    precision : "float32" computes what PyTorch does; "int8" has the products of the denoiser's
        transformer in whole numbers of 8 bits, and takes three quarters of the time
    """

    device = "cpu"

    def __init__(
        self, autoencoder: StoredNetwork, denoiser: StoredNetwork, precision: str = "int8"
    ) -> None:
        if precision not in PRECISIONS:
            raise ParameterError(
                f"on the processor the precision is {' or '.join(PRECISIONS)}, got {precision!r}"
            )
        self.precision = precision
        self._stored = {"autoencoder": autoencoder, "denoiser": denoiser}
        self._sessions: dict[str, Session] = {}
        for name, table in self._tables().items():
            denoiser.tensors.put(name, table)

    @classmethod
    def from_folder(cls, folder: Path, precision: str = "int8") -> OnnxNetworks:
        """Those of a model folder; CheckpointError where files are missing or damaged."""
        networks = cls(
            read_network(folder / "autoencoder"), read_network(folder / "denoiser"), precision
        )
        networks.check()
        return networks

    @property
    def autoencoder_config(self) -> AutoencoderConfig:
        """Shape of the autoencoder."""
        return cast(AutoencoderConfig, self._stored["autoencoder"].config)

    @property
    def denoiser_config(self) -> DenoiserConfig:
        """Shape of the denoiser."""
        return cast(DenoiserConfig, self._stored["denoiser"].config)

    def velocity(
        self,
        noisy: FloatArray,
        time: FloatArray,
        conditions: Conditions,
        known: FloatArray,
        mask: FloatArray,
    ) -> FloatArray:
        """Noise minus data, (B, C, H, W), at times (B,)."""
        told = {name: conditions.arrays()[name] for name in self._told()}
        return self._session("denoiser")(noisy=noisy, time=time, known=known, mask=mask, **told)

    def encode(self, picture: FloatArray) -> FloatArray:
        """Latents (B, C, H, W) of pictures (B, 1, M, N)."""
        return self._session("encoder")(picture=picture)

    def decode(self, latents: FloatArray) -> FloatArray:
        """Pictures (B, 1, M, N) of latents (B, C, H, W)."""
        return self._session("decoder")(latents=latents)

    def tensor(self, network: str, name: str) -> FloatArray:
        """One of the weights, float32."""
        return self._stored[network].tensors[name].astype(np.float32)

    def layers(self) -> Mapping[str, Layers]:
        """Linear layers and convolutions of each network."""
        return {
            network: {
                name.removesuffix(".weight"): _StoredLayer(self, network, name)
                for name, tensor in stored.tensors.items()
                if name.endswith(".weight")
                and tensor.ndim > 1
                and name.split(".")[0] not in _TABLES
            }
            for network, stored in self._stored.items()
        }

    def change(self, network: str, name: str, tensor: FloatArray) -> None:
        """Put another tensor in a place; what was loaded with the old one is dropped."""
        self._stored[network].tensors.put(name, tensor)
        self._sessions.clear()

    def tensors(self, network: str) -> Mapping[str, npt.NDArray[Any]]:
        """All weights of a network by name, as they are stored."""
        return self._stored[network].tensors

    def check(self) -> None:
        """CheckpointError where weights are missing, or do not fit the graphs."""
        for part in ("denoiser", "encoder", "decoder"):
            graph = graph_of(part, self._config(part), self.precision)
            tables = {name: table.shape for name, table in self._tables().items()}
            graph.check({**self._stored[_NETWORK[part]].tensors.shapes, **tables})

    def _told(self) -> tuple[str, ...]:
        known = ("text", "present", "bpm", "key", "mode", "beat")
        return (*known, *self.denoiser_config.conditions)

    def _config(self, part: str) -> AutoencoderConfig | DenoiserConfig:
        return self.denoiser_config if part == "denoiser" else self.autoencoder_config

    def _tables(self) -> dict[str, FloatArray]:
        """What the denoiser looks up and no training changes."""
        rows = self.denoiser_config.latent_rows
        scales, chords = scale_table(rows), chord_table(rows)
        return {
            "scale_rows": scales.reshape(-1, *scales.shape[2:]),
            "chord_rows": chords.reshape(len(chords), -1),
        }

    def _session(self, part: str) -> Session:
        if part not in self._sessions:
            graph = graph_of(part, self._config(part), self.precision)
            tensors = self._stored[_NETWORK[part]].tensors
            self._sessions[part] = Session(graph, tensors)
            tensors.close()
        return self._sessions[part]


class _StoredLayer(Layer):
    """A weight of a network that is not computed with yet."""

    def __init__(self, networks: OnnxNetworks, network: str, name: str) -> None:
        self._place = (networks, network, name)
        self.shape = networks._stored[network].tensors.shapes[name]

    def add(self, change: FloatArray) -> None:
        """Add to the weight."""
        networks, network, name = self._place
        networks.change(network, name, networks.tensor(network, name) + change)
