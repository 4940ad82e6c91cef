"""A server that speaks what the Hugging Face hub's client asks, for folders as repositories."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Repositories by their names, and what was fetched of them."""

    def __init__(self) -> None:
        self.repositories: dict[str, Path] = {}
        self.fetched: list[str] = []
        self.n_bytes = 0
        self.url = ""


@contextmanager
def running() -> Iterator[Hub]:
    """A hub on a free port of loopback."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            parts = unquote(urlsplit(self.path).path).strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                self._info("/".join(parts[2:4]))
            elif len(parts) > 4 and parts[2] == "resolve":
                self._file("/".join(parts[:2]), "/".join(parts[4:]), body=body)
            else:
                self._send(404, b"{}", {})

        def _info(self, name: str) -> None:
            folder = hub.repositories.get(name)
            if folder is None:
                self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
                return
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            siblings = [
                {"rfilename": path.relative_to(folder).as_posix(), "size": path.stat().st_size}
                for path in files
            ]
            info: dict[str, Any] = {"id": name, "modelId": name, "sha": COMMIT, "tags": []}
            body = json.dumps({**info, "siblings": siblings, "private": False, "downloads": 0})
            self._send(200, body.encode(), {"Content-Type": "application/json"})

        def _file(self, name: str, path: str, *, body: bool) -> None:
            folder = hub.repositories.get(name)
            if folder is None or not (folder / path).is_file():
                self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
                return
            data = (folder / path).read_bytes()
            if body:
                hub.fetched.append(f"{name}/{path}")
                hub.n_bytes += len(data)
            etag = f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'
            self._send(200, data, {"ETag": etag, "X-Repo-Commit": COMMIT})

        def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
