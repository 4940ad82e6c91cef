"""Files that are not what they say, or too much."""

from __future__ import annotations

import io
import json
import random
import struct
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator

import numpy as np
import soundfile

from benchmarks.attack.tally import Tally
from benchmarks.attack.target import Target

_WAIT_S = 60.0


def attack(server: Target, rng: random.Random, requests: int, tally: Tally) -> None:
    """Every kind of file, as a source; none may hold the worker for long."""
    for name, data in files(rng, max(1, requests // 5000)):
        began = time.monotonic()
        state = _ended(server, data)
        took = time.monotonic() - began
        bad = f"{name} took {took:.0f} s" if took > _WAIT_S else None
        if state not in ("done", "failed", "refused"):
            bad = f"{name}: {state}"
        tally.note(state, wrong=bad)


def _ended(server: Target, data: bytes) -> str:
    """How a remix of a file ends."""
    settings = json.dumps({"prompt": "x", "num_inference_steps": 1})
    body = b"".join(
        [
            b'--xyz\r\nContent-Disposition: form-data; name="settings"\r\n\r\n',
            settings.encode(),
            b'\r\n--xyz\r\nContent-Disposition: form-data; name="source"; filename="a.wav"\r\n\r\n',
            data + b"\r\n--xyz--\r\n",
        ]
    )
    root = f"http://127.0.0.1:{server.port}/api/v1/riffs"
    headers = {"Content-Type": "multipart/form-data; boundary=xyz"}
    try:
        ask = urllib.request.Request(f"{root}/remix", body, headers)
        with urllib.request.urlopen(ask, timeout=_WAIT_S) as answer:
            riff = json.load(answer)["id"]
    except urllib.error.HTTPError as error:
        return "refused" if error.code in (413, 422, 429, 503) else f"status {error.code}"
    end = time.monotonic() + _WAIT_S + 5.0
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{root}/{riff}", timeout=_WAIT_S) as answer:
            record = json.load(answer)
        if record["state"] not in ("queued", "running"):
            if "/" in (record["error"] or "").replace("PNG/JPEG", "").replace("and/or", ""):
                return f"a path in {record['error']!r}"
            return str(record["state"])
        time.sleep(0.2)
    urllib.request.urlopen(
        urllib.request.Request(f"{root}/{riff}/cancel", b""), timeout=_WAIT_S
    ).close()
    return "without end"


def files(rng: random.Random, n_torn: int) -> Iterator[tuple[str, bytes]]:
    """Names and files."""
    whole = {
        kind: _sound(kind, 1, 44_100, 1.0) for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF", "CAF")
    }
    for kind, data in whole.items():
        for i in range(n_torn):
            torn = bytearray(data[: rng.randrange(1, len(data))] if i % 2 else data)
            for _ in range(rng.randrange(1, 20)):
                torn[rng.randrange(len(torn))] = rng.randrange(256)
            yield f"torn {kind}", bytes(torn)
    for channels, rate in ((1000, 100), (64, 8000), (8, 48_000), (2, 192_000), (1, 1)):
        yield f"{channels} channels at {rate} Hz", _sound("WAV", channels, rate, 1.0)
    for bits in (0, 1, 7, 48, 128, 65535):
        head = struct.pack(
            "<4sI4s4sIHHIIHH", b"RIFF", 100, b"WAVE", b"fmt ", 16, 1, 1, 44100, 88200, 2, bits
        )
        yield f"WAV of {bits} bits", head + b"data" + struct.pack("<I", 64) + bytes(64)
    yield "a list of files", b"ffconcat version 1.0\nfile /etc/hostname\nfile source.sound\n"
    yield "a playlist", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n"
    for facts in _hostile_facts():
        yield "a dear picture", _png(20_000, 1, facts)
    yield "a huge picture", _png(60_000, 60_000, None, rows=1)
    yield "nothing", b"\0" * 1000


def _hostile_facts() -> Iterator[object]:
    base = {
        **{"name": "x", "sample_rate": 4000, "hop_length": 1, "win_length": 131_072},
        **{"n_fft": 262_144, "n_mels": 1, "f_min": 0.0, "f_max": 2000.0, "mel_scale": "htk"},
        **{"scale": "log", "power_for_image": 0.25, "db_min": -80.0, "db_max": 12.0, "version": 1},
    }
    for change in ({}, {"hop_length": 512}, {"win_length": 2}, {"hop_length": 65_536}):
        params = {**base, **change}
        yield {"version": 1, "channels": 1, "max_value": 1.0, "params": params, "metadata": {}}
    yield []
    yield {"version": 1, "channels": 1, "max_value": 1e999, "params": [], "metadata": None}


def _sound(kind: str, channels: int, rate: int, seconds: float) -> bytes:
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, (max(1, round(rate * seconds)), channels))
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind)
    return file.getvalue()


def _png(width: int, height: int, facts: object, rows: int | None = None) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    text = b"sonoriff\0\0\0\0\0" + json.dumps(facts).encode()
    pixels = zlib.compress((b"\0" + bytes(width)) * (rows or height))
    on_progress = [] if facts is None else [chunk(b"iTXt", text)]
    parts = [chunk(b"IHDR", head), *on_progress, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
