"""A stream's state as bytes: what a worker is handed, and what a replay begins with.

The bytes are a safetensors file of float32 arrays; the array ``facts`` is JSON in UTF-8. Nothing in
them names a class or a function, and all of them are checked before they are used.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from sonoriff.errors import FormatError, ParameterError
from sonoriff.models.protocol import Model
from sonoriff.music import parse_key
from sonoriff.sonogram.decoder_state import decoder_from_snapshot, decoder_snapshot
from sonoriff.sonogram.stereo import PLANES
from sonoriff.stream.engine import RiffState, Window
from sonoriff.stream.position import Bars, Blend, Key, Morph, StreamPosition, Walk
from sonoriff.stream.riff import Riff
from sonoriff.stream.scene import Scene, SceneSchedule, WeightedPrompt

VERSION = 3
_DECODER = "decoder."
_COUNTS = ("n_cells", "n_columns", "n_samples")
MusicAttributes = dict[str, Any]


def bytes_from_state(state: RiffState) -> bytes:
    """All that a stream is at a moment."""
    decoder, arrays = decoder_snapshot(state.decoder)
    tensors: dict[str, npt.NDArray[Any]] = {_DECODER + k: v for k, v in arrays.items()}
    riff = state.riff
    given = {"latents": state.latents}
    if riff is not None:
        given |= {"riff.picture": riff.picture, "riff.recorded": riff.recorded}
    tensors |= {k: np.ascontiguousarray(v) for k, v in given.items() if v is not None}
    if state.columns is not None:
        tensors["columns"] = np.ascontiguousarray(state.columns)
    facts = {
        "version": VERSION,
        "schedule": state.schedule.to_dict(),
        **{name: getattr(state, name) for name in _COUNTS},
        "decoder": decoder,
        "window": None if state.window is None else asdict(state.window),
        "course": None if state.course is None else asdict(state.course),
        "riff": None if riff is None else _riff_facts(riff),
    }
    tensors["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    return save(tensors)


def state_from_bytes(data: bytes, model: Model) -> RiffState:
    """Inverse of `bytes_from_state`: the same stream follows, to the last bit.

    Parameters
    ----------
    model : the one that the stream was made with

    Raises
    ------
    FormatError
        damaged, of another version, or of a model of another shape
    """
    try:
        tensors = load(data)
        facts = json.loads(bytes(tensors.pop("facts")))
        if facts["version"] != VERSION:
            raise FormatError(f"the state is of version {facts['version']!r:.20}, not {VERSION}")
        arrays = {k[len(_DECODER) :]: v for k, v in tensors.items() if k.startswith(_DECODER)}
        latents = model.latent_shape(model.window_frames)
        shape = (PLANES if model.stereo else 1, model.params.n_mels)
        columns = _array(tensors, "columns", shape)
        return RiffState(
            schedule=SceneSchedule.from_dict(facts["schedule"]),
            decoder=decoder_from_snapshot(model.params, facts["decoder"], arrays),
            **{name: _count(facts[name]) for name in _COUNTS},
            latents=_array(tensors, "latents", (1, *latents[:2])),
            columns=columns,
            window=facts["window"] and _window(facts["window"]),
            course=facts["course"] and _course(facts["course"]),
            riff=facts["riff"] and _riff(facts["riff"], tensors, shape),
        )
    except FormatError:
        raise
    except (SafetensorError, ParameterError, ValueError, TypeError, KeyError) as error:
        raise FormatError(f"this is no state of a stream: {error!r:.200}") from error


def _riff_facts(riff: Riff) -> MusicAttributes:
    names = ("hop_length", "unit_beats", "n_units", "unit", "renewing")
    return {"bars": asdict(riff.bars), **{name: getattr(riff, name) for name in names}}


def _riff(facts: MusicAttributes, tensors: dict[str, Any], shape: tuple[int, int]) -> Riff:
    values = dict(facts)
    if min(_count(values[n]) for n in ("hop_length", "unit_beats", "n_units")) < 1:
        raise FormatError("a riff has units of at least a beat")
    _count(values["unit"])
    return Riff(
        **{**values, "bars": _bars(values["bars"]), "renewing": bool(values["renewing"])},
        picture=_array(tensors, "riff.picture", (1, *shape)),
        recorded=_array(tensors, "riff.recorded", (1, *shape)),
    )


def _course(facts: MusicAttributes) -> StreamPosition:
    morph = facts["morph"]
    return StreamPosition(
        scene=Scene.from_dict(facts["scene"]),
        walk=Walk(_count(facts["walk"]["seed"]), float(facts["walk"]["alpha"])),
        morph=Morph(
            _blend(morph["before"]),
            _blend(morph["after"]),
            _count(morph["start"]),
            float(morph["length"]),
        ),
        bars=facts["bars"] and _bars(facts["bars"]),
        key=facts["key"] and _key(facts["key"]),
    )


def _key(names: list[str]) -> Key:
    return parse_key(" ".join(name for name in names if name))


def _bars(facts: MusicAttributes) -> Bars:
    bars = Bars(float(facts["bpm"]), _count(facts["origin"]), _count(facts["sample_rate"]))
    if not bars.bpm > 0 or bars.sample_rate < 1:
        raise FormatError(f"bars have a tempo and a sample rate, got {facts!r:.80}")
    return bars


def _window(facts: MusicAttributes) -> Window:
    scene, prompts = Scene.from_dict(facts["scene"]), _blend(facts["prompts"])
    for name in ("index", "first_sample", "end_sample", "seed"):
        _count(facts[name])
    return Window(**{**facts, "scene": scene, "prompts": prompts})


def _blend(prompts: list[MusicAttributes]) -> Blend:
    return tuple(WeightedPrompt(**prompt) for prompt in prompts)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise FormatError(f"expected a whole number that is not negative, got {value!r:.40}")
    return value


def _array(
    tensors: dict[str, Any], name: str, first: tuple[int, ...]
) -> npt.NDArray[np.float32] | None:
    """A float32 array (*first, n), or None where it is not there."""
    value = tensors.get(name)
    if value is None:
        return None
    shape = value.shape
    if value.dtype != np.float32 or shape[:-1] != first or not np.isfinite(value).all():
        raise FormatError(f"{name} must be finite float32 {(*first, 'n')}, got {shape}")
    return np.array(value)
