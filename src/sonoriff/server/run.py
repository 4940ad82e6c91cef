"""Runs the server process of `sonoriff serve`."""

from __future__ import annotations

import socket as sockets
from typing import Any

import uvicorn

from sonoriff.errors import CheckpointError, ParameterError
from sonoriff.server.config import ServerConfig
from sonoriff.server.http.app import create_app
from sonoriff.server.http.uvicorn_protocols import HttpProtocol, StreamProtocol
from sonoriff.server.logs import set_up_logs

MAX_MESSAGE_BYTES = 64 * 2**10


class Server(uvicorn.Server):
    """uvicorn server that closes streams cleanly and lets the current riff finish."""

    def __init__(self, config: ServerConfig) -> None:
        self.fatal: str | None = None
        self.application = create_app(config, self._give_up)
        super().__init__(
            uvicorn.Config(
                self.application,
                host=config.host,
                port=config.port,
                http=HttpProtocol,
                ws=StreamProtocol,
                ws_max_size=MAX_MESSAGE_BYTES,
                timeout_graceful_shutdown=5,
                log_config=None,
                server_header=False,
            )
        )

    def _give_up(self, line: str) -> None:
        self.fatal = line
        self.should_exit = True

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Handle a stop signal; a clean shutdown exits with 0."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """Drain the service before connections are closed."""
        await self.application.state.service.drain()
        await super().shutdown(sockets)


def serve(config: ServerConfig) -> None:
    """Serve until stopped by a signal.

    Raises
    ------
    CheckpointError
        the model cannot be loaded
    ParameterError
        the address cannot be bound
    """
    set_up_logs()
    server = Server(config)
    listener = _listener(config)
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()
    if server.fatal is not None:
        raise CheckpointError(server.fatal)


def _listener(config: ServerConfig) -> sockets.socket:
    """Bind the socket up front, so that an address in use is a one-line error, not a traceback."""
    family = sockets.AF_INET6 if ":" in config.host else sockets.AF_INET
    listener = sockets.socket(family, sockets.SOCK_STREAM)
    listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise ParameterError(
            f"cannot listen on {config.host}:{config.port}: {error.strerror or error}; choose "
            "another with --port"
        ) from error
    return listener
