"""Streams: each with the task that makes its sound, all in one register."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sonoriff.errors import BusyError, SonoriffError
from sonoriff.server.config import Limits
from sonoriff.server.metrics import Metrics
from sonoriff.server.streaming.session import Chunk, Format, Session
from sonoriff.server.workers.replies import ModelInfo, WindowMessage
from sonoriff.server.workers.worker_pool import WorkerDied, WorkerPool
from sonoriff.stream.scene import Scene

if TYPE_CHECKING:
    from sonoriff.server.streaming.socket import Connection

_ATTEMPTS = 4
_BUSY_S = 0.25
# Seconds that a player which does not say what it has heard is thought to have in hand; and how
# many times a window's usual time must be in hand when it is painted anew.
_LEAD_S, _HURRY = 2.0, 1.5
# A player that plays says so more often than this; one that says nothing may be paused.
_SILENT_S = 0.5


class CrowdedError(BusyError):
    """One client has as many streams as one may have."""


class Stream:
    """A session and whoever makes its sound.

    Attributes
    ----------
    connection : who listens; None while the stream is kept for one that comes back
    news : set when there is something to send, or something went wrong
    failure : why no more can be made
    speed : seconds of sound a second, of late; None before the first window
    expiry, lost_at : when it is forgotten, where nobody listens, and when its connection was lost
    """

    def __init__(self, session_id: str, client: str, session: Session, streams: Streams) -> None:
        self.id, self.client, self.session = session_id, client, session
        self.connection: Connection | None = None
        self.news = asyncio.Event()
        self.failure: SonoriffError | None = None
        self.speed: float | None = None
        self.expiry: asyncio.TimerHandle | None = None
        self.lost_at = 0.0
        self._streams = streams
        # The first sample not yet played, as the player said, and when.
        self._heard: int | None = None
        self._heard_at = 0.0
        self._making: asyncio.Task[None] | None = None
        self._making_first = 0
        self._painting = False

    @property
    def _short(self) -> bool:
        """Whether a window is to be made: there is always one in hand beyond what is wanted."""
        session = self.session
        if self.connection is None or self.failure is not None:
            return False
        ahead = session.until + self._streams.spare_samples
        return session.cut_to is not None or (session.until > 0 and session.made_until < ahead)

    def keep_making(self) -> None:
        """See to it that what is wanted is made."""
        if self._short and (self._making is None or self._making.done()):
            self._making = asyncio.create_task(self._make())

    def note_heard(self, heard: int | None) -> None:
        """What the player says of the first sample that it has not played; None is nothing."""
        self._heard, self._heard_at = heard, asyncio.get_running_loop().time()

    def change(self, scene: Scene, at: int | None) -> int:
        """Play a scene; the first sample at which it may be heard."""
        self.session.reserve = self._reserve()
        goes_on = self._is_needed()
        from_sample = self.session.change(scene, at, goes_on=goes_on)
        if not goes_on and self._making_first + self._streams.window_samples > (at or 0):
            self.stop_making()
        self.news.set()
        return from_sample

    @property
    def _window_s(self) -> float:
        """Seconds that a window takes, at most."""
        rate = self.session.form.sample_rate
        return self._streams.window_samples / rate / max(0.1, self.speed or 1.0)

    def _in_hand_s(self, sample: int) -> float:
        """Seconds until the player comes to a sample, as far as is known."""
        rate = self.session.form.sample_rate
        if self._heard is None:
            return _LEAD_S + (sample - self.session.next_sample) / rate
        ago = asyncio.get_running_loop().time() - self._heard_at
        return (sample - self._heard) / rate - min(ago, _SILENT_S)

    def _reserve(self) -> int:
        """Samples to play beyond those sent while another window is made, where it takes long."""
        short_s = _HURRY * self._window_s - self._in_hand_s(self.session.next_sample)
        return round(self.session.form.sample_rate * min(self._window_s, max(0.0, short_s)))

    def _is_needed(self) -> bool:
        """Whether the window under way has to stay, since there is no time to begin another.

        It can where it is one of flow, which is cut once it is made. Before the first sound nobody
        waits for what comes next.
        """
        session = self.session
        if not self._painting or session.next_sample == 0 or self.speed is None:
            return False
        if session.schedule.scene_at(self._making_first).mode != "flow":
            return False
        return self._in_hand_s(session.made_until) < _HURRY * self._window_s

    def stop_making(self) -> None:
        """Leave the window under way."""
        if self._making is not None:
            self._making.cancel()
            self._making, self._painting = None, False

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
        """Cut the last window, where it is to end earlier, or make another."""
        session, loop = self.session, asyncio.get_running_loop()
        rate, cut = session.form.sample_rate, session.cut_to
        self._making_first = session.next_first_sample
        began = loop.time()
        task: dict[str, Any] = {"task": "window", "schedule": session.schedule.to_dict()}
        states, kind = [session.state], self._kind()
        if cut is not None:
            kind = None
            task, states = {"task": "cut", "end_sample": cut}, [session.state_before, session.state]
        spare_s = (session.made_until - session.next_sample) / rate
        self._painting = cut is None
        try:
            header, (columns, sound, state) = await self._streams.pool.call(
                task, states, spare_s=spare_s, kind=kind, payer=(self.client, self.id)
            )
        finally:
            # Whoever leaves a window may have begun another already.
            if self._making is asyncio.current_task():
                self._painting = False
        window = WindowMessage.from_dict(header["window"])
        session.add(
            Chunk(
                window=window,
                first_column=header["first_column"],
                n_columns=header["n_columns"],
                columns=columns,
                first_sample=header["first_sample"],
                n_samples=header["n_samples"],
                sound=sound,
                state=state,
            )
        )
        if cut is None:
            made_samples = window.end_sample - window.first_sample
            self._note(made_samples / rate, max(1e-6, loop.time() - began))

    def _kind(self) -> tuple[int, int] | None:
        """What the next window has in common with those that fit into one batch with it.

        Windows of flow of as many steps that see as much of what came before. A riff's are as long
        as its beats, and fit none.
        """
        first = self.session.next_first_sample
        scene = self.session.schedule.scene_at(first)
        if scene.mode != "flow":
            return None
        return scene.num_inference_steps, min(first, self._streams.model_info.context_samples)

    def _note(self, made_s: float, took_s: float) -> None:
        """How fast a window came."""
        speed = made_s / took_s
        self.speed = speed if self.speed is None else 0.5 * (self.speed + speed)
        self._streams.metrics.sound_made.inc(made_s)
        self._streams.metrics.speed.set(speed)


class Streams:
    """All streams, by their secret names.

    Parameters
    ----------
    pool : of the workers that make the windows; its model must be loaded before a stream is opened

    Attributes
    ----------
    closed : the server stops, no stream is opened or resumed any more
    """

    def __init__(self, pool: WorkerPool, limits: Limits, metrics: Metrics) -> None:
        self.pool, self.limits, self.metrics = pool, limits, metrics
        self.closed = False
        self._streams: dict[str, Stream] = {}

    @property
    def model_info(self) -> ModelInfo:
        """Of the model, which must be loaded."""
        assert self.pool.model_info is not None
        return self.pool.model_info

    @property
    def spare_samples(self) -> int:
        """Samples that are made beyond those wanted."""
        return self.window_samples // 2

    @property
    def window_samples(self) -> int:
        """Of the model."""
        return self.model_info.window_samples

    @property
    def connections(self) -> list[Connection]:
        """All that are open."""
        return [s.connection for s in self._streams.values() if s.connection is not None]

    def find(self, session_id: str) -> Stream | None:
        """A stream by its name."""
        return self._streams.get(session_id)

    def check_room(self, client: str, *, besides: Stream | None = None) -> None:
        """Whether another connection may have a stream.

        Parameters
        ----------
        client : whose it would be
        besides : a stream whose connection would be taken over, and is not counted

        Raises
        ------
        CrowdedError
            the client has as many as one may have
        BusyError
            as many are open as may be
        """
        limits = self.limits
        others = [c for c in self.connections if besides is None or c is not besides.connection]
        if sum(other.client == client for other in others) >= limits.max_streams_per_client:
            raise CrowdedError(f"at most {limits.max_streams_per_client} streams of one client")
        if len(others) >= limits.max_streams:
            raise BusyError(f"{limits.max_streams} streams are open: try again later")

    def open(self, scene: Scene, client: str) -> Stream:
        """A new stream."""
        info = self.model_info
        form = Format(**{field.name: getattr(info, field.name) for field in fields(Format)})
        ahead = round(self.limits.ahead_s * form.sample_rate)
        stream = Stream(secrets.token_urlsafe(18), client, Session(form, scene, ahead), self)
        self._streams[stream.id] = stream
        return stream

    def attach(self, stream: Stream, connection: Connection) -> Connection | None:
        """Give a stream to a connection; the one that it had before, or None."""
        before, stream.connection = stream.connection, connection
        stream.client = connection.client
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
        stream.lost_at = loop.time()
        stream.expiry = loop.call_later(self.limits.resume_s, self.end, stream)
        self._make_room(stream.client)

    def _make_room(self, client: str) -> None:
        """Forget lost streams beyond the limits: a client's own, else of who has most, the oldest.

        So nobody's are lost because another client comes and goes.
        """
        kept: dict[str, list[Stream]] = {}
        lost = [s for s in self._streams.values() if s.connection is None]
        for stream in sorted(lost, key=lambda s: s.lost_at):
            kept.setdefault(stream.client, []).append(stream)
        while len(kept.get(client, ())) > self.limits.max_kept_streams_per_client:
            self.end(kept[client].pop(0))
        for _ in range(sum(map(len, kept.values())) - self.limits.max_kept_streams):
            self.end(max(kept.values(), key=len).pop(0))

    def end(self, stream: Stream) -> None:
        """Forget a stream."""
        stream.connection = None
        stream.stop_making()
        self._streams.pop(stream.id, None)
        self.metrics.streams.set(len(self.connections))
