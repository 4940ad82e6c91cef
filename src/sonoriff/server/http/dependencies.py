"""Dependencies of the routes."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from sonoriff.server.http.error_handlers import ApiError
from sonoriff.server.http.guard import key_in
from sonoriff.server.service import Service

_bearer = HTTPBearer(auto_error=False, description="An API key, where the server wants one.")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def service_of(request: Request) -> Service:
    """The service of the running application."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def owner_of(request: Request) -> str | None:
    """Owner whose riffs a request may see; None means all riffs."""
    service = service_of(request)
    if not (service.config.private and service.config.keys):
        return None
    given = key_in(request.headers.get("authorization"), request.query_params.get("key"))
    return hashlib.sha256(service.door.known(given) or b"").hexdigest()


def require_key(request: Request, credentials: _Credentials) -> None:
    """Raise ApiError 401 unless the request has a valid key or none is configured."""
    key = credentials.credentials if credentials else None
    if not service_of(request).door.knows_key(key):
        raise ApiError(401, "this server wants an API key: Authorization: Bearer KEY")


def require_key_or_query(
    request: Request,
    credentials: _Credentials,
    key: Annotated[str | None, Query(max_length=500, description="API key, for links.")] = None,
) -> None:
    """Like `require_key`, but also accept the key in the query: links cannot set headers."""
    given = credentials.credentials if credentials else key
    if not service_of(request).door.knows_key(given):
        raise ApiError(401, "this server wants an API key: Authorization: Bearer KEY, or ?key=KEY")
