"""Training pictures: the sonograms of a corpus as 8-bit arrays, computed once.

A set is a folder of ``pictures-NNNNN.npy`` (uint8, clips x mels x columns), ``sides-NNNNN.npy``
(float16, clips x 2 x rows x columns: pan and width of cells of 32 x 8 pixels) and
``index-NNNNN.jsonl`` (one line a clip: file, captions, facts, split, source, as "heard" its energy
and its chords, one for each 4096 samples, and as "stamp" the file's size and time of change) beside
each other, one pair for each audio shard of the corpus.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from sonoriff.analysis.chords import chords_of_waveform
from sonoriff.analysis.energy import energy_of_picture
from sonoriff.audio import read_audio
from sonoriff.corpus.splits import split_named
from sonoriff.errors import CorpusError, FormatError, ParameterError, SonoriffWarning
from sonoriff.files import atomic_path, write_text
from sonoriff.sonogram.codec import encode
from sonoriff.sonogram.mel import mel_from_waveform
from sonoriff.sonogram.params import HIFI, SonogramParams
from sonoriff.sonogram.stereo import PLANES, pan_and_width, power_of_level

CLIP_FRAMES = 512
CLIP_SAMPLES = CLIP_FRAMES * HIFI.hop_length
CHORD_SAMPLES = 8 * HIFI.hop_length
SIDE_CELL = (32, 8)


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


class _Splits(Protocol):
    """Clips that belong to splits."""

    def subset(self, split: str) -> npt.NDArray[np.int64]:
        """Indices of the clips of a split."""


def training_clips(clips: _Splits) -> npt.NDArray[np.int64]:
    """Indices of the split "train"; CorpusError where it is empty."""
    indices = clips.subset("train")
    if len(indices) == 0:
        raise CorpusError(
            'no clip is of the split "train", so that there is nothing to learn from: add another '
            "corpus, or give clips that split in metadata.jsonl"
        )
    return indices


def picture_from_mel(mel_db: torch.Tensor, params: SonogramParams = HIFI) -> torch.Tensor:
    """Decibels -> [-1, 1]."""
    return (mel_db - params.db_min) * (2.0 / (params.db_max - params.db_min)) - 1.0


def mel_from_picture(picture: torch.Tensor, params: SonogramParams = HIFI) -> torch.Tensor:
    """[-1, 1] -> decibels."""
    return (picture + 1.0) * (0.5 * (params.db_max - params.db_min)) + params.db_min


def floats_from_bytes(pictures: npt.NDArray[np.uint8]) -> torch.Tensor:
    """uint8 0..255 -> float32 [-1, 1]."""
    return torch.from_numpy(pictures.astype(np.float32)).mul_(2.0 / 255.0).sub_(1.0)


def _waveform_of_clip(path: Path) -> npt.NDArray[np.float32]:
    """float32 (1 or 2, CLIP_SAMPLES)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SonoriffWarning)
        try:
            samples, sample_rate = read_audio(path, max_channels=2)
        except SonoriffWarning as damage:
            raise FormatError(str(damage)) from damage
    if sample_rate != HIFI.sample_rate or samples.shape[1] != CLIP_SAMPLES:
        raise CorpusError(
            f"{path.name}: expected {CLIP_SAMPLES} samples at {HIFI.sample_rate} Hz, got "
            f"{samples.shape[1]} at {sample_rate}: import the folder with "
            "`sonoriff corpus import`"
        )
    return np.asarray(samples, np.float32)


def _sides_of_waveform(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    """Pan and width of cells, float16 (2, M / 32, N / 8)."""
    rows, columns = SIDE_CELL
    shape = (HIFI.n_mels // rows, CLIP_FRAMES // columns)
    if len(samples) == 1:
        return np.zeros((2, *shape), np.float16)
    power = power_of_level(encode(samples, HIFI.sample_rate, HIFI).values, HIFI)
    cells = power.reshape(PLANES, shape[0], rows, shape[1], columns).sum(axis=(2, 4))
    return pan_and_width(*cells).astype(np.float16)


def _bytes_of_waveform(waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    picture = picture_from_mel(torch.from_numpy(mel_from_waveform(waveform[None], HIFI)))[0]
    cut = HIFI.cut_frames
    picture[:, :cut], picture[:, -cut:] = picture[:, cut, None], picture[:, -cut - 1, None]
    levels = ((picture + 1.0) * 127.5).round().clamp(0, 255)
    return levels.to(torch.uint8).numpy()


def _heard_in(waveform: npt.NDArray[np.float32], picture: npt.NDArray[np.uint8]) -> dict[str, Any]:
    """Energy and chords of a clip: measured alike in recordings and in what is rendered."""
    span_db = HIFI.db_max - HIFI.db_min
    energy = energy_of_picture(picture.astype(np.float32) * (span_db / 255.0) + HIFI.db_min)
    hop_s = CHORD_SAMPLES / HIFI.sample_rate
    chords = chords_of_waveform(waveform, HIFI.sample_rate, hop_s)
    return {"energy": round(energy, 3), "chords": chords.tolist()}


def prepare_pictures(
    corpus: Path, folder: Path, *, progress: Callable[[int, int], None] | None = None
) -> int:
    """Compute the pictures that are missing; returns how many clips the set then has.

    Only clips whose files have changed are computed again, so a growing corpus costs what is new.
    Clips that cannot be read are left out, with a warning that counts them; shards that the
    corpus no longer has are removed. Raises CorpusError where the corpus has no clips, or none
    that can be read, or where its manifest is damaged.
    """
    by_shard: dict[str, list[dict[str, Any]]] = {}
    for entry in _manifest(corpus):
        by_shard.setdefault(Path(entry["file_name"]).parent.name, []).append(entry)
    if not by_shard:
        raise CorpusError(f"{corpus} has no clips")
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(map(len, by_shard.values()))
    done = 0
    unreadable: list[str] = []
    for shard, entries in sorted(by_shard.items()):
        unreadable += _prepare_shard(corpus, folder, shard, entries)
        done += len(entries)
        if progress:
            progress(done, total)
    remove_shards(folder, ("pictures", "sides", "index"), by_shard)
    if unreadable:
        said = f"{len(unreadable)} of {total} clips of {corpus} cannot be read"
        if len(unreadable) == total:
            raise CorpusError(f"{said}, so that none is left: {unreadable[0]}")
        warnings.warn(f"{said} and are left out: {unreadable[0]}", SonoriffWarning, stacklevel=2)
    return total - len(unreadable)


def _manifest(corpus: Path) -> Iterator[dict[str, Any]]:
    """The lines, completed by what an `audiofolder` need not say; a torn last one is passed over.

    As they stand, not as a `Clip`: what is kept of a corpus must not change with the version.
    """
    manifest = corpus / "metadata.jsonl"
    if not manifest.is_file():
        raise CorpusError(f"{corpus} holds no metadata.jsonl: render or import a corpus first")
    lines = manifest.read_text(encoding="utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry: dict[str, Any] = dict(json.loads(line))
            Path(entry["file_name"])
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                return
            raise CorpusError(f"{manifest}, line {number} is damaged: {error}") from error
        captions = entry.get("captions") or [text for text in [entry.get("text")] if text]
        usual: dict[str, Any] = {"text": "".join(captions[:1]), "captions": captions}
        usual |= {"facts": {}, "split": "train"}
        entry |= {name: usual[name] for name in usual if not entry.get(name)}
        try:
            yield entry | {"split": split_named(str(entry["split"]))}
        except ParameterError as error:
            raise CorpusError(f"{manifest}, line {number}: {error}") from error


def _prepare_shard(
    corpus: Path, folder: Path, shard: str, entries: list[dict[str, Any]]
) -> list[str]:
    """Bring one shard up to date; what is wrong with each clip that cannot be read."""
    pictures_file = folder / f"pictures-{shard}.npy"
    index_file = folder / f"index-{shard}.jsonl"
    sides_file = folder / f"sides-{shard}.npy"
    known, rows, heard_before = _stored(pictures_file, index_file)
    sides_before = np.load(sides_file) if known and sides_file.exists() else np.zeros(0)
    if len(sides_before) != len(known):
        known = []
    places = {mark: row for row, mark in enumerate(known)}
    marks, pictures, sides, lines, unreadable = [], [], [], [], []
    for entry in entries:
        path = corpus / entry["file_name"]
        try:
            stat = path.stat()
            mark = (entry["file_name"], stat.st_size, stat.st_mtime_ns)
            place = places.get(mark)
            heard = None if place is None else heard_before[place]
            if place is not None and heard is not None:
                pictures.append(rows[place])
                sides.append(sides_before[place])
            else:
                waveform = _waveform_of_clip(path)
                mono = waveform.mean(axis=0)
                pictures.append(_bytes_of_waveform(mono))
                sides.append(_sides_of_waveform(waveform))
                heard = _heard_in(mono, pictures[-1])
        except (OSError, FormatError) as error:
            unreadable.append(str(error))
            continue
        marks.append(mark)
        lines.append(json.dumps({**entry, "heard": heard, "stamp": mark[1:]}) + "\n")
    if not marks:
        for path in (pictures_file, sides_file, index_file):
            path.unlink(missing_ok=True)
        return unreadable
    if marks != known:
        for target, arrays in ((sides_file, sides), (pictures_file, pictures)):
            with atomic_path(target) as partial, partial.open("wb") as stream:
                np.save(stream, np.stack(arrays))
    index = "".join(lines)
    if marks != known or index_file.read_text(encoding="utf-8") != index:
        write_text(index_file, index)
    return unreadable


def _stored(
    pictures_file: Path, index_file: Path
) -> tuple[list[tuple[str, int, int]], npt.NDArray[np.uint8], list[dict[str, Any] | None]]:
    """(file, size, time) of the clips of a shard, their pictures, and what was heard in them.

    Nothing where they differ.

    An index older than its pictures is of those before: the run that replaced them was ended.
    """
    none = np.empty((0,), np.uint8)
    if not pictures_file.exists() or not is_newer(index_file, [pictures_file]):
        return [], none, []
    try:
        rows = np.load(pictures_file, mmap_mode="r")
        lines = [json.loads(line) for line in index_file.read_text(encoding="utf-8").splitlines()]
        marks = [(str(e["file_name"]), *map(int, e["stamp"])) for e in lines]
    except (OSError, EOFError, ValueError, KeyError):
        return [], none, []
    if len(marks) != len(rows):
        return [], none, []
    return marks, rows, [line.get("heard") for line in lines]  # type: ignore[return-value]


def remove_shards(folder: Path, kinds: Collection[str], kept: Collection[str]) -> None:
    """Remove the files KIND-SHARD.* of all shards but those kept."""
    for kind in kinds:
        for path in folder.glob(f"{kind}-*"):
            if path.stem.partition("-")[2] not in kept:
                path.unlink(missing_ok=True)


def is_newer(target: Path, sources: Iterable[Path]) -> bool:
    """Whether `target` exists and was written after all of `sources`."""
    if not target.exists():
        return False
    written = target.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= written for source in sources)


def load_pictures(folders: Sequence[Path]) -> PictureSet:
    """Map the sets in `folders`; CorpusError where there is nothing."""
    shards: list[npt.NDArray[np.uint8]] = []
    entries: list[dict[str, Any]] = []
    for folder in folders:
        for pictures_file in sorted(folder.glob("pictures-*.npy")):
            index = folder / pictures_file.name.replace("pictures", "index").replace("npy", "jsonl")
            shard = np.load(pictures_file, mmap_mode="r")
            lines = read_index(index)
            if len(lines) != len(shard):
                raise CorpusError(f"{index} and {pictures_file.name} differ in length: remove both")
            shards.append(shard)
            entries += lines
    if not entries:
        places = ", ".join(map(str, folders))
        raise CorpusError(
            f"no prepared pictures in {places}: `sonoriff train autoencoder` computes those of "
            "the corpora that it is given"
        )
    return PictureSet(shards, entries)


def read_index(index: Path) -> list[dict[str, Any]]:
    """The manifest lines of an index."""
    entries = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines()]
    for entry in entries:
        entry.pop("stamp", None)
    return entries
