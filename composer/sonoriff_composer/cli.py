"""The commands that the composer adds to `sonoriff corpus`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sonoriff.cli.corpus_options import Existing, Output, Workers, say_dropped, say_first
from sonoriff.cli.progress import shown
from sonoriff_composer.debian import SOURCES


def render(
    output: Output,
    clips: Annotated[int, typer.Option(help="Clips the corpus shall have.", min=1)] = 1_000,
    seed: Annotated[int, typer.Option(help="Another seed, other music.")] = 1,
    workers: Workers = 1,
    programme: Annotated[
        list[str] | None,
        typer.Option(
            help="accompaniment, players, bands, electronic, samples; scores (written music, with"
            " music21), which only plays where it is named; may be repeated."
        ),
    ] = None,
) -> None:
    """Make music with exact captions.

    Needs Debian's mma, libfluidsynth3, fluid-soundfont-gm, musescore-general-soundfont and
    timgm6mb-soundfont.
    """
    from sonoriff_composer.render import render as render_corpus

    with shown("rendering") as update:
        count = render_corpus(
            output, clips=clips, seed=seed, workers=workers, programmes=programme or (),
            progress=update,
        )  # fmt: skip
    typer.echo(f"{output}: {count} clips")
    say_dropped(output)


def recordings(
    output: Output,
    sources: Annotated[
        Path,
        typer.Option(
            help="Where the downloaded packages are kept.",
            file_okay=False,
            show_default="~/.cache/sonoriff/sources",
        ),
    ] = SOURCES,
    workers: Workers = 1,
) -> None:
    """Fetch and cut the free recorded music that Debian ships with its games.

    The packages are downloaded with apt-get and unpacked, not installed. Licence and credit stay
    with every clip.
    """
    from sonoriff_composer.recordings import collect

    with shown("recordings") as update:
        report = collect(output, sources, workers=workers, progress=update)
    typer.echo(f"{report.clips} clips from {report.files} tracks")
    say_first([f"unreadable: {path}: {reason}" for path, reason in report.unreadable])
    say_dropped(output)


def recaption(
    corpus: Existing,
    seed: Annotated[int, typer.Option(help="Another seed, other wordings.")] = 0,
) -> None:
    """Write the captions of rendered clips anew from their facts."""
    from sonoriff_composer.recaption import recaption as rewrite

    typer.echo(f"{rewrite(corpus, seed=seed)} clips have new captions")
