"""Who may come in, and how often: hosts, origins, keys, sizes, rates."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonoriff.server.config import LOOPBACK_HOSTS, ServerConfig

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_MAX_CLIENTS = 10_000


class TokenBucket:
    """So many a second, and a few at once.

    Parameters
    ----------
    rate : a second
    burst : at once
    clock : seconds
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = burst, clock()

    def take(self) -> bool:
        """Take one; False where there is none."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Buckets:
    """A bucket for each client; those not seen for longest are forgotten."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, client: str) -> bool:
        """Whether a client may make another request."""
        if client not in self._buckets:
            rate = self._per_minute / 60.0
            self._buckets[client] = TokenBucket(rate, self._per_minute / 6.0, self._clock)
            if len(self._buckets) > _MAX_CLIENTS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(client)
        return self._buckets[client].take()


class Doorkeeper:
    """Hosts, origins and keys of a configuration."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._hosts = {*LOOPBACK_HOSTS, *config.allowed_hosts}

    def knows_host(self, host: str | None) -> bool:
        """Whether this server goes by that name."""
        if not self._config.on_loopback:
            return True
        return host is not None and _without_port(host) in self._hosts

    def knows_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of that origin may use this server; programs have none."""
        allowed = self._config.allowed_origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        try:
            return urlsplit(origin).netloc == host
        except ValueError:
            return False

    def knows_key(self, key: str | None) -> bool:
        """Whether a key opens this server; without keys everyone may come in."""
        keys = self._config.keys
        given = (key or "").encode()
        # Every key is compared, so that the time tells nothing.
        return not keys or sum(hmac.compare_digest(given, known.encode()) for known in keys) > 0


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def client_of(scope: Scope) -> str:
    """Who asks, for limits: the address."""
    client = scope.get("client")
    return client[0] if client else "local"


class Guard:
    """ASGI middleware that turns away what should not come in, before anything is read.

    Hosts, origins and the number of requests, for WebSockets too; for HTTP also the size of bodies,
    counted as they come, and how long they take.
    """

    def __init__(
        self, app: ASGIApp, doorkeeper: Doorkeeper, config: ServerConfig, buckets: Buckets
    ) -> None:
        self._app, self._door, self._limits, self._buckets = app, doorkeeper, config.limits, buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer with an error."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host"), headers.get("origin")
        is_http = scope["type"] == "http"
        if not self._door.knows_host(host):
            await _refuse(scope, receive, send, 403, "forbidden", "this server has another name")
            return
        changes = not is_http or scope["method"] not in _SAFE_METHODS
        if changes and not self._door.knows_origin(origin, host):
            message = "pages of another origin may not use this server"
            await _refuse(scope, receive, send, 403, "forbidden", message)
            return
        if _counts(scope) and not self._buckets.take(client_of(scope)):
            limit = f"at most {self._limits.requests_per_minute:g} requests a minute"
            await _refuse(scope, receive, send, 429, "too_many_requests", limit)
        elif is_http:
            await self._sized(headers, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _sized(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        is_form = headers.get("content-type", "").startswith("multipart/form-data")
        limit = self._limits.max_body_bytes if is_form else self._limits.max_json_bytes
        message = f"the body may have at most {limit} bytes"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limit:
            await _refuse(scope, receive, send, 413, "too_large", message)
            return
        counted, complete, loop = 0, False, asyncio.get_running_loop()
        end = loop.time() + self._limits.body_s

        async def counting() -> Message:
            nonlocal counted, complete
            if complete:  # what follows is the client's going, whenever that is
                return await receive()
            try:
                event = await asyncio.wait_for(receive(), max(0.0, end - loop.time()))
            except asyncio.TimeoutError as error:
                late = f"the body did not come within {self._limits.body_s:g} s"
                raise HTTPException(408, late) from error
            counted += len(event.get("body", b""))
            complete = not event.get("more_body", False)
            if counted > limit:
                raise HTTPException(413, message)
            return event

        await self._app(scope, counting, send)


def _counts(scope: Scope) -> bool:
    """Whether a request counts: the page's own files do not."""
    return bool(scope["path"].startswith(("/api/", "/run_inference")))


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, code: str, message: str
) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            # Closing before accepting is what HTTP status 403 is made of.
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http.response"
    headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
    if status == 429:
        headers.append((b"retry-after", b"5"))
    body: dict[str, Any] = {"error": {"code": code, "message": message}}
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": json.dumps(body).encode()})
