"""`sonoriff show`: print what a sonogram picture contains."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli import options
from sonoriff.cli.batch import Job, find_sources, plan_jobs, run_jobs
from sonoriff.cli.decode import PICTURE_SUFFIXES
from sonoriff.cli.plain import plain

if TYPE_CHECKING:
    from rich.console import Console

    from sonoriff.sonogram import Sonogram

_PICTURE_LINES = 12


def show(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Pictures, folders or globs.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Also write a picture with time and frequency axes; a folder for several.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as JSON, one line a file.")
    ] = False,
    picture: Annotated[
        bool, typer.Option("--picture/--no-picture", help="Draw in a terminal that has colours.")
    ] = True,
    force: options.Force = False,
) -> None:
    """Print the facts stored in a sonogram picture, and draw it.

    \b
    Examples:
      sonoriff show song.png
      sonoriff show song.png -o axes.png
      sonoriff show pictures/ --json
    """
    sources = find_sources(inputs, PICTURE_SUFFIXES)
    if output is None:
        planned = [Job(source.path, source.path) for source in sources]
    else:
        planned = plan_jobs(sources, output, "-axes.png", allowed=(".png",), force=force)
    work = partial(show_file, as_json=as_json, picture=picture)
    run_jobs(work, planned, n_processes=1, bar=False)


def show_file(job: Job, *, as_json: bool, picture: bool) -> str:
    """Print a picture's metadata, and draw it to `job.target` if that is another file."""
    from rich.console import Console

    from sonoriff.sonogram.picture import load_picture

    sonogram = load_picture(job.source)
    facts = facts_from_sonogram(sonogram)
    if as_json:
        typer.echo(plain(json.dumps({"file": str(job.source), **facts}, ensure_ascii=False)))
    else:
        _print_facts(Console(), str(job.source), facts, sonogram if picture else None)
    if job.target == job.source:
        return ""
    from sonoriff.files import write_bytes
    from sonoriff.sonogram.plot import axes_png

    write_bytes(job.target, axes_png(sonogram))
    return "" if as_json else f"{job.target}: picture with axes"


def facts_from_sonogram(sonogram: Sonogram) -> dict[str, Any]:
    """Metadata of a sonogram, in plain JSON types."""
    params = sonogram.params
    return {
        "format": params.name,
        "channels": sonogram.n_channels,
        "duration_s": round(sonogram.duration_s, 6),
        "columns": sonogram.n_frames,
        "rows": params.n_mels,
        "sample_rate_hz": params.sample_rate,
        "f_min_hz": params.f_min,
        "f_max_hz": params.f_max,
        "hop_length_samples": params.hop_length,
        "win_length_samples": params.win_length,
        "n_fft_samples": params.n_fft,
        "scale": params.scale,
        "loudest": round(float(sonogram.values.max()), 3),
        **({"metadata": dict(sonogram.metadata)} if sonogram.metadata else {}),
    }


def _print_facts(
    console: Console, name: str, facts: dict[str, Any], sonogram: Sonogram | None
) -> None:
    """Print a table, below the picture if the terminal has colours."""
    from rich.table import Table
    from rich.text import Text

    from sonoriff.cli.terminal import picture_text

    if sonogram is not None and console.is_terminal and console.color_system is not None:
        console.print(picture_text(sonogram, max(20, console.width - 1), _PICTURE_LINES))
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("file", Text(plain(name)))
    for key, value in {**facts, **facts.get("metadata", {})}.items():
        if key != "metadata":
            words = value if isinstance(value, str) else json.dumps(value)
            table.add_row(Text(plain(str(key))), Text(plain(words)))
    console.print(table)
