"""`sonoriff corpus`: captioned music to train on: rendered, recorded, or the user's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonoriff.cli.corpus_options import Existing, Output, Workers, say_dropped, say_first
from sonoriff.cli.progress import shown
from sonoriff.corpus.text import UTF8
from sonoriff.errors import SetupError

if TYPE_CHECKING:
    from sonoriff.corpus.report import Report

# Commands of the composer distribution, found by entry point.
_COMPOSER = {
    "render": "Make music with exact captions.",
    "recordings": "Fetch and cut free recorded music.",
    "recaption": "Write the captions of rendered clips anew from their facts.",
}
# Accept any arguments of a missing command, to report that it is missing.
_LENIENT = {"ignore_unknown_options": True, "allow_extra_args": True}
# Rows without a file that are listed; the rest is only counted.
_MOST_NAMED = 20

app = typer.Typer(
    help="""Captioned music to train on.

    \b
    Examples:
      sonoriff corpus import ~/Music -o my-corpus --licence CC-BY-4.0 --credit "Ann Onym"
      sonoriff corpus render -o rendered --clips 20000 --seed 1 --workers 2
      sonoriff corpus recordings -o recorded
      sonoriff corpus report rendered

    Every command goes on where it was when it is given again.
    """,
    no_args_is_help=True,
)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="A folder of audio files, and folders in it.")],
    output: Output,
    licence: Annotated[
        str, typer.Option(help="SPDX licence of files that state none.")
    ] = "LicenseRef-unknown",
    credit: Annotated[str, typer.Option(help="Whom to name for files that name nobody.")] = "",
    most: Annotated[int, typer.Option(help="Clips a file at most; 0: no limit.", min=0)] = 0,
    workers: Workers = 1,
) -> None:
    """Import your own audio.

    Captions come from metadata.csv or metadata.jsonl (file_name, text), from a .txt beside each
    file, from its tags, or from its name. Files are cut into clips of 5.94 s, on bars where a beat
    is found.
    """
    from sonoriff.corpus.importer import import_folder

    with shown("importing") as update:
        done = import_folder(
            folder, output, licence=licence, credit=credit, most=most or None, workers=workers,
            progress=update,
        )  # fmt: skip
    origins = ", ".join(f"{count} from {name}" for name, count in done.origins.most_common())
    typer.echo(f"{done.clips} clips from {done.files} files; captions: {origins or 'none'}")
    for encoding, count in done.encodings.items():
        if encoding != UTF8:
            typer.echo(f"{count} captions are in {encoding} and were read as that")
    for row in done.unmatched[:_MOST_NAMED]:
        typer.echo(f"belongs to no sound file: {row}", err=True)
    if len(done.unmatched) > _MOST_NAMED:
        more = len(done.unmatched) - _MOST_NAMED
        typer.echo(f"and {more} more rows belong to no sound file", err=True)
    if done.skipped:
        typer.echo(f"{done.skipped} files were imported before")
    typer.echo(f"left out: {done.silent} silent clips, {done.copies} near-copies")
    say_first([f"too short (under a second): {path}" for path in done.too_short])
    say_first([f"unreadable: {path}: {reason}" for path, reason in done.unreadable])
    say_dropped(output)
    if done.unreadable and not done.origins and not done.skipped:
        typer.echo("sonoriff: no file could be read", err=True)
        raise typer.Exit(1)


@app.command()
def report(
    corpus: Existing,
    check: Annotated[bool, typer.Option("--check", help="Look for every file.")] = False,
    most: Annotated[int, typer.Option(help="Rows a table at most.", min=1)] = 200,
) -> None:
    """What a corpus holds: genres, instruments, splits, hours, licences."""
    from sonoriff.corpus.report import report_of, summary_lines

    found = report_of(corpus, check_files=check)
    for line in summary_lines(found):
        typer.echo(line)
    _tables(found, most)


def _tables(found: Report, most: int) -> None:
    """Print the tables of a report."""
    from rich.console import Console
    from rich.table import Table

    from sonoriff.corpus.manifest import SPLITS

    console = Console(width=None if Console().is_terminal else 100)
    genres = Table("genre", "clips", *SPLITS)
    ranked = sorted(found.genres.items(), key=lambda item: -item[1].total())
    for name, counts in ranked[:most]:
        genres.add_row(name, str(counts.total()), *(str(counts[s]) for s in SPLITS))
    console.print(genres)
    for title, counter in (
        ("instrument", found.instruments), ("lead", found.leads), ("licence", found.licences),
        ("credit", found.credits),
    ):  # fmt: skip
        table = Table(title, "clips")
        for name, count in counter.most_common(most):
            table.add_row(name or "(none)", str(count))
        console.print(table)


@app.command()
def merge(
    corpora: Annotated[list[Path], typer.Argument(help="Corpus folders.", exists=True)],
    output: Output,
) -> None:
    """Put several corpora into one new one; the sound files are linked, not copied."""
    from sonoriff.corpus.exchange import merge as merge_corpora

    typer.echo(f"{output}: {merge_corpora(corpora, output)} clips")


@app.command()
def export(
    corpus: Existing,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="A new folder.", metavar="FOLDER", file_okay=False),
    ],
) -> None:
    """Write a Hugging Face audiofolder with one folder a split."""
    from sonoriff.corpus.exchange import export as export_corpus

    counts = export_corpus(corpus, output)
    typer.echo(f"{output}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))


def _command_of_composer(name: str) -> Callable[..., None]:
    """A command of the composer, or one that says how to install the composer."""
    from importlib.metadata import entry_points

    for found in entry_points(group="sonoriff.corpus", name=name):
        command: Callable[..., None] = found.load()
        return command

    def missing() -> None:
        raise SetupError(
            f"`sonoriff corpus {name}` comes with the composer of training music, which is not "
            "installed: pip install ./composer in a checkout of Sonoriff"
        )

    missing.__doc__ = f"{_COMPOSER[name]} (Needs the composer of training music.)"
    return missing


for _name in _COMPOSER:
    _command = _command_of_composer(_name)
    _there = _command.__name__ != "missing"
    app.command(_name, context_settings={} if _there else _LENIENT)(_command)
