"""`sonoriff encode`: sound to picture."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from sonoriff.cli import options
from sonoriff.cli.batch import Job, find_sources, plan_jobs, run_jobs


@dataclass(frozen=True, kw_only=True)
class EncodeSettings:
    """Options of `encode`."""

    format: str
    n_channels: int
    loudness: float | None
    start: float
    duration: float | None
    max_seconds: float


def encode(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Sound files, folders or globs.")
    ],
    output: options.Output = None,
    format: Annotated[options.Format, typer.Option(help="What the picture looks like.")] = "hifi",
    stereo: Annotated[
        bool, typer.Option("--stereo/--mono", help="Keep two channels, or mix them to one.")
    ] = False,
    loudness: options.Loudness = None,
    start: Annotated[float, typer.Option(help="Where to begin.", metavar="SECONDS", min=0.0)] = 0.0,
    duration: Annotated[
        float | None, typer.Option(help="How much to take.", metavar="SECONDS", min=0.001)
    ] = None,
    max_seconds: options.MaxSeconds = 900.0,
    jobs: options.Jobs = None,
    force: options.Force = False,
) -> None:
    """Make a sonogram picture (PNG) of a sound file.

    The picture holds all that decode needs: parameters, loudness, channels.

    \b
    Examples:
      sonoriff encode song.mp3 -o song.png
      sonoriff encode song.flac --stereo --start 30 --duration 10
      sonoriff encode loop.wav --format riffusion-v1
      sonoriff encode my-music/ -o pictures/ --loudness -18
    """
    from sonoriff.audio import AUDIO_SUFFIXES

    settings = EncodeSettings(
        format=format,
        n_channels=2 if stereo else 1,
        loudness=loudness,
        start=start,
        duration=duration,
        max_seconds=max_seconds,
    )
    planned = plan_jobs(
        find_sources(inputs, AUDIO_SUFFIXES), output, ".png", allowed=(".png",), force=force
    )
    run_jobs(partial(encode_file, settings), planned, n_processes=jobs)


def encode_file(settings: EncodeSettings, job: Job) -> str:
    """Encode one sound file; returns a line about it."""
    from sonoriff.audio import read_audio, set_loudness, with_channels
    from sonoriff.sonogram import encode as encode_sonogram
    from sonoriff.sonogram import params_by_name
    from sonoriff.sonogram.picture import save_picture

    waveform, sample_rate = read_audio(
        job.source,
        start_s=settings.start,
        duration_s=settings.duration,
        max_seconds=settings.max_seconds,
        max_channels=settings.n_channels,
    )
    waveform = with_channels(waveform, settings.n_channels)
    if settings.loudness is not None:
        waveform = set_loudness(waveform, sample_rate, settings.loudness)
    sonogram = encode_sonogram(waveform, sample_rate, params_by_name(settings.format))
    metadata = {**sonogram.metadata, "source": job.source.name}
    save_picture(job.target, dataclasses.replace(sonogram, metadata=metadata))
    return f"{job.target}: {sonogram!r}"
