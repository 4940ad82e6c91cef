"""Recent use of worker time by each client."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable

# Factor over an equal share that counts as too much.
_SLACK = 1.25
_NOTHING_S = 0.01


class Shares:
    """Seconds used by each party, with exponential decay.

    Parameters
    ----------
    memory_s : time constant of the decay: after it about a third still counts
    free_s : use below this is never too much
    """

    def __init__(self, memory_s: float, free_s: float) -> None:
        self._memory_s, self._free_s = memory_s, free_s
        self._used: dict[Hashable, float] = {}
        self._at = -math.inf

    def note(self, who: Hashable, seconds: float, now: float) -> None:
        """Add seconds used by a party."""
        self._forget(now)
        self._used[who] = self._used.get(who, 0.0) + seconds

    def of(self, who: Hashable, now: float) -> float:
        """Recent use of a party, in seconds."""
        self._forget(now)
        return self._used.get(who, 0.0)

    def is_over(self, who: Hashable, others: Collection[Hashable], now: float) -> bool:
        """Whether a party has used more than its fair share.

        Parameters
        ----------
        others : other parties waiting; recent users and `who` itself are counted as well
        """
        used = self.of(who, now)
        count = len({who, *others, *self._used})
        fair = sum(self._used.values()) / count
        return count > 1 and used > max(_SLACK * fair, self._free_s)

    def is_within(self, who: Hashable, others: Collection[Hashable], now: float) -> bool:
        """Whether a party has used less than an equal share of a worker that is never idle.

        Parameters
        ----------
        others : as in `is_over`
        """
        used = self.of(who, now)
        whole = max(self._memory_s, sum(self._used.values()))
        return used < whole / len({who, *others, *self._used})

    def _forget(self, now: float) -> None:
        left = math.exp((self._at - now) / self._memory_s)
        self._at = now
        self._used = {k: v * left for k, v in self._used.items() if v * left > _NOTHING_S}
