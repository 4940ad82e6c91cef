"""Who is turned away before anything is read."""

import asyncio
import json
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from sonoriff.server.config import Limits, ServerConfig
from sonoriff.server.http.doorkeeper import Buckets, Doorkeeper, Holdings
from sonoriff.server.http.guard import Guard

HEADERS = [(b"host", b"127.0.0.1")]


def guarded(app: Any, limits: Limits) -> Guard:
    config = ServerConfig(limits=limits)
    buckets = Buckets(limits.requests_per_minute, lambda: 0.0)
    holdings = Holdings(limits.max_uploads_bytes, limits.max_uploads_bytes_per_client)
    return Guard(app, Doorkeeper(config), config, buckets, buckets, holdings)


async def answers(guard: Guard, scope: dict[str, Any]) -> list[Any]:
    """What goes to a client that says nothing more."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await guard({"headers": HEADERS, "client": ("10.0.0.1", 5), **scope}, receive, send)
    return sent


async def _accept(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "let in"})


@pytest.mark.parametrize("extensions", [{"websocket.http.response": {}}, {}])
def test_websockets_are_counted_too(extensions: dict[str, Any]) -> None:
    guard = guarded(_accept, Limits(requests_per_minute=12.0))
    scope = {"type": "websocket", "path": "/api/v1/stream", "extensions": extensions}

    async def asking() -> list[list[Any]]:
        return [await answers(guard, scope) for _ in range(3)]

    *first, last = asyncio.run(asking())
    assert first == [[{"type": "let in"}]] * 2
    if extensions:
        assert last[0]["status"] == 429
        assert json.loads(last[1]["body"])["error"]["code"] == "too_many_requests"
    else:
        assert last == [{"type": "websocket.close", "code": 1008}]


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    chunks = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Any:
        if chunks:
            return chunks.pop()
        return await asyncio.get_running_loop().create_future()

    async def reading(_scope: Any, receive: Any, _send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    guard = guarded(reading, Limits(body_s=0.05))
    scope = {"type": "http", "method": "POST", "path": "/api/v1/riffs", "headers": HEADERS}
    with pytest.raises(HTTPException) as caught:
        asyncio.run(guard(scope, receive, None))  # type: ignore[arg-type]
    assert caught.value.status_code == 408


def test_the_end_of_a_request_is_waited_for_without_end() -> None:
    """As who sends events does, to know when nobody listens any more."""

    async def receive() -> Any:
        if not asked:
            asked.append(1)
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(0.1)
        return {"type": "http.disconnect"}

    async def listening(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        seen.append((await receive())["type"])

    asked: list[int] = []
    seen: list[str] = []
    guard = guarded(listening, Limits(body_s=0.01))
    scope = {"type": "http", "method": "GET", "path": "/api/v1/riffs", "headers": HEADERS}
    asyncio.run(guard(scope, receive, None))  # type: ignore[arg-type]
    assert seen == ["http.disconnect"]
