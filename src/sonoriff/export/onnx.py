"""ONNX files with weights, for programs other than Sonoriff."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from sonoriff.errors import ParameterError
from sonoriff.export.networks import Network, networks_of, small_model, word_vectors
from sonoriff.files import atomic_path, write_bytes, write_text
from sonoriff.models.protocol import Model
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.onnx.stored import weight_places, weights_file
from sonoriff.models.small.sides import CHANNELS
from sonoriff.models.small.text import MAX_TOKENS, text_encoder_folder
from sonoriff.music import KEYS, KINDS, MODES

PRECISIONS = ("float32", "int8")


def export_onnx(model: Model, folder: Path, precision: str = "float32") -> list[Path]:
    """Write a model's networks as ONNX files.

    Parameters
    ----------
    folder : made where it is not there; files of an earlier export are replaced one by one
    precision : "float32", or "int8" for the products of the denoiser's transformer

    Returns
    -------
    the files: ``NAME.onnx`` and ``NAME.weights`` of text, denoiser, decoder and encoder;
    ``embeddings.safetensors`` and ``tokenizer.json``, which come before the graph of the text;
    ``model.json`` with all numbers that a program needs beside them

    Raises
    ------
    ParameterError
        the model is of another kind, or there is no such precision
    """
    if precision not in PRECISIONS:
        raise ParameterError(f"precision must be {' or '.join(PRECISIONS)}, got {precision!r}")
    small = small_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for network in networks_of(small, precision):
        files += _write_network(network, folder)
    words, places = word_vectors()
    tables = {"words": words, "places": np.ascontiguousarray(places)}
    write_bytes(folder / "embeddings.safetensors", save(tables))
    tokenizer = (text_encoder_folder() / "tokenizer.json").read_bytes()
    write_bytes(folder / "tokenizer.json", tokenizer)
    write_text(folder / "model.json", json.dumps(described_model(small), indent=1) + "\n")
    return [
        *files,
        *(folder / name for name in ("embeddings.safetensors", "tokenizer.json", "model.json")),
    ]


def _write_network(network: Network, folder: Path) -> list[Path]:
    graph, weights = folder / f"{network.name}.onnx", folder / weights_file(network.name)
    places = weight_places(network.graph.weights)
    with atomic_path(weights) as partial, partial.open("wb") as file:
        for name, (first, _) in places.items():
            file.write(bytes(first - file.tell()))
            file.write(network.arrays[name].tobytes())
    write_bytes(graph, network.graph.graph)
    return [graph, weights]


def described_model(model: SmallModel) -> dict[str, Any]:
    """The numbers of a model that are not in its graphs, in JSON's types."""
    denoiser, rows_columns = model.networks.denoiser_config, model.cell
    channels, rows, window = model.latent_shape(model.window_frames)
    described: dict[str, Any] = {
        "name": model.name,
        "weights": model.weights,
        "latents": {
            "channels": channels,
            # Pan and width, the last of them.
            "sides": CHANNELS if model.stereo else 0,
            "rows": rows,
            "window": window,
        },
        "cell": {"rows": rows_columns[0], "columns": rows_columns[1]},
        "column_seconds": denoiser.column_seconds,
        "conditions": list(denoiser.conditions),
        "defaults": asdict(model.defaults),
        "sonogram": model.params.to_dict(),
        "window_frames": model.window_frames,
        "max_tokens": MAX_TOKENS,
        "keys": list(KEYS),
        "modes": list(MODES),
        "kinds": list(KINDS),
    }
    return described
