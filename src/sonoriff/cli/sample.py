"""`sonoriff sample`: cut random clips from songs."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonoriff.cli import options
from sonoriff.cli.batch import Job, find_sources, run_jobs
from sonoriff.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# 512 columns of the hifi format.
_DURATION_S = 5.944


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """Options of `sample`."""

    count: int
    duration: float
    seed: int
    mono: bool
    suffix: str
    max_seconds: float
    force: bool


def sample(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Sound files, folders or globs.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the clips.")],
    count: Annotated[int, typer.Option(help="Clips from each file.", min=1)] = 1,
    duration: Annotated[
        float, typer.Option(help="Length of a clip.", metavar="SECONDS", min=0.001)
    ] = _DURATION_S,
    seed: Annotated[
        int, typer.Option(help="The same file and seed give the same clips.", min=0)
    ] = 0,
    mono: Annotated[bool, typer.Option("--mono", help="Mix to one channel.")] = False,
    format_out: Annotated[options.SoundFormat, typer.Option(help="Kind of sound file.")] = "wav",
    max_seconds: options.MaxSeconds = 7200.0,
    jobs: options.Jobs = None,
    force: options.Force = False,
) -> None:
    """Cut clips from random places of songs.

    \b
    Examples:
      sonoriff sample song.mp3 -o clips --count 10 --duration 5.12 --seed 1
      sonoriff sample my-music/ -o clips --count 3 --mono --format-out flac
    """
    from sonoriff.audio import AUDIO_SUFFIXES

    settings = SampleSettings(
        count=count,
        duration=duration,
        seed=seed,
        mono=mono,
        suffix=f".{format_out}",
        max_seconds=max_seconds,
        force=force,
    )
    sources = find_sources(inputs, AUDIO_SUFFIXES)
    # The target is the prefix of the clips' names.
    planned = [Job(s.path, output / s.relative.with_suffix("")) for s in sources]
    if len({job.target for job in planned}) < len(planned):
        raise ParameterError(
            "two of the files differ only in folder or suffix: sample them separately"
        )
    run_jobs(partial(sample_file, settings), planned, n_processes=jobs)


def sample_file(settings: SampleSettings, job: Job) -> str:
    """Cut the clips of one file; returns a line about them."""
    from sonoriff.audio import read_audio, write_audio

    waveform, sample_rate = read_audio(
        job.source, max_seconds=settings.max_seconds, max_channels=1 if settings.mono else None
    )
    length = max(1, round(settings.duration * sample_rate))
    if length > waveform.shape[1]:
        raise ParameterError(
            f"{job.source} lasts {waveform.shape[1] / sample_rate:.3f} s, less than a clip "
            f"of {settings.duration:g} s"
        )
    starts = clip_starts(waveform.shape[1], length, settings.count, settings.seed, job.source.name)
    targets = [_clip_path(job.target, i, settings.suffix) for i in range(len(starts))]
    standing = [target for target in targets if target.exists()]
    if standing and not settings.force:
        raise ParameterError(f"{standing[0]} exists already: --force replaces it")
    for start, target in zip(starts, targets, strict=True):
        write_audio(target, waveform[:, start : start + length], sample_rate)
    return f"{targets[0]} and on: {len(targets)} clip(s) of {length / sample_rate:.3f} s"


def clip_starts(
    n_samples: int, length: int, count: int, seed: int, name: str
) -> npt.NDArray[np.int64]:
    """Start positions of the clips, ascending.

    Drawn from `seed` and the file's name, so that they do not depend on the other files of a
    batch. Positions are distinct: a clip as long as the file has only one.
    """
    import numpy as np

    generator = np.random.default_rng([seed, zlib.crc32(name.encode("utf-8"))])
    places = n_samples - length + 1
    return np.sort(generator.choice(places, size=min(count, places), replace=False))


def _clip_path(stem: Path, index: int, suffix: str) -> Path:
    return stem.with_name(f"{stem.name}-{index:03d}{suffix}")
