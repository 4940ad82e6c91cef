"""What the commands of `sonoriff corpus` share, wherever they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sonoriff.cli.plain import plain

# Of what went wrong, on the terminal; all of it is in the list of dropped files.
_MOST_LINES, _LINE_LENGTH = 20, 500

Output = Annotated[
    Path,
    typer.Option("--output", "-o", help="The corpus folder.", metavar="CORPUS", file_okay=False),
]
Existing = Annotated[
    Path, typer.Argument(help="A corpus folder.", metavar="CORPUS", exists=True, file_okay=False)
]
Workers = Annotated[int, typer.Option(help="Processes.", min=1, max=256)]


def say_dropped(corpus: Path) -> None:
    """How many pieces or files gave no clip so far, and where they are listed."""
    from sonoriff.corpus.manifest import Corpus

    listed = Corpus(corpus)
    count = len(listed.dropped())
    if count:
        typer.echo(f"{count} gave no clip, listed with the reason in {listed.dropped_list}")


def say_first(lines: list[str]) -> None:
    """The first lines of a list that may be long, and how many more there are."""
    for line in lines[:_MOST_LINES]:
        typer.echo(plain(line, keep="")[:_LINE_LENGTH], err=True)
    if len(lines) > _MOST_LINES:
        typer.echo(f"and {len(lines) - _MOST_LINES} more of that kind", err=True)
