"""What comes in is looked at before anything of it is read."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonoriff.server.config import ServerConfig
from sonoriff.server.http.doorkeeper import Buckets, Doorkeeper, Holdings, TooManyKeys

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_WITH_FILE = tuple(f"/api/v1/riffs/{verb}" for verb in ("remix", "inpaint", "extend"))
_CODES = {
    401: "unauthorized",
    403: "forbidden",
    413: "too_large",
    429: "too_many_requests",
}
_WANTS_KEY = "this server wants an API key: Authorization: Bearer KEY"


def client_of(scope: Scope) -> str:
    """Who asks, for limits: the address."""
    client = scope.get("client")
    return client[0] if client else "local"


def key_in(authorization: str | None, query: str | None) -> str | None:
    """The key of a request: in its header, else in its address."""
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else query


class Guard:
    """ASGI middleware that turns away what should not come in, before anything is read.

    Hosts, origins and the number of requests, for WebSockets too; for HTTP also keys, and the size
    of bodies, counted as they come, and how long they take.
    """

    def __init__(
        self,
        app: ASGIApp,
        doorkeeper: Doorkeeper,
        config: ServerConfig,
        buckets: Buckets,
        page_buckets: Buckets,
        holdings: Holdings,
    ) -> None:
        self._app, self._door, self._limits, self._buckets = app, doorkeeper, config.limits, buckets
        self._page_buckets, self._holdings = page_buckets, holdings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer with an error."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(headers, scope)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
        elif scope["type"] == "http":
            await self._sized(headers, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, headers: Headers, scope: Scope) -> tuple[int, str] | None:
        """Status and words where a request is turned away by its head alone."""
        host, origin = headers.get("host"), headers.get("origin")
        is_http, client = scope["type"] == "http", client_of(scope)
        if not self._door.knows_host(host):
            return 403, "this server has another name"
        changes = not is_http or scope["method"] not in _SAFE_METHODS
        if changes and not self._door.knows_origin(origin, host):
            return 403, "pages of another origin may not use this server"
        buckets = self._buckets if _is_api(scope) else self._page_buckets
        if not buckets.take(client):
            return 429, f"at most {self._limits.requests_per_minute:g} requests a minute"
        if is_http and scope["method"] != "OPTIONS" and _wants_key(scope["path"]):
            query = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("key")
            key = key_in(headers.get("authorization"), query[0] if query else None)
            try:
                if not self._door.lets_in(client, key):
                    return 401, _WANTS_KEY
            except TooManyKeys:
                return 429, "too many wrong API keys: wait a minute"
        return None

    async def _sized(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._limits.max_json_bytes
        if scope["path"].rstrip("/") in _WITH_FILE:
            limit = self._limits.max_body_bytes
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limit:
            await _refuse(scope, receive, send, 413, f"the body may have at most {limit} bytes")
            return
        body = _Body(receive, limit, self._limits.body_s, self._holdings, client_of(scope))
        try:
            await self._app(scope, body.receive, send)
        finally:
            body.close()


class _Body:
    """The body of a request as it comes, counted and timed."""

    def __init__(
        self, receive: Receive, limit: int, body_s: float, holdings: Holdings, client: str
    ) -> None:
        self._receive, self._limit, self._body_s = receive, limit, body_s
        self._holdings, self._client = holdings, client
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + body_s
        self._counted, self._complete = 0, False

    async def receive(self) -> Message:
        """The next part; HTTPException where it is too late or too much."""
        if self._complete:  # what follows is the client's going, whenever that is
            return await self._receive()
        try:
            left_s = max(0.0, self._end - self._loop.time())
            event = await asyncio.wait_for(self._receive(), left_s)
        except asyncio.TimeoutError as error:
            late = f"the body did not come within {self._body_s:g} s"
            raise HTTPException(408, late) from error
        size = len(event.get("body", b""))
        self._complete = not event.get("more_body", False)
        if self._counted + size > self._limit:
            raise HTTPException(413, f"the body may have at most {self._limit} bytes")
        if not self._holdings.take(self._client, size):
            raise HTTPException(503, "too many files are being sent: try again soon")
        self._counted += size
        return event

    def close(self) -> None:
        """Nothing of it is held any more."""
        self._holdings.give_back(self._client, self._counted)


def _is_api(scope: Scope) -> bool:
    """Whether it is more than the page's own files."""
    return bool(scope["path"].startswith(("/api/", "/run_inference", "/metrics")))


def _wants_key(path: str) -> bool:
    """Whether a path is for those who have a key, where keys are set."""
    return path.startswith(("/api/", "/run_inference", "/metrics")) and path != "/api/v1/info"


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, message: str) -> None:
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
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    body: dict[str, Any] = {"error": {"code": _CODES[status], "message": message}}
    try:
        await send({"type": f"{kind}.start", "status": status, "headers": headers})
        await send({"type": f"{kind}.body", "body": json.dumps(body).encode()})
    except OSError:
        if scope["type"] == "http":
            raise  # a WebSocket has gone while it is told why
