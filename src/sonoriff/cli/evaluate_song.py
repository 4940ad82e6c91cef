"""`sonoriff evaluate song`: whether songs do what their plans say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sonoriff.cli import painting
from sonoriff.cli.progress import shown
from sonoriff.errors import ParameterError

WORK = Path.home() / ".cache" / "sonoriff" / "evaluation" / "songs"


@painting.with_options
def evaluate_song_command(
    chosen: painting.ModelOptions,
    *,
    wishes: Annotated[
        int, typer.Option(help="How many of the 40 wishes to render.", min=1, max=40)
    ] = 40,
    length: Annotated[str, typer.Option(help="Of each song.", metavar="M:SS")] = "1:00",
    steps: painting.Steps = None,
    cost: Annotated[
        bool,
        typer.Option("--cost/--no-cost", help="Measure what two minutes and an edit cost, too."),
    ] = True,
    work: Annotated[
        Path,
        typer.Option(
            help="Where the measures of songs are kept between runs.",
            metavar="FOLDER",
            file_okay=False,
            show_default="~/.cache/sonoriff/evaluation/songs",
        ),
    ] = WORK,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="Write sonogram, sound and plan of each song here; renders all of them.",
            metavar="FOLDER",
            file_okay=False,
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Recorded pieces, in which the likeness of what returns is measured, too.",
            metavar="FOLDER",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write every figure as JSON.")
    ] = None,
) -> None:
    """Render songs from wishes, and print how they keep to their plans.

    Energy against what was asked, returns against other sections, key, tempo, joins by
    transition, endings, and the cost of two minutes and of an edit. A run that is stopped goes
    on when the same command is given again. docs/song.md says what the figures mean.

    \b
    Examples:
      sonoriff evaluate song --wishes 4 --length 0:30
      sonoriff evaluate song --sheet sheet/ -o figures.json
      sonoriff evaluate song --reference ~/Music/album
    """
    from sonoriff.evaluation import songs as figures
    from sonoriff.files import write_text
    from sonoriff.songs.wish import parse_length

    if output is not None and not output.parent.is_dir():
        raise ParameterError(f"the folder {output.parent} does not exist: make it first")
    settings = figures.SongEvaluation(
        wishes=wishes, length_s=parse_length(length), num_inference_steps=steps
    )
    loaded = chosen.load()
    with shown("songs") as on_progress:
        measures = figures.measured_songs(
            loaded, settings, work=work, sheet=sheet, on_progress=on_progress
        )
    found = figures.figures_of_songs(measures)
    if reference is not None:
        with shown("reference") as on_progress:
            found.append(figures.reference_figure(reference, on_progress=on_progress))
    if cost:
        with shown("cost") as on_progress:
            found += figures.cost_figures(loaded, settings, on_progress=on_progress)
    for line in figures.figure_lines(found):
        typer.echo(line)
    if output is not None:
        write_text(output, figures.songs_json(loaded, settings, found, measures))
