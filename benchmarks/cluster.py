"""What Ray costs on one machine: a server with its own workers beside one with a cluster's.

    python -m benchmarks.cluster [MODEL] [--rounds 3]

In turns, in one run: seconds to the first sound, and seconds of sound a second of one stream; the
differences that Ray makes. The cluster is of this machine alone.
"""

from __future__ import annotations

import argparse
from statistics import median

from benchmarks.listener import running_server
from benchmarks.server import RUSH_S, first_sound, rushed

WAYS: dict[str, tuple[str, ...]] = {"own": (), "ray": ("--ray", "local")}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sound: dict[str, list[float]] = {way: [] for way in WAYS}
    speed: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(given.rounds):
        for way, options in WAYS.items():
            with running_server(given.model, options=options) as server:
                sound[way] += first_sound(server, 3)
                speed[way].append(RUSH_S / rushed(server, 0, RUSH_S))
    for way in WAYS:
        print(f"{way}: first sound {median(sound[way]):.2f} s, speed {median(speed[way]):.2f}")
    later = median(sound["ray"]) - median(sound["own"])
    share = median(speed["ray"]) / median(speed["own"])
    print(f"Ray: first sound {later:+.2f} s later, {100 * (1 - share):+.1f} % less sound a second")


if __name__ == "__main__":
    main()
