"""Training pictures: the sonograms of a corpus as 8-bit arrays, computed once.

A set is a folder of ``pictures-NNNNN.npy`` (uint8, clips x mels x columns) and
``index-NNNNN.jsonl`` (one line a clip: file, captions, facts, split, source) beside each other,
one pair for each audio shard of the corpus.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import torch

from sonoriff.errors import CorpusError
from sonoriff.files import atomic_path, write_text
from sonoriff.sonogram.mel import mel_from_waveform
from sonoriff.sonogram.params import HIFI, SonogramParams

CLIP_FRAMES = 512
CLIP_SAMPLES = CLIP_FRAMES * HIFI.hop_length


@dataclass(frozen=True)
class PictureSet:
    """Pictures of one or more corpora, mapped from disk.

    Attributes
    ----------
    shards : uint8 arrays (clips, M, N)
    entries : the manifest line of every clip, in the order of the shards
    """

    shards: list[npt.NDArray[np.uint8]]
    entries: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.entries)

    def subset(self, split: str) -> npt.NDArray[np.int64]:
        """Indices of the clips of a split."""
        return np.array([i for i, e in enumerate(self.entries) if e["split"] == split], np.int64)

    def picture(self, index: int) -> npt.NDArray[np.uint8]:
        """uint8 (M, N)."""
        for shard in self.shards:
            if index < len(shard):
                picture: npt.NDArray[np.uint8] = shard[index]
                return picture
            index -= len(shard)
        raise IndexError(index)


def picture_from_mel(mel_db: torch.Tensor, params: SonogramParams = HIFI) -> torch.Tensor:
    """Decibels -> [-1, 1]."""
    return (mel_db - params.db_min) * (2.0 / (params.db_max - params.db_min)) - 1.0


def mel_from_picture(picture: torch.Tensor, params: SonogramParams = HIFI) -> torch.Tensor:
    """[-1, 1] -> decibels."""
    return (picture + 1.0) * (0.5 * (params.db_max - params.db_min)) + params.db_min


def floats_from_bytes(pictures: npt.NDArray[np.uint8]) -> torch.Tensor:
    """uint8 0..255 -> float32 [-1, 1]."""
    return torch.from_numpy(pictures.astype(np.float32)).mul_(2.0 / 255.0).sub_(1.0)


def _bytes_of_clip(path: Path) -> npt.NDArray[np.uint8]:
    samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    if sample_rate != HIFI.sample_rate or len(samples) != CLIP_SAMPLES:
        raise CorpusError(
            f"{path.name}: expected {CLIP_SAMPLES} samples at {HIFI.sample_rate} Hz, got "
            f"{len(samples)} at {sample_rate}: import the folder with `sonoriff corpus import`"
        )
    waveform = torch.from_numpy(samples.mean(axis=1))[None]
    picture = picture_from_mel(mel_from_waveform(waveform, HIFI))[0]
    cut = HIFI.cut_frames
    picture[:, :cut], picture[:, -cut:] = picture[:, cut, None], picture[:, -cut - 1, None]
    levels = ((picture + 1.0) * 127.5).round().clamp(0, 255)
    return levels.to(torch.uint8).numpy()


def prepare_pictures(
    corpus: Path, folder: Path, *, progress: Callable[[int, int], None] | None = None
) -> int:
    """Compute the pictures that are missing; returns how many clips the set then has.

    Only shards whose clips have changed are computed again, so a growing corpus costs what
    is new. Raises CorpusError where the corpus has no clips.
    """
    manifest = corpus / "metadata.jsonl"
    if not manifest.is_file():
        raise CorpusError(f"{corpus} holds no metadata.jsonl: render or import a corpus first")
    by_shard: dict[str, list[dict[str, Any]]] = {}
    for line in manifest.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        by_shard.setdefault(Path(entry["file_name"]).parent.name, []).append(entry)
    if not by_shard:
        raise CorpusError(f"{corpus} has no clips")
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(map(len, by_shard.values()))
    done = 0
    for shard, entries in sorted(by_shard.items()):
        _prepare_shard(corpus, folder, shard, entries)
        done += len(entries)
        if progress:
            progress(done, total)
    return total


def _prepare_shard(corpus: Path, folder: Path, shard: str, entries: list[dict[str, Any]]) -> None:
    pictures_file = folder / f"pictures-{shard}.npy"
    index_file = folder / f"index-{shard}.jsonl"
    index = "".join(json.dumps(entry) + "\n" for entry in entries)
    if index_file.exists() and index_file.read_text(encoding="utf-8") == index:
        return
    clips = [corpus / entry["file_name"] for entry in entries]
    known = [e["file_name"] for e in _entries(index_file)] if index_file.exists() else []
    if known != [e["file_name"] for e in entries] or not is_newer(pictures_file, clips):
        pictures = np.stack([_bytes_of_clip(clip) for clip in clips])
        with atomic_path(pictures_file) as partial, partial.open("wb") as stream:
            np.save(stream, pictures)
    write_text(index_file, index)


def is_newer(target: Path, sources: Iterable[Path]) -> bool:
    """Whether `target` exists and was written after all of `sources`."""
    if not target.exists():
        return False
    written = target.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= written for source in sources)


def load_pictures(folders: Iterable[Path]) -> PictureSet:
    """Map the sets in `folders`; CorpusError where there is nothing."""
    shards: list[npt.NDArray[np.uint8]] = []
    entries: list[dict[str, Any]] = []
    for folder in folders:
        for pictures_file in sorted(folder.glob("pictures-*.npy")):
            index = folder / pictures_file.name.replace("pictures", "index").replace("npy", "jsonl")
            shard = np.load(pictures_file, mmap_mode="r")
            lines = list(_entries(index))
            if len(lines) != len(shard):
                raise CorpusError(f"{index} and {pictures_file.name} differ in length: remove both")
            shards.append(shard)
            entries += lines
    if not entries:
        raise CorpusError("no prepared pictures found: run `sonoriff train prepare` first")
    return PictureSet(shards, entries)


def _entries(index: Path) -> Iterator[dict[str, Any]]:
    for line in index.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
