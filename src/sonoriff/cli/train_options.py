"""Options and progress shared by all `sonoriff train` commands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli.progress import Lines

if TYPE_CHECKING:
    from sonoriff.training.config import LoopConfig

Work = Annotated[
    Path,
    typer.Option(
        help="Where pictures and latents are kept between runs.",
        metavar="FOLDER",
        file_okay=False,
        show_default="~/.cache/sonoriff",
    ),
]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Save = Annotated[float, typer.Option(help="Minutes between checkpoints.", min=0.1)]
Accumulate = Annotated[int, typer.Option(help="Batches added up for one step.", min=1)]
Precision = Annotated[str, typer.Option(help="auto, bf16, fp16 (GPU only) or no.")]
WORK = Path.home() / ".cache" / "sonoriff"


@contextmanager
def main_first() -> Iterator[None]:
    """With several processes the first one fills the caches before the others use them."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    from accelerate import PartialState

    with PartialState().main_process_first():
        yield


def run_loop(recipe: Any, config: LoopConfig, output: Path) -> Any:
    """Train with progress output; returns the averaged model.

    Without a terminal, occasional lines give step, loss and time left.
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from sonoriff.training.loop import train

    console = Console(stderr=True)

    def say(line: str) -> None:
        console.print(line, highlight=False, soft_wrap=True)

    lines = None if console.is_terminal else Lines("step", say)
    first: list[int] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=lines is not None) as progress:
        task = progress.add_task("starting")

        def on_step(step: int, figures: dict[str, float]) -> None:
            loss = f"loss {figures['loss']:.4f}"
            progress.update(task, description=f"step {step}  {loss}")
            first.append(step - 1) if not first else None
            if lines:
                lines.tell(step, config.steps, loss, since=first[0])
            held_out = {k: v for k, v in figures.items() if k.startswith("validation")}
            if held_out:
                shown = "  ".join(f"{k} {v:.4f}" for k, v in held_out.items())
                say(f"step {step}  {loss}  {shown}")

        averaged = train(recipe, config, output, on_step=on_step)
    console.print(f"checkpoint, log and sample sheets are in {output}")
    return averaged
