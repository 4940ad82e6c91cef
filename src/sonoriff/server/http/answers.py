"""File responses."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from sonoriff.server.http.error_handlers import error_response

_RANGES = re.compile(rb"bytes=(\d+-\d*|-\d+)(\s*,\s*(\d+-\d*|-\d+)){0,9}")


class RangedFile(FileResponse):
    """File response that ignores malformed ranges (RFC 9110, 14.2) and uses our error format."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or _RANGES.fullmatch(value)
        ]

        refused = 0

        async def checked(event: Any) -> None:
            nonlocal refused
            if event["type"] == "http.response.start" and event["status"] >= 400:
                refused = event["status"]
            if not refused:
                await send(event)

        await super().__call__({**scope, "headers": headers}, receive, checked)
        if refused:
            size = (
                {"Content-Range": f"bytes */{self.stat_result.st_size}"} if self.stat_result else {}
            )
            answer = error_response(416, "the file is shorter than the range asked for", size)
            await answer(scope, receive, send)
