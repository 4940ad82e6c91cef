"""Long work says how far it is, also where there is no terminal."""

from __future__ import annotations

import pytest

from sonoriff.cli import progress
from sonoriff.cli.progress import Lines, duration_text, shown


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_line_comes_now_and_then_with_the_time_left(clock: list[float]) -> None:
    said: list[str] = []
    lines = Lines("clips", said.append)
    for second in range(1, 101):
        clock[0] = 100.0 + second
        lines.tell(second, 200)
    assert said == [
        "clips: 10 of 200, 3 min left",
        "clips: 40 of 200, 3 min left",
        "clips: 70 of 200, 2 min left",
        "clips: 100 of 200, 2 min left",
    ]


def test_what_was_done_before_tells_nothing_of_the_speed(clock: list[float]) -> None:
    said: list[str] = []
    lines = Lines("step", said.append)
    clock[0] += 20.0
    lines.tell(1_010, 1_100, "loss 0.5", since=1_000)
    assert said == ["step: 1010 of 1100, 3 min left  loss 0.5"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (7_100, "118 min"), (12_000, "3 h 20 min")],
)
def test_durations_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_without_a_terminal_there_are_lines(
    capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    with shown("pictures of my music") as on_progress:
        on_progress(1, 10)
        clock[0] += 60.0
        on_progress(5, 10)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "pictures of my music: 5 of 10, 60 s left\n"
