"""`sonoriff evaluate codec`: measures of sound -> picture -> sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from sonoriff.cli import options
from sonoriff.cli.batch import find_sources
from sonoriff.cli.progress import shown
from sonoriff.errors import ParameterError


def evaluate_codec_command(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Sound files, folders or globs.")
    ],
    format: Annotated[
        options.Format | None, typer.Option(help="The one to measure [default: every one].")
    ] = None,
    quality: Annotated[
        options.Quality | None, typer.Option(help="The one to measure [default: both].")
    ] = None,
    duration: Annotated[
        float, typer.Option(help="How much of each file to take.", metavar="SECONDS", min=0.5)
    ] = 10.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write every figure as JSON too.")
    ] = None,
) -> None:
    """Print what sounds lose on the way to an 8-bit picture and back, and what that costs.

    docs/codec.md says what the columns mean.

    \b
    Examples:
      sonoriff evaluate codec song.flac
      sonoriff evaluate codec my-music/ --format hifi --duration 20 -o codec.json
    """
    from sonoriff.audio import AUDIO_SUFFIXES
    from sonoriff.evaluation.codec import evaluate_codec, figures_json, table_text
    from sonoriff.files import write_text
    from sonoriff.sonogram.params import PRESETS

    paths = [source.path for source in find_sources(inputs, AUDIO_SUFFIXES)]
    if output is not None and not output.parent.is_dir():
        raise ParameterError(f"the folder {output.parent} does not exist: make it first")
    with shown("round trips") as on_progress:
        figures = evaluate_codec(
            paths,
            formats=tuple(PRESETS) if format is None else (format,),
            qualities=get_args(options.Quality) if quality is None else (quality,),
            longest_s=duration,
            on_clip=on_progress,
        )
    typer.echo(table_text(figures), nl=False)
    if output is not None:
        write_text(output, figures_json(figures))
