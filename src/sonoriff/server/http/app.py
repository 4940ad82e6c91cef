"""The ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from sonoriff.errors import BusyError
from sonoriff.server.config import ServerConfig
from sonoriff.server.http import analyse_api, riffs_api, riffusion_api, songs_api
from sonoriff.server.http.dependencies import require_key, service_of
from sonoriff.server.http.error_handlers import ApiError, add_handlers, described
from sonoriff.server.http.guard import Guard, client_of
from sonoriff.server.http.head import HeadAsGet
from sonoriff.server.http.openapi import document_of
from sonoriff.server.http.page import PageFiles
from sonoriff.server.http.reference import reference_page
from sonoriff.server.http.schemas import Info
from sonoriff.server.logs import RequestLog
from sonoriff.server.service import Service
from sonoriff.server.streaming.frames import VERSION
from sonoriff.server.streaming.socket import Connection
from sonoriff.version import __version__

STATIC = Path(__file__).parents[1] / "static"
_NO_PAGE = "Sonoriff is running. Its web page is not built here; the API is at /docs.\n"

system = APIRouter(tags=["system"], responses=described(403))


@system.get("/healthz", response_class=PlainTextResponse)
async def alive() -> str:
    """Liveness probe."""
    return "ok\n"


@system.get("/readyz", response_class=PlainTextResponse, responses=described(503))
async def ready(request: Request) -> str:
    """Readiness probe: the model is loaded and riffs can be made and stored."""
    try:
        await service_of(request).check_health()
    except BusyError as error:  # any error means that another server should be asked
        raise ApiError(503, str(error)) from error
    return "ready\n"


@system.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=described(401),
    dependencies=[Depends(require_key)],
)
async def metrics(request: Request) -> Response:
    """Metrics in Prometheus format."""
    return Response(service_of(request).metrics.text(), media_type="text/plain; version=0.0.4")


@system.get("/api/v1/info", response_model=Info, responses=described(429))
async def info(request: Request) -> dict[str, Any]:
    """Version, model, limits and readiness of this server."""
    service = service_of(request)
    model = service.model_info
    return {
        "version": __version__,
        "protocol": VERSION,
        "model": model.model if model else None,
        "ready": service.ready,
        "loading": 1.0 if model else service.stream_pool.loading,
        "needs_key": bool(service.config.keys),
        "limits": service.config.limits.for_makers(),
        "sonogram": model.params if model else None,
    }


@system.websocket("/api/v1/stream")
async def stream(websocket: WebSocket) -> None:
    """The endless riff; docs/protocol.md has the messages."""
    service: Service = websocket.app.state.service
    client = client_of(websocket.scope)
    await Connection(websocket, service.streams, client, service.door.lets_in).run()


def create_app(
    config: ServerConfig, on_fatal: Callable[[str], None] = lambda _line: None
) -> FastAPI:
    """Build the ASGI application.

    Parameters
    ----------
    on_fatal : called with a one-line message if the server cannot start
    """
    service = Service(config, on_fatal)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    middleware = [
        Middleware(RequestLog, metrics=service.metrics),
        Middleware(
            CORSMiddleware,
            allow_origins=list(config.allowed_origins),
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        ),
        Middleware(
            Guard,
            doorkeeper=service.door,
            config=config,
            buckets=service.buckets,
            page_buckets=service.page_buckets,
            holdings=service.holdings,
        ),
        Middleware(HeadAsGet),
    ]
    app = FastAPI(
        title="Sonoriff",
        version=__version__,
        description="Music from text. The stream's WebSocket is described in docs/protocol.md.",
        lifespan=life,
        middleware=middleware,
        # Short names for clients that are made from the document: "riffs_generate".
        generate_unique_id_function=lambda route: "_".join([*map(str, route.tags[:1]), route.name]),
        # FastAPI's own pages load scripts from a CDN; see `sonoriff.server.http.reference`.
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    add_handlers(app)
    routers = (
        *(system, riffs_api.router, riffs_api.files_router, analyse_api.router),
        riffusion_api.router,
    )
    for router in (*routers, songs_api.menu_router, songs_api.router, songs_api.files_router):
        app.include_router(router)
    # FastAPI asks this method of the application for /openapi.json.
    document = document_of(app, config.limits, service.seeds.ids)
    app.openapi = lambda: document  # type: ignore[method-assign]
    page = reference_page(document)
    app.add_api_route("/docs", lambda: page, include_in_schema=False, response_class=HTMLResponse)
    if (STATIC / "index.html").is_file():
        app.mount("/", PageFiles(directory=STATIC, html=True))
    else:
        app.add_api_route("/", _no_page, include_in_schema=False, response_class=JSONResponse)
    return app


async def _no_page() -> PlainTextResponse:
    return PlainTextResponse(_NO_PAGE)
