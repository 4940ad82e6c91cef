"""How soon, how late, how many: the server with a model, by the clock.

    python -m benchmarks.server [MODEL] [--json FILE]

Time to first sound, delay of a change of prompt, streams sustained, overhead over the bare engine.
Without MODEL, the bundled one. The seconds are those of the clock: other work on the machine
lengthens them.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.listener import ServerProcess, listener, running_server
from sonoriff.models.registry import bundled_folder, load_model
from sonoriff.stream.engine import RiffStream
from sonoriff.stream.scene import Cue, Scene, SceneSchedule

SCENE = {"prompts": [{"text": "deep house, 122 bpm"}], "morph_bars": 0.0}
OTHER = {"prompts": [{"text": "church organ"}]}
RUSH_S = 30.0


def first_sound(server: ServerProcess, count: int) -> list[float]:
    """Seconds from opening a connection to the first sound frame."""
    delays = []
    for _ in range(count):
        began = time.perf_counter()
        with listener(server, SCENE) as one:
            one.want(one.rate)
            while not one.received:
                one.step()
            delays.append(time.perf_counter() - began)
    return delays


def change_delay(server: ServerProcess, count: int) -> tuple[list[float], float]:
    """Seconds of play from asking for another prompt until it is heard; length of a window."""
    delays, scenes = [], [{**SCENE, **OTHER}, SCENE]
    with listener(server, SCENE) as one:
        one.play(3.0)
        for i in range(count):
            text = scenes[i % 2]["prompts"][0]["text"]
            before, playhead = len(one.windows), one.playhead
            one.change(scenes[i % 2])
            heard = None
            while heard is None:
                one.play(0.5)
                new = [w for w in one.windows[before:] if w["prompts"][0]["text"] == text]
                heard = new[0]["first_sample"] if new else None
            delays.append((heard - playhead) / one.rate)
            one.play(1.0)
        last = one.windows[-1]
        window_s = (last["end_sample"] - last["first_sample"]) / one.rate
    return delays, window_s


def rushed(server: ServerProcess, seed: int, seconds: float) -> float:
    """Seconds that so much sound of one stream takes."""
    with listener(server, {**SCENE, "seed": seed}) as one:
        return one.rush(seconds)


def speeds(server: ServerProcess) -> tuple[float, float]:
    """Seconds of sound a second, of one stream and of four together."""
    alone = RUSH_S / rushed(server, 0, RUSH_S)
    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: rushed(server, seed, RUSH_S / 2), range(4)))
    return alone, 2 * RUSH_S / (time.perf_counter() - began)


def bare_seconds(model: str | None, seconds: float) -> float:
    """What the engine alone takes for the sound that `rushed` asks for."""
    loaded = load_model(model)
    stream, schedule = RiffStream(loaded), SceneSchedule((Cue(Scene.from_dict(SCENE)),))
    stream.next(stream.start(schedule))
    began, state = time.perf_counter(), stream.start(schedule)
    while state.n_samples < seconds * loaded.params.sample_rate:
        _, _, state = stream.next(state)
    return time.perf_counter() - began


def figures(model: str | None) -> dict[str, Any]:
    """All of them."""
    with running_server(model) as server:
        sound = first_sound(server, 5)
        delays, window_s = change_delay(server, 5)
        alone, together = speeds(server)
        served_s = rushed(server, 0, RUSH_S)
    bare_s = bare_seconds(model, RUSH_S)
    return {
        "model": model or "bundled",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "first_sound_s": {"median": median(sound), "most": max(sound)},
        "change_heard_after_s": {"median": median(delays), "most": max(delays)},
        "window_s": window_s,
        "speed_of_one_stream": alone,
        "streams_sustained": together,
        "overhead": served_s / bare_s - 1.0,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.model is None and not bundled_folder().is_dir():
        print("server: no figures, since the bundled model is not there; name a model folder")
        return
    found = figures(given.model)
    for name, value in found.items():
        print(f"{name}: {json.dumps(value)}")
    if given.json:
        given.json.write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
