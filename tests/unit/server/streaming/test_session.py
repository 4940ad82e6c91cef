"""What a change of scene leaves of what was made: all that is needed until another is there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sonoriff.errors import BusyError, ParameterError
from sonoriff.server.config import Limits
from sonoriff.server.metrics import Metrics
from sonoriff.server.streaming.session import MAX_CUES, Chunk, Format, Session
from sonoriff.server.streaming.streams import CrowdedError, Stream, Streams
from sonoriff.server.workers.replies import ModelInfo, WindowMessage
from sonoriff.stream.scene import Scene, WeightedPrompt

# A sample is a hundredth of a second, a cell a tenth, a window four seconds.
RATE, CELL, LAG, WINDOW = 100, 10, 20, 400
FORM = Format(RATE, 1, 1, 2, cell_samples=CELL, lag_samples=LAG, column_lead=5)
MODEL = ModelInfo(
    **vars(FORM),
    window_samples=640,
    context_samples=240,
    model="tiny",
    weights="",
    f_min_hz=0.0,
    f_max_hz=50.0,
    db_min=-80.0,
    db_max=0.0,
    params={},
)
OTHER = Scene(prompts=(WeightedPrompt("other"),))


def made(session: Session, end: int | None = None, mode: str = "flow") -> Chunk:
    """The window that follows what a session has."""
    index = session._chunks[-1].index + 1 if session._chunks else 0
    first = session.next_first_sample
    end = first + WINDOW if end is None else end
    start = session.made_until
    n_samples, n_columns = end - LAG - start, end - LAG + 5 - session_end_column(session)
    return Chunk(
        window=window_message(index, first, end, mode),
        first_column=session_end_column(session),
        n_columns=n_columns,
        columns=bytes(2 * n_columns),
        first_sample=start,
        n_samples=n_samples,
        sound=bytes(2 * n_samples),
        state=b"state",
    )


def window_message(index: int, first: int, end: int, mode: str) -> WindowMessage:
    scene = Scene()
    return WindowMessage(
        index=index,
        first_sample=first,
        end_sample=end,
        mode=mode,
        prompts=[{"text": "", "weight": 1.0}],
        negative_prompt="",
        seed=0,
        alpha=0.0,
        bpm=None,
        key=None,
        strength=scene.strength,
        bar=None,
        first_bar_sample=None,
        scene=scene.to_dict(),
    )


def session_end_column(session: Session) -> int:
    return session._chunks[-1].end_column if session._chunks else 0


def playing(n_windows: int, sent: int, mode: str = "flow") -> Session:
    """A session that has made some windows and sent a part of them."""
    session = Session(FORM, Scene(), 30 * RATE)
    for _ in range(n_windows):
        session.add(made(session, mode=mode))
    session.want(sent)
    while session.outgoing() is not None:
        pass
    assert session.next_sample == sent
    return session


def test_without_need_a_change_comes_as_soon_as_nothing_sent_is_changed() -> None:
    session = playing(2, sent=100)
    assert session.change(OTHER, None) == 120
    assert session.cut_to == 120
    assert session.made_until == 100


@pytest.mark.parametrize(("reserve", "place"), [(100, 220), (250, 370), (300, 420), (500, 620)])
def test_what_is_reserved_stays_though_nothing_of_its_window_was_sent(
    reserve: int, place: int
) -> None:
    session = playing(2, sent=100)
    session.reserve = reserve
    assert session.change(OTHER, None) == place
    assert session.made_until >= 100 + reserve
    assert session.next_first_sample == place
    assert session.schedule.scene_at(place) == OTHER


def test_a_riff_that_is_reserved_stays_whole() -> None:
    session = playing(3, sent=100, mode="riff")
    session.reserve = 300
    assert session.change(OTHER, None) == 800
    assert session.cut_to is None
    session = playing(3, sent=100, mode="riff")
    assert session.change(OTHER, None) == 400


def test_a_window_that_goes_on_is_cut_once_it_is_there() -> None:
    session = playing(1, sent=300)
    session.reserve = 150
    coming = made(session)
    assert session.change(OTHER, None, goes_on=True) == 470
    assert session.schedule.scene_at(469) == Scene()
    assert session.cut_to is None
    session.add(coming)
    assert session.cut_to == 470
    assert session.made_until == 450
    session.add(made_again(session, 470))
    assert session.cut_to is None
    assert session.next_first_sample == 470


def made_again(session: Session, end: int) -> Chunk:
    """The last window, cut."""
    last = session._chunks.pop()
    chunk = made(session, end)
    session._chunks.append(last)
    return chunk


def test_a_window_that_goes_on_keeps_a_cell_at_least() -> None:
    session = playing(1, sent=300)
    assert session.change(OTHER, None, goes_on=True) == 410


class SlowLane:
    """Makes windows when it is told to."""

    def __init__(self) -> None:
        self.model_info, self.waiting = MODEL, 0
        self.calls: list[tuple[dict[str, Any], asyncio.Future[Any]]] = []

    async def call(self, task: dict[str, Any], *_states: Any, **_options: Any) -> Any:
        future = asyncio.get_running_loop().create_future()
        self.calls.append((task, future))
        return await future


def stream_of(pool: SlowLane, session: Session, speed: float) -> Stream:
    streams = Streams(pool, Limits(), Metrics())  # type: ignore[arg-type]
    stream = Stream("secret", "client", session, streams)
    stream.connection = object()  # type: ignore[assignment]
    stream.speed = speed
    return stream


@pytest.mark.parametrize(
    ("speed", "stays"),
    # A window takes 6.4 s at most, and 0.64 s; 3.8 s are in hand.
    [(1.0, True), (10.0, False)],
)
def test_a_slow_server_finishes_what_it_is_at(speed: float, stays: bool) -> None:
    async def changing() -> None:
        pool, session = SlowLane(), playing(1, sent=200)
        stream = stream_of(pool, session, speed)
        stream.note_heard(0)
        stream.keep_making()
        await asyncio.sleep(0)
        ((_, window),) = pool.calls
        from_sample = stream.change(OTHER, None)
        await asyncio.sleep(0)
        assert window.cancelled() is not stays
        assert (from_sample > session.next_first_sample) is stays
        stream.stop_making()

    asyncio.run(changing())


def test_before_the_first_sound_nothing_is_waited_for() -> None:
    async def changing() -> None:
        pool, session = SlowLane(), Session(FORM, Scene(), 30 * RATE)
        session.want(100)
        stream = stream_of(pool, session, 1.0)
        stream.keep_making()
        await asyncio.sleep(0)
        assert stream.change(OTHER, None) == 0
        await asyncio.sleep(0)
        assert pool.calls[0][1].cancelled()

    asyncio.run(changing())


def test_what_a_player_has_heard_grows_old() -> None:
    async def hearing() -> None:
        stream = stream_of(SlowLane(), playing(1, sent=200), 1.0)
        loop = asyncio.get_running_loop()
        stream.note_heard(50)
        assert stream._in_hand_s(200) == pytest.approx(1.5, abs=0.05)
        stream._heard_at = loop.time() - 0.3
        assert stream._in_hand_s(200) == pytest.approx(1.2, abs=0.05)
        # One that says nothing for a minute is paused, and hears nothing.
        stream._heard_at = loop.time() - 60.0
        assert stream._in_hand_s(200) == pytest.approx(1.0, abs=0.05)
        stream.note_heard(None)
        assert stream._in_hand_s(300) == pytest.approx(3.0)

    asyncio.run(hearing())


def test_changes_that_are_to_come_are_counted() -> None:
    session = playing(1, sent=100)
    for i in range(1, MAX_CUES):
        session.change(OTHER, 1000 * i)
    with pytest.raises(ParameterError, match="at most 15 scene changes"):
        session.change(Scene(), 1000 * MAX_CUES)
    assert session.scene == OTHER
    assert len(session.schedule.cues) == MAX_CUES
    # One that takes the place of others may be made, and so may one more when some are over.
    assert session.change(Scene(), 15_000) == 15_000
    while session.next_first_sample <= 1000:
        session.add(made(session))
        if session.cut_to is not None:
            session.add(made_again(session, session.cut_to))
    session.change(OTHER, 16_000)
    assert len(session.schedule.cues) == MAX_CUES
    session.change(Scene(), None)
    assert len(session.schedule.cues) <= 2


def test_what_is_over_is_not_asked_for_again() -> None:
    session = playing(1, sent=100)
    session.change(OTHER, 600)
    session.add(made(session, 600))
    assert len(session.schedule.cues) == 1
    assert session.schedule.scene_at(600) == OTHER
    # A change before what was made and not sent takes its place.
    assert session.change(Scene(), 500) == 500
    assert session.schedule.scene_at(500) == Scene()


class Listener:
    """As much of a connection as a register of streams sees."""

    def __init__(self, client: str) -> None:
        self.client = client


def test_who_comes_and_goes_loses_nobody_else_s_stream() -> None:
    async def coming_and_going() -> None:
        streams = Streams(SlowLane(), Limits(), Metrics())  # type: ignore[arg-type]

        def lost(client: str) -> Stream:
            stream, listener = streams.open(Scene(), client), Listener(client)
            streams.attach(stream, listener)  # type: ignore[arg-type]
            streams.detach(stream, listener)  # type: ignore[arg-type]
            return stream

        polite = lost("polite")
        own = [lost("restless") for _ in range(40)]
        assert streams.find(polite.id) is polite
        assert [streams.find(stream.id) for stream in own] == [None] * 32 + own[32:]
        crowd = [lost(f"client {i % 10}") for i in range(80)]
        assert streams.find(polite.id) is polite
        assert sum(streams.find(s.id) is not None for s in [polite, *own, *crowd]) == 32
        for stream in [polite, *own, *crowd]:
            streams.end(stream)

    asyncio.run(coming_and_going())


def test_a_stream_that_is_resumed_counts_for_who_resumes_it() -> None:
    async def resuming() -> None:
        limits = Limits(max_streams=3, max_streams_per_client=2)
        streams = Streams(SlowLane(), limits, Metrics())  # type: ignore[arg-type]
        opened = [streams.open(Scene(), "greedy") for _ in range(3)]
        for stream in opened[:2]:
            streams.attach(stream, Listener("greedy"))  # type: ignore[arg-type]
        with pytest.raises(CrowdedError, match="may have 2 streams open"):
            streams.check_room("greedy", besides=opened[2])
        streams.check_room("greedy", besides=opened[0])
        streams.attach(opened[2], Listener("other"))  # type: ignore[arg-type]
        with pytest.raises(BusyError, match="3 streams are open"):
            streams.check_room("third")
        streams.check_room("third", besides=opened[0])
        for stream in opened:
            streams.end(stream)

    asyncio.run(resuming())
