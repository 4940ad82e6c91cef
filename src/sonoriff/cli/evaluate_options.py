"""Options that several `sonoriff evaluate` commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sonoriff.cli.progress import Tell, shown

if TYPE_CHECKING:
    from sonoriff.pipeline.generate import GenerateSettings


def sampling(steps: int | None, guidance: float | None) -> GenerateSettings:
    """Clip settings from the options; None takes the model's default."""
    from sonoriff.pipeline.generate import GenerateSettings

    given = {"num_inference_steps": steps, "guidance_scale": guidance}
    return GenerateSettings(prompt="", **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A callback `(label, done, total)` that shows a bar or lines for each label."""
    with ExitStack() as stack:
        current: dict[str, Tell] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in current:
                stack.close()
                current.clear()
                current[what] = stack.enter_context(shown(what))
            current[what](done, total)

        yield tell
