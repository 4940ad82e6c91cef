"""`sonoriff models`: the models on this machine."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from sonoriff.cli import painting
from sonoriff.errors import CheckpointError, SonoriffWarning

app = typer.Typer(
    help="""List the models on this machine: bundled, downloaded, local.

    Local ones lie in the folder that SONORIFF_MODELS names, or in ~/.cache/sonoriff/models.

    \b
    Examples:
      sonoriff models
      sonoriff models fetch riffusion/riffusion-model-v1
      sonoriff models check riffusion/riffusion-model-v1
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
    rows = [
        (m.name, m.kind, m.origin, size_in_words(m.n_bytes), m.prediction, str(m.folder))
        for m in found
    ]
    heads = ("name", "kind", "from", "size", "predicts", "folder")
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


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Of the Hugging Face hub.")],
) -> None:
    """Fetch a model of the hub into the folder of local models: the least that is needed.

    Safetensors are taken before pickles, a folder before one large file. Pickles are written as
    safetensors with a reader that runs no program in them, and thrown away.

    \b
    Examples:
      sonoriff models fetch riffusion/riffusion-model-v1
    """
    from sonoriff.models.registry import models_folder, need_hub
    from sonoriff.models.stable_diffusion.fetch import fetch as fetch_planned
    from sonoriff.models.stable_diffusion.fetch import plan_fetch
    from sonoriff.models.stable_diffusion.hub import config_folder

    need_hub()
    plan = plan_fetch(name)
    converted = f", {len(plan.pickles)} of them pickles to convert" if plan.pickles else ""
    typer.echo(f"{name}: {size_in_words(plan.n_bytes)} in {len(plan.files)} files{converted}")
    place = fetch_planned(
        plan, models_folder(), lambda path, size: typer.echo(f"  {path}, {size_in_words(size)}")
    )
    typer.echo(str(place))
    if plan.single:
        try:
            config_folder()
        except CheckpointError as error:
            warnings.warn(str(error), SonoriffWarning, stacklevel=1)


@app.command()
def check(
    name: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="As --model takes it [default: the bundled one]."),
    ] = None,
    prediction: painting.Prediction = None,
) -> None:
    """Load a model and say what was recognised, and what was taken from where.

    Fails where two different prompts are the same to it.

    \b
    Examples:
      sonoriff models check my-model
      sonoriff models check anime-v-pred.safetensors
    """
    from sonoriff.models.check import check_model

    for what, said in check_model(name, prediction=prediction).items():
        typer.echo(f"{what}: {said}")


def size_in_words(n_bytes: int) -> str:
    """Size in megabytes, or in gigabytes if at least one."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.1f} GB"
