"""The networks of a model as graphs and the arrays that go into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.models.protocol import Model
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.onnx.stored import StoredGraph, graph_of
from sonoriff.models.small.onnx.weights import stored_weight
from sonoriff.models.small.text import text_tensors

Array = npt.NDArray[Any]
# With 7 bits no processor's sums of products saturate, so that all compute the same.
LARGEST_WEIGHT = 63


@dataclass(frozen=True)
class Network:
    """A network that is exported.

    Attributes
    ----------
    name : "text", "denoiser", "decoder" or "encoder"
    graph : without weights
    arrays : the weights by the names of the graph, in its order
    """

    name: str
    graph: StoredGraph
    arrays: Mapping[str, Array]


def small_model(model: Model) -> SmallModel:
    """The same model; ParameterError where it is none that can be exported."""
    if not isinstance(model, SmallModel):
        raise ParameterError(
            f"{model.name} cannot be exported: only models of Sonoriff's own kind can, the bundled "
            "one and those trained from it"
        )
    return model


def networks_of(model: SmallModel, precision: str) -> Iterator[Network]:
    """All networks of a model, LoRAs that were merged into it included.

    Parameters
    ----------
    precision : "float32", or "int8" for the products of the denoiser's transformer in whole
        numbers, the float32 rest as it is
    """
    networks = model.networks
    parts: tuple[tuple[str, Any, Mapping[str, Array]], ...] = (
        ("text", None, text_tensors()),
        ("denoiser", networks.denoiser_config, networks.tensors("denoiser")),
        ("decoder", networks.autoencoder_config, networks.tensors("autoencoder")),
        ("encoder", networks.autoencoder_config, networks.tensors("autoencoder")),
    )
    for name, config, tensors in parts:
        graph = graph_of(name, config, precision)
        arrays = {
            stored: stored_weight(stored, tensors, LARGEST_WEIGHT) for stored in graph.weights
        }
        yield Network(name, graph, arrays)


def word_vectors() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What the text encoder adds up before its graph: a row a token, and a row a place.

    Returns
    -------
    float32 (tokens, width), float32 (places, width)
    """
    tensors = text_tensors()
    words = tensors["words.weight"].astype(np.float32)
    places = tensors["places.weight"] + tensors["segment"][0]
    return words, places.astype(np.float32)
