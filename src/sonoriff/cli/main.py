"""The program `sonoriff`: loads commands, and maps errors to one line and an exit code."""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_group

from sonoriff.cli.plain import plain
from sonoriff.errors import FormatError, ParameterError, SonoriffError
from sonoriff.extras import how_to_install
from sonoriff.threads import prepare
from sonoriff.version import __version__

# In the order of the help, with the first words of each, so that the help need not load them all.
# Missing modules are left out.
COMMANDS = {
    "generate": "Make music from text: a sound file and its sonogram.",
    "remix": "Play a sound another way: image-to-image on its sonogram.",
    "inpaint": "Paint a part of a sound anew, by time, by frequency, by a mask.",
    "extend": "Make a sound longer, at its end or at its start.",
    "morph": "Go from one piece to another without a break.",
    "song": "Songs: plan, check, render, change.",
    "encode": "Make a sonogram picture (PNG) of a sound file.",
    "decode": "Make sound of a sonogram picture, Sonoriff's or Riffusion's.",
    "show": "Print the facts stored in a sonogram picture, and draw it.",
    "analyse": "Hear tempo, beats, bars, key, chords, energy and loudness.",
    "sample": "Cut clips from random places of songs.",
    "play": "Play a file, or music without end, until Ctrl-C.",
    "stream": "Write what the endless player would play.",
    "serve": "Run the web player and the API, until Ctrl-C.",
    "mcp": "Serve music to assistants: a tool server of the Model Context Protocol.",
    "corpus": "Captioned music to train on.",
    "train": "Teach a model your own music, or train one from scratch.",
    "evaluate": "Measure how good the sound is.",
    "export": "Write a model for other programs, or for the engine of web pages.",
    "models": "List the models on this machine: bundled, downloaded, local.",
}
EXIT_FAILURE, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130
# Typer bundles Click since 0.26 and depends on it before; this works with both.
_UsageError: Any = typer.BadParameter.__mro__[1]
_ClickException: Any = typer.BadParameter.__mro__[2]


class CommandGroup(TyperGroup):
    """Command group that imports its commands lazily."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Names of the installed commands."""
        return [name for name in COMMANDS if find_command(name)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command `cmd_name`, or None."""
        return load_command(cmd_name) if find_command(cmd_name) else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


def find_command(name: str) -> bool:
    """Whether this installation has the command `name`."""
    return name in COMMANDS and importlib.util.find_spec(f"{__package__}.{name}") is not None


def load_command(name: str) -> Any:
    """A command of this package: its module's `app`, or its function of the same name."""
    module = importlib.import_module(f"{__package__}.{name}")
    parent = typer.Typer(rich_markup_mode=None)
    parent.callback()(lambda: None)  # a callback makes it a group even with a single command
    if hasattr(module, "app"):
        parent.add_typer(module.app, name=name)
    else:
        parent.command(name)(getattr(module, name))
    return get_group(parent).commands[name]


app = typer.Typer(
    cls=CommandGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sonoriff {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _sonoriff(
    ctx: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Music from text, painted as a sonogram and played.

    \b
    Examples:
      sonoriff generate "calm piano" -o riff.wav      text to music
      sonoriff serve                                  the player, in a browser
      sonoriff train lora ~/Music/mine -o my-style    your own music
      sonoriff encode song.mp3 -o song.png            sound to picture
      sonoriff decode song.png -o song.wav            picture to sound

    Exit codes: 0 all well, 1 something failed, 2 bad input, 130 stopped with Ctrl-C.
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def run() -> NoReturn:
    """Entry point of the program `sonoriff`."""
    prepare()
    sys.exit(main())


def main(args: list[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Parameters
    ----------
    args : arguments without the program's name; None takes those of this process
    """
    return exit_code_of_call(lambda: app(args, prog_name="sonoriff", standalone_mode=False))


def exit_code_of_call(call: Callable[[], Any]) -> int:
    """Call a function; expected errors become one line and an exit code."""
    previous = signal.signal(signal.SIGTERM, _stop)
    shown = warnings.showwarning
    warnings.showwarning = _show_warning  # type: ignore[assignment]  # it takes any
    try:
        result = call()
        return result if isinstance(result, int) else 0
    except SonoriffError as error:
        return _fail(str(error), exit_code_of_error(error))
    except _ClickException as error:
        return _fail(_usage_line(error), error.exit_code)
    except typer.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader has exited (`sonoriff show ... | head`); keep Python from flushing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except OSError as error:
        return _fail(f"{error.filename or 'system'}: {error.strerror or error}", EXIT_FAILURE)
    except ModuleNotFoundError as error:
        line = how_to_install(error)
        if line is None:
            raise
        return _fail(line, EXIT_FAILURE)
    except RecursionError:
        return _fail("a file is nested too deep to be read: it is damaged", EXIT_BAD_INPUT)
    except MemoryError:
        return _fail("not enough memory: take a shorter part", EXIT_FAILURE)
    finally:
        warnings.showwarning = shown
        signal.signal(signal.SIGTERM, previous)


def exit_code_of_error(error: SonoriffError) -> int:
    """2 for bad input, 1 for failures at run time."""
    return EXIT_BAD_INPUT if isinstance(error, (ParameterError, FormatError)) else EXIT_FAILURE


def _usage_line(error: Any) -> str:
    """One line for a usage error, or the whole help if that is Typer's message."""
    message = str(error.format_message())
    context = getattr(error, "ctx", None)
    if "\n" in message or context is None or not isinstance(error, _UsageError):
        return message
    return f"{message.rstrip('.')} (see '{context.command_path} --help')"


def _fail(message: str, code: int) -> int:
    message = plain(message)
    typer.echo(message if "\n" in message else f"sonoriff: {message}", err=True)
    return code


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Handle SIGTERM by exiting, so that temporary files are removed."""
    raise SystemExit(128 + signal.SIGTERM)


def _show_warning(message: Warning | str, *_where: Any) -> None:
    typer.echo(f"warning: {plain(str(message))}", err=True)
