"""The folder of a taught model: filled whole or not at all, with the last figures of its run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sonoriff.errors import CheckpointError
from sonoriff.training.curves import read_log


@contextmanager
def placed(folder: Path) -> Iterator[Path]:
    """A new folder whose content is moved into `folder` when the block ends well.

    Raises CheckpointError where the disk is full; what is in `folder` stays as it was.
    """
    partial = folder / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        yield partial
        for made in sorted(partial.iterdir()):
            _replace(made, folder / made.name)
    except OSError as error:
        raise CheckpointError(
            f"cannot write the model to {folder}: {error}; is the disk full? The run is kept: make "
            "room and give the same command again"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(made: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    made.replace(target)


def last_figures(log: Path) -> dict[str, float]:
    """The last validation figures of a run's log, by name."""
    found: dict[str, float] = {}
    for row in read_log(log):
        found |= {name: value for name, value in row.items() if name.startswith("validation")}
    return found
