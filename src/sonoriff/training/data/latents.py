"""Training latents: the pictures of a corpus through the autoencoder, and its captions as vectors.

For every ``pictures-NNNNN.npy`` there come ``latents-NNNNN.npy`` (float16, clips x C x H x W),
``text-NNNNN.npy`` (float16, all tokens x 384) and ``text-NNNNN.json`` (for every clip the
[start, end) of each caption's tokens). They are computed once; a new autoencoder is another folder.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sonoriff.analysis.energy import step_of_energy
from sonoriff.errors import CorpusError
from sonoriff.files import atomic_path, write_text
from sonoriff.models.small.networks import tensors_digest
from sonoriff.models.small.sides import latents_from_sides
from sonoriff.models.small.text import load_text_encoder
from sonoriff.models.small.torch.autoencoder import SonogramAutoencoder
from sonoriff.music import KEYS, KINDS, MODES, parse_key
from sonoriff.precision import multiplies_bfloat16
from sonoriff.training.data.pictures import (
    SIDE_CELL,
    floats_from_bytes,
    is_newer,
    read_index,
    remove_shards,
)


def latents_digest(autoencoder: SonogramAutoencoder) -> str:
    """Names the folder of an autoencoder's latents: a decoder that has learnt more keeps them."""
    weights = autoencoder.state_dict()
    digest = tensors_digest(
        {
            name: tensor.detach().float().cpu().numpy()
            for name, tensor in weights.items()
            if not name.startswith("decoder.")
        }
    )
    return f"{digest}-sides"


@dataclass(frozen=True)
class LatentSet:
    """Latents, captions and facts of clips.

    Attributes
    ----------
    latents : float16 arrays (clips, C, H, W), one a shard
    text : float16 arrays (tokens, 384), one a shard
    spans : for each clip its captions' [start, end) in its shard's text
    entries : the manifest line of each clip
    places : (shard, row) of each clip
    """

    latents: list[npt.NDArray[np.float16]]
    text: list[npt.NDArray[np.float16]]
    spans: list[list[tuple[int, int]]]
    entries: list[dict[str, Any]]
    places: list[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.entries)

    def subset(self, split: str) -> npt.NDArray[np.int64]:
        """Indices of the clips of a split."""
        return np.array([i for i, e in enumerate(self.entries) if e["split"] == split], np.int64)

    def latent(self, index: int) -> npt.NDArray[np.float16]:
        """float16 (C, H, W), the last two channels pan and width."""
        shard, row = self.places[index]
        latent: npt.NDArray[np.float16] = self.latents[shard][row]
        return latent

    def caption(self, index: int, which: int) -> npt.NDArray[np.float16]:
        """float16 (L, 384) token states of a caption."""
        shard, _ = self.places[index]
        start, end = self.spans[index][which]
        return self.text[shard][start:end]

    def heard(self, index: int) -> tuple[int, int, npt.NDArray[np.int8]]:
        """(kind or -1, energy or 0, chords int8 (N,) as of `chords_of_waveform`, -1 unknown)."""
        entry = self.entries[index]
        heard, kind = entry.get("heard") or {}, entry["facts"].get("kind")
        name = {"recording": "recorded", "render": "rendered"}.get(kind, kind)
        if name == "rendered" and str(entry.get("piece", "")).startswith("electronic-"):
            name = "synthesised"
        return (
            KINDS.index(name) if name in KINDS else -1,
            step_of_energy(heard["energy"]) if "energy" in heard else 0,
            np.asarray(heard.get("chords", [-1]), np.int8),
        )

    def facts(self, index: int) -> tuple[float, int, int, float]:
        """(bpm or 0, key index or -1, mode index or -1, beats since a bar began or NaN)."""
        facts = self.entries[index]["facts"]
        key, mode = facts.get("key"), facts.get("mode")
        bpm, since_bar_s = float(facts.get("bpm") or 0.0), facts.get("since_bar_s")
        return (
            bpm,
            KEYS.index(parse_key(key)[0]) if key else -1,
            MODES.index(mode) if mode in MODES else -1,
            math.nan if since_bar_s is None else since_bar_s * bpm / 60.0,
        )


def prepare_latents(
    pictures: Path,
    folder: Path,
    autoencoder: SonogramAutoencoder,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Compute the shards that are missing or have changed; those without pictures are removed.

    Raises CorpusError where there are no pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = sorted(pictures.glob("pictures-*.npy"))
    if not shards:
        raise CorpusError(f"{pictures} holds no pictures: compute them with prepare_pictures")
    remove_shards(folder, ("index", "latents", "text"), {p.stem.partition("-")[2] for p in shards})
    for done, path in enumerate(shards, start=1):
        number = path.stem.removeprefix("pictures-")
        index = path.with_name(f"index-{number}.jsonl").read_text(encoding="utf-8")
        stored = folder / f"index-{number}.jsonl"
        if not stored.exists() or stored.read_text(encoding="utf-8") != index:
            latents = folder / f"latents-{number}.npy"
            sides = path.with_name(f"sides-{number}.npy")
            if not is_newer(latents, [path, sides]):
                _write_latents(latents, np.load(path, mmap_mode="r"), np.load(sides), autoencoder)
            captions = [json.loads(line)["captions"] for line in index.splitlines()]
            _write_text(folder, number, [several or [""] for several in captions])
            write_text(stored, index)
        if progress:
            progress(done, len(shards))


@torch.inference_mode()
def _write_latents(
    path: Path,
    pictures: npt.NDArray[np.uint8],
    sides: npt.NDArray[np.float16],
    autoencoder: SonogramAutoencoder,
) -> None:
    if autoencoder.config.cell != SIDE_CELL:
        raise CorpusError(f"pan and width are measured for cells of {SIDE_CELL} pixels")
    parts = []
    device = autoencoder.latent_mean.device
    with torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16()):
        for start in range(0, len(pictures), 8):
            batch = floats_from_bytes(pictures[start : start + 8])[:, None]
            batch = batch.contiguous(memory_format=torch.channels_last).to(device)
            parts.append(autoencoder.encode(batch).half().contiguous().cpu().numpy())
    both = latents_from_sides(sides.astype(np.float32)).astype(np.float16)
    with atomic_path(path) as partial, partial.open("wb") as stream:
        np.save(stream, np.concatenate([np.concatenate(parts), both], axis=1))


def _write_text(folder: Path, number: str, captions: list[list[str]]) -> None:
    encoder = load_text_encoder()
    unique = sorted({c for several in captions for c in several}, key=len)
    spans: dict[str, tuple[int, int]] = {}
    parts: list[npt.NDArray[np.float16]] = []
    position = 0
    for start in range(0, len(unique), 64):
        batch = unique[start : start + 64]
        states, present = encoder(batch)
        for caption, state, there in zip(batch, states, present, strict=True):
            tokens = state[there].astype(np.float16)
            spans[caption] = (position, position + len(tokens))
            position += len(tokens)
            parts.append(tokens)
    with atomic_path(folder / f"text-{number}.npy") as partial, partial.open("wb") as stream:
        np.save(stream, np.concatenate(parts))
    places = [[spans[c] for c in several] for several in captions]
    write_text(folder / f"text-{number}.json", json.dumps(places))


def load_latents(folders: list[Path]) -> LatentSet:
    """Map the sets in `folders`; CorpusError where there is nothing."""
    found = LatentSet([], [], [], [], [])
    for folder in folders:
        for index in sorted(folder.glob("index-*.jsonl")):
            number = index.stem.removeprefix("index-")
            latents = np.load(folder / f"latents-{number}.npy", mmap_mode="r")
            entries = read_index(index)
            spans = json.loads((folder / f"text-{number}.json").read_text(encoding="utf-8"))
            found.places.extend((len(found.latents), row) for row in range(len(entries)))
            found.latents.append(latents)
            found.text.append(np.load(folder / f"text-{number}.npy", mmap_mode="r"))
            found.spans.extend([(a, b) for a, b in clip] for clip in spans)
            found.entries.extend(entries)
    if not found.entries:
        places = ", ".join(map(str, folders))
        raise CorpusError(
            f"no training latents in {places}: `sonoriff train denoiser` computes those of the "
            "corpora that it is given"
        )
    return found


def pad_captions(captions: list[npt.NDArray[np.float16]], length: int) -> tuple[Tensor, Tensor]:
    """Stack token states (L, 384) of any lengths: float32 (B, length, 384) and presence."""
    text = torch.zeros(len(captions), length, captions[0].shape[1])
    present = torch.zeros(len(captions), length, dtype=torch.bool)
    for i, states in enumerate(captions):
        n = min(length, len(states))
        text[i, :n] = torch.from_numpy(states[:n].astype(np.float32))
        present[i, :n] = True
    return text, present
