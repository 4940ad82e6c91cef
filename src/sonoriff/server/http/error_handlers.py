"""Exceptions mapped to HTTP responses."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from sonoriff.errors import BusyError, Cancelled, FormatError, ParameterError
from sonoriff.server.http.schemas import ErrorBody
from sonoriff.server.store import NoRoomError
from sonoriff.server.streaming.messages import first_mistake

log = logging.getLogger(__name__)
_RETRY_S = 5
_CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "not_ready",
    413: "too_large",
    416: "out_of_range",
    422: "invalid",
    429: "too_many_requests",
    503: "busy",
    507: "no_room",
}


class ApiError(Exception):
    """An error response with a status and a code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def as_unicode(text: str) -> str:
    """A message that can be sent: JSON can carry lone surrogates to us, UTF-8 cannot back."""
    return text.encode("utf-8", "replace").decode()


def error_response(status: int, message: str, headers: Any = None) -> JSONResponse:
    """Body of every error response."""
    code = _CODES.get(status, "failed" if status >= 500 else "invalid")
    more = {"Retry-After": str(_RETRY_S)} if status in (429, 503) else {}
    if status == 401:
        more["WWW-Authenticate"] = "Bearer"
    body = {"error": {"code": code, "message": as_unicode(message)}}
    return JSONResponse(body, status, headers={**(headers or {}), **more})


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the errors of a route."""
    return {status: {"model": ErrorBody, "description": _CODES[status]} for status in statuses}


def add_handlers(app: FastAPI) -> None:
    """Register handlers that map every exception to the documented error body."""

    @app.exception_handler(ApiError)
    async def _api(_request: Request, error: ApiError) -> JSONResponse:
        return error_response(error.status, error.message)

    @app.exception_handler(BusyError)
    async def _busy(_request: Request, error: BusyError) -> JSONResponse:
        return error_response(503, str(error))

    @app.exception_handler(NoRoomError)
    async def _full(_request: Request, error: NoRoomError) -> JSONResponse:
        return error_response(507, str(error))

    @app.exception_handler(Cancelled)
    async def _stopped(_request: Request, error: Cancelled) -> JSONResponse:
        return error_response(503, str(error))

    @app.exception_handler(ClientDisconnect)
    async def _gone(_request: Request, _error: ClientDisconnect) -> JSONResponse:
        return error_response(
            400, "the client has disconnected"
        )  # the client has gone, so nobody receives this

    @app.exception_handler(ParameterError)
    @app.exception_handler(FormatError)
    async def _wrong(_request: Request, error: Exception) -> JSONResponse:
        return error_response(422, str(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(422, first_mistake(error.errors()))

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        status = 422 if error.status_code == 400 else error.status_code
        return error_response(status, str(error.detail), error.headers)

    @app.exception_handler(Exception)
    async def _bug(_request: Request, error: Exception) -> JSONResponse:
        reference = secrets.token_hex(4)
        log.error("request failed", exc_info=error, extra={"facts": {"reference": reference}})
        return error_response(500, f"the server failed; its log has it under {reference}")
