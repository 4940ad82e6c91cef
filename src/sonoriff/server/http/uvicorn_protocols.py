"""uvicorn's protocols with timeouts and flood limits that uvicorn lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from sonoriff.server.http.doorkeeper import TokenBucket

# Default time after which an unread response is abandoned.
UNREAD_S = 60.0
_TOO_MANY = 4429


class _Unread:
    """Closes a connection if its client reads nothing between `pause` and `resume`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, close: Callable[[], None]) -> None:
        self._loop, self._close = loop, close
        self._timer: asyncio.TimerHandle | None = None

    def pause(self, seconds: float) -> None:
        """The write buffer is full."""
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._close)

    def resume(self) -> None:
        """The write buffer has drained, or the connection is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HttpProtocol(H11Protocol):
    """HTTP protocol with a timeout for the request head, counted from the connection or the first
    byte, and for unread responses.

    Attributes
    ----------
    head_s, unread_s : seconds
    """

    head_s = 10.0
    unread_s = UNREAD_S
    _head_timer: asyncio.TimerHandle | None = None
    _unread: _Unread

    def connection_made(self, transport: Any) -> None:
        """Start the timeout."""
        super().connection_made(transport)
        self._unread = _Unread(self.loop, transport.abort)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Process data; the timeout keeps running while the head is incomplete."""
        super().data_received(data)
        self._watch()

    def pause_writing(self) -> None:
        """The write buffer is full."""
        super().pause_writing()
        self._unread.pause(self.unread_s)

    def resume_writing(self) -> None:
        """The write buffer has drained."""
        super().resume_writing()
        self._unread.resume()

    def send_400_response(self, msg: str) -> None:
        """Reject malformed data; a pending request can no longer be answered."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # the previous response has already started
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timeouts."""
        self._stop_watching()
        self._unread.resume()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_watching()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_s, self.transport.close)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class StreamProtocol(WebSocketsSansIOProtocol):
    """WebSocket protocol that limits the rate of frames, including pings and fragments.

    Pings are not answered while the client does not read: the pongs would fill the memory.

    Attributes
    ----------
    frames_per_s, frames_at_once : sustained rate and burst per client
    unread_s : seconds after which an unread connection is closed
    """

    frames_per_s, frames_at_once = 60.0, 240.0
    unread_s = UNREAD_S
    _unread: _Unread
    _bucket: TokenBucket
    _cut_off = False

    def connection_made(self, transport: Any) -> None:
        """Start counting frames."""
        super().connection_made(transport)
        self._unread = _Unread(self.loop, transport.abort)
        self._bucket = TokenBucket(self.frames_per_s, self.frames_at_once, self.loop.time)

    def pause_writing(self) -> None:
        """The write buffer is full."""
        super().pause_writing()
        self._unread.pause(self.unread_s)

    def resume_writing(self) -> None:
        """The write buffer has drained."""
        super().resume_writing()
        self._unread.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timeouts."""
        self._unread.resume()
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        """Send; raises if the connection was closed for flooding."""
        try:
            await super().send(message)
        except RuntimeError as error:
            if self.close_sent or self.disconnected:
                raise ClientDisconnected from error
            raise

    def handle_events(self) -> None:
        """Process received events, unless the client was cut off."""
        if self._cut_off:
            self.conn.events_received()
        else:
            super().handle_events()

    def handle_ping(self) -> None:
        """Answer a ping, or skip it; only the latest ping must be answered (RFC 6455, 5.5.3)."""
        if not self._counted():
            return
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_pong(self, event: Frame) -> None:
        """Count a pong; unsolicited pongs count too."""
        if self._counted():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Count a continuation frame."""
        if self._counted():
            super().handle_cont(event)

    def handle_text(self, event: Frame) -> None:
        """Process a text frame; complete messages are counted by the stream."""
        if event.fin or self._counted():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Like `handle_text`."""
        if event.fin or self._counted():
            super().handle_bytes(event)

    def _counted(self) -> bool:
        """Count a frame; close the connection if there are too many."""
        if self._cut_off:
            return False
        if self._bucket.take():
            return True
        self._cut_off = True
        if self.close_sent:  # the client has been told why already
            self.transport.abort()
            return False
        self.conn.data_to_send()
        self.conn.send_close(_TOO_MANY, "too many frames")
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _TOO_MANY})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # Stop reading, so that the rest of a flood costs nothing.
        self.transport.pause_reading()
        self.loop.call_later(1.0, self.transport.close)
        return False
