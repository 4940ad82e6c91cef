"""Logs as JSON, a line an event, and a line for every request."""

from __future__ import annotations

import json
import logging
import sys
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sonoriff.server.metrics import Metrics

log = logging.getLogger("sonoriff.server.requests")


class JsonFormatter(logging.Formatter):
    """An event as one line of JSON; ``extra={"facts": {...}}`` adds fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


def set_up_logs(level: str = "INFO") -> None:
    """Send Sonoriff's and uvicorn's events to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in ("sonoriff", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
    # A line for each request comes from `RequestLog`, with the route instead of the path.
    logging.getLogger("uvicorn.access").disabled = True


class RequestLog:
    """ASGI middleware: a line and a count for every HTTP request. Paths are routes, without ids."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and note how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(event: Message) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
            await send(event)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", None) or "other"
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, str(status)).inc()
            ms = round(1000 * (time.perf_counter() - began), 1)
            facts = {"method": method, "route": route, "status": status, "ms": ms}
            log.info("request", extra={"facts": facts})


_METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH")
