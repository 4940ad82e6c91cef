"""A corpus held by one writer of a kind at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sonoriff.errors import CorpusError


@contextmanager
def alone(root: Path, programmes: Sequence[str]) -> Iterator[None]:
    """Hold the corpus for these programmes, or for files; a second run of one is refused."""
    root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for name in programmes:
            file = stack.enter_context((root / f".{name}.lock").open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise CorpusError(
                    f"{root}: another run is writing {name!r}; wait for it or stop it"
                ) from error
        yield
