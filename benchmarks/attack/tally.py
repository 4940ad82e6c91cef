"""What came of an attack."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class Tally:
    """Counts of answers, and those that are wrong. Can be pickled."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"counts": self.counts, "wrong": self.wrong}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]
        vars(self).update(state)

    def note(self, answer: str, *, wrong: str | None = None) -> None:
        """An answer; `wrong` says what is wrong with it."""
        with self._lock:
            self.counts[answer] += 1
            if wrong is not None:
                self.wrong.append(wrong)

    def __str__(self) -> str:
        return ", ".join(f"{count} x {name}" for name, count in self.counts.most_common(14))
