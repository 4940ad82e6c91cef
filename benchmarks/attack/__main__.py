"""Attack a server of our own on loopback, while somebody listens to it.

    python -m benchmarks.attack [MODEL] [--requests 100000] [--seed N] [--only KIND]
                                [--database URL]

Kinds: http (drawn requests), stream (drawn messages), uploads (hostile files), crowd (many streams,
dear streams, piles of scenes, floods of pings), faults (workers killed, the database locked). The
seed is printed; with it the same is drawn again. Fails where an answer is not one that is
documented, where the listener's sound ran dry, or where the log holds a trace or a line that is no
JSON. The attackers are a process of their own at nice 10, since elsewhere they have machines of
their own.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.attack import attackers, faults
from benchmarks.attack.target import Target
from benchmarks.listener import Listener, ServerProcess, listener, running_server
from benchmarks.server import SCENE


class Polite(threading.Thread):
    """Listens by the clock until told to stop."""

    def __init__(self, one: Listener) -> None:
        super().__init__(daemon=True)
        self.one, self.stopped = one, False

    def run(self) -> None:
        """Play."""
        while not self.stopped:
            self.one.play(0.5)


def main() -> None:
    """Attack, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--only", choices=sorted(attackers.KINDS), action="append")
    parser.add_argument("--database", help="of the server, instead of SQLite; riffs are added")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with (
            running_server(given.model, log, given.database) as server,
            listener(server, SCENE) as one,
        ):
            polite = Polite(one)
            polite.start()
            time.sleep(5.0)
            for kind in given.only or attackers.KINDS:
                wrong += under_attack(kind, server, polite, given.seed, given.requests)
            polite.stopped = True
            polite.join(10.0)
        wrong += wrong_lines(log)
    for line in wrong:
        print(f"WRONG {line}")
    sys.exit(1 if wrong else 0)


def under_attack(
    kind: str, server: ServerProcess, polite: Polite, seed: int, requests: int
) -> list[str]:
    """Attack in one way; what was wrong with the answers and with the listener's sound."""
    one = polite.one
    began, dry_before, heard_before = time.monotonic(), one.underruns, one.playhead
    one.least_lead_s = float("inf")
    target = Target(server.port, server.process.pid, server.database)
    tally = attackers.attack(kind, target, seed, requests)
    if server.process.poll() is not None:
        return [f"{kind}: the server has ended"]
    dry, heard_s = one.underruns - dry_before, (one.playhead - heard_before) / one.rate
    print(
        f"{kind}: {time.monotonic() - began:.0f} s, {tally}; the listener: {heard_s:.0f} s heard, "
        f"{dry} underruns, least in hand {one.least_lead_s:.2f} s",
        flush=True,
    )
    wrong = [f"{kind}: {line}" for line in tally.wrong[:20]]
    if not polite.is_alive():
        wrong.append(f"{kind}: the listener was cut off")
    return wrong + ([f"{kind}: the listener's sound ran dry"] if dry else [])


def wrong_lines(log: Path) -> list[str]:
    """Lines of the log that are no JSON, and traces."""
    found: Counter[str] = Counter()
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                found[f"log: no JSON: {line[:200]}"] += 1
                continue
            if "trace" in event and event.get("event") not in faults.EXPECTED_EVENTS:
                found[f"log: {event.get('event')}: {event['trace'][-300:]}"] += 1
    return [f"{count} x {line}" for line, count in found.most_common(10)]


if __name__ == "__main__":
    main()
