"""What a worker answers where several windows are made together."""

import queue
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sonoriff.models.small.model import SmallModel
from sonoriff.server.workers import worker
from sonoriff.server.workers.ipc import Message, joined, packed, parted
from sonoriff.server.workers.tasks import Tasks
from sonoriff.stream.scene import Cue, Scene, SceneSchedule, WeightedPrompt


class Desk:
    """Takes what a worker sends; holds what is no longer wanted, and what cannot wait."""

    def __init__(self, on_progress: Callable[[dict[str, Any]], None] = lambda _header: None):
        self.cancelled: set[int] = set()
        self.between: queue.SimpleQueue[list[Message]] = queue.SimpleQueue()
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self._on_progress = on_progress

    def send(self, header: dict[str, Any], blobs: Any = ()) -> None:
        self.sent.append((header, list(blobs)))
        if header["type"] == "progress":
            self._on_progress(header)

    def do(self, tasks: Tasks, messages: list[Message]) -> None:
        """What the worker does with them."""
        worker.Desk(tasks, self, self.send).do(messages)

    def ends(self) -> dict[int, str]:
        """How each task ended, by its number."""
        return {h["number"]: h.get("code", "done") for h, _ in self.sent if h["type"] != "progress"}


def tasks_of(small_model: SmallModel) -> Tasks:
    return Tasks(small_model, max_pixels=1000, max_source_s=1.0)


def window(number: int, text: str, state: bytes = b"") -> Message:
    scene = Scene(prompts=(WeightedPrompt(text),), num_inference_steps=2)
    schedule = SceneSchedule((Cue(scene),)).to_dict()
    return {"task": "window", "schedule": schedule, "number": number}, [state]


def test_messages_go_as_one_and_come_apart() -> None:
    messages: list[Message] = [({"a": 1}, [b"x", b""]), ({"b": 2}, []), ({"c": 3}, [b"yz"])]
    assert packed(*joined(messages))
    assert parted(joined(messages)) == messages


def test_each_gets_its_own_window(small_model: SmallModel) -> None:
    tasks, desk = tasks_of(small_model), Desk()
    messages = [window(7, "a"), window(8, "b")]
    desk.do(tasks, messages)
    assert desk.ends() == {7: "done", 8: "done"}
    steps = [(h["number"], h["step"]) for h, _ in desk.sent if h["type"] == "progress"]
    assert steps == [(7, 1), (8, 1), (7, 2), (8, 2)]
    for (header, blobs), message in zip(desk.sent[-2:], messages, strict=True):
        facts, alone = tasks.window(*message, lambda _step, _steps: None)
        assert header["window"] == facts["window"]
        heard, wanted = (np.frombuffer(data, "<i2").astype(float) for data in (blobs[1], alone[1]))
        assert np.corrcoef(heard, wanted)[0, 1] > 0.999


def test_one_that_is_cancelled_leaves_the_others(small_model: SmallModel) -> None:
    def stop(header: dict[str, Any]) -> None:
        if header["step"] == 1:
            desk.cancelled.add(7)

    desk = Desk(stop)
    desk.do(tasks_of(small_model), [window(7, "a"), window(8, "b")])
    assert desk.ends() == {7: "cancelled", 8: "done"}
    assert desk.cancelled == set()


def test_a_damaged_state_spoils_its_own_stream_only(
    small_model: SmallModel, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk()
    messages = [window(7, "a", b"no state"), window(8, "b"), window(9, "c")]
    desk.do(tasks_of(small_model), messages)
    assert desk.ends() == {7: "invalid", 8: "done", 9: "done"}
    assert caplog.records == []


def test_what_fails_together_is_made_alone(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A card that has room for one, say."""
    tasks, desk = tasks_of(small_model), Desk()

    def failing(*_given: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(tasks, "windows", failing)
    desk.do(tasks, [window(7, "a"), window(8, "b")])
    assert desk.ends() == {7: "done", 8: "done"}
    assert "out of memory" in caplog.text


def test_what_cannot_wait_is_made_between_two_steps(small_model: SmallModel) -> None:
    """Both are what they would be alone, to the last bit."""
    tasks = tasks_of(small_model)

    def interrupt(header: dict[str, Any]) -> None:
        if (header["number"], header["step"]) == (7, 1):
            desk.between.put([window(8, "b")])

    desk = Desk(interrupt)
    desk.do(tasks, [window(7, "a")])
    assert desk.ends() == {8: "done", 7: "done"}
    assert list(desk.ends()) == [8, 7]
    made = {h["number"]: blobs for h, blobs in desk.sent if h["type"] == "done"}
    for number, text in ((7, "a"), (8, "b")):
        _, alone = tasks.window(*window(number, text), lambda _step, _steps: None)
        assert made[number] == alone


def test_what_cannot_wait_finds_nothing_under_way(small_model: SmallModel) -> None:
    desk = Desk()
    desk.between.put([window(8, "b")])
    desk.do(tasks_of(small_model), [])
    assert desk.ends() == {8: "done"}


def test_a_task_that_is_cancelled_stops_where_no_step_is_told(small_model: SmallModel) -> None:
    """Reading, hearing and writing have no steps; between them it is looked too."""
    seen: list[str] = []

    class Stages(Tasks):
        def _read_source(self, path: Any, *, is_sound: bool) -> Any:  # noqa: ARG002
            desk.cancelled.add(7)
            self._still_wanted()
            seen.append("went on")

    desk = Desk()
    tasks = Stages(small_model, max_pixels=1000, max_source_s=1.0)
    header = {"task": "riff", "verb": "remix", "settings": {}, "has_source": True, "number": 7}
    desk.do(tasks, [(header, [b"sound"])])
    assert desk.ends() == {7: "cancelled"}
    assert seen == []


def test_a_task_that_wants_too_much_memory_fails_alone(small_model: SmallModel) -> None:
    desk, tasks = Desk(), tasks_of(small_model)

    def greedy(*_given: Any) -> Any:
        return np.empty(1 << 60, np.uint8)

    tasks._tasks["riff"] = greedy
    desk.do(tasks, [({"task": "riff", "number": 7}, [])])
    desk.do(tasks, [window(8, "b")])
    assert desk.ends() == {7: "too_much", 8: "done"}


def test_the_system_keeps_a_worker_to_its_limits() -> None:
    program = """
import numpy as np, torch
from sonoriff.server.workers.rlimits import is_out_of_memory, limit_memory, limit_time
limit_memory(256 * 2**20)
for take in (lambda: np.ones(2**27), lambda: torch.ones(2**27)):
    try:
        take()
    except Exception as error:
        print(is_out_of_memory(error), flush=True)
limit_time(0.0)
while True:
    pass
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.split() == ["True", "True"]
    assert result.returncode == -signal.SIGXCPU
