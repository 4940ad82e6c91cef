"""Clients that mean no good: each gets the documented answer, and others are served."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from PIL import Image, PngImagePlugin
from websockets.sync.client import connect

from server_tools import wait_until
from sonoriff.errors import FormatError
from sonoriff.models.small.model import SmallModel
from sonoriff.server.http.uvicorn_protocols import HttpProtocol
from sonoriff.server.workers.tasks import Tasks
from sonoriff.sonogram import HIFI
from sonoriff.sonogram.picture import picture_from_bytes

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


PONG = b"\x8a\xfd\0\0\0\0" + 125 * b"x"
PART = b"\x01\xfd\0\0\0\0" + 125 * b"x" + 100 * (b"\x00\xfd\0\0\0\0" + 125 * b"x")


def flood(connection: socket.socket, data: bytes) -> None:
    """Send far more than the buffers of both ends hold."""
    for _ in range(100_000):
        connection.sendall(data)


@pytest.mark.parametrize("frame", [PING, PONG, PART])
def test_a_flood_of_frames_is_cut_off_and_fills_no_memory(server: Any, frame: bytes) -> None:
    """Pings, and parts of a message that never ends, count as messages do."""
    hello = (
        b"GET /api/v1/stream HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with raw(server, hello) as connection:
        assert b" 101 " in connection.recv(100)
        connections = list(server.server.server_state.connections)
        with pytest.raises(ConnectionError):
            flood(connection, 100 * frame)
        unsent = [c.transport.get_write_buffer_size() for c in connections]
        assert max(unsent) < 2**20
    assert server.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", [b"/api/v1/info", b"/nothing", b"/run_inference/"])
def test_nonsense_in_a_request_leaves_no_trace(
    server: Any, caplog: pytest.LogCaptureFixture, path: bytes
) -> None:
    """Its answer is begun, or under way, when the body turns out to be none."""
    head = b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    for wait_s in (0.0, 0.05):
        with raw(server, head) as connection:
            time.sleep(wait_s)
            connection.sendall(b"no chunk\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 4")
        with raw(server, head + b"no chunk\r\n\r\n") as connection:
            assert connection.recv(100).startswith(b"HTTP/1.1 4")
    assert server.get("/healthz").status_code == 200
    assert [r.getMessage() for r in caplog.records if r.exc_info] == []


def test_an_answer_that_is_not_read_is_given_up(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpProtocol, "unread_s", 0.3)
    before = set(server.server.server_state.connections)
    ask = b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n"
    with raw(server, ask) as connection:
        with pytest.raises(ConnectionError):
            flood(connection, ask)
        wait_until(lambda: set(server.server.server_state.connections) <= before)


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


def sound_of(n_channels: int, rate: int) -> bytes:
    """A second of noise."""
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (rate, n_channels))
    file = io.BytesIO()
    soundfile.write(file, noise, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.mark.parametrize(("n_channels", "rate"), [(1000, 100), (64, 4000), (9, 8000)])
def test_many_channels_are_refused_however_slow(
    small_model: SmallModel, n_channels: int, rate: int
) -> None:
    """A thousand at 100 Hz took 5.5 GB once they were resampled."""
    tasks = Tasks(small_model, max_pixels=1000, max_source_s=120.0)
    header = {"task": "riff", "verb": "remix", "settings": {}, "has_source": True}
    with pytest.raises(FormatError, match="channels"):
        tasks.run(header, [sound_of(n_channels, rate)], lambda _step, _steps: None)


@pytest.mark.filterwarnings("ignore::sonoriff.errors.SonoriffWarning")  # random weights are loud
def test_surround_is_mixed_before_it_is_painted(small_model: SmallModel) -> None:
    """A picture has two channels: six were refused after all the work."""
    tasks = Tasks(small_model, max_pixels=1000, max_source_s=120.0)
    settings = {"prompt": "", "num_inference_steps": 1}
    header = {"task": "riff", "verb": "remix", "settings": settings, "has_source": True}
    facts, (picture, _) = tasks.run(header, [sound_of(6, 48_000)], lambda _step, _steps: None)
    assert facts["duration_s"] == pytest.approx(1.0, abs=0.03)
    assert picture_from_bytes(picture).n_channels <= 2


@pytest.mark.parametrize(
    "changes",
    [
        {"n_fft": 262_144, "win_length": 131_072, "hop_length": 1},
        {"n_fft": 262_144, "win_length": 2, "hop_length": 1, "sample_rate": 4000},
        {"n_fft": 131_072, "win_length": 512, "hop_length": 256},
    ],
)
def test_a_picture_that_asks_for_too_much_work_is_refused(
    small_model: SmallModel, changes: dict[str, Any]
) -> None:
    """641 bytes held the worker for 137 to 328 s."""
    params = {**HIFI.to_dict(), "n_mels": 1, "f_max": 2000.0, "name": "mine", **changes}
    facts = {"version": 1, "channels": 1, "max_value": 1.0, "params": params, "metadata": {}}
    text = PngImagePlugin.PngInfo()
    text.add_itxt("sonoriff", json.dumps(facts))
    file = io.BytesIO()
    Image.new("L", (20_000, 1), 200).save(file, "PNG", pnginfo=text)
    tasks = Tasks(small_model, max_pixels=16_000_000, max_source_s=120.0)
    header = {"task": "riff", "verb": "remix", "settings": {}, "has_source": True}
    with pytest.raises(FormatError, match=r"n_fft|FFT") as caught:
        tasks.run(header, [file.getvalue()], lambda _step, _steps: None)
    assert "/" not in str(caught.value)


@pytest.mark.parametrize("body", [{"\ud800": 1}, {"prompt": "\ud800"}, {"kind": "\udfff"}])
def test_half_a_character_is_refused_in_words(server: Any, body: dict[str, Any]) -> None:
    answer = server.post("/api/v1/riffs", data=json.dumps({"prompt": "", **body}))
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


RIFFUSION = {
    "start": {"prompt": "a", "seed": 1},
    "end": {"prompt": "b", "seed": 2},
    "alpha": 0,
    "num_inference_steps": 1,
    "seed_image_id": "own",
}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"start": {"prompt": "(" * 8000, "seed": 1}}, "500 characters"),
        ({"end": {"prompt": "a", "negative_prompt": "x" * 501, "seed": 1}}, "500 characters"),
        ({"start": {"prompt": "\ud800", "seed": 1}}, "half a character"),
        ({"alpha": "\ud800"}, 'instead of value "?"'),
        ({"seed_image_id": "\udfff"}, "half a character"),
        ({"mask_image_id": "\ud83d"}, "half a character"),
    ],
)
def test_riffusion_s_endpoint_refuses_what_others_refuse(
    server: Any, changes: dict[str, Any], word: str
) -> None:
    answer = server.post("/run_inference/", data=json.dumps({**RIFFUSION, **changes}))
    assert answer.status_code == 400
    assert word in answer.text


def test_riffusion_s_endpoint_is_given_up_with_its_client(server: Any) -> None:
    wait_until(lambda: server.service.riff_pool.model_info and len(server.service.jobs) == 0)
    pool = server.service.riff_pool
    (pid,) = pool.process_ids
    os.kill(pid, signal.SIGSTOP)
    try:
        body = json.dumps(RIFFUSION).encode()
        head = b"POST /run_inference/ HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n"
        number = pool._number
        with raw(server, head % len(body) + body), raw(server, head % len(body) + body):
            wait_until(lambda: pool._number == number + 2 and pool.waiting == 1)
            assert server.service.jobs.n_places == 2
        wait_until(lambda: pool.waiting == 0 and server.service.jobs.n_places == 0)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert server.post("/run_inference/", json=RIFFUSION).status_code == 200


def test_a_body_is_not_read_where_it_cannot_be_wanted(server: Any) -> None:
    """A form is for routes with files alone, whatever its head says."""
    head = (
        b"POST /api/v1/riffs HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=x"
        b"\r\nContent-Length: 1000000\r\n\r\n"
    )
    with raw(server, head) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_bodies_that_do_not_end_are_bounded_together(server: Any) -> None:
    holdings = server.service.holdings
    before = holdings._most_of_client
    head = (
        b"POST /api/v1/riffs/remix HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; "
        b"boundary=x\r\nContent-Length: 2000000\r\n\r\n--x\r\n"
        b'Content-Disposition: form-data; name="source"; filename="a"\r\n\r\n'
    )
    holdings._most_of_client = 3_000_000
    try:
        with raw(server, head) as one, raw(server, head) as two:
            one.sendall(1_900_000 * b"a")
            wait_until(lambda: holdings.total > 1_800_000)
            with contextlib.suppress(ConnectionError):
                two.sendall(1_900_000 * b"a")
            assert two.recv(100).startswith(b"HTTP/1.1 503")
        wait_until(lambda: holdings.total == 0)
    finally:
        holdings._most_of_client = before


def test_who_goes_while_it_is_told_why_leaves_no_trace(
    server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for first in ("garbage", '{"type": "hello", "version": 2}', "x" * 70_000):
        for _ in range(20):
            socket_ = server.socket().__enter__()
            socket_.send(first)
            socket_.socket.close()
    assert server.get("/healthz").status_code == 200
    wait_until(lambda: len(server.server.server_state.tasks) <= 1)
    assert [r.getMessage() for r in caplog.records if r.exc_info] == []


@pytest.mark.parametrize("name", ["LOCALHOST", "localhost.", "LocalHost:3013"])
def test_names_have_no_case(server: Any, name: str) -> None:
    assert server.get("/api/v1/info", headers={"Host": name}).status_code == 200


def test_the_reference_is_whole_without_the_network(server: Any) -> None:
    answer = server.get("/docs")
    assert answer.status_code == 200
    assert "POST /api/v1/riffs/remix" in answer.text
    assert "<script" not in answer.text
    assert "http://" not in answer.text.replace("http://127.0.0.1", "")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert server.get("/redoc").status_code == 404
