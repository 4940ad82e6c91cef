"""Options and messages that all `sonoriff corpus` commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sonoriff.cli.plain import plain

# Errors shown on the terminal; the list of dropped files has all of them.
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
    """Report how many pieces or files gave no clip, and where they are listed."""
    from sonoriff.corpus.manifest import Corpus

    listed = Corpus(corpus)
    count = len(listed.dropped())
    if count:
        typer.echo(f"{count} gave no clip, listed with the reason in {listed.dropped_list}")


def say_first(lines: list[str]) -> None:
    """The first lines of a long list, and the number of the others."""
    for line in lines[:_MOST_LINES]:
        typer.echo(plain(line, keep="")[:_LINE_LENGTH], err=True)
    if len(lines) > _MOST_LINES:
        typer.echo(f"and {len(lines) - _MOST_LINES} more of that kind", err=True)
