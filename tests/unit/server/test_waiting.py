"""Which tasks go together: for none that is urgent to wait for one that is not."""

import asyncio
from collections.abc import Sequence

import pytest

from sonoriff.server.waiting import Call, Waiting

NOW, USUAL_S = 100.0, 1.0


def taken(
    calls: Sequence[tuple[str, float, str | None]], *, most: int = 2, usual_s: float = USUAL_S
) -> list[list[str]]:
    """Names of what is taken in turn; calls are names, seconds that they have, and kinds."""

    async def taking() -> list[list[str]]:
        waiting = Waiting()
        waiting.usual_s = usual_s
        for number, (name, spare_s, kind) in enumerate(calls):
            header = {"number": number, "name": name}
            waiting.add(Call(header, [], deadline=NOW + spare_s, kind=kind))
        turns = []
        while len(waiting):
            turns.append([call.header["name"] for call in waiting.take(most, NOW)])
        assert waiting.take(most, NOW) == []
        return turns

    return asyncio.run(taking())


@pytest.mark.parametrize(
    ("calls", "turns"),
    [
        # In the order in which they are needed; of those needed alike, in that of coming.
        ([("a", 5, None), ("b", 3, None), ("c", 3, None)], [["b"], ["c"], ["a"]]),
        # None is urgent.
        ([("a", 5, "x"), ("b", 4, "x"), ("c", 3, "x")], [["c", "b"], ["a"]]),
        # All are.
        ([("a", 0.1, "x"), ("b", 0.5, "x")], [["a", "b"]]),
        # One is: it goes alone.
        ([("a", 0.5, "x"), ("b", 5, "x"), ("c", 6, "x")], [["a"], ["b", "c"]]),
        # Others do not fit.
        ([("a", 5, "x"), ("b", 6, "y"), ("c", 7, "x")], [["a", "c"], ["b"]]),
        # An urgent one that does not fit is not gone past.
        ([("a", 0.1, "x"), ("b", 0.2, "y"), ("c", 0.3, "x")], [["a"], ["b"], ["c"]]),
    ],
)
def test_who_goes_with_whom(
    calls: list[tuple[str, float, str | None]], turns: list[list[str]]
) -> None:
    assert taken(calls) == turns


def test_no_more_go_together_than_pays() -> None:
    calls: list[tuple[str, float, str | None]] = [(str(i), 9 + i, "x") for i in range(5)]
    assert [len(turn) for turn in taken(calls, most=4)] == [4, 1]
    assert [len(turn) for turn in taken(calls, most=1)] == [1] * 5


def test_what_is_urgent_depends_on_how_long_a_window_takes() -> None:
    calls: list[tuple[str, float, str | None]] = [("a", 1, "x"), ("b", 9, "x")]
    assert taken(calls, usual_s=0.1) == [["a", "b"]]
    assert taken(calls, usual_s=1.0) == [["a"], ["b"]]
    assert taken(calls, usual_s=10.0) == [["a", "b"]]


def test_what_is_taken_out_is_not_given_out() -> None:
    async def taking() -> None:
        waiting = Waiting()
        calls = [Call({"number": i}, [], deadline=i, kind="x") for i in range(3)]
        for call in calls:
            waiting.add(call)
        waiting.remove(calls[0])
        waiting.remove(calls[0])
        assert waiting.take(2, NOW) == calls[1:]
        assert len(waiting) == 0

    asyncio.run(taking())


def test_how_long_one_takes_is_learnt_from_those_that_can_go_together() -> None:
    async def learning() -> None:
        waiting = Waiting()
        alone, other = Call({"number": 0}, []), Call({"number": 1}, [], kind="x")
        waiting.note([alone], 50.0)
        assert waiting.usual_s == 0.0
        waiting.note([other, other], 3.0)
        assert waiting.usual_s == 1.5
        waiting.note([other], 0.5)
        assert waiting.usual_s == 1.0

    asyncio.run(learning())
