"""A simulation of many nodes: listeners served, how late changes are heard, what is full first.

    python -m benchmarks.scale [--nodes 10 100 1000] [--per-front N] [OPTIONS]
    python -m benchmarks.scale --measure

Each node paints windows, alone or two together, and each front server has a queue of its own for
its nodes: the window that is needed first comes first. A listener asks for a window when less than
half of one is in hand, and now and then for another scene. What a front server does for a stream
it does in one thread. The defaults are measured: window, batch and change by `benchmarks.server`,
the front server's share by `--measure`, which plays a stream of the bundled model.
"""

from __future__ import annotations

import argparse
import heapq
import random
import time
from dataclasses import dataclass, field

import psutil

from benchmarks.listener import listener, running_server
from benchmarks.server import SCENE


@dataclass(frozen=True)
class Times:
    """What was measured, in seconds.

    Attributes
    ----------
    window : of sound in a window
    alone : that a node paints one window
    together : share of the time of two in turn that two together take
    front : of a front server's thread for a second of one stream's sound
    network : from front server to node and back
    kept : from asking for another scene until it is heard, at least
    every : between two changes of a listener
    """

    window: float = 3.7
    alone: float = 0.43
    together: float = 0.78
    front: float = 0.0075
    network: float = 0.002
    kept: float = 2.7
    every: float = 30.0


@dataclass
class Heard:
    """What listeners heard.

    Attributes
    ----------
    windows, late : windows, and those that came after the sound before them had ended
    changes : seconds until each change was heard
    painting, passing : seconds that the nodes, and the front server, were at work, of all
    """

    windows: int = 0
    late: int = 0
    changes: list[float] = field(default_factory=list)
    painting: float = 0.0
    passing: float = 0.0


@dataclass
class _Listener:
    """A stream: its sound is made until some time of the clock, as if it had played on."""

    until: float
    asked: bool = False
    # Counts changes: a window of a scene that was left does not count.
    scene: int = 0
    changed: float | None = None


def simulated(times: Times, nodes: int, listeners: int, *, seconds: float, seed: int) -> Heard:
    """One front server with its nodes and listeners."""
    drawn, heard = random.Random(seed), Heard()
    events: list[tuple[float, int, str, int, int]] = []
    queue: list[tuple[float, int, int, int]] = []
    people = [_Listener(drawn.uniform(0.5, 1.5) * times.window) for _ in range(listeners)]
    free, front_free, count, now = nodes, 0.0, 0, 0.0

    def plan(at: float, what: str, who: int = 0, scene: int = 0) -> None:
        nonlocal count
        count += 1
        heapq.heappush(events, (at, count, what, who, scene))

    def ask(who: int) -> None:
        nonlocal count
        count += 1
        people[who].asked = True
        heapq.heappush(queue, (people[who].until, count, who, people[who].scene))

    for who, one in enumerate(people):
        plan(one.until - times.window / 2, "ask", who)
        plan(drawn.expovariate(1.0 / times.every), "change", who)
    while events:
        now, _, what, who, scene = heapq.heappop(events)
        if now > seconds:
            break
        one = people[who]
        if what == "ask" and not one.asked and scene == one.scene:
            ask(who)
        elif what == "change":
            plan(now + drawn.expovariate(1.0 / times.every), "change", who)
            if one.changed is None:
                one.scene, one.changed = one.scene + 1, now
                one.until = min(one.until, now + times.kept)
                ask(who)
        elif what == "free":
            free += 1
        elif what == "painted":
            # The front server passes it on when it has passed on what came before.
            front_free = max(now, front_free) + times.front * times.window
            heard.passing += times.front * times.window
            plan(front_free, "came", who, scene)
        elif what == "came" and scene == one.scene:
            heard.windows += 1
            heard.late += now > one.until
            if one.changed is not None:
                heard.changes.append(max(now, one.until) - one.changed)
                one.changed = None
            one.until, one.asked = max(now, one.until) + times.window, False
            plan(max(now, one.until - times.window / 2), "ask", who, one.scene)
        while free and queue:
            batch = [heapq.heappop(queue) for _ in range(min(2, len(queue)))]
            batch = [one for one in batch if one[3] == people[one[2]].scene]
            if not batch:
                continue
            took = times.alone * (1.0 if len(batch) == 1 else 2.0 * times.together)
            heard.painting += took
            free -= 1
            plan(now + took, "free")
            for _, _, its, its_scene in batch:
                plan(now + took + times.network, "painted", its, its_scene)
    heard.painting /= nodes * seconds
    heard.passing /= seconds
    return heard


def most(times: Times, nodes: int, *, seconds: float, seed: int) -> int:
    """The most listeners of whose windows at most one of a thousand is late."""
    low, high = 0, round(1.2 * nodes * times.window / (2.0 * times.alone * times.together) * 2.0)
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        heard = simulated(times, nodes, middle, seconds=seconds, seed=seed)
        if heard.late <= heard.windows / 1000:
            low = middle
        else:
            high = middle
    return low


def measured(seconds: float) -> float:
    """Seconds of a front server's processor for a second of one stream's sound."""
    with running_server(None) as server, listener(server, SCENE) as one:
        one.play(3.0)
        process = psutil.Process(server.process.pid)
        before, began = process.cpu_times(), time.monotonic()
        one.play(seconds)
        after, took = process.cpu_times(), time.monotonic() - began
    used = after.user + after.system - before.user - before.system
    return used / took


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--per-front", type=int, default=5, help="nodes of each front server")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measure", action="store_true")
    for name in Times.__dataclass_fields__:
        parser.add_argument(f"--{name}", type=float, default=getattr(Times(), name), help="s")
    given = parser.parse_args()
    if given.measure:
        print(f"a front server uses {measured(20.0):.4f} s a second of one stream")
        return
    times = Times(**{name: getattr(given, name) for name in Times.__dataclass_fields__})
    for nodes in given.nodes:
        for fronts in sorted({1, max(1, nodes // given.per_front)}):
            of_each = nodes // fronts
            listeners = most(times, of_each, seconds=given.seconds, seed=given.seed)
            busy = max(1, round(0.9 * listeners))
            heard = simulated(times, of_each, busy, seconds=given.seconds, seed=given.seed + 1)
            waits = sorted(heard.changes) or [0.0]
            median, tail = waits[len(waits) // 2], waits[int(0.999 * (len(waits) - 1))]
            full = "the front server" if heard.passing > heard.painting else "the nodes"
            print(
                f"{nodes} nodes, {fronts} front servers: {fronts * listeners} listeners; of nine "
                f"tenths of them a change is heard after {median:.1f} s, 999 of 1000 within "
                f"{tail:.1f} s; nodes {100 * heard.painting:.0f} % at work, front servers "
                f"{100 * heard.passing:.0f} %: {full} first",
                flush=True,
            )


if __name__ == "__main__":
    main()
