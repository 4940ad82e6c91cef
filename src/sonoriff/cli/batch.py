"""Batches of files, folders and globs: inputs, outputs, and parallel work."""

from __future__ import annotations

import contextlib
import glob
import itertools
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from sonoriff.cli.plain import plain
from sonoriff.cli.progress import shown
from sonoriff.errors import ParameterError, SonoriffError
from sonoriff.threads import usable_cores

Work = Callable[["Job"], str]
_GLOB_SIGNS = frozenset("*?[")


@dataclass(frozen=True)
class Source:
    """An input file, and its path relative to the folder or pattern that named it."""

    path: Path
    relative: Path


@dataclass(frozen=True)
class Job:
    """One input file and the file to make of it."""

    source: Path
    target: Path


def find_sources(patterns: Sequence[str], suffixes: frozenset[str]) -> list[Source]:
    """Resolve command line arguments to files.

    Parameters
    ----------
    patterns : files; folders, searched recursively; or globs, where ``**`` is recursive
    suffixes : lower case, with the dot; which files to take from folders. Files that are named or
        match a glob are taken whatever their suffix

    Raises
    ------
    ParameterError
        a file does not exist, or nothing matches
    """
    found: dict[Path, Source] = {}
    for pattern in patterns:
        matches = _matches(pattern, suffixes)
        if not matches:
            raise ParameterError(_nothing(pattern, suffixes))
        for source in matches:
            found.setdefault(source.path.resolve(), source)
    return list(found.values())


def _matches(pattern: str, suffixes: frozenset[str]) -> list[Source]:
    path = Path(pattern)
    if path.is_dir():
        return _below(path, suffixes)
    if path.exists() or not _GLOB_SIGNS & set(pattern):
        return [Source(path, Path(path.name))] if path.exists() else []
    sources: list[Source] = []
    # Not Path.glob: the pattern may be absolute or contain `..`.
    for match in map(Path, sorted(glob.glob(pattern, recursive=True))):  # noqa: PTH207
        sources += [] if match.is_dir() else [Source(match, Path(match.name))]
    return sources


def _below(folder: Path, suffixes: frozenset[str]) -> list[Source]:
    files = (p for p in folder.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
    visible = (
        p for p in files if not any(part.startswith(".") for part in p.relative_to(folder).parts)
    )
    return [Source(p, p.relative_to(folder)) for p in sorted(visible)]


def _nothing(pattern: str, suffixes: frozenset[str]) -> str:
    if Path(pattern).is_dir():
        return f"the folder {pattern} holds no {' '.join(sorted(suffixes))} file"
    if _GLOB_SIGNS & set(pattern):
        return f"no file matches {pattern}"
    return f"there is no file {pattern}"


def plan_jobs(
    sources: Sequence[Source],
    output: Path | None,
    ending: str,
    *,
    allowed: Sequence[str],
    force: bool,
) -> list[Job]:
    """Choose the output file of each input.

    Parameters
    ----------
    sources : at least one
    output : a file for one source, a folder for several; None writes beside each source
    ending : replaces the source's suffix, such as ".png"
    allowed : suffixes that `output` may have
    force : whether files with derived names may be overwritten

    Raises
    ------
    ParameterError
        an unsupported suffix, an output that would overwrite a source or an existing file, or two
        outputs with the same name
    """
    if output is not None and len(sources) == 1 and not _means_folder(output):
        if output.suffix.lower() not in allowed:
            raise ParameterError(f"cannot write {output.name}: it must end in {' '.join(allowed)}")
        jobs, force = [Job(sources[0].path, output)], True
    else:
        if output is not None and output.exists() and not output.is_dir():
            raise ParameterError(f"{output} is a file: several results need a folder")
        jobs = [Job(s.path, _derived(s, output, ending)) for s in sources]
    _check_targets(jobs, force)
    return jobs


def _means_folder(output: Path) -> bool:
    return output.is_dir() or not output.suffix


def _derived(source: Source, output: Path | None, ending: str) -> Path:
    if output is None:
        return source.path.with_name(source.path.stem + ending)
    return output / source.relative.with_name(source.relative.stem + ending)


def _check_targets(jobs: Sequence[Job], force: bool) -> None:
    inputs = {job.source.resolve() for job in jobs}
    seen: dict[Path, Job] = {}
    for job in jobs:
        target = job.target.resolve()
        if target in inputs:
            raise ParameterError(
                f"{job.target} would be overwritten by its own result: name another"
            )
        if target in seen:
            raise ParameterError(
                f"{seen[target].source} and {job.source} would both be written to {job.target}"
            )
        seen[target] = job
    standing = [] if force else [job.target for job in jobs if job.target.exists()]
    if standing:
        more = f" (and {len(standing) - 1} more)" if len(standing) > 1 else ""
        raise ParameterError(f"{standing[0]}{more} exists already: --force replaces it")


# Work.


@dataclass(frozen=True)
class _Outcome:
    """Outcome of one job: a line about the result, or the error."""

    job: Job
    line: str = ""
    failure: str | None = None
    warnings: tuple[str, ...] = ()


def run_jobs(
    work: Work, jobs: Sequence[Job], *, n_processes: int | None = None, bar: bool = True
) -> None:
    """Run all jobs in parallel and report their outcomes.

    Parameters
    ----------
    work : makes `job.target` and returns a line about it; a picklable function
    n_processes : None is one per core
    bar : show a progress bar on a terminal instead of lines; off if `work` prints

    Raises
    ------
    SonoriffError
        the only job failed
    typer.Exit
        code 1: some of several jobs failed; each is listed on stderr
    """
    for job in jobs:
        job.target.parent.mkdir(parents=True, exist_ok=True)
    if len(jobs) == 1:
        with _spinner(jobs[0].source.name, bar and sys.stderr.isatty()):
            line = work(jobs[0])
        if line:
            typer.echo(plain(line))
        return
    count = min(n_processes or usable_cores(), len(jobs))
    outcomes = _serial(work, jobs) if count == 1 else _parallel(work, jobs, count)
    with contextlib.closing(outcomes):
        _report(outcomes, len(jobs), bar and sys.stderr.isatty())


def _report(outcomes: Iterator[_Outcome], total: int, bar: bool) -> None:
    """Show progress or lines as outcomes arrive, then warnings and failures."""
    done: list[_Outcome] = []
    with _progress(total, bar) as advance:
        for outcome in outcomes:
            done.append(outcome)
            if outcome.line and not bar:
                typer.echo(plain(outcome.line))
            advance()
    done.sort(key=lambda outcome: outcome.job.source)
    for message in (message for outcome in done for message in outcome.warnings):
        typer.echo(f"warning: {plain(message)}", err=True)
    failures = [outcome.failure for outcome in done if outcome.failure is not None]
    for failure in failures:
        typer.echo(f"failed: {plain(failure)}", err=True)
    if failures:
        typer.echo(f"sonoriff: {len(failures)} of {total} files failed", err=True)
        raise typer.Exit(1)
    if bar:
        typer.echo(f"{total} files done")


def _serial(work: Work, jobs: Sequence[Job]) -> Generator[_Outcome, None, None]:
    for job in jobs:
        yield _attempt(work, job)


def _parallel(work: Work, jobs: Sequence[Job], count: int) -> Generator[_Outcome, None, None]:
    # Spawn, not fork: forking a process with running threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker)
    try:
        futures = {pool.submit(_attempt_in_worker, work, job): job for job in jobs}
        for future in as_completed(futures):
            yield _result_of(future, futures[future])
        pool.shutdown()
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        for process in multiprocessing.active_children():
            process.join(timeout=10)
        # Last: if the pool were shut down first, it would write to pipes that are already closed.
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _result_of(future: Future[_Outcome], job: Job) -> _Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        return _Outcome(job, failure=f"{job.source}: a worker process died (out of memory?)")


def _start_worker() -> None:
    """One thread per process; the parent handles Ctrl-C and then stops this process."""
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_worker)


def _end_worker(_signal: int, _frame: FrameType | None) -> None:
    # The pool sends it again when another worker has exited: ignore it while cleaning up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(1)


def _attempt_in_worker(work: Work, job: Job) -> _Outcome:
    try:
        return _attempt(work, job)
    except SystemExit:
        # The partial file has been removed already; do not start the next one.
        os._exit(1)


def _attempt(work: Work, job: Job) -> _Outcome:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            line, failure = work(job), None
        except SonoriffError as error:
            line, failure = "", _with_name(str(error), job)
        except Exception as error:  # one bad file among thousands must not end the batch
            line, failure = "", _with_name(f"{type(error).__name__}: {error}", job)
    return _Outcome(job, line, failure, tuple(_with_name(str(w.message), job) for w in caught))


def _with_name(message: str, job: Job) -> str:
    return message if str(job.source) in message else f"{job.source}: {message}"


@contextlib.contextmanager
def _spinner(text: str, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(plain(text))):
        yield


@contextlib.contextmanager
def _progress(total: int, wanted: bool) -> Iterator[Callable[[], Any]]:
    """A progress bar, if wanted."""
    if not wanted:
        yield lambda: None
        return
    counted = itertools.count(1)
    with shown("files") as on_progress:
        yield lambda: on_progress(next(counted), total)
