"""`sonoriff corpus`: captioned music to train on: rendered, recorded, or the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonoriff.cli.plain import plain
from sonoriff.corpus.debian import SOURCES

if TYPE_CHECKING:
    from sonoriff.corpus.report import Report

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


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing elsewhere; gives update(done, all)."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _say_dropped(corpus: Path) -> None:
    """How many pieces or files gave no clip so far, and where they are listed."""
    from sonoriff.corpus.manifest import Corpus

    listed = Corpus(corpus)
    count = len(listed.dropped())
    if count:
        typer.echo(f"{count} gave no clip, listed with the reason in {listed.dropped_list}")


def _say_first(lines: list[str]) -> None:
    """The first lines of a list that may be long, and how many more there are."""
    for line in lines[:_MOST_LINES]:
        typer.echo(plain(line, keep="")[:_LINE_LENGTH], err=True)
    if len(lines) > _MOST_LINES:
        typer.echo(f"and {len(lines) - _MOST_LINES} more of that kind", err=True)


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

    with _progress("importing") as update:
        done = import_folder(
            folder, output, licence=licence, credit=credit, most=most or None, workers=workers,
            progress=update,
        )  # fmt: skip
    origins = ", ".join(f"{count} from {name}" for name, count in done.origins.most_common())
    typer.echo(f"{done.clips} clips from {done.files} files; captions: {origins or 'none'}")
    if done.skipped:
        typer.echo(f"{done.skipped} files were imported before")
    typer.echo(f"left out: {done.silent} silent clips, {done.copies} near-copies")
    _say_first([f"too short (under a second): {path}" for path in done.too_short])
    _say_first([f"unreadable: {path}: {reason}" for path, reason in done.unreadable])
    _say_dropped(output)
    if done.unreadable and not done.origins and not done.skipped:
        typer.echo("sonoriff: no file could be read", err=True)
        raise typer.Exit(1)


@app.command()
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
    from sonoriff.corpus.render import render as render_corpus

    with _progress("rendering") as update:
        count = render_corpus(
            output, clips=clips, seed=seed, workers=workers, programmes=programme or (),
            progress=update,
        )  # fmt: skip
    typer.echo(f"{output}: {count} clips")
    _say_dropped(output)


@app.command()
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
    from sonoriff.corpus.recordings import collect

    with _progress("recordings") as update:
        report = collect(output, sources, workers=workers, progress=update)
    typer.echo(f"{report.clips} clips from {report.files} tracks")
    _say_first([f"unreadable: {path}: {reason}" for path, reason in report.unreadable])
    _say_dropped(output)


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
    """The report's tables."""
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


@app.command()
def recaption(
    corpus: Existing,
    seed: Annotated[int, typer.Option(help="Another seed, other wordings.")] = 0,
) -> None:
    """Write the captions of rendered clips anew from their facts."""
    from sonoriff.corpus.exchange import recaption as rewrite

    typer.echo(f"{rewrite(corpus, seed=seed)} clips have new captions")
