"""`sonoriff train`: your own music for a finished model, or a model from scratch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli import train_own
from sonoriff.cli.progress import shown
from sonoriff.cli.train_options import (
    WORK,
    Accumulate,
    Precision,
    Save,
    Seed,
    Work,
    main_first,
    run_loop,
)

if TYPE_CHECKING:
    from sonoriff.training.config import LoopConfig

app = typer.Typer(
    help="""Teach a model your own music, or train one from scratch on a corpus.

    \b
    Examples:
      sonoriff train lora ~/Music/mine -o my-style
      sonoriff train finetune ~/Music/mine --base stable-diffusion-v1-5 -o my-model
      sonoriff train autoencoder CORPUS -o runs/ae --steps 20000
      sonoriff train denoiser CORPUS --autoencoder runs/ae -o runs/dit --hours 8
      sonoriff train denoiser CORPUS --autoencoder my-model --start my-model -o runs/more
      sonoriff train export runs/dit --autoencoder runs/ae -o my-model

    A run is stopped with Ctrl-C and goes on when the same command is given again.
    """,
    no_args_is_help=True,
)

Corpora = Annotated[
    list[Path],
    typer.Argument(help="Corpus folders, see `sonoriff corpus`.", exists=True, file_okay=False),
]
Run = Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.", metavar="RUN")]
Steps = Annotated[int, typer.Option(help="Step at which the run ends.", min=1)]
Cooldown = Annotated[
    int, typer.Option(help="Steps before the end over which the rate falls to zero.", min=0)
]
Batch = Annotated[int, typer.Option(help="Clips a step.", min=1)]
Rate = Annotated[float, typer.Option(help="Learning rate.", min=1e-8)]
Hours = Annotated[float, typer.Option(help="Stop, resumable, after this time; 0: never.", min=0)]
Ema = Annotated[float, typer.Option(help="Decay of the averaged weights.", min=0, max=0.99999)]
SAVED = 5.0


@app.command()
def autoencoder(
    corpora: Corpora,
    output: Run,
    work: Work = WORK,
    steps: Steps = 20_000,
    cooldown_steps: Cooldown = 0,
    batch_size: Batch = 16,
    accumulate: Accumulate = 1,
    learning_rate: Rate = 1e-3,
    hours: Hours = 0.0,
    precision: Precision = "auto",
    ema_decay: Ema = 0.999,
    latent_channels: Annotated[int, typer.Option(min=1, max=256)] = 40,
    time_columns: Annotated[
        int, typer.Option(help="Columns under a latent cell: 8 (8 x 64 grid) or 16 (16 x 32).")
    ] = 8,
    decoder_blocks: Annotated[
        str | None,
        typer.Option(
            help="Residual blocks at each resolution, finest first; with --start at least as many "
            "as there are.",
            metavar="N,N,N",
            show_default="2,2,3",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Model folder, or run, whose decoder alone goes on learning; its latents stay.",
            metavar="MODEL",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    save_minutes: Save = SAVED,
    seed: Seed = 0,
) -> None:
    """Train the autoencoder: sonograms to latents and back."""
    from sonoriff.errors import ParameterError
    from sonoriff.models.small.config import AutoencoderConfig
    from sonoriff.training.data.pictures import load_pictures
    from sonoriff.training.recipes.autoencoder import AutoencoderRecipe

    strides = {8: ((4, 2), (2, 1)), 16: ((2, 2), (2, 2))}.get(time_columns)
    if strides is None:
        raise ParameterError(f"--time-columns must be 8 or 16, got {time_columns}")
    pictures = load_pictures(_prepare_pictures(corpora, work))
    begin = _load_autoencoder(start) if start else None
    shape = AutoencoderConfig(latent_channels=latent_channels, strides=strides)
    if begin is not None:
        shape = begin.config
    if decoder_blocks:
        blocks = _counts(decoder_blocks, len(shape.decoder_blocks))
        begin = begin.with_decoder_blocks(blocks) if begin else None
        shape = replace(shape, decoder_blocks=blocks)
    run_loop(
        AutoencoderRecipe(pictures, shape, start=begin),
        _config(
            steps=steps,
            cooldown_steps=cooldown_steps,
            batch_size=batch_size,
            accumulate=accumulate,
            learning_rate=learning_rate,
            max_minutes=60 * hours,
            ema_decay=ema_decay,
            precision=precision,
            save_minutes=save_minutes,
            seed=seed,
        ),
        output,
    )


@app.command()
def denoiser(
    corpora: Corpora,
    output: Run,
    autoencoder: Annotated[
        Path,
        typer.Option(help="Run of the autoencoder, or a model folder.", exists=True, metavar="RUN"),
    ],
    start: Annotated[
        Path | None,
        typer.Option(
            help="Model folder whose denoiser the run begins with; its shape is taken too.",
            metavar="MODEL",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    work: Work = WORK,
    steps: Steps = 200_000,
    cooldown_steps: Cooldown = 0,
    batch_size: Batch = 64,
    accumulate: Accumulate = 1,
    learning_rate: Rate = 1e-3,
    hours: Hours = 0.0,
    precision: Precision = "auto",
    ema_decay: Ema = 0.9995,
    muon: Annotated[
        bool, typer.Option(help="Muon for the matrices of the blocks, else AdamW.")
    ] = True,
    width: Annotated[int, typer.Option(min=64)] = 320,
    depth: Annotated[int, typer.Option(min=1)] = 8,
    stereo: Annotated[
        bool, typer.Option("--stereo/--mono", help="Paint left and right too, or mono.")
    ] = True,
    compile_model: Annotated[
        bool, typer.Option("--compile", help="Fuse with torch.compile (needs a C++ compiler).")
    ] = False,
    save_minutes: Save = SAVED,
    seed: Seed = 0,
) -> None:
    """Train the denoiser: text to latents."""
    from sonoriff.models.small.config import CONDITIONS, DenoiserConfig
    from sonoriff.models.small.model import SmallModel
    from sonoriff.training.data.latents import load_latents
    from sonoriff.training.export import check_fit
    from sonoriff.training.recipes.denoiser import DenoiserRecipe

    coder = _load_autoencoder(autoencoder)
    begin = (
        SmallModel.from_pretrained(start, precision="float32", backend="torch") if start else None
    )
    if begin is not None:
        check_fit(begin.networks.denoiser_config, coder)
    latents = load_latents(_prepare_latents(corpora, work, coder))
    _, channels, rows, _ = (1, *latents.latent(0).shape)
    shape = DenoiserConfig(
        latent_channels=channels,
        latent_rows=rows,
        width=width,
        depth=depth,
        heads=max(1, width // 64),
    )
    if begin is not None:
        shape = replace(
            begin.networks.denoiser_config, conditions=CONDITIONS, latent_channels=channels
        )
    if not stereo:
        shape = replace(shape, latent_channels=coder.config.latent_channels)
    shape = replace(shape, stereo=stereo)
    run_loop(
        DenoiserRecipe(latents, coder, shape, compile_model=compile_model, start=begin),
        _config(
            muon=muon,
            steps=steps,
            cooldown_steps=cooldown_steps,
            batch_size=batch_size,
            accumulate=accumulate,
            learning_rate=learning_rate,
            max_minutes=60 * hours,
            ema_decay=ema_decay,
            precision=precision,
            save_minutes=save_minutes,
            seed=seed,
        ),
        output,
    )


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Run of the denoiser.", exists=True)],
    autoencoder: Annotated[
        Path, typer.Option(help="Run of the autoencoder.", exists=True, metavar="RUN")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the model.")],
    name: Annotated[str, typer.Option(help="Name stored in the model.")] = "sonoriff-small",
) -> None:
    """Write the averaged weights of two runs as a model that `generate --model` takes."""
    from sonoriff.training.export import export_model

    export_model(run, autoencoder, output, name=name)
    typer.echo(f"wrote {output}")


def _counts(text: str, n: int) -> tuple[int, ...]:
    """Parse `n` numbers, such as "2,2,3"."""
    from sonoriff.errors import ParameterError

    counts = text.split(",")
    if len(counts) != n or not all(c.strip().isdecimal() for c in counts):
        raise ParameterError(f"--decoder-blocks needs {n} numbers with commas, got {text!r}")
    return tuple(int(c) for c in counts)


def _config(**fields: Any) -> LoopConfig:
    from sonoriff.training.config import LoopConfig

    return LoopConfig(**fields)


def _prepare_pictures(corpora: list[Path], work: Path) -> list[Path]:
    from sonoriff.training.data.caches import pictures_folder
    from sonoriff.training.data.pictures import prepare_pictures

    folders = []
    for corpus in corpora:
        folder = pictures_folder(corpus, work)
        with main_first(), shown(f"pictures of {corpus.name}") as progress:
            prepare_pictures(corpus, folder, progress=progress)
        folders.append(folder)
    return folders


def _prepare_latents(corpora: list[Path], work: Path, coder: Any) -> list[Path]:
    from sonoriff.training.data.latents import latents_digest, prepare_latents

    folders = []
    for pictures in _prepare_pictures(corpora, work):
        folder = work / "latents" / latents_digest(coder) / pictures.name
        with main_first(), shown(f"latents of {pictures.name}") as progress:
            prepare_latents(pictures, folder, coder, progress=progress)
        folders.append(folder)
    return folders


def _load_autoencoder(run: Path) -> Any:
    from sonoriff.training.export import load_autoencoder

    return load_autoencoder(run)


app.command()(train_own.lora)
app.command()(train_own.finetune)
