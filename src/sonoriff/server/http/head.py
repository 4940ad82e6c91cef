"""`HEAD` requests: the response of `GET` without its body."""

from __future__ import annotations

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Told(Exception):
    """The response head has been sent; the body is not needed."""


class HeadAsGet:
    """ASGI middleware: every route with `GET` also supports `HEAD`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request; for `HEAD` send the response head only."""
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
