"""The rows of the table: sets of clips with their measures, made once and kept on disk."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sonoriff.audio import read_audio
from sonoriff.evaluation.judges.measures import MEASURES_VERSION, Judges, measure_clip
from sonoriff.files import atomic_path
from sonoriff.models.small.model import SmallModel
from sonoriff.pipeline.generate import GenerateSettings, generate
from sonoriff.sonogram import Sonogram, decode, encode
from sonoriff.training.data.pictures import mel_from_picture, picture_from_mel

Waveform = npt.NDArray[np.float32]
Measures = dict[str, npt.NDArray[np.float32]]
OnClip = Callable[[str, int, int], None]
_CHUNK = 20


@dataclass(frozen=True)
class Row:
    """Clips of one kind.

    Attributes
    ----------
    name : heading in the table
    recipe : all that decides what the clips are, JSON types; names the folder of their measures
    count : number of clips
    make : the clip at an index: waveform float32 (T,) and sample rate
    """

    name: str
    recipe: dict[str, Any]
    count: int
    make: Callable[[int], tuple[Waveform, int]]


def real_row(name: str, corpus: Path, entries: Sequence[dict[str, Any]]) -> Row:
    """Clips as they are."""
    files = [str(e["file_name"]) for e in entries]
    recipe = {"kind": "real", "corpus": str(corpus.resolve()), "files": files}
    return Row(name, recipe, len(files), lambda i: _read(corpus / files[i]))


def ceiling_row(
    name: str, corpus: Path, entries: Sequence[dict[str, Any]], model: SmallModel
) -> Row:
    """Clips through autoencoder and codec: no denoiser can sound better than that."""
    real = real_row(name, corpus, entries)
    recipe = {
        **real.recipe,
        "kind": "ceiling",
        "autoencoder": model.digest("autoencoder"),
        "precision": model.precision,
    }
    return Row(name, recipe, real.count, lambda i: _through(model, *real.make(i)))


def codec_row(name: str, corpus: Path, entries: Sequence[dict[str, Any]]) -> Row:
    """Clips through the codec alone."""
    real = real_row(name, corpus, entries)
    recipe = {**real.recipe, "kind": "codec"}
    return Row(name, recipe, real.count, lambda i: _through(None, *real.make(i)))


def model_row(name: str, model: SmallModel, settings: Sequence[GenerateSettings]) -> Row:
    """Clips that the model makes."""
    recipe = {
        "kind": "model",
        "autoencoder": model.digest("autoencoder"),
        "denoiser": model.digest("denoiser"),
        "precision": model.precision,
        # What the model is asked when its own defaults stand where nothing was said.
        "settings": [asdict(s.resolved(model)) for s in settings],
        "paced_share": model.defaults.paced_share,
    }

    def make(index: int) -> tuple[Waveform, int]:
        clip = generate(model, settings[index])
        return clip.waveform.mean(axis=0), clip.sample_rate

    return Row(name, recipe, len(settings), make)


def sampling_facts(sampling: GenerateSettings, model: SmallModel) -> dict[str, Any]:
    """What a row of a model is painted with, the model's defaults filled in; JSON types."""
    asked = asdict(sampling.resolved(model))
    return {k: v for k, v in asked.items() if k not in ("prompt", "seed")}


def measured(
    row: Row, judges: Judges, judges_digest: str, work: Path, on_clip: OnClip | None = None
) -> Measures:
    """Measures of every clip of a row, stacked: (clips, ...) by name, and ``seconds`` to make one.

    Read from `work` as far as they are there, else made and kept there in pieces of twenty clips,
    so that a run that is stopped goes on where it was.
    """
    # `default=str` writes nothing but the path types that settings may hold.
    text = json.dumps([row.recipe, judges_digest, MEASURES_VERSION], default=str)
    folder = work / f"row-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, row.count, _CHUNK):
        end = min(start + _CHUNK, row.count)
        path = folder / f"{start:06d}-{end:06d}.npz"
        if not path.is_file():
            _write(path, _measure_range(row, judges, start, end, on_clip))
        elif on_clip:
            on_clip(row.name, end, row.count)
        with np.load(path) as stored:
            parts.append({name: stored[name] for name in stored.files})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _measure_range(
    row: Row, judges: Judges, start: int, end: int, on_clip: OnClip | None
) -> Measures:
    found = []
    for index in range(start, end):
        began = time.perf_counter()
        waveform, sample_rate = row.make(index)
        seconds = time.perf_counter() - began
        measures = measure_clip(waveform, sample_rate, judges)
        measures["seconds"] = np.asarray(seconds, np.float32)
        measures["duration"] = np.asarray(len(waveform) / sample_rate, np.float32)
        found.append(measures)
        if on_clip:
            on_clip(row.name, index + 1, row.count)
    return {name: np.stack([m[name] for m in found]) for name in found[0]}


def _write(path: Path, measures: Measures) -> None:
    with atomic_path(path) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, **measures)  # type: ignore[arg-type]  # the stub misses **kwds


def _read(path: Path) -> tuple[Waveform, int]:
    waveform, sample_rate = read_audio(path, max_channels=1)
    return waveform[0], sample_rate


def _through(
    model: SmallModel | None, waveform: Waveform, sample_rate: int
) -> tuple[Waveform, int]:
    sonogram = encode(waveform[None], sample_rate)
    if model is not None:
        picture = picture_from_mel(torch.from_numpy(sonogram.values))[None].numpy()
        spare = -picture.shape[3] % model.cell[1]
        padded = np.pad(picture, ((0, 0), (0, 0), (0, 0), (0, spare)), constant_values=-1.0)
        coded = model.decode(model.encode(padded))[0, :1, :, : picture.shape[3]]
        values = mel_from_picture(torch.from_numpy(coded)).numpy()
        sonogram = Sonogram(np.ascontiguousarray(values), sonogram.params)
    return decode(sonogram, quality="fast")[0], sonogram.params.sample_rate
