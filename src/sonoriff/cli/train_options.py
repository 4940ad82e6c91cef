"""Options and progress that all `sonoriff train` commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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


class bar:
    """A progress bar on a terminal, as a context that gives the callback."""

    def __init__(self, label: str) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.progress = Progress(console=Console(stderr=True), transient=True)
        self.task = self.progress.add_task(label, total=None)

    def __enter__(self) -> Callable[[int, int], None]:
        self.progress.start()
        return lambda done, total: self.progress.update(self.task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


@contextmanager
def main_first() -> Iterator[None]:
    """On several processes the first one fills the caches, then the others find them full."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    from accelerate import PartialState

    with PartialState().main_process_first():
        yield


def run_loop(recipe: Any, config: LoopConfig, output: Path) -> Any:
    """Train with a line of progress; the averaged model."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from sonoriff.training.loop import train

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting")

        def on_step(step: int, figures: dict[str, float]) -> None:
            progress.update(task, description=f"step {step}  loss {figures['loss']:.4f}")
            held_out = {k: v for k, v in figures.items() if k.startswith("validation")}
            if held_out:
                shown = "  ".join(f"{k} {v:.4f}" for k, v in held_out.items())
                console.print(f"step {step}  loss {figures['loss']:.4f}  {shown}")

        averaged = train(recipe, config, output, on_step=on_step)
    console.print(f"checkpoint, log and sample sheets are in {output}")
    return averaged
