"""A server in a thread, for tests that talk to it."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import Any

import requests
from websockets.sync.client import ClientConnection, connect

from server_tools import WAIT_S, wait_until
from sonoriff.server.config import ServerConfig
from sonoriff.server.run import Server
from sonoriff.server.service import Service


@dataclass
class Running:
    """A server under way, in a thread of its own."""

    server: Server
    url: str
    thread: threading.Thread

    @property
    def service(self) -> Service:
        service: Service = self.server.application.state.service
        return service

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=WAIT_S, **options)

    def delete(self, path: str) -> int:
        return requests.delete(self.url + path, timeout=WAIT_S).status_code

    def post(self, path: str, **options: Any) -> requests.Response:
        return requests.post(self.url + path, timeout=WAIT_S, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        return requests.put(self.url + path, timeout=WAIT_S, **options)

    def socket(self, **options: Any) -> ClientConnection:
        """A WebSocket to the stream, which lives however long a test leaves it alone.

        It takes in whatever comes (``max_queue``), so that it answers the server's pings, and sends
        none, which a server that waits for a reader would not answer.
        """
        url = self.url.replace("http", "ws") + "/api/v1/stream"
        patient = {"max_queue": None, "ping_interval": None, "open_timeout": WAIT_S}
        return connect(url, **{**patient, "close_timeout": 5, "compression": None, **options})

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()


def run_server(config: ServerConfig) -> Running:
    """Start a server on a free port, without waiting for its model."""
    server = Server(config)
    listener = socket.create_server((config.host, 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    return Running(server, f"http://127.0.0.1:{listener.getsockname()[1]}", thread)
