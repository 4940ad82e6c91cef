"""`sonoriff decode`: picture to sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import typer

from sonoriff.cli import options
from sonoriff.cli.batch import Job, find_sources, plan_jobs, run_jobs

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})


@dataclass(frozen=True, kw_only=True)
class DecodeSettings:
    """Options of `decode`."""

    quality: options.Quality
    seed: int
    backend: options.Backend
    loudness: float | None
    sample_rate: int | None
    bits: Literal["16", "24", "float"] | None


def decode(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Pictures, folders or globs.")
    ],
    output: options.Output = None,
    format_out: Annotated[
        options.SoundFormat,
        typer.Option(help="Kind of sound file, where the output's name does not say it."),
    ] = "wav",
    quality: Annotated[
        options.Quality, typer.Option(help="best takes longer and sounds better.")
    ] = "fast",
    seed: Annotated[
        int, typer.Option(help="The same picture and seed give the same sound.", min=0)
    ] = 0,
    loudness: options.Loudness = None,
    rate: options.Rate = None,
    bits: options.Bits = None,
    backend: Annotated[
        options.Backend, typer.Option(help="native, or torchaudio where it is installed.")
    ] = "native",
    jobs: options.Jobs = None,
    force: options.Force = False,
) -> None:
    """Make sound of a sonogram picture, Sonoriff's or Riffusion's.

    Where the sound would pass full scale it is turned down, never clipped. The picture of a loop
    gives the loop, to the sample.

    \b
    Examples:
      sonoriff decode song.png -o song.wav
      sonoriff decode song.png -o song.mp3 --quality best --loudness -14
      sonoriff decode pictures/ -o sounds/ --format-out flac
    """
    from sonoriff.audio import WRITABLE_SUFFIXES
    from sonoriff.pipeline.sound_file import check_bits

    settings = DecodeSettings(
        quality=quality,
        seed=seed,
        backend=backend,
        loudness=loudness,
        sample_rate=None if rate is None else int(rate),
        bits=bits,
    )
    sources = find_sources(inputs, PICTURE_SUFFIXES)
    planned = plan_jobs(sources, output, f".{format_out}", allowed=WRITABLE_SUFFIXES, force=force)
    for job in planned:
        check_bits(job.target.suffix, bits, settings.sample_rate)
    run_jobs(partial(decode_file, settings), planned, n_processes=jobs)


def decode_file(settings: DecodeSettings, job: Job) -> str:
    """Decode one picture; returns a line about it."""
    from sonoriff.audio import set_loudness
    from sonoriff.pipeline.circular import decode_loop, samples_of_loop
    from sonoriff.pipeline.sound_file import save_sound
    from sonoriff.sonogram import decode as decode_sonogram
    from sonoriff.sonogram.picture import load_picture

    sonogram = load_picture(job.source)
    n_samples = samples_of_loop(sonogram)
    if n_samples is not None:
        waveform = decode_loop(sonogram, n_samples)
    else:
        waveform = decode_sonogram(
            sonogram,
            quality=settings.quality,
            seed=settings.seed,
            backend=settings.backend,
        )
    sample_rate = sonogram.params.sample_rate
    if settings.loudness is not None:
        waveform = set_loudness(waveform, sample_rate, settings.loudness)
    rate, bits = settings.sample_rate, settings.bits
    save_sound(job.target, waveform, sonogram, sample_rate=rate, bits=bits)
    return (
        f"{job.target}: {waveform.shape[1] / sample_rate:.2f} s, {sonogram.n_channels} channel(s)"
    )
