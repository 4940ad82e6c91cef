"""`HEAD`: what `GET` would answer, without the body."""

from __future__ import annotations

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Told(Exception):
    """The head is sent, and the rest is not wanted."""


class HeadAsGet:
    """ASGI middleware: every route that knows `GET` knows `HEAD`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; of `HEAD` the head alone."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def head_alone(event: Message) -> None:
            if event["type"] != "http.response.start":
                return
            await send(event)
            await send({"type": "http.response.body", "body": b""})
            raise _Told

        with suppress(_Told):
            await self._app({**scope, "method": "GET"}, receive, head_alone)
