"""`sonoriff export`: a model for other programs, for the engine of web pages, and such a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sonoriff.cli import painting

if TYPE_CHECKING:
    from sonoriff.models.protocol import Model

app = typer.Typer(
    help="""Write a model for other programs, or as a web page that needs no server.

    \b
    Examples:
      sonoriff export web -o site/
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
Weights = Annotated[
    Literal["int8", "float16"],
    typer.Option(
        help="int8 is small and fast; float16 is twice as large, and paints what Python paints."
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
    weights: Weights = "int8",
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


@app.command()
def web(
    output: Folder,
    model: Name = None,
    lora: painting.Loras = None,
    weights: Weights = "int8",
) -> None:
    """Write a static site whose visitors make the music themselves, in their browser.

    Put the folder on any web server: nothing runs there. Once opened, the page works offline.

    \b
    Examples:
      sonoriff export web -o site/
      sonoriff export web my-model/ --lora my-style -o site/
      python -m http.server --directory site/
    """
    from sonoriff.export.site import export_site

    site = export_site(_loaded(model, lora), output, weights)
    size = sum(file.stat().st_size for file in site.files)
    typer.echo(f"{output}: {len(site.files)} files, {size / 1e6:.1f} MB")
    typer.echo(
        f"first load: {site.first_load / 1e6:.1f} MB, "
        f"{site.first_load_compressed / 1e6:.1f} MB with {site.compression}"
    )


def _loaded(name: str | None, loras: list[str] | None) -> Model:
    from sonoriff.models.lora import parse_lora
    from sonoriff.models.registry import load_model

    return load_model(name, loras=[parse_lora(text) for text in loras or []])
