"""`sonoriff mcp`: the verbs as tools of the Model Context Protocol, over standard input."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sonoriff.cli import painting


@painting.with_options
def mcp(
    folder: Annotated[
        Path, typer.Option(help="Where the music is written.", file_okay=False)
    ] = Path("sonoriff-music"),
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder whose sounds may be read as well; may be given again.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    *,
    chosen: painting.ModelOptions,
) -> None:
    """Serve music to assistants: a tool server of the Model Context Protocol.

    \b
    Examples:
      sonoriff mcp --folder ~/Music/sonoriff
      sonoriff mcp --folder ~/Music/sonoriff --sources ~/Music/field-recordings

    A client starts it and speaks to it over standard input and output. Its tools read files of
    these folders alone.
    """
    from sonoriff.cli.mcp_tools import MusicTools, tool_server

    folder.mkdir(parents=True, exist_ok=True)
    tool_server(MusicTools(folder.resolve(), [s.resolve() for s in sources or ()], chosen)).run()
