"""JSON logs: one line per event and one per request."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from sonoriff.server.metrics import Metrics
    from sonoriff.server.workers.worker_process import WorkerProcess

log = logging.getLogger("sonoriff.server.requests")
workers = logging.getLogger("sonoriff.server.workers")


class JsonFormatter(logging.Formatter):
    """Formats an event as one line of JSON; ``extra={"facts": {...}}`` adds fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
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
    """Log Sonoriff's and uvicorn's events, and warnings of other libraries, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel("WARNING")
    logging.captureWarnings(True)
    for name in ("sonoriff", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
    # `RequestLog` writes the access log, with routes instead of paths.
    logging.getLogger("uvicorn.access").disabled = True


async def pass_on(process: WorkerProcess, pool: str) -> None:
    """Forward a worker's standard error: its own events unchanged, other lines as events.

    Libraries may print anything there; the log has to stay JSON.
    """
    while True:
        try:
            line = await process.stderr.readline()
        except ValueError:  # a line longer than the buffer, which has been discarded
            continue
        if not line:
            return
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if _is_event(text):
            sys.stderr.write(text + "\n")
        elif text.strip():
            workers.warning("worker says", extra={"facts": {"lane": pool, "text": text[:2000]}})


def _is_event(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


class RequestLog:
    """ASGI middleware that logs and counts every HTTP request, by route rather than by path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request and log its outcome."""
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
