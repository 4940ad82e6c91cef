"""Progress of long work: a bar on a terminal, occasional lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[int, int], None]
# In a log file: the first line soon, to show that work has started, then rarely.
_FIRST_S, _EVERY_S = 10.0, 30.0


class Lines:
    """Progress lines with an estimate of the time left.

    Parameters
    ----------
    say : writes a line
    """

    def __init__(self, label: str, say: Callable[[str], None]) -> None:
        self._label, self._say = label, say
        self._began = time.monotonic()
        self._due = self._began + _FIRST_S

    def tell(self, done: int, total: int, more: str = "", *, since: int = 0) -> None:
        """Write a line if one is due.

        Parameters
        ----------
        more : appended to the line
        since : progress made before this run
        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _EVERY_S
        left = ""
        if since < done < total:
            each_s = (now - self._began) / (done - since)
            left = f", {duration_text(each_s * (total - done))} left"
        self._say(f"{self._label}: {done} of {total}{left}{'  ' + more if more else ''}")


def duration_text(seconds: float) -> str:
    """ "45 s", "12 min" or "3 h 20 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def shown(label: str) -> Iterator[Tell]:
    """A bar on a terminal, else lines on stderr; yields a callback ``(done, total)``."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        lines = Lines(label, lambda line: console.print(line, highlight=False, soft_wrap=True))
        yield lines.tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
