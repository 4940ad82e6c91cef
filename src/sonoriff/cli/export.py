"""`sonoriff export`: a model for other programs, and for the engine of web pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sonoriff.cli import painting

if TYPE_CHECKING:
    from sonoriff.models.protocol import Model

app = typer.Typer(
    help="""Write a model for other programs, or for the engine of web pages.

    \b
    Examples:
      sonoriff export engine -o model/
      sonoriff export onnx -o graphs/
      sonoriff export onnx my-model/ --lora my-style -o graphs/
    """,
    no_args_is_help=True,
)
Name = Annotated[
    str | None,
    typer.Argument(
        metavar="MODEL", help="As --model takes it elsewhere [default: the bundled one]."
    ),
]
Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder; made where it is not there.")]


@app.command()
def onnx(
    output: Folder,
    model: Name = None,
    lora: painting.Loras = None,
    precision: Annotated[
        Literal["float32", "int8"],
        typer.Option(help="int8: the products of the denoiser's transformer in whole numbers."),
    ] = "float32",
) -> None:
    """Write the networks as ONNX files with weights.

    \b
    Examples:
      sonoriff export onnx -o graphs/
      sonoriff export onnx --precision int8 -o graphs/
    """
    from sonoriff.export.onnx import export_onnx

    for file in export_onnx(_loaded(model, lora), output, precision):
        typer.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


@app.command()
def engine(
    output: Folder,
    model: Name = None,
    lora: painting.Loras = None,
    weights: Annotated[
        Literal["int8", "float16"],
        typer.Option(
            help="int8 is small and fast; float16 is twice as large, and paints what Python paints."
        ),
    ] = "int8",
) -> None:
    """Write what the engine for web pages (web/engine) loads.

    \b
    Examples:
      sonoriff export engine -o model/
      sonoriff export engine my-model/ --weights float16 -o model/
    """
    from sonoriff.export.engine import export_engine

    for file in export_engine(_loaded(model, lora), output, weights):
        typer.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


def _loaded(name: str | None, loras: list[str] | None) -> Model:
    from sonoriff.models.lora import parse_lora
    from sonoriff.models.registry import load_model

    return load_model(name, loras=[parse_lora(text) for text in loras or []])
