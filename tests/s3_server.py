"""A real S3 server of the tests' own (moto's), which can be slow, deny or be full when told to.

As a program it is that server: `python s3_server.py PORT`. `PUT /-/fault` with one of `FAULTS` as
its body says what is wrong from then on.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from server_tools import wait_until

FAULTS = ("none", "slow", "denied", "full", "broken")
# Longer than any client waits.
_SLOW_S = 120.0
_ERROR = b"<Error><Code>%s</Code><Message>as the test wants it</Message></Error>"
_ANSWERS = {
    "denied": ("403 Forbidden", b"AccessDenied"),
    "full": ("507 Insufficient Storage", b"XMinioStorageFull"),
    "broken": ("500 Internal Server Error", b"InternalError"),
}


@dataclass
class S3Server:
    """A server with buckets in memory."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client has to know beside the bucket."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }

    def make_bucket(self, name: str) -> str:
        """A new, empty bucket; its URL."""
        self._put(f"/{name}", b"")
        return f"s3://{name}"

    def fail(self, fault: str) -> None:
        """Say what is wrong from now on; "none" is nothing."""
        assert fault in FAULTS
        self._put("/-/fault", fault.encode())

    def _put(self, path: str, data: bytes) -> None:
        request = urllib.request.Request(self.address + path, data=data, method="PUT")
        request.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=test/1/us-east-1/s3/x")
        urllib.request.urlopen(request, timeout=60).close()


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """Start a server in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, __file__, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or _answers(port))
        assert process.poll() is None, "moto's server does not start: pip install 'sonoriff[dev]'"
        yield S3Server(port, process)
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


class Faulty:
    """A WSGI application that answers as another does, or as it was told to."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application, self._fault = application, "none"

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/-/fault":
            length = int(environ.get("CONTENT_LENGTH") or 0)
            self._fault = environ["wsgi.input"].read(length).decode()
            start("200 OK", [])
            return [b""]
        if self._fault == "slow":
            time.sleep(_SLOW_S)
        if self._fault == "full" and environ["REQUEST_METHOD"] != "PUT":
            return self._application(environ, start)
        if self._fault not in _ANSWERS:
            return self._application(environ, start)
        status, code = _ANSWERS[self._fault]
        start(status, [("Content-Type", "application/xml")])
        return [_ERROR % code]


def main() -> None:
    """Serve."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import run_simple

    application = Faulty(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True)


if __name__ == "__main__":
    main()
