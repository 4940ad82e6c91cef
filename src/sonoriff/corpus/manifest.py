"""The corpus on disk: one line of JSON a clip, audio in shard folders, append-only.

A corpus is also a Hugging Face `audiofolder`: `metadata.jsonl` has `file_name` and `text`.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonoriff.corpus.splits import split_named
from sonoriff.errors import CorpusError, SetupError

FORMAT_VERSION = 1
SHARD_CLIPS = 1_000
SPLITS = ("train", "validation", "test")
_METADATA = "metadata.jsonl"
_INFO = "corpus.json"
_DROPPED = "dropped.txt"


@dataclass(frozen=True)
class ClipLabels:
    """What is known of a clip; None or empty where it is not known.

    `bpm` is the felt tempo and `beats_per_bar` counts the same beats (6/8 has two).
    `instruments` are canonical names, most prominent first. `loop` says that the clip is a
    whole number of bars. `since_bar_s` is how long before the clip a bar began.
    """

    genre: str | None = None
    style: str | None = None
    instruments: tuple[str, ...] = ()
    lead: str | None = None
    bpm: float | None = None
    key: str | None = None
    mode: str | None = None
    beats_per_bar: int | None = None
    drums: bool | None = None
    moods: tuple[str, ...] = ()
    loop: bool = False
    since_bar_s: float | None = None
    kind: str = "recording"


@dataclass(frozen=True)
class CorpusClip:
    """One line of the manifest."""

    file_name: str
    captions: tuple[str, ...]
    facts: ClipLabels
    split: str
    source: str
    licence: str
    credit: str = ""
    piece: str = ""

    def to_json(self) -> str:
        """The line, without its end."""
        row: dict[str, Any] = {"file_name": self.file_name}
        row["text"] = self.captions[0] if self.captions else ""
        row["captions"] = list(self.captions)
        row["facts"] = asdict(self.facts)
        for name in ("split", "source", "licence", "credit", "piece"):
            row[name] = getattr(self, name)
        return json.dumps(row, ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> CorpusClip:
        """A line read back; fields of `facts` that this version does not know are dropped.

        A line without a split is for training, as all of a plain `audiofolder`.

        Raises
        ------
        ValueError, KeyError, TypeError
            it is damaged, or its split is no word for one
        """
        row = json.loads(line)
        known = {f.name for f in fields(ClipLabels)}
        facts = {k: v for k, v in row.get("facts", {}).items() if k in known}
        for name in ("instruments", "moods"):
            facts[name] = tuple(facts.get(name) or ())
        captions = tuple(row.get("captions") or ([row["text"]] if row.get("text") else []))
        rest = {k: str(row.get(k) or "") for k in ("source", "licence", "credit", "piece")}
        split = split_named(str(row.get("split") or "train"))
        return cls(str(row["file_name"]), captions, ClipLabels(**facts), split, **rest)


@dataclass
class Corpus:
    """A corpus folder, opened for reading and appending.

    Parameters
    ----------
    root : the folder; made on the first `append`
    """

    root: Path
    _known: set[str] = field(default_factory=set)

    @property
    def metadata(self) -> Path:
        """The manifest's path."""
        return self.root / _METADATA

    @property
    def dropped_list(self) -> Path:
        """Where the pieces that gave no clip are listed."""
        return self.root / _DROPPED

    def clips(self) -> Iterator[CorpusClip]:
        """Every listed clip; a last line cut short by a crash is passed over.

        Raises
        ------
        CorpusError
            there is no manifest, or a line is damaged or has an unknown split
        """
        if not self.metadata.exists():
            raise CorpusError(f"{self.root} is no corpus: it has no {_METADATA}")
        lines = self.metadata.read_text("utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield CorpusClip.from_json(line)
            except (ValueError, KeyError, TypeError) as error:
                if number == len(lines) and isinstance(error, json.JSONDecodeError):
                    return
                raise CorpusError(f"{self.metadata}, line {number}: {error}") from error

    def pieces(self) -> set[str]:
        """The pieces that are done: with clips, or tried and dropped."""
        done = {clip.piece for clip in self.clips()} if self.metadata.exists() else set()
        return done | set(self.dropped())

    def dropped(self) -> dict[str, str]:
        """The pieces that gave no clip, with the reason."""
        path = self.dropped_list
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return {piece: reason for piece, _, reason in (line.partition("\t") for line in lines)}

    def count(self) -> int:
        """How many clips are listed."""
        return sum(1 for _ in self.clips()) if self.metadata.exists() else 0

    def append(self, clips: list[CorpusClip]) -> None:
        """List clips whose files are complete; safe beside other writers."""
        self.root.mkdir(parents=True, exist_ok=True)
        _append_text(self.metadata, "".join(clip.to_json() + "\n" for clip in clips))

    def drop(self, piece: str, reason: str) -> None:
        """Remember that a piece gave no clip, so that a resumed run passes it over."""
        self.root.mkdir(parents=True, exist_ok=True)
        _append_text(self.dropped_list, f"{piece}\t{' '.join(reason.split())[:200]}\n")

    def write_info(self, **info: Any) -> None:
        """Store format version, recipe and counts in corpus.json (kept fields survive)."""
        path = self.root / _INFO
        self.root.mkdir(parents=True, exist_ok=True)
        old = self.info() if path.exists() else {}
        text = json.dumps({"format_version": FORMAT_VERSION, **old, **info}, indent=1)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(text + "\n", "utf-8")
        temporary.replace(path)

    def info(self) -> dict[str, Any]:
        """The content of corpus.json.

        Raises
        ------
        CorpusError
            it is missing, damaged, or of a later format
        """
        path = self.root / _INFO
        try:
            info: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CorpusError(f"{path}: expected a corpus description ({error})") from error
        if info.get("format_version", 0) > FORMAT_VERSION:
            raise CorpusError(
                f"{path}: format {info['format_version']}, this version reads {FORMAT_VERSION}"
            )
        return info


def _append_text(path: Path, text: str) -> None:
    """Append whole lines under a lock; first mends a last line that a crash cut short."""
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                data = path.read_bytes()
                file.truncate(data.rfind(b"\n") + 1)
        # A reason may name a file whose name is not UTF-8.
        file.write(text.encode("utf-8", "backslashreplace"))
        file.flush()


def clip_path(number: int) -> str:
    """The file name of a clip by its number, in its shard folder."""
    return f"audio/{number // SHARD_CLIPS:05d}/{number:08d}.flac"


def write_clip(root: Path, file_name: str, waveform: npt.NDArray[np.float32], rate: int) -> None:
    """Write a clip, (T,) or (C, T), as 16-bit FLAC under a temporary name, then rename it.

    Raises
    ------
    SetupError
        the disk is full or the folder cannot be written
    """
    import soundfile

    path = root / file_name
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(str(temporary), waveform.T, rate, format="FLAC", subtype="PCM_16")
        temporary.replace(path)
    except (OSError, soundfile.SoundFileError) as error:
        raise SetupError(f"cannot write {path}: {error}; is the disk full?") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
