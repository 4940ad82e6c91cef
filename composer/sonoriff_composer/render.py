"""Rendering a corpus: pieces composed, played, cut, levelled, captioned and listed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from sonoriff.corpus.lock import alone
from sonoriff.corpus.manifest import Corpus, CorpusClip, clip_path, write_clip
from sonoriff.corpus.windows import (
    CLIP_SAMPLES,
    SAMPLE_RATE,
    Waveform,
    fingerprint,
    is_copy,
    is_hollow,
    levelled,
)
from sonoriff.errors import CorpusError, SetupError, SonoriffError, SonoriffWarning
from sonoriff_composer.captions import captions_for, moods_of
from sonoriff_composer.piece import Piece, clip_facts
from sonoriff_composer.score import seeded
from sonoriff_composer.stage import seats

# Programme, module with compose(seed, index), place of its clip numbers, share of the pieces.
PROGRAMMES: dict[str, tuple[str, int, int]] = {
    "accompaniment": ("sonoriff_composer.accompaniment", 0, 10),
    "players": ("sonoriff_composer.players", 1_100_000, 3),
    "bands": ("sonoriff_composer.bands", 3_100_000, 3),
    "electronic": ("sonoriff_composer.electronic.programme", 2_000_000, 5),
    "samples": ("sonoriff_composer.samples", 4_100_000, 1),
    "scores": ("sonoriff_composer.scores", 4_600_000, 3),
}
# Played where they are named, so that a seed without names makes what it always made.
_BY_NAME = ("scores",)
_PIECE_CLIPS = 5
# Of a few hundred pieces one fails: where several do in a row, the machine is at fault. So many
# end a run, and so many at its end are not believed.
_MOST_FAILURES = 20
_DOUBTFUL_FAILURES = 3


def default_programmes() -> tuple[str, ...]:
    """The programmes that play where none is named."""
    return tuple(name for name in PROGRAMMES if name not in _BY_NAME)


@dataclass(frozen=True)
class Job:
    """One piece to make: programme, seed, index."""

    programme: str
    seed: int
    index: int

    @property
    def name(self) -> str:
        """The piece's name in the manifest."""
        return f"{self.programme}-{self.seed}-{self.index}"


def jobs(seed: int, programmes: Sequence[str]) -> Iterator[Job]:
    """Every piece of a seed in a fixed order, the programmes mixed by their shares."""
    counters = dict.fromkeys(programmes, 0)
    shares = {name: PROGRAMMES[name][2] for name in programmes}
    credit = dict.fromkeys(programmes, 0.0)
    while True:
        for name in programmes:
            credit[name] += shares[name]
        chosen = max(programmes, key=lambda name: credit[name])
        credit[chosen] -= sum(shares.values())
        yield Job(chosen, seed, counters[chosen])
        counters[chosen] += 1


_synthesiser = None


def _play(piece: Piece, name: str) -> Waveform:
    """The sound of a piece, float32 (2, T)."""
    global _synthesiser
    if piece.waveform is not None:
        return piece.waveform
    if piece.score is None:
        raise CorpusError(f"{piece.source}: a piece needs a score or a waveform")
    if _synthesiser is None:
        from sonoriff_composer.synthesiser import Synthesiser

        _synthesiser = Synthesiser()
    stage = seats([part.role for part in piece.score.parts], seeded("stage", name))
    return _synthesiser.render(
        piece.score, piece.duration_s, font=piece.font, room=piece.room, stage=stage
    )


def make_piece(root: Path, job: Job) -> list[CorpusClip]:
    """Compose and play one piece, write its clips, give their lines (none if all were dropped)."""
    module, base, _ = PROGRAMMES[job.programme]
    piece: Piece = import_module(module).compose(job.seed, job.index)
    waveform = _play(piece, job.name)
    clips: list[CorpusClip] = []
    prints: list[Waveform] = []
    for number, start_s in enumerate(piece.starts_s):
        start = round(start_s * SAMPLE_RATE)
        cut = waveform[:, start : start + CLIP_SAMPLES]
        if cut.shape[1] < CLIP_SAMPLES or is_hollow(cut.mean(axis=0)):
            continue
        levelled_cut = levelled(cut, piece.level_db)
        if levelled_cut is None:
            continue
        mark = fingerprint(levelled_cut.mean(axis=0))
        if is_copy(mark, prints):
            continue
        prints.append(mark)
        file_name = clip_path(base + job.index * _PIECE_CLIPS + number)
        write_clip(root, file_name, levelled_cut, SAMPLE_RATE)
        clips.append(_line(piece, job, file_name, start_s, number))
    return clips


def _line(piece: Piece, job: Job, file_name: str, start_s: float, number: int) -> CorpusClip:
    """The manifest line of one clip."""
    facts = clip_facts(piece, start_s)
    facts = replace(facts, moods=facts.moods or moods_of(facts))
    captions = captions_for(seeded("captions", job.name, number), facts, piece.phrases)
    return CorpusClip(
        file_name, captions, facts, piece.split, piece.source, piece.licence, piece.credit, job.name
    )


def _worker_start() -> None:
    """A worker leaves Ctrl-C to the parent, and ends when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        """Wait for the parent's end."""
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _attempt(root: Path, job: Job) -> tuple[Job, list[CorpusClip], str]:
    """One piece, its failure as text.

    Raises
    ------
    SetupError
        the failure is the machine's and not the piece's
    """
    try:
        clips = make_piece(root, job)
        return job, clips, "" if clips else "every clip was silent or a copy"
    except SetupError:
        raise
    except OSError as error:
        raise SetupError(f"{job.name}: {error}") from error
    except SonoriffError as error:
        return job, [], " ".join(str(error).split())
    except (ArithmeticError, LookupError, ValueError) as error:
        # One piece of thousands must not end a night's run.
        return job, [], f"{type(error).__name__}: {error}"


class _Failures:
    """The pieces that gave no clip, on their way to the list of the dropped ones.

    They are listed when a later piece of their programme is made: those of a programme that can
    make none are not lost, but tried again by the next run.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._waiting: dict[str, list[tuple[Job, str]]] = {}

    def add(self, job: Job, reason: str) -> None:
        """Note a failure.

        Raises
        ------
        CorpusError
            so many in a row that no piece of this programme will do
        """
        row = self._waiting.setdefault(job.programme, [])
        row.append((job, reason))
        if len(row) >= _MOST_FAILURES:
            raise CorpusError(
                f"{len(row)} pieces of the programme {job.programme!r} in a row gave no clip, the"
                f" last one because: {reason}; mend that and render again, they are tried anew"
            )

    def settle(self, programme: str) -> None:
        """A piece of this programme was made: its failures before are the pieces' own."""
        for job, reason in self._waiting.pop(programme, ()):
            self._corpus.drop(job.name, reason)

    def end(self) -> None:
        """The run is at its end: list what waits, but for many in a row, which a warning names."""
        for programme, row in list(self._waiting.items()):
            if len(row) < _DOUBTFUL_FAILURES:
                self.settle(programme)
                continue
            warnings.warn(
                f"the last {len(row)} pieces of the programme {programme!r} gave no clip, the last"
                f" one because: {row[-1][1]}; the next run tries them anew",
                SonoriffWarning,
                stacklevel=3,
            )


def render(
    root: Path,
    *,
    clips: int,
    seed: int = 1,
    workers: int = 1,
    programmes: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Render until the corpus lists `clips` clips (of these programmes); resumable.

    Parameters
    ----------
    root : the corpus folder, made if need be
    clips : how many clips there shall be in the end
    seed : another seed, other music
    workers : processes
    programmes : names of `PROGRAMMES`; by default all but scores
    progress : called with (clips there are, clips wanted)

    Returns
    -------
    how many clips there are now

    Raises
    ------
    SetupError
        a program, sound font or package is missing, or the disk is full
    CorpusError
        an unknown programme, or one that fails time after time

    Warns
    -----
    SonoriffWarning
        the last pieces of a programme all failed
    """
    names = tuple(programmes) or default_programmes()
    unknown = [n for n in names if n not in PROGRAMMES]
    if unknown:
        raise CorpusError(f"unknown programme {unknown[0]!r}: choose from {', '.join(PROGRAMMES)}")
    corpus = Corpus(root)
    done = corpus.pieces()
    wanted_names = tuple(f"{n}-" for n in names)
    listed = (c for c in corpus.clips()) if corpus.metadata.exists() else iter(())
    have = sum(1 for c in listed if c.piece.startswith(wanted_names))
    corpus.write_info(seed=seed, recipe={n: _version(n) for n in PROGRAMMES})
    queue = (job for job in jobs(seed, names) if job.name not in done)
    failures = _Failures(corpus)
    with alone(root, names):
        results = _results(root, queue, workers)
        while have < clips:
            job, made, reason = next(results)
            if made:
                corpus.append(made)
                have += len(made)
                failures.settle(job.programme)
            else:
                failures.add(job, reason)
            if progress:
                progress(have, clips)
        results.close()
        failures.end()
    corpus.write_info(clips=corpus.count())
    return have


def _results(
    root: Path, queue: Iterator[Job], workers: int
) -> Generator[tuple[Job, list[CorpusClip], str], None, None]:
    """What the workers made, in the order of the jobs, without end; close it to stop them.

    One worker is this process itself.
    """
    if workers <= 1:
        for job in queue:
            yield _attempt(root, job)
        return
    context = multiprocessing.get_context("spawn")
    pending: deque[Future[tuple[Job, list[CorpusClip], str]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_worker_start) as pool:
        try:
            while True:
                while len(pending) < workers * 3:
                    pending.append(pool.submit(_attempt, root, next(queue)))
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _version(programme: str) -> int:
    """The recipe version of a programme."""
    return int(import_module(PROGRAMMES[programme][0]).VERSION)
