"""`sonoriff models`: the models on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="""List the models on this machine: bundled, downloaded, local.

    Local ones lie in the folder that SONORIFF_MODELS names, or in ~/.cache/sonoriff/models.

    \b
    Examples:
      sonoriff models
      sonoriff models convert riffusion-model-v1.ckpt
      sonoriff generate "church bells" --model riffusion/riffusion-model-v1
    """,
    invoke_without_command=True,
)


@app.callback()
def models(ctx: typer.Context) -> None:
    """List the models."""
    if ctx.invoked_subcommand is not None:
        return
    from sonoriff.models.registry import list_models, models_folder

    found = list_models()
    if not found:
        typer.echo(f"no models; put some into {models_folder()}, or name one of the hub")
        return
    rows = [(m.name, m.kind, m.origin, _megabytes(m.n_bytes), str(m.folder)) for m in found]
    heads = ("name", "kind", "from", "size", "folder")
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    for row in (heads, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A pickle, or a folder of them.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write [default: beside the input]."),
    ] = None,
) -> None:
    """Write pickled weights (.ckpt, .bin, .pt) as safetensors; no program in them is run.

    \b
    Examples:
      sonoriff models convert riffusion-model-v1.ckpt -o riffusion.safetensors
      sonoriff models convert my-diffusers-folder
    """
    from sonoriff.models.convert import convert as convert_pickles

    for written in convert_pickles(source, output):
        typer.echo(str(written))


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"
