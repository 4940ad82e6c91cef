"""What a worker answers where several windows are made together."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sonoriff.models.small.model import SmallModel
from sonoriff.server.link import Message, joined, packed, parted
from sonoriff.server.tasks import Tasks
from sonoriff.server.worker import _reply_together
from sonoriff.stream.scene import Cue, Scene, Schedule, WeightedPrompt


class Desk:
    """Takes what a worker sends; holds the numbers that are no longer wanted."""

    def __init__(self, on_progress: Callable[[dict[str, Any]], None] = lambda _header: None):
        self.cancelled: set[int] = set()
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self._on_progress = on_progress

    def send(self, header: dict[str, Any], blobs: Any = ()) -> None:
        self.sent.append((header, list(blobs)))
        if header["type"] == "progress":
            self._on_progress(header)

    def ends(self) -> dict[int, str]:
        """How each task ended, by its number."""
        return {h["number"]: h.get("code", "done") for h, _ in self.sent if h["type"] != "progress"}


def tasks_of(small_model: SmallModel) -> Tasks:
    return Tasks(small_model, max_pixels=1000, max_source_s=1.0)


def window(number: int, text: str, state: bytes = b"") -> Message:
    scene = Scene(prompts=(WeightedPrompt(text),), num_inference_steps=2)
    schedule = Schedule((Cue(scene),)).to_dict()
    return {"task": "window", "schedule": schedule, "number": number}, [state]


def test_messages_go_as_one_and_come_apart() -> None:
    messages: list[Message] = [({"a": 1}, [b"x", b""]), ({"b": 2}, []), ({"c": 3}, [b"yz"])]
    assert packed(*joined(messages))
    assert parted(joined(messages)) == messages


def test_each_gets_its_own_window(small_model: SmallModel) -> None:
    tasks, desk = tasks_of(small_model), Desk()
    messages = [window(7, "a"), window(8, "b")]
    _reply_together(tasks, desk, desk.send, messages)
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
    _reply_together(tasks_of(small_model), desk, desk.send, [window(7, "a"), window(8, "b")])
    assert desk.ends() == {7: "cancelled", 8: "done"}
    assert desk.cancelled == set()


def test_a_damaged_state_spoils_its_own_stream_only(
    small_model: SmallModel, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk()
    messages = [window(7, "a", b"no state"), window(8, "b"), window(9, "c")]
    _reply_together(tasks_of(small_model), desk, desk.send, messages)
    assert desk.ends() == {7: "invalid", 8: "done", 9: "done"}
    assert capsys.readouterr().err == ""


def test_what_fails_together_is_made_alone(
    small_model: SmallModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A card that has room for one, say."""
    tasks, desk = tasks_of(small_model), Desk()

    def failing(*_given: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(tasks, "windows", failing)
    _reply_together(tasks, desk, desk.send, [window(7, "a"), window(8, "b")])
    assert desk.ends() == {7: "done", 8: "done"}
    assert "out of memory" in capsys.readouterr().err
