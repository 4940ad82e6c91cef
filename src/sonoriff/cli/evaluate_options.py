"""What several `sonoriff evaluate` commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonoriff.pipeline.generate import GenerateSettings


def sampling(steps: int | None, guidance: float | None) -> GenerateSettings:
    """Settings of a clip with these, the model's own where they are None."""
    from sonoriff.pipeline.generate import GenerateSettings

    given = {"num_inference_steps": steps, "guidance_scale": guidance}
    return GenerateSettings(prompt="", **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on a terminal: a callback that takes what is done, how far, of how much."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )
