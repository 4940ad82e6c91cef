"""`sonoriff evaluate own`: how far fine-tuning has moved a model towards its music."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonoriff.cli.evaluate_options import progress, sampling
from sonoriff.cli.train_options import WORK, Work
from sonoriff.errors import ParameterError

if TYPE_CHECKING:
    from sonoriff.models.small.model import SmallModel
    from sonoriff.training.personal.music import OwnMusic


def evaluate_own_command(
    folder: Annotated[
        Path, typer.Argument(help="Folder of the music that was taught.", metavar="MUSIC")
    ],
    result: Annotated[
        Path,
        typer.Argument(
            help="What `sonoriff train lora` or `finetune` made of it.", metavar="RESULT"
        ),
    ],
    base: Annotated[
        str | None,
        typer.Option(
            help="The model that was begun with [default: the bundled model].", metavar="MODEL"
        ),
    ] = None,
    caption: Annotated[
        str | None,
        typer.Option(help="As it was given when the model was taught.", metavar="TEXT|auto"),
    ] = None,
    clips: Annotated[int, typer.Option(help="Clips of each row.", min=10)] = 100,
    rows: Annotated[
        str, typer.Option(help="Rows of the table: real, ceiling, base, result.", metavar="LIST")
    ] = "real,base,result",
    steps: Annotated[int | None, typer.Option(help="Denoising steps.", min=1)] = None,
    guidance: Annotated[
        float | None,
        typer.Option(
            help="How hard base and result follow the prompt [default: 2, as taught models are "
            "played].",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the choice of clips and captions.", min=0)] = 0,
    work: Work = WORK,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write every figure as JSON.")
    ] = None,
) -> None:
    """Print how far a taught model has come from its base towards the music.

    The base and the result are asked for the captions of the held-out files. What they make, and
    the music that was trained on, is compared with the held-out clips. A run that is stopped goes
    on when the same command is given again.

    \b
    Examples:
      sonoriff train lora ~/Music/mine -o my-style
      sonoriff evaluate own ~/Music/mine my-style
    """
    from sonoriff.evaluation.judges.musicnn import weights_folder
    from sonoriff.evaluation.personal.distance import OwnSettings, evaluate_own, in_words
    from sonoriff.files import write_text
    from sonoriff.training.personal.defaults import SMALL_GUIDANCE

    if output is not None and not output.parent.is_dir():
        raise ParameterError(f"the folder {output.parent} does not exist: make it first")
    weights_folder()  # fails before the long work if it is not installed
    settings = OwnSettings(
        n_clips=clips,
        rows=tuple(name.strip() for name in rows.split(",") if name.strip()),
        seed=seed,
        sampling=sampling(steps, SMALL_GUIDANCE if guidance is None else guidance),
    )
    models = _models(result, base)
    music = _music(folder, work, caption)
    with progress() as on_progress:
        table = evaluate_own(music, *models, work / "evaluation", settings, on_clip=on_progress)
    typer.echo(table.to_text(), nl=False)
    typer.echo(in_words(table))
    if output is not None:
        write_text(output, table.to_json())


def _models(result: Path, base: str | None) -> tuple[SmallModel, SmallModel]:
    """Base model and result; a LoRA is merged into the base."""
    from sonoriff.models.lora import Lora
    from sonoriff.models.registry import load_model
    from sonoriff.models.small.model import SmallModel

    if not result.is_dir():
        raise ParameterError(f"{result} is not a folder: name what `sonoriff train` wrote")
    is_lora = (result / "adapter_config.json").is_file()
    begun = load_model(base)
    taught = load_model(base, loras=[Lora(result)]) if is_lora else load_model(result)
    if not isinstance(begun, SmallModel) or not isinstance(taught, SmallModel):
        raise ParameterError(
            "only models of the bundled kind can be compared, not Stable Diffusion"
        )
    return begun, taught


def _music(folder: Path, work: Path, caption: str | None) -> OwnMusic:
    from sonoriff.evaluation.personal.listening import listened
    from sonoriff.training.personal.music import AUTO, gather

    with progress() as on_progress:
        return gather(
            folder, work, caption=caption, listener=listened if caption == AUTO else None,
            progress=lambda done, total: on_progress("reading the music", done, total),
        )  # fmt: skip
