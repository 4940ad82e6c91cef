"""A folder of the user's own audio into a corpus: cut, levelled, captioned, listed, resumable."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonoriff.corpus.lock import alone
from sonoriff.corpus.manifest import ClipLabels, Corpus, CorpusClip, clip_path, write_clip
from sonoriff.corpus.sidecars import Description, describe, read_metadata, text_of_name
from sonoriff.corpus.slicing import Cut, find_cuts, repeated
from sonoriff.corpus.splits import split_of
from sonoriff.corpus.windows import (
    CLIP_SAMPLES,
    SAMPLE_RATE,
    Waveform,
    fingerprint,
    is_hollow,
    levelled,
)
from sonoriff.errors import CorpusError, SonoriffError
from sonoriff.files import write_bytes

_BASE = 5_000_000
_OURS = ("import-", "recording-")
_PRINTS = "fingerprints.bin"
_PRINT_SIZE = 15 * 16
# Of one file: at 44.1 kHz it is worked on as a whole. A megabyte at a rate of 1 Hz is eleven days.
MAX_FILE_S = 4 * 3600.0


@dataclass
class ImportReport:
    """What an import did: files and clips, and what was left out with the reason."""

    files: int = 0
    clips: int = 0
    skipped: int = 0
    silent: int = 0
    copies: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    too_short: list[str] = field(default_factory=list)
    origins: Counter[str] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """One file to import."""

    path: Path
    piece: str
    source: str
    description: Description
    root: Path
    most: int | None
    level_db: float


@dataclass(frozen=True)
class _Made:
    """What a worker made of a file: temporary clips with their tempo and fingerprint."""

    clips: tuple[tuple[Path, Cut, npt.NDArray[np.float32]], ...] = ()
    silent: int = 0
    error: str = ""
    short: bool = False


def stereo_44100(path: Path) -> Waveform:
    """A file at 44.1 kHz, float32 (C, T); one channel where both are the same, else two."""
    from sonoriff.audio import read_audio, resample

    waveform, rate = read_audio(path, max_seconds=MAX_FILE_S, max_channels=2)
    if len(waveform) > 1 and np.array_equal(waveform[0], waveform[1]):
        waveform = waveform[:1]
    return np.ascontiguousarray(resample(waveform, rate, SAMPLE_RATE), np.float32)


def mono_44100(path: Path) -> Waveform:
    """A file as one channel at 44.1 kHz, float32 (T,)."""
    return np.asarray(stereo_44100(path).mean(axis=0), np.float32)


def audio_files(folder: Path) -> list[Path]:
    """Audio files of a folder tree in order of name.

    Raises
    ------
    CorpusError
        it is no folder, or holds no audio
    """
    from sonoriff.audio import AUDIO_SUFFIXES

    if not folder.is_dir():
        raise CorpusError(f"{folder}: expected a folder of audio files, there is none")
    files = sorted(
        p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file()
    )
    if not files:
        known = " ".join(sorted(AUDIO_SUFFIXES))
        raise CorpusError(f"{folder} holds no audio: expected files with one of {known}")
    return files


def piece_name(path: Path, folder: Path) -> str:
    """A name for a file that changes when its place, size or time of change does."""
    status = path.stat()
    text = f"{path.relative_to(folder)}|{status.st_size}|{status.st_mtime_ns}"
    return (
        "import-"
        + hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    )


def small_print(waveform: Waveform) -> npt.NDArray[np.float32]:
    """A fingerprint of 240 numbers, small enough to keep for every clip; unit length."""
    picture = fingerprint(waveform).reshape(-1, 32)[:60]
    pooled = picture.reshape(15, 4, 16, 2).mean((1, 3)).ravel()
    return np.asarray(pooled / (np.linalg.norm(pooled) + 1e-9), np.float32)


def _make(work: Work) -> _Made:
    """Read one file, cut it, write its clips under temporary names."""
    try:
        waveform = stereo_44100(work.path)
    except (SonoriffError, OSError, MemoryError) as error:
        return _Made(error=" ".join(str(error).split()))
    if waveform.shape[1] < SAMPLE_RATE:
        return _Made(short=True)
    waveform = repeated(waveform)
    made, silent = [], 0
    for number, cut in enumerate(find_cuts(waveform.mean(axis=0), work.most)):
        clip = waveform[:, cut.start : cut.start + CLIP_SAMPLES]
        level = None if is_hollow(clip.mean(axis=0)) else levelled(clip, work.level_db)
        if level is None:
            silent += 1
            continue
        name = f"audio/.incoming/{work.piece}-{number}.flac"
        write_clip(work.root, name, level, SAMPLE_RATE)
        made.append((work.root / name, cut, small_print(level.mean(axis=0))))
    return _Made(tuple(made), silent)


class _Prints:
    """Fingerprints of the imported clips, one for each line of the manifest and in its order.

    They are stored after the lines. Where a run was cut off between the two, or the manifest has
    been changed, those that are missing are taken from the clips.
    """

    def __init__(self, corpus: Corpus) -> None:
        self.path = corpus.root / _PRINTS
        clips = _imported(corpus)
        data = self.path.read_bytes() if self.path.exists() else b""
        whole = len(data) // (2 * _PRINT_SIZE)
        rows = np.frombuffer(data, np.float16, whole * _PRINT_SIZE).reshape(-1, _PRINT_SIZE)
        # With more prints than lines nothing says which of them belong to no clip.
        kept = whole if whole <= len(clips) else 0
        self.known = [row.astype(np.float32) for row in rows[:kept]]
        self.known += [_print_of_clip(corpus.root / clip.file_name) for clip in clips[kept:]]
        self._stored = len(self.known)
        if len(data) != 2 * _PRINT_SIZE * len(clips):
            write_bytes(self.path, _bytes_of_prints(self.known))

    def is_new(self, mark: npt.NDArray[np.float32]) -> bool:
        """Whether no clip sounds all but the same; a new one is remembered."""
        if self.known and float(np.max(np.stack(self.known) @ mark)) > 0.998:
            return False
        self.known.append(mark)
        return True

    def store(self) -> None:
        """Write those that are new, once the manifest has their lines."""
        with self.path.open("ab") as file:
            file.write(_bytes_of_prints(self.known[self._stored :]))
        self._stored = len(self.known)


def _bytes_of_prints(marks: list[npt.NDArray[np.float32]]) -> bytes:
    return b"".join(mark.astype(np.float16).tobytes() for mark in marks)


def _print_of_clip(path: Path) -> npt.NDArray[np.float32]:
    """The fingerprint of a listed clip; one that is like no other where its file is gone."""
    try:
        return small_print(mono_44100(path))
    except (SonoriffError, OSError):
        return np.zeros(_PRINT_SIZE, np.float32)


def _imported(corpus: Corpus) -> list[CorpusClip]:
    """The clips of the corpus that were cut from files."""
    if not corpus.metadata.exists():
        return []
    return [clip for clip in corpus.clips() if clip.piece.startswith(_OURS)]


def _captions(description: Description, facts: ClipLabels, _: str) -> tuple[str, ...]:
    """The file's captions, and one with the tempo where it is sure."""
    captions = description.captions
    if facts.bpm and not any("bpm" in c.lower() for c in captions):
        captions = (*captions, f"{captions[0]}, {round(facts.bpm)} bpm")
    return captions


def _next_number(corpus: Corpus) -> int:
    """The first free clip number behind those of rendered music."""
    numbers = [int(Path(clip.file_name).stem) for clip in _imported(corpus)]
    return max(numbers, default=_BASE - 1) + 1


Captioner = Callable[[Description, ClipLabels, str], tuple[str, ...]]


class Collector:
    """Lists what the workers made of audio files.

    Parameters
    ----------
    root : the corpus
    caption : gives a clip's captions from its file's description, its facts and its file name
    """

    def __init__(self, root: Path, caption: Captioner) -> None:
        self.corpus, self.root, self.caption = Corpus(root), root, caption
        self.report = ImportReport()

    def run(
        self, queue: list[Work], workers: int, progress: Callable[[int, int], None] | None
    ) -> ImportReport:
        """Work through files that are not in the corpus yet; the report of all of them."""
        with alone(self.root, ("files",)):
            return self._run(queue, workers, progress)

    def _run(
        self, queue: list[Work], workers: int, progress: Callable[[int, int], None] | None
    ) -> ImportReport:
        self.prints, self.number = _Prints(self.corpus), _next_number(self.corpus)
        done = self.corpus.pieces()
        fresh = [work for work in queue if work.piece not in done]
        self.report.skipped = len(queue) - len(fresh)
        for count, (work, made) in enumerate(_made(fresh, workers), 1):
            self.take(work, made)
            if progress:
                progress(self.report.skipped + count, len(queue))
        shutil.rmtree(self.root / "audio" / ".incoming", ignore_errors=True)
        self.corpus.write_info(clips=self.corpus.count())
        return self.report

    def take(self, work: Work, made: _Made) -> None:
        """List the clips of one file, or note why there are none."""
        self.report.files += 1
        if made.error or made.short:
            if made.error:
                self.report.unreadable.append((text_of_name(work.path), made.error))
            else:
                self.report.too_short.append(text_of_name(work.path))
            self.corpus.drop(work.piece, made.error or "shorter than a second")
            return
        clips = [c for c in (self._place(work, one) for one in made.clips) if c]
        self.report.silent += made.silent
        self.report.clips += len(clips)
        self.report.origins[work.description.origin] += 1
        self.report.encodings[work.description.encoding] += 1
        if clips:
            self.corpus.append(clips)
            self.prints.store()
        else:
            self.corpus.drop(work.piece, "silent, or copies of other clips")

    def _place(
        self, work: Work, made: tuple[Path, Cut, npt.NDArray[np.float32]]
    ) -> CorpusClip | None:
        """Move one clip to its place; None for a copy."""
        temporary, cut, mark = made
        if not self.prints.is_new(mark):
            temporary.unlink()
            self.report.copies += 1
            return None
        name = clip_path(self.number)
        self.number += 1
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(self.root / name)
        known = work.description
        facts = replace(
            known.facts,
            bpm=known.facts.bpm or cut.bpm,
            beats_per_bar=4 if cut.bpm else None,
            kind="recording",
        )
        return CorpusClip(
            name,
            self.caption(known, facts, name),
            facts,
            known.split or split_of(work.source),
            work.source,
            known.licence,
            known.credit,
            work.piece,
        )


def import_folder(
    folder: Path,
    root: Path,
    *,
    licence: str = "LicenseRef-unknown",
    credit: str = "",
    most: int | None = None,
    level_db: float = -18.0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Import a folder of audio; run again, it goes on where it was.

    Parameters
    ----------
    folder : audio in any sub-folders, with captions beside it (see `sidecars`)
    root : the corpus
    licence : SPDX identifier for files that bring none
    credit : whom to name, for files that bring nobody
    most : clips a file at most
    level_db : loudness of the clips, LUFS
    workers : processes
    progress : called with (files done, files)

    Raises
    ------
    CorpusError
        no folder, no audio in it, damaged metadata, or a full disk (SetupError)
    """
    files = audio_files(folder)
    metadata = read_metadata(folder, files)
    collector = Collector(root, _captions)
    collector.report.unmatched = metadata.unmatched
    queue = []
    for path in files:
        try:
            known, piece = describe(path, metadata), piece_name(path, folder)
        except (CorpusError, OSError) as error:
            # Not dropped: the next run tries it again.
            collector.report.unreadable.append((text_of_name(path), str(error)))
            continue
        known = replace(known, licence=known.licence or licence, credit=known.credit or credit)
        source = "/".join(("import", *map(text_of_name, path.relative_to(folder).parts)))
        queue.append(Work(path, piece, source, known, root, most, level_db))
    return collector.run(queue, workers, progress)


def _made(queue: list[Work], workers: int) -> Iterator[tuple[Work, _Made]]:
    """What becomes of each file, in order; processes only where more than one is asked for."""
    if workers <= 1:
        for work in queue:
            yield work, _make(work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        pending: deque[tuple[Work, Future[_Made]]] = deque()
        waiting = iter(queue)
        for work in waiting:
            pending.append((work, pool.submit(_make, work)))
            if len(pending) >= workers * 3:
                first, future = pending.popleft()
                yield first, future.result()
        for first, future in pending:
            yield first, future.result()
