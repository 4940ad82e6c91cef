"""Streams, each with the task that makes its sound, and their registry."""

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
# Assumed buffer of a player that does not report its position, in seconds; and the buffer needed
# to repaint a window, in multiples of the time that a window takes.
_LEAD_S, _HURRY = 2.0, 1.5
# A playing client reports more often than this; a silent one may be paused.
_SILENT_S = 0.5


class CrowdedError(BusyError):
    """A client has reached its limit of streams."""


class Stream:
    """A session and the task that makes its sound.

    Attributes
    ----------
    connection : the listener; None while the stream is kept for resuming
    news : set when there is something to send or an error
    failure : error that ended the making of windows
    speed : recent seconds of sound made per second; None before the first window
    expiry, lost_at : timer that removes a disconnected stream, and time of the disconnection
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
        # First sample not yet played, as reported by the player, and time of the report.
        self._heard: int | None = None
        self._heard_at = 0.0
        self._making: asyncio.Task[None] | None = None
        self._making_first = 0
        self._painting = False

    @property
    def _short(self) -> bool:
        """Whether to make a window: half a window beyond the requested samples is kept ready."""
        session = self.session
        if self.connection is None or self.failure is not None:
            return False
        ahead = session.until + self._streams.spare_samples
        return session.cut_to is not None or (session.until > 0 and session.made_until < ahead)

    def keep_making(self) -> None:
        """Start making windows if needed."""
        if self._short and (self._making is None or self._making.done()):
            self._making = asyncio.create_task(self._make())

    def note_heard(self, heard: int | None) -> None:
        """Store the player's report of its first unplayed sample, if any."""
        self._heard, self._heard_at = heard, asyncio.get_running_loop().time()

    def change(self, scene: Scene, at: int | None) -> int:
        """Switch to a scene; returns the first sample at which it may be heard."""
        self.session.reserve = self._reserve()
        goes_on = self._is_needed()
        from_sample = self.session.change(scene, at, goes_on=goes_on)
        if not goes_on and self._making_first + self._streams.window_samples > (at or 0):
            self.stop_making()
        self.news.set()
        return from_sample

    @property
    def _window_s(self) -> float:
        """Upper estimate of the seconds that a window takes."""
        rate = self.session.form.sample_rate
        return self._streams.window_samples / rate / max(0.1, self.speed or 1.0)

    def _in_hand_s(self, sample: int) -> float:
        """Estimated seconds until the player reaches a sample."""
        rate = self.session.form.sample_rate
        if self._heard is None:
            return _LEAD_S + (sample - self.session.next_sample) / rate
        ago = asyncio.get_running_loop().time() - self._heard_at
        return (sample - self._heard) / rate - min(ago, _SILENT_S)

    def _reserve(self) -> int:
        """Samples to keep beyond those sent, if making another window takes long."""
        short_s = _HURRY * self._window_s - self._in_hand_s(self.session.next_sample)
        return round(self.session.form.sample_rate * min(self._window_s, max(0.0, short_s)))

    def _is_needed(self) -> bool:
        """Whether the window being made must be kept, because there is no time to start over.

        Only flow windows can be kept, as they can be cut afterwards. Before the first sound is sent
        there is nothing to wait for.
        """
        session = self.session
        if not self._painting or session.next_sample == 0 or self.speed is None:
            return False
        if session.schedule.scene_at(self._making_first).mode != "flow":
            return False
        return self._in_hand_s(session.made_until) < _HURRY * self._window_s

    def stop_making(self) -> None:
        """Cancel the window being made."""
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
        """Cut the last window if it has to end early, else make the next one."""
        session, loop = self.session, asyncio.get_running_loop()
        rate, cut = session.form.sample_rate, session.cut_to
        self._making_first = session.next_first_sample
        began = loop.time()
        task: dict[str, Any] = {"task": "window", "schedule": session.schedule.to_dict()}
        states, kind = [session.state], self._kind()
        steps = session.schedule.scene_at(self._making_first).num_inference_steps
        if cut is not None:
            kind, steps = None, 0
            task, states = {"task": "cut", "end_sample": cut}, [session.state_before, session.state]
        spare_s = (session.made_until - session.next_sample) / rate
        self._painting = cut is None
        try:
            header, (columns, sound, state, sides) = await self._streams.pool.call(
                task,
                states,
                spare_s=spare_s,
                kind=kind,
                payer=(self.client, self.id),
                steps=steps,
            )
        finally:
            # Another window may have been started after a cancellation.
            if self._making is asyncio.current_task():
                self._painting = False
        window = WindowMessage.from_dict(header["window"])
        session.add(
            Chunk(
                window=window,
                first_column=header["first_column"],
                n_columns=header["n_columns"],
                columns=columns,
                sides=sides,
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
        """Batch key of the next window; windows with equal keys can be made together.

        Flow windows match in number of steps and context length. Riff windows have individual
        lengths and are never batched.
        """
        first = self.session.next_first_sample
        scene = self.session.schedule.scene_at(first)
        if scene.mode != "flow":
            return None
        return scene.num_inference_steps, min(first, self._streams.model_info.context_samples)

    def _note(self, made_s: float, took_s: float) -> None:
        """Update the speed from one window."""
        speed = made_s / took_s
        self.speed = speed if self.speed is None else 0.5 * (self.speed + speed)
        self._streams.metrics.sound_made.inc(made_s)
        self._streams.metrics.speed.set(speed)


class Streams:
    """All streams, by their secret ids.

    Parameters
    ----------
    pool : of the workers that make the windows; its model must be loaded before a stream is opened

    Attributes
    ----------
    closed : the server is stopping; no stream can be opened or resumed
    """

    def __init__(self, pool: WorkerPool, limits: Limits, metrics: Metrics) -> None:
        self.pool, self.limits, self.metrics = pool, limits, metrics
        self.closed = False
        self._streams: dict[str, Stream] = {}

    @property
    def model_info(self) -> ModelInfo:
        """The model, which must be loaded."""
        assert self.pool.model_info is not None
        return self.pool.model_info

    @property
    def spare_samples(self) -> int:
        """Samples made beyond those requested."""
        return self.window_samples // 2

    @property
    def window_samples(self) -> int:
        """Samples of a window of the model."""
        return self.model_info.window_samples

    @property
    def connections(self) -> list[Connection]:
        """All open connections."""
        return [s.connection for s in self._streams.values() if s.connection is not None]

    def find(self, session_id: str) -> Stream | None:
        """The stream of an id."""
        return self._streams.get(session_id)

    def check_room(self, client: str, *, besides: Stream | None = None) -> None:
        """Check the limits for another stream.

        Parameters
        ----------
        client : the client that asks
        besides : stream whose connection would be replaced and is not counted

        Raises
        ------
        CrowdedError
            the client's limit is reached
        BusyError
            the total limit is reached
        """
        limits = self.limits
        others = [c for c in self.connections if besides is None or c is not besides.connection]
        if sum(other.client == client for other in others) >= limits.max_streams_per_client:
            raise CrowdedError(
                f"a client may have {limits.max_streams_per_client} streams open: close one first"
            )
        if len(others) >= limits.max_streams:
            raise BusyError(f"{limits.max_streams} streams are open: try again later")

    def open(self, scene: Scene, client: str) -> Stream:
        """Open a stream."""
        info = self.model_info
        form = Format(**{field.name: getattr(info, field.name) for field in fields(Format)})
        ahead = round(self.limits.ahead_s * form.sample_rate)
        stream = Stream(secrets.token_urlsafe(18), client, Session(form, scene, ahead), self)
        self._streams[stream.id] = stream
        return stream

    def attach(self, stream: Stream, connection: Connection) -> Connection | None:
        """Attach a connection to a stream; returns the connection it replaces, or None."""
        before, stream.connection = stream.connection, connection
        stream.client = connection.client
        if stream.expiry is not None:
            stream.expiry.cancel()
        self.metrics.streams.set(len(self.connections))
        return before

    def detach(self, stream: Stream, connection: Connection) -> None:
        """Detach a lost connection; its stream is kept for `resume_s`."""
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
        """Remove the oldest lost streams beyond the limits: this client's, then the biggest users'.

        So no client can evict the streams of others by reconnecting.
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
        """Remove a stream."""
        stream.connection = None
        stream.stop_making()
        self._streams.pop(stream.id, None)
        self.metrics.streams.set(len(self.connections))
