"""The graphs that the package brings, one for each network of the bundled shape.

``scripts/make_graphs.py`` writes them. A model of another shape has its graph built when it is
loaded, which needs the package onnx.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sonoriff.errors import CheckpointError
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig

GRAPHS_FOLDER = Path(__file__).parent / "graphs"
Config = AutoencoderConfig | DenoiserConfig | None
# Weights that lie in a file begin at multiples of this.
_ALIGNMENT = 64


@dataclass(frozen=True)
class StoredGraph:
    """A graph without weights.

    Attributes
    ----------
    graph : in ONNX's format. It names a file of weights, see `weight_places`, which is read where
        they are not put in when it is loaded
    weights : names and shapes of those that are put in when it is loaded
    """

    name: str
    graph: bytes
    weights: dict[str, tuple[int, ...]]

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """CheckpointError where a tensor is missing or of another shape."""
        for stored, shape in self.weights.items():
            name, _, form = stored.partition("|")
            found = shapes.get(name)
            if found is None:
                raise CheckpointError(f"the {self.name} is damaged: it has no {name}")
            have = found[:1] if form == "s" else found
            if have != (shape[::-1] if form in ("T", "q") else shape):
                raise CheckpointError(f"the {self.name} is damaged: {name} has the shape {found}")


def weight_places(weights: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, int]]:
    """Where each weight lies in a graph's file of weights: first byte and number of bytes."""
    places, end = {}, 0
    for name, shape in weights.items():
        n_bytes = math.prod(shape) * (1 if name.endswith("|q") else 4)
        places[name] = end, n_bytes
        end += -(-n_bytes // _ALIGNMENT) * _ALIGNMENT
    return places


def weights_file(graph: str) -> str:
    """Name of the file of weights that a graph refers to."""
    return f"{graph}.weights"


def graph_of(part: str, config: Config, precision: str = "float32") -> StoredGraph:
    """The graph of a network.

    Parameters
    ----------
    part : "denoiser", "encoder", "decoder" or "text"
    config : its shape; "text" has none
    precision : "int8" for the denoiser's products in whole numbers

    Raises
    ------
    CheckpointError
        it is not of the bundled shape, and the package onnx is not there
    """
    name = f"{part}-int8" if part == "denoiser" and precision == "int8" else part
    packaged = _packaged(name)
    if packaged is not None and packaged[1] == described(config):
        return packaged[0]
    return _built(name, config)


def described(config: Config) -> dict[str, Any]:
    """A shape in JSON's types."""
    described: dict[str, Any] = json.loads(json.dumps(config.to_dict() if config else {}))
    return described


@lru_cache(maxsize=8)
def _packaged(name: str) -> tuple[StoredGraph, dict[str, Any]] | None:
    try:
        facts = json.loads((GRAPHS_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        graph = (GRAPHS_FOLDER / f"{name}.onnx").read_bytes()
    except OSError:
        return None
    weights = {weight: tuple(shape) for weight, shape in facts["weights"].items()}
    return StoredGraph(name, graph, weights), facts["config"]


@lru_cache(maxsize=8)
def _built(name: str, config: Config) -> StoredGraph:
    try:
        from sonoriff.models.small.onnx.build import build_graph
    except ImportError as error:
        raise CheckpointError(
            f"this model's {name} has another shape than the bundled one: "
            "pip install 'sonoriff[train]'"
        ) from error
    return build_graph(name, config)
