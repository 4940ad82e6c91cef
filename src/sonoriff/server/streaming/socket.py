"""The stream's WebSocket; docs/protocol.md specifies it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from sonoriff.errors import BusyError, ParameterError
from sonoriff.server.deadlines import within
from sonoriff.server.http.doorkeeper import TokenBucket, TooManyKeys
from sonoriff.server.streaming.frames import VERSION
from sonoriff.server.streaming.messages import Bye, Hello, Ping, SceneChange, Want, read_message
from sonoriff.server.streaming.session import Outgoing
from sonoriff.server.streaming.streams import CrowdedError, Stream, Streams
from sonoriff.stream.scene import Scene

log = logging.getLogger(__name__)
_Cancelled = asyncio.CancelledError
_STATUS_S = 1.0
_BURST_S = 4.0


class Closing(Exception):
    """Raised to close the connection.

    Parameters
    ----------
    code : WebSocket close code
    error : code and message of an `error` to send first
    end : reason of an `end` to send first
    """

    def __init__(
        self, code: int, *, error: tuple[str, str] | None = None, end: str | None = None
    ) -> None:
        super().__init__(code)
        self.code, self.error, self.end = code, error, end


class Connection:
    """The connection of one client, from `hello` to its end.

    Parameters
    ----------
    client : identity for limits
    lets_in : checks a client's API key, see `Doorkeeper.lets_in`
    """

    def __init__(
        self,
        websocket: WebSocket,
        streams: Streams,
        client: str,
        lets_in: Callable[[str, str | None], bool],
    ) -> None:
        self.client = client
        self._websocket, self._streams, self._lets_in = websocket, streams, lets_in
        self._limits = streams.limits
        self._loop = asyncio.get_running_loop()
        rate = self._limits.messages_per_s
        self._bucket = TokenBucket(rate, _BURST_S * rate, self._loop.time)
        self._stream: Stream | None = None
        self._closing: asyncio.Future[Closing] = self._loop.create_future()
        self._hello_at = self._wanted_at = self._status_at = self._loop.time()
        self._state = ""
        self._underruns = 0
        self._sounded = False

    def close(self, closing: Closing) -> None:
        """Request the connection to close; the first reason wins."""
        if not self._closing.done():
            self._closing.set_result(closing)

    async def run(self) -> None:
        """Serve the client until either side closes."""
        try:
            await self._websocket.accept()
            try:
                await self._greet()
                await self._talk()
            except Closing as closing:
                await self._close(closing)
        except (WebSocketDisconnect, ConnectionError):
            pass
        finally:
            if self._stream is not None:
                self._streams.detach(self._stream, self)

    async def _talk(self) -> None:
        """Receive and send concurrently, until one of them ends or `close` is called."""
        tasks = [asyncio.create_task(part()) for part in (self._listen, self._pump)]
        try:
            ends: set[asyncio.Future[Any]] = {*tasks, self._closing}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        if self._closing.done():
            raise self._closing.result()
        raise next(r for r in results if r is not None and not isinstance(r, _Cancelled))

    async def _close(self, closing: Closing) -> None:
        """Send the reason and close."""
        if closing.error is not None:
            code, message = closing.error
            await self._send({"type": "error", "code": code, "message": message})
        if closing.end is not None:
            await self._send({"type": "end", "reason": closing.end})
            if closing.end != "shutdown" and self._stream is not None:
                self._streams.end(self._stream)
        if self._websocket.client_state is WebSocketState.CONNECTED:
            await self._websocket.close(closing.code)

    async def _send(self, message: Outgoing) -> None:
        if isinstance(message, bytes):
            await self._websocket.send_bytes(message)
        else:
            await self._websocket.send_text(json.dumps(message))

    async def _receive(self) -> Any:
        """The next message, decoded from JSON."""
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1006))
        if not self._bucket.take():
            limit = f"at most {self._limits.messages_per_s:g} messages a second"
            raise Closing(4429, error=("too_many_requests", limit))
        try:
            return json.loads(event.get("text") or "")
        except (ValueError, RecursionError) as error:
            raise Closing(
                4400, error=("invalid", "a message must be JSON in a text frame")
            ) from error

    # Opening.

    async def _greet(self) -> None:
        try:
            values = await within(self._receive(), self._limits.hello_s)
        except asyncio.TimeoutError as error:
            raise Closing(4408) from error
        try:
            hello = read_message(values)
        except ParameterError as error:
            raise Closing(4400, error=("invalid", str(error))) from error
        if not isinstance(hello, Hello) or hello.version != VERSION:
            expected = f'the first message is {{"type": "hello", "version": {VERSION}}}'
            raise Closing(4400, error=("invalid", expected))
        self._check_key(hello.key)
        if self._streams.closed:
            raise Closing(4503, error=("busy", "the server is stopping: connect again soon"))
        if self._streams.pool.model_info is None:
            raise Closing(4503, error=("loading", self._streams.pool.loading_line))
        self._hello_at = self._loop.time()
        stream = self._resumed(hello) if hello.resume else self._opened(hello)
        self._stream = stream
        before = self._streams.attach(stream, self)
        if before is not None:
            before.close(Closing(4409))
        await self._send(self._ready(stream, hello))

    def _check_key(self, key: str | None) -> None:
        """Raise Closing if keys are configured and the key is not valid."""
        try:
            if self._lets_in(self.client, key):
                return
        except TooManyKeys as error:
            wrong = ("too_many_requests", "too many wrong API keys: wait a minute")
            raise Closing(4429, error=wrong) from error
        raise Closing(4401, error=("unauthorized", "this server wants an API key in `hello`"))

    def _opened(self, hello: Hello) -> Stream:
        self._check_room()
        try:
            scene = hello.scene.over(Scene(), self._limits.max_steps)
        except ParameterError as error:
            raise Closing(4400, error=("invalid", str(error))) from error
        return self._streams.open(scene, self.client)

    def _check_room(self, besides: Stream | None = None) -> None:
        """Raise Closing if no more streams may be opened."""
        try:
            self._streams.check_room(self.client, besides=besides)
        except CrowdedError as error:
            raise Closing(4429, error=("too_many_requests", str(error))) from error
        except BusyError as error:
            raise Closing(4503, error=("busy", str(error))) from error

    def _resumed(self, hello: Hello) -> Stream:
        assert hello.resume is not None
        stream = self._streams.find(hello.resume.session)
        if stream is not None:
            self._check_room(stream)
        if stream is None or not stream.session.resume(hello.resume.next_sample):
            message = "nothing to resume: say hello with a scene instead"
            raise Closing(4404, error=("not_found", message))
        return stream

    def _ready(self, stream: Stream, hello: Hello) -> dict[str, Any]:
        answer = {"id": hello.id} if hello.id is not None else {}
        return {
            "type": "ready",
            "version": VERSION,
            "session": stream.id,
            "next_sample": stream.session.next_sample,
            **self._streams.model_info.for_listeners(),
            "scene": stream.session.scene.to_dict(),
            "limits": self._limits.for_clients(),
            **answer,
        }

    # Receiving.

    async def _listen(self) -> None:
        while True:
            values = await self._receive()
            given = values.get("id") if isinstance(values, dict) else None
            known = isinstance(given, int | str) and len(str(given)) <= 100
            answer = {"id": given} if known else {}
            try:
                await self._heed(values, answer)
            except ParameterError as error:
                message = {"type": "error", "code": "invalid", "message": str(error)}
                await self._send({**message, **answer})

    async def _heed(self, values: Any, answer: dict[str, Any]) -> None:
        message, stream = read_message(values), self._stream
        assert stream is not None
        if isinstance(message, Ping):
            await self._send({"type": "pong", "t": message.t, **answer})
        elif isinstance(message, Want):
            self._want(stream, message)
        elif isinstance(message, SceneChange):
            scene = message.scene.over(stream.session.scene, self._limits.max_steps)
            from_sample = stream.change(scene, message.at)
            reply = {"type": "scheduled", "from_sample": from_sample, "scene": scene.to_dict()}
            await self._send({**reply, **answer})
        elif isinstance(message, Bye):
            raise Closing(1000, end="bye")
        else:
            raise ParameterError("this connection has said hello already")

    def _want(self, stream: Stream, want: Want) -> None:
        self._wanted_at = self._loop.time()
        stream.session.want(want.until)
        stream.note_heard(want.heard)
        stream.news.set()
        if want.underruns is not None and want.underruns > self._underruns:
            # Clients may report any number, so a single report is capped.
            self._streams.metrics.underruns.inc(min(100, want.underruns - self._underruns))
            self._underruns = want.underruns

    # Sending.

    async def _pump(self) -> None:
        stream = self._stream
        assert stream is not None
        while True:
            stream.news.clear()
            if stream.failure is not None:
                log.error("stream failed", extra={"facts": {"error": repr(stream.failure)}})
                raise Closing(1011, error=("failed", "the sound could not be made"))
            stream.keep_making()
            messages = stream.session.outgoing()
            await self._tell_status(stream)
            if messages is None:
                await self._rest(stream)
                continue
            for message in messages:
                await self._send(message)
            if not self._sounded:
                self._sounded = True
                self._streams.metrics.first_sound.observe(self._loop.time() - self._hello_at)

    async def _rest(self, stream: Stream) -> None:
        """Wait for something to send; close the stream if it is idle for too long."""
        try:
            await within(stream.news.wait(), _STATUS_S)
        except asyncio.TimeoutError:
            idle = self._loop.time() - self._wanted_at
            if stream.session.satisfied and idle > self._limits.idle_s:
                raise Closing(1000, end="idle") from None

    async def _tell_status(self, stream: Stream) -> None:
        session, speed, now = stream.session, stream.speed, self._loop.time()
        behind = speed is not None and speed < 1.0
        state = "ahead" if session.satisfied else "behind" if behind else "making"
        if state == self._state and (state == "ahead" or now - self._status_at < _STATUS_S):
            return
        self._state, self._status_at = state, now
        await self._send(
            {
                "type": "status",
                "state": state,
                "speed": round(speed or 0.0, 2),
                "made_s": round(session.made_until / session.form.sample_rate, 2),
                "queue": self._streams.pool.waiting,
            }
        )
