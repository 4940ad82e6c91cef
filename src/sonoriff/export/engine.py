"""What the engine inside a web page loads: networks in few bytes, and the tables of the codec."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.errors import ParameterError
from sonoriff.export.networks import networks_of, small_model, word_vectors
from sonoriff.export.onnx import described_model
from sonoriff.export.packed import check_storage, packed, write_packed
from sonoriff.files import write_bytes, write_text
from sonoriff.models.protocol import Model
from sonoriff.models.small.model import SmallModel
from sonoriff.models.small.onnx.stored import weight_places, weights_file
from sonoriff.models.small.text import MAX_TOKENS, text_encoder_folder
from sonoriff.sonogram.columns import has_fast_columns
from sonoriff.sonogram.decode_grid import SparseBank, hann, work_grid
from sonoriff.sonogram.filter_bank import mel_filter_bank
from sonoriff.sonogram.kernels import MAX_GAIN
from sonoriff.sonogram.overlap import LEAST_WINDOW_POWER
from sonoriff.sonogram.params import SonogramParams
from sonoriff.sonogram.phase import HANN_GAMMA, LOG_FLOOR, LOG_TOLERANCE, N_CLASSES
from sonoriff.sonogram.streaming import StreamingDecoder, effort_for, upsampling_span
from sonoriff.sonogram.transform import TransformPlan, transform_plan

Array = npt.NDArray[Any]
FORMAT_VERSION = 1
MODEL_FILE = "model.json"
# In the order in which they are wanted. The encoder waits until a picture is to be encoded.
_PARTS = ("text", "denoiser", "decoder", "encoder")


def export_engine(model: Model, folder: Path, storage: str = "int8") -> list[Path]:
    """Write what the engine loads.

    Parameters
    ----------
    folder : made where it is not there
    storage : of the weights. "int8" has the products of the denoiser's transformer in whole numbers
        too; "float16" computes in float32, and paints what Python paints

    Returns
    -------
    the files, the last of them ``model.json``, which names all others with size and SHA-256

    Raises
    ------
    ParameterError
        a model of another kind or of a sonogram format that the engine has not; no such storage
    """
    check_storage(storage)
    small = small_model(model)
    if small.params.scale != "log" or not has_fast_columns(small.params):
        raise ParameterError(f"the engine has no codec for the format {small.params.name}")
    folder.mkdir(parents=True, exist_ok=True)
    graphs: dict[str, Any] = {}
    for network in networks_of(small, "int8" if storage == "int8" else "float32"):
        write_bytes(folder / f"{network.name}.onnx", network.graph.graph)
        arrays = packed(network.arrays, storage)
        if network.name == "text":
            arrays |= _text_tables(small, storage)
        write_packed(folder / f"{network.name}.safetensors", arrays)
        places = weight_places(network.graph.weights)
        graphs[network.name] = {
            "location": weights_file(network.graph.name.removesuffix("-int8")),
            "places": {name: list(place) for name, place in places.items()},
        }
    write_packed(folder / "codec.safetensors", _codec_tables(small.params))
    tokenizer = (text_encoder_folder() / "tokenizer.json").read_bytes()
    write_bytes(folder / "tokenizer.json", tokenizer)
    names = [f"{part}.{kind}" for part in _PARTS for kind in ("onnx", "safetensors")]
    names += ["codec.safetensors", "tokenizer.json"]
    about = {
        "version": FORMAT_VERSION,
        **described_model(small),
        "storage": storage,
        "codec": _codec_numbers(small.params),
        "graphs": graphs,
        "files": {name: _described_file(folder / name) for name in names},
    }
    write_text(folder / MODEL_FILE, json.dumps(about) + "\n")
    return [*(folder / name for name in names), folder / MODEL_FILE]


def _described_file(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _text_tables(model: SmallModel, storage: str) -> dict[str, Array]:
    words, places = word_vectors()
    tempo = {
        name: model.networks.tensor("denoiser", name)
        for name in ("tempo_guess.weight", "tempo_guess.bias")
    }
    return {**packed({"words.weight": words}, storage), "places": places[:MAX_TOKENS], **tempo}


def _codec_tables(params: SonogramParams) -> dict[str, Array]:
    """Windows, banks and turns of decoding and encoding."""
    grid = work_grid(params)
    bank = SparseBank.from_dense(mel_filter_bank(params).astype(np.float64))
    return {
        **_tables("decode", grid.window, grid.bank, grid.plan),
        **_tables("encode", hann(params.win_length), bank, transform_plan(params.n_fft)),
    }


def _tables(name: str, window: Array, bank: SparseBank, plan: TransformPlan) -> dict[str, Array]:
    return {
        f"{name}.window": window,
        f"{name}.start": bank.start,
        f"{name}.stop": bank.stop,
        f"{name}.bank": bank.weights,
        f"{name}.spread": bank.spread,
        f"{name}.radices": plan.radices.astype(np.int32),
        f"{name}.pass_turns": plan.pass_turns,
        f"{name}.real_turns": plan.real_turns,
    }


def _codec_numbers(params: SonogramParams) -> dict[str, Any]:
    grid, effort = work_grid(params), effort_for(params, "fast")
    return {
        **asdict(effort),
        "hop": grid.hop,
        "win": grid.win,
        "n_fft": grid.n_fft,
        "unit": grid.unit,
        "lead": grid.lead(grid.win, grid.hop),
        "full_lead": grid.lead(params.win_length, params.hop_length),
        "span": upsampling_span(grid),
        "look_ahead_frames": StreamingDecoder(params, quality="fast").look_ahead_frames(1),
        "max_gain": MAX_GAIN,
        "least_window_power": LEAST_WINDOW_POWER,
        "hann_gamma": HANN_GAMMA,
        "log_tolerance": LOG_TOLERANCE,
        "log_floor": LOG_FLOOR,
        "n_classes": N_CLASSES,
    }
