"""Clients that mean no good: each gets the documented answer, and others are served."""

from __future__ import annotations

import io
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from websockets.sync.client import connect

from server_tools import wait_until
from sonoriff.errors import FormatError
from sonoriff.models.small.model import SmallModel
from sonoriff.server.protocols import HttpProtocol
from sonoriff.server.tasks import Tasks

HOST = b"Host: 127.0.0.1\r\n"
PING = b"\x89\xfd\0\0\0\0" + 125 * b"x"


def raw(server: Any, data: bytes) -> socket.socket:
    """A connection that has sent something."""
    address = urlsplit(server.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect((address.hostname, address.port))
    connection.sendall(data)
    return connection


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\x16\x03\x01" + bytes(range(256)), 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 2**20 + b"\r\n\r\n", 400),
        (b"POST /api/v1/riffs HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", 400),
        (b"GET /api/v1/info HTTP/1.1\r\n" + HOST + b"Host: other\r\n\r\n", 400),
        (b"GET /api/v1/info HTTP/1.0\r\n\r\n", 403),
        (b"GET /api/v1/info HTTP/1.1\r\nHost: \xff\r\n\r\n", 403),
        (b"GET /../../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /a%00b HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"FOO /api/v1/riffs HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    ],
)
def test_what_is_no_request_of_ours_is_refused(server: Any, request_: bytes, status: int) -> None:
    with raw(server, request_) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 %d " % status)
    assert server.get("/healthz").status_code == 200


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: 127"])
def test_a_head_that_does_not_come_is_not_waited_for(
    server: Any, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpProtocol, "head_s", 0.5)
    with raw(server, head) as connection:
        assert connection.recv(100) == b""
    whole = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    with raw(server, whole) as connection:
        assert connection.recv(20).startswith(b"HTTP/1.1 200")
        # Not the head of another one either, on a connection that was of use once.
        connection.sendall(b"GET ")
        while connection.recv(1000):
            pass


def test_pings_of_who_does_not_read_fill_no_memory(server: Any) -> None:
    hello = (
        b"GET /api/v1/stream HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    def unsent() -> int:
        return max(c.transport.get_write_buffer_size() for c in connections)

    with raw(server, hello) as connection:
        assert b" 101 " in connection.recv(100)
        connections = list(server.server.server_state.connections)
        # More than the buffers of both ends hold.
        for _ in range(2000):
            connection.sendall(100 * PING)
        time.sleep(0.5)
        assert unsent() < 2**20
    assert server.get("/healthz").status_code == 200


def test_a_compressed_bomb_is_too_large(server: Any) -> None:
    url = server.url.replace("http", "ws") + "/api/v1/stream"
    with connect(url) as bomber:
        bomber.send("0" * 10_000_000)
        wait_until(lambda: bomber.close_code is not None or _ended(bomber))
        assert bomber.close_code == 1009


def _ended(connection: Any) -> bool:
    try:
        connection.recv(timeout=1)
    except TimeoutError:
        return False
    except Exception:
        return True
    return False


def test_websockets_are_at_their_own_address_only(server: Any) -> None:
    from websockets.exceptions import InvalidStatus

    for path in ("/", "/nothing", "/api/v1/riffs"):
        with pytest.raises(InvalidStatus) as caught:
            connect(server.url.replace("http", "ws") + path).__enter__()
        assert caught.value.response.status_code == 403


@pytest.mark.parametrize(
    "scene",
    [
        '{"prompts": [{"text": "\\ud800"}]}',
        '{"prompts": [{"text": "a", "weight": NaN}]}',
        '{"bpm": 1e999}',
        '{"bars": true}',
        '{"bars": 3}',
        '{"seed": true}',
        '{"seed": 1.5}',
        '{"key": "\\ud800"}',
    ],
)
def test_numbers_and_words_that_are_none(player: Any, scene: str) -> None:
    one = player()
    one.socket.send(f'{{"type": "scene", "scene": {scene}}}')
    assert one.expect("error")["code"] == "invalid"
    one.send(type="want", until=1000)
    while one.next_sample < 1000:
        one.step()


def test_all_at_once_get_no_more_places_than_there_are(server: Any) -> None:
    body = {"prompt": "flood", "num_inference_steps": 50, "duration_s": 60.0}
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: server.post("/api/v1/riffs", json=body), range(30)))
    taken = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    assert len(taken) == 3
    assert {answer.status_code for answer in answers} == {202, 503}
    for riff_id in taken:
        server.post(f"/api/v1/riffs/{riff_id}/cancel")
    wait_until(lambda: len(server.service.jobs) == 0)


def test_a_small_file_of_much_silence_is_refused(small_model: SmallModel) -> None:
    silence = io.BytesIO()
    with soundfile.SoundFile(silence, "w", 655_350, 8, format="FLAC", subtype="PCM_16") as file:
        file.write(np.zeros((655_350, 8), np.int16))
    tasks = Tasks(small_model, max_pixels=1000, max_source_s=120.0)
    header = {"verb": "remix", "settings": {}, "has_source": True}
    with pytest.raises(FormatError, match="8 channels at 655350 Hz"):
        tasks.riff(header, [silence.getvalue()], lambda _step, _steps: None)
