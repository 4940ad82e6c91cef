"""Who has used how much of a worker's time of late."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable

# So much more than an equal share is too much.
_SLACK = 1.25
_NOTHING_S = 0.01


class Shares:
    """Seconds used by each of several, forgotten bit by bit.

    Parameters
    ----------
    memory_s : after which a third of what was used is still remembered
    free_s : as much as this is never too much
    """

    def __init__(self, memory_s: float, free_s: float) -> None:
        self._memory_s, self._free_s = memory_s, free_s
        self._used: dict[Hashable, float] = {}
        self._at = -math.inf

    def note(self, who: Hashable, seconds: float, now: float) -> None:
        """Someone has used so many seconds."""
        self._forget(now)
        self._used[who] = self._used.get(who, 0.0) + seconds

    def of(self, who: Hashable, now: float) -> float:
        """What someone has used of late, in seconds."""
        self._forget(now)
        return self._used.get(who, 0.0)

    def is_over(self, who: Hashable, others: Collection[Hashable], now: float) -> bool:
        """Whether someone has had more than a fair share.

        Parameters
        ----------
        others : who else wants some; whoever has used some of late counts too, and so does `who`
        """
        used = self.of(who, now)
        count = len({who, *others, *self._used})
        fair = sum(self._used.values()) / count
        return count > 1 and used > max(_SLACK * fair, self._free_s)

    def _forget(self, now: float) -> None:
        left = math.exp((self._at - now) / self._memory_s)
        self._at = now
        self._used = {k: v * left for k, v in self._used.items() if v * left > _NOTHING_S}
