"""Middleware that rejects requests before their bodies are read."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonoriff.server.config import ServerConfig
from sonoriff.server.deadlines import within
from sonoriff.server.http.doorkeeper import Buckets, Doorkeeper, Holdings, TooManyKeys

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_WITH_FILE = (
    "/api/v1/analyse",
    *(f"/api/v1/riffs/{verb}" for verb in ("remix", "inpaint", "extend")),
)
_CODES = {
    401: "unauthorized",
    403: "forbidden",
    413: "too_large",
    429: "too_many_requests",
}
_WANTS_KEY = "this server wants an API key: Authorization: Bearer KEY"


def client_of(scope: Scope) -> str:
    """Client address, used as its identity for rate limits."""
    client = scope.get("client")
    return client[0] if client else "local"


def key_in(authorization: str | None, query: str | None) -> str | None:
    """API key of a request: from the header, else from the query."""
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else query


class Guard:
    """ASGI middleware that rejects disallowed requests before reading them.

    Checks host, origin and request rate, also for WebSockets; for HTTP also the API key and the
    size and duration of the body while it is received.
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
        """Forward the request, or respond with an error."""
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
        """Status and message if the head of a request is enough to reject it."""
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
    """Request body with limits on its size and duration."""

    def __init__(
        self, receive: Receive, limit: int, body_s: float, holdings: Holdings, client: str
    ) -> None:
        self._receive, self._limit, self._body_s = receive, limit, body_s
        self._holdings, self._client = holdings, client
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + body_s
        self._counted, self._complete = 0, False

    async def receive(self) -> Message:
        """The next chunk; raises HTTPException if a limit is exceeded."""
        if self._complete:  # after the body only the disconnect follows, which may come any time
            return await self._receive()
        try:
            left_s = max(0.0, self._end - self._loop.time())
            event = await within(self._receive(), left_s)
        except asyncio.TimeoutError as error:
            late = f"the body did not come within {self._body_s:g} s"
            raise HTTPException(408, late) from error
        size = len(event.get("body", b""))
        self._complete = not event.get("more_body", False)
        if self._counted + size > self._limit:
            raise HTTPException(413, f"the body may have at most {self._limit} bytes")
        if not self._holdings.take(self._client, size):
            raise HTTPException(503, "too many uploads are in progress: try again soon")
        self._counted += size
        return event

    def close(self) -> None:
        """Release the bytes that were reserved for the body."""
        self._holdings.give_back(self._client, self._counted)


def _is_api(scope: Scope) -> bool:
    """Whether a path counts as API use rather than as the page's own files."""
    return bool(scope["path"].startswith(("/api/", "/run_inference", "/metrics")))


def _wants_key(path: str) -> bool:
    """Whether a path requires an API key when keys are configured."""
    return path.startswith(("/api/", "/run_inference", "/metrics")) and path != "/api/v1/info"


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, message: str) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            # Closing before accepting makes the server respond with HTTP 403.
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
            raise  # the client has disconnected while the reason is sent
