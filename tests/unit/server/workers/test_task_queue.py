"""Which tasks go together: for none that is urgent to wait for one that is not."""

import asyncio
from collections.abc import Sequence

import pytest

from sonoriff.server.workers.task_queue import Call, Waiting

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


def waiting_calls(waiting: Waiting, calls: Sequence[tuple[str, float, str, str]]) -> None:
    """Put calls into a queue: names, seconds that they have, clients and streams."""
    for number, (name, spare_s, client, stream) in enumerate(calls):
        header = {"number": number, "name": name}
        waiting.add(Call(header, [], deadline=NOW + spare_s, kind="x", payer=(client, stream)))


def names(calls: Sequence[Call]) -> list[str]:
    return [call.header["name"] for call in calls]


def test_who_has_had_more_than_a_share_goes_behind() -> None:
    async def taking() -> None:
        waiting = Waiting()
        greedy = Call({"number": 9}, [], payer=("greedy", "a"))
        waiting.charge([greedy], 6.0, NOW)
        waiting_calls(waiting, [("late", 0.0, "greedy", "a"), ("in time", 3.0, "polite", "b")])
        assert names(waiting.take(2, NOW)) == ["in time"]
        assert names(waiting.take(2, NOW)) == ["late"]
        # A minute later that is forgotten.
        waiting_calls(waiting, [("late", 0.0, "greedy", "a"), ("in time", 3.0, "polite", "b")])
        assert names(waiting.take(1, NOW + 60.0)) == ["late"]

    asyncio.run(taking())


def test_among_the_streams_of_one_client_each_has_its_share() -> None:
    async def taking() -> None:
        waiting = Waiting()
        waiting.charge([Call({"number": 9}, [], payer=("one", "heavy"))], 6.0, NOW)
        waiting_calls(waiting, [("heavy", 0.0, "one", "heavy"), ("light", 3.0, "one", "light")])
        assert names(waiting.take(1, NOW)) == ["light"]

    asyncio.run(taking())


def test_who_is_alone_has_it_all_and_little_is_never_too_much() -> None:
    async def taking() -> None:
        waiting = Waiting()
        waiting.charge([Call({"number": 9}, [], payer=("one", "a"))], 100.0, NOW)
        waiting_calls(waiting, [("first", 0.0, "one", "a"), ("second", 1.0, "one", "a")])
        assert names(waiting.take(1, NOW)) == ["first"]
        waiting = Waiting()
        waiting.charge([Call({"number": 9}, [], payer=("one", "a"))], 1.9, NOW)
        waiting_calls(waiting, [("first", 0.0, "one", "a"), ("second", 1.0, "other", "b")])
        assert names(waiting.take(1, NOW)) == ["first"]

    asyncio.run(taking())


@pytest.mark.parametrize(
    ("used_s", "spare_s", "left_s", "between"),
    [
        (6.0, 3.0, 5.0, True),  # it would come too late
        (6.0, 9.0, 5.0, False),  # it has time
    ],
)
def test_what_comes_between_the_steps_of_another(
    used_s: float, spare_s: float, left_s: float, between: bool
) -> None:
    async def taking() -> None:
        waiting = Waiting()
        running = Call({"number": 9}, [], payer=("greedy", "a"))
        waiting.charge([running], used_s, NOW)
        waiting_calls(waiting, [("polite", spare_s, "polite", "b")])
        taken = names(waiting.take_between([running], left_s, NOW))
        assert taken == (["polite"] if between else [])
        assert len(waiting) == (0 if between else 1)

    asyncio.run(taking())


@pytest.mark.parametrize(
    ("polite_s", "steps", "client", "between"),
    [
        (3.0, 8, "polite", True),  # within its share: a third of ten seconds
        (3.6, 8, "polite", False),  # beyond it
        (3.0, 40, "polite", False),  # as long as what is left: others would wait for it in turn
        (3.0, 8, "newcomer", False),  # its own call is running
    ],
)
def test_the_first_long_call_of_newcomers_makes_nobody_late(
    polite_s: float, steps: int, client: str, between: bool
) -> None:
    """Two of fifty steps together held up everybody for as long as they took."""

    async def taking() -> None:
        waiting = Waiting()
        running = [
            Call({"number": 8 + i}, [], payer=(name, name), steps=50)
            for i, name in enumerate(("newcomer", "another"))
        ]
        for call in running:
            call.steps_left = 40
        waiting.charge([Call({"number": 7}, [], payer=("polite", "p"))], polite_s, NOW)
        waiting.charge(running, 1.0, NOW)
        urgent = Call({"number": 1, "name": "urgent"}, [], payer=(client, "p"), steps=steps)
        waiting.add(urgent)
        taken = names(waiting.take_between(running, 5.0, NOW))
        assert taken == (["urgent"] if between else [])

    asyncio.run(taking())
