"""A server whose disk is really full: a file system of a few megabytes."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import small_disk
from server_tools import WAIT_S, wait_until
from sonoriff.server.config import Limits

QUICK = {"prompt": "", "duration_s": 1.0, "num_inference_steps": 1}
LONGER = {**QUICK, "duration_s": 20.0}
RESERVE_BYTES = Limits().reserve_bytes
Started = tuple[str, Path]


@pytest.fixture
def start(tmp_path: Path, model_folder: Path) -> Iterator[Callable[[int], Started]]:
    """Starts a server that keeps so many bytes free; its address, and its disk."""
    unshared = small_disk.namespace(tmp_path)
    if unshared is None:
        pytest.skip("no file system can be mounted here")
    processes = []

    def started(reserve_bytes: int) -> Started:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        arguments = [tmp_path, 16 + reserve_bytes // 2**20, model_folder, port, reserve_bytes]
        process = subprocess.Popen(
            [*unshared, sys.executable, small_disk.__file__, *map(str, arguments)],
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: process.poll() is not None or _status(url, "/readyz") == 200)
        assert process.poll() is None
        # The riffs' worker starts after that of the streams.
        assert _made(url)["state"] == "done"
        return url, small_disk.seen_by(process, tmp_path)

    yield started
    for process in processes:
        process.terminate()
        process.wait()


def _status(url: str, path: str) -> int:
    try:
        return requests.get(url + path, timeout=WAIT_S).status_code
    except requests.ConnectionError:
        return 0


def _made(url: str, asked: dict[str, Any] = QUICK) -> dict[str, Any]:
    """The last record of a riff that is asked for."""
    answer = requests.post(f"{url}/api/v1/riffs", json=asked, timeout=WAIT_S)
    assert answer.status_code == 202, answer.text
    where = f"{url}{answer.headers['Location']}"
    requests.get(f"{where}/events", timeout=WAIT_S)
    record: dict[str, Any] = requests.get(where, timeout=WAIT_S).json()
    return record


def _fill(disk: Path, left_bytes: int = 0) -> Path:
    """Write until nothing more fits, and take some of it back."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(file.tell() - left_bytes)
    return filler


def _riffs(url: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{url}/api/v1/riffs", timeout=WAIT_S)
    assert answer.status_code == 200
    riffs: list[dict[str, Any]] = answer.json()["riffs"]
    return riffs


def test_a_full_disk_is_said_and_what_makes_room_works(start: Callable[[int], Started]) -> None:
    url, disk = start(RESERVE_BYTES)
    (kept,) = _riffs(url)
    filler = _fill(disk)
    assert _status(url, "/readyz") == 503
    assert _status(url, "/healthz") == 200
    refused = requests.post(f"{url}/api/v1/riffs", json=QUICK, timeout=WAIT_S)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "no_room")
    assert [riff["id"] for riff in _riffs(url)] == [kept["id"]]
    assert _status(url, kept["files"]["png"]) == 200
    assert _status(url, kept["files"]["mp3"]) == 507
    deleted = requests.delete(f"{url}/api/v1/riffs/{kept['id']}", timeout=WAIT_S)
    assert deleted.status_code == 204
    assert list((disk / "riffs").iterdir()) == []
    filler.unlink()
    assert _status(url, "/readyz") == 200
    assert _made(url)["state"] == "done"


def test_a_riff_that_finds_no_room_when_it_is_done_leaves_nothing(
    start: Callable[[int], Started],
) -> None:
    """Nothing is kept free here: the riff is begun, and its sound does not fit."""
    url, disk = start(0)
    (kept,) = _riffs(url)
    before = sorted(path.name for path in (disk / "riffs").iterdir())
    _fill(disk)
    assert _riffs(url) == [kept]  # which takes the reserve beside the database
    filler = _fill(disk, left_bytes=2**16)
    record = _made(url, LONGER)
    assert record["state"] == "failed"
    assert "full" in record["error"]
    assert sorted(path.name for path in (disk / "riffs").iterdir()) == before
    assert {riff["id"] for riff in _riffs(url)} == {kept["id"], record["id"]}
    assert _status(url, kept["files"]["flac"]) == 200
    filler.unlink()
    assert _made(url)["state"] == "done"
