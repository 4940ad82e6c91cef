"""Drawn HTTP requests: whole, half and nonsense."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.attack.raw import address_of, connected, status_of
from benchmarks.attack.tally import Tally
from benchmarks.attack.target import Target

_PATHS = (
    *("/", "/docs", "/redoc", "/openapi.json", "/healthz", "/readyz", "/metrics", "/nothing"),
    *("/api/v1/info", "/api/v1/riffs", "/api/v1/riffs/remix", "/api/v1/riffs/inpaint"),
    *("/api/v1/riffs/extend", "/api/v1/riffs/loop", "/api/v1/riffs/morph", "/api/v1/riffs/x"),
    *("/api/v1/riffs/x/riff.png", "/api/v1/riffs/x/events", "/api/v1/riffs/x/cancel"),
    *("/api/v1/streams/x/riffs", "/api/v1/stream", "/run_inference/", "/run_inference"),
)
_METHODS = ("GET", "GET", "POST", "POST", "POST", "HEAD", "DELETE", "PUT", "OPTIONS", "FOO")
_ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**64, -(2**70), 1e308, "", "x" * 600, "\ud800", "\0", "a\u202eb"),
    *([], {}, [[]], "(" * 5000, "[" * 5000, " :" * 2000, "../../etc/passwd", "a:1 + " * 200),
)
_FIELDS = (
    *("prompt", "negative_prompt", "seed", "bpm", "key", "guidance_scale", "bars", "points"),
    *("num_inference_steps", "duration_s", "clips", "start", "end", "alpha", "first_sample"),
    *("end_sample", "seed_image_id", "mask_image_id", "\ud800", "__class__"),
)
_QUERIES = (
    "",
    "?limit=0",
    "?limit=x",
    "?before=9",
    "?before=x",
    "?query=%00",
    "?key=%ff",
    "?%",
    "?",
)
# Whole bodies, of which a field or two are then spoilt: most get far enough to be checked.
_RIFF = {"prompt": "music", "num_inference_steps": 1}
_PROMPT = {"prompt": "music", "seed": 1, "denoising": 0.5, "guidance": 7.0}
_WHOLE: dict[str, dict[str, Any]] = {
    "/api/v1/riffs": {**_RIFF, "duration_s": 1.0, "bpm": 120.0, "key": "D minor", "chords": "Am F"},
    "/api/v1/riffs/loop": {**_RIFF, "bars": 1, "bpm": 200.0},
    "/api/v1/riffs/morph": {**_RIFF, "points": [{"prompt": "a"}, {"seed": 2}], "clips": 3},
    "/api/v1/riffs/extend": {**_RIFF, "duration_s": 1.0, "side": "end"},
    "/api/v1/riffs/inpaint": {**_RIFF, "time_s": [0.0, 1.0], "band_hz": [100.0, 900.0]},
    "/api/v1/riffs/remix": {**_RIFF, "strength": 0.5},
    "/api/v1/streams/x/riffs": {"first_sample": 0, "end_sample": 1},
    "/run_inference/": {"start": _PROMPT, "end": _PROMPT, "alpha": 0.5, "num_inference_steps": 1},
}
_WITH_FILE = ("/api/v1/riffs/extend", "/api/v1/riffs/inpaint", "/api/v1/riffs/remix")
_ALLOWED = {100, *range(200, 500), 503, 507}


def attack(server: Target, rng: random.Random, requests: int, tally: Tally) -> None:
    """Send so many requests, from many addresses."""
    seeds = [rng.random() for _ in range(-(-requests // _EACH))]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda seed: _some(server, random.Random(seed), tally), seeds))


_EACH, _ANSWER_S = 80, 0.5


def _some(server: Target, rng: random.Random, tally: Tally) -> None:
    """A few requests of one client."""
    address = address_of(rng)
    for _ in range(_EACH):
        request = drawn(rng)
        with connected(server, address) as connection:
            # Many are waited for in vain: the rest of them never comes.
            connection.settimeout(_ANSWER_S)
            status = status_of(connection, request)
        bad = None
        if status is not None and status not in _ALLOWED:
            bad = f"{status} to {request[:300]!r}"
        tally.note(str(status), wrong=bad)


def drawn(rng: random.Random) -> bytes:
    """A request; some are no HTTP at all."""
    if rng.random() < 0.05:
        return rng.randbytes(rng.randrange(1, 300))
    if rng.random() < 0.4:
        return _spoilt(rng)
    method, path = rng.choice(_METHODS), rng.choice(_PATHS) + rng.choice(_QUERIES)
    body = _body(rng)
    headers = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(body))}
    if rng.random() < 0.5:
        headers["Content-Type"] = rng.choice(
            ("application/json", "multipart/form-data; boundary=x", "text/plain", "x" * 200)
        )
    for name, values in _HEADERS.items():
        if rng.random() < 0.1:
            headers[name] = rng.choice(values)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    whole = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body
    if rng.random() < 0.1:
        place = rng.randrange(len(whole))
        whole = whole[:place] + rng.randbytes(3) + whole[place + 3 :] + b"\r\n\r\n"
    return whole


def _spoilt(rng: random.Random) -> bytes:
    """A request that is right but for some fields of its body."""
    path = rng.choice(tuple(_WHOLE))
    fields = dict(_WHOLE[path])
    for _ in range(rng.randrange(1, 3)):
        fields[rng.choice((*fields, *_FIELDS))] = _value(rng, 0)
    body, kind = json.dumps(fields).encode(), "application/json"
    if path in _WITH_FILE:
        kind, body = "multipart/form-data; boundary=x", _form(body, source=b"RIFF")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _form(settings: bytes, **files: bytes) -> bytes:
    """A form with settings and files."""
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    parts = [part % (b"settings", b"", settings)]
    parts += [part % (name.encode(), b'; filename="a"', data) for name, data in files.items()]
    return b"".join(parts) + b"--x--\r\n"


_HEADERS = {
    "Range": ("bytes=0-", "bytes=5-1", "bytes=x", "bytes=-0", "bytes=" + "0-1," * 500, "lines=1"),
    "Origin": ("null", "http://127.0.0.1", "https://elsewhere.example", "x"),
    "Authorization": ("Bearer", "Bearer x", "Basic x", "Bearer \xff"),
    "Host": ("LOCALHOST", "elsewhere.example", "", "127.0.0.1:99999", "[::1]"),
    "Content-Length": ("-1", "999999999999", "x", "5"),
    "Transfer-Encoding": ("chunked", "identity", "x"),
    "Expect": ("100-continue",),
    "Upgrade": ("websocket", "h2c"),
}


def _body(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.2:
        return b""
    if kind < 0.3:
        return rng.randbytes(rng.randrange(500))
    fields = {rng.choice(_FIELDS): _value(rng, 0) for _ in range(rng.randrange(8))}
    # Nothing that is begun is long: what is looked for is what breaks.
    fields.update({"num_inference_steps": 1, "duration_s": 1.0} if rng.random() < 0.3 else {})
    text = json.dumps(fields)
    if kind < 0.4:
        return _form(text.encode())
    return ("[" * 3000 if kind > 0.97 else text).encode()


def _value(rng: random.Random, depth: int) -> Any:
    if depth < 3 and rng.random() < 0.2:
        return {rng.choice(_FIELDS): _value(rng, depth + 1) for _ in range(3)}
    return rng.choice(_ODD) if rng.random() < 0.7 else rng.choice(("music", 1, 2.0, "D minor"))
