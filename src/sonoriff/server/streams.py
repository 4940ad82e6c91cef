"""Streams: each with the task that makes its sound, all in one register."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from sonoriff.errors import BusyError, SonoriffError
from sonoriff.server.config import Limits
from sonoriff.server.lanes import Lane, WorkerDied
from sonoriff.server.metrics import Metrics
from sonoriff.server.session import Chunk, Format, Session
from sonoriff.stream.scene import Scene

if TYPE_CHECKING:
    from sonoriff.server.socket import Connection

_ATTEMPTS = 4
_BUSY_S = 0.25


class Stream:
    """A session and whoever makes its sound.

    Attributes
    ----------
    connection : who listens; None while the stream is kept for one that comes back
    news : set when there is something to send, or something went wrong
    failure : why no more can be made
    speed : seconds of sound a second, of late; None before the first window
    expiry : when it is forgotten, where nobody listens
    """

    def __init__(self, session_id: str, client: str, session: Session, streams: Streams) -> None:
        self.id, self.client, self.session = session_id, client, session
        self.connection: Connection | None = None
        self.news = asyncio.Event()
        self.failure: SonoriffError | None = None
        self.speed: float | None = None
        self.expiry: asyncio.TimerHandle | None = None
        self._streams = streams
        self._making: asyncio.Task[None] | None = None
        self._making_first = 0

    @property
    def _short(self) -> bool:
        """Whether a window is to be made: there is always one in hand beyond what is wanted."""
        session = self.session
        return (
            self.connection is not None
            and self.failure is None
            and session.until > 0
            and session.made_until < session.until + self._streams.spare_samples
        )

    def keep_making(self) -> None:
        """See to it that what is wanted is made."""
        if self._short and (self._making is None or self._making.done()):
            self._making = asyncio.create_task(self._make())

    def change(self, scene: Scene, at: int | None) -> int:
        """Play a scene; the first sample at which it may be heard."""
        from_sample = self.session.change(scene, at)
        if self._making is not None and self._making_first >= max(self.session.free_from, at or 0):
            self.stop_making()
        self.news.set()
        return from_sample

    def stop_making(self) -> None:
        """Leave the window under way."""
        if self._making is not None:
            self._making.cancel()
            self._making = None

    async def _make(self) -> None:
        attempts = 0
        while self._short:
            try:
                await self._make_window()
                attempts = 0
            except BusyError:
                await asyncio.sleep(_BUSY_S)
            except WorkerDied as error:
                attempts += 1
                if attempts == _ATTEMPTS:
                    self.failure = error
            except SonoriffError as error:
                self.failure = error
            self.news.set()

    async def _make_window(self) -> None:
        session, loop = self.session, asyncio.get_running_loop()
        rate = session.form.sample_rate
        self._making_first = session.next_first_sample
        began = loop.time()
        header, (columns, sound, state) = await self._streams.lane.call(
            {"task": "window", "schedule": session.schedule.to_dict()},
            [session.state],
            urgency=(session.made_until - session.next_sample) / rate,
        )
        session.add(
            Chunk(
                window=header["window"],
                first_column=header["first_column"],
                n_columns=header["n_columns"],
                columns=columns,
                first_sample=header["first_sample"],
                n_samples=header["n_samples"],
                sound=sound,
                state=state,
            )
        )
        made_s = (header["window"]["end_sample"] - header["window"]["first_sample"]) / rate
        speed = made_s / max(1e-6, loop.time() - began)
        self.speed = speed if self.speed is None else 0.5 * (self.speed + speed)
        self._streams.metrics.sound_made.inc(made_s)
        self._streams.metrics.speed.set(speed)


class Streams:
    """All streams, by their secret names.

    Parameters
    ----------
    lane : whose workers make the windows; its facts must be known before a stream is opened
    """

    def __init__(self, lane: Lane, limits: Limits, metrics: Metrics) -> None:
        self.lane, self.limits, self.metrics = lane, limits, metrics
        self._streams: dict[str, Stream] = {}

    @property
    def facts(self) -> dict[str, Any]:
        """Of the model; empty before it is loaded."""
        return self.lane.facts or {}

    @property
    def spare_samples(self) -> int:
        """Samples that are made beyond those wanted."""
        return int(self.facts["window_samples"]) // 2

    @property
    def connections(self) -> list[Connection]:
        """All that are open."""
        return [s.connection for s in self._streams.values() if s.connection is not None]

    def find(self, session_id: str) -> Stream | None:
        """A stream by its name."""
        return self._streams.get(session_id)

    def check_room(self) -> None:
        """BusyError where as many streams are open as may be."""
        if len(self.connections) >= self.limits.max_streams:
            raise BusyError(f"{self.limits.max_streams} streams are open: try again later")

    def n_of_client(self, client: str) -> int:
        """Streams that a client has open."""
        return sum(connection.client == client for connection in self.connections)

    def open(self, scene: Scene, client: str) -> Stream:
        """A new stream."""
        facts = self.facts
        form = Format(facts["sample_rate"], facts["channels"], facts["hop_length"], facts["n_mels"])
        ahead = round(self.limits.ahead_s * form.sample_rate)
        stream = Stream(secrets.token_urlsafe(18), client, Session(form, scene, ahead), self)
        self._streams[stream.id] = stream
        return stream

    def attach(self, stream: Stream, connection: Connection) -> Connection | None:
        """Give a stream to a connection; the one that it had before, or None."""
        before, stream.connection = stream.connection, connection
        if stream.expiry is not None:
            stream.expiry.cancel()
        self.metrics.streams.set(len(self.connections))
        return before

    def detach(self, stream: Stream, connection: Connection) -> None:
        """A connection has gone; its stream is kept for a while."""
        if stream.connection is not connection:
            return
        stream.connection = None
        stream.stop_making()
        self.metrics.streams.set(len(self.connections))
        loop = asyncio.get_running_loop()
        stream.expiry = loop.call_later(self.limits.resume_s, self.end, stream)
        kept = [s for s in self._streams.values() if s.connection is None]
        for old in kept[: max(0, len(kept) - self.limits.max_kept_streams)]:
            self.end(old)

    def end(self, stream: Stream) -> None:
        """Forget a stream."""
        stream.connection = None
        stream.stop_making()
        self._streams.pop(stream.id, None)
        self.metrics.streams.set(len(self.connections))
