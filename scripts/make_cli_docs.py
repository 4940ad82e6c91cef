"""Write docs/cli.md from the help of every command, or check that it is up to date.

Usage: python scripts/make_cli_docs.py [--check]
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
HEAD = """# Command line

Written by `python scripts/make_cli_docs.py` from the program's own help; do not edit.

Exit codes: 0 all well, 1 something failed (in a batch: at least one file, each is listed), 2 bad
input, 130 stopped with Ctrl-C. Errors are one line on standard error. No file is ever half
written; a file is replaced only where its name was given with `-o`, or with `--force`.
"""


def cli_docs() -> str:
    """The whole text of docs/cli.md."""
    # The help is as wide as the terminal and as colourful.
    os.environ.update(COLUMNS="80", TERMINAL_WIDTH="80", NO_COLOR="1", TERM="dumb")
    sections = [_section(words) for words in _commands()]
    return "\n".join([HEAD, *sections])


def _commands() -> Iterator[list[str]]:
    """Every command as its words, groups before what they hold."""
    from sonoriff.cli.main import COMMANDS, find_command, load_command

    yield []
    for name in filter(find_command, COMMANDS):
        yield from _with_subcommands([name], load_command(name))


def _with_subcommands(words: list[str], command: object) -> Iterator[list[str]]:
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from _with_subcommands([*words, name], inner)


def _section(words: list[str]) -> str:
    title = " ".join(["sonoriff", *words])
    return f"## {title}\n\n```text\n{_help(words)}\n```\n"


def _help(words: list[str]) -> str:
    from sonoriff.cli.main import main

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main([*words, "--help"])
    if code:
        raise SystemExit(f"sonoriff {' '.join(words)} --help failed with exit code {code}")
    return "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())


def main() -> int:
    """Write or check; 1 when the file is out of date."""
    text = cli_docs()
    if "--check" not in sys.argv:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print("docs/cli.md is out of date: run python scripts/make_cli_docs.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
