"""API keys: asked for before anything is read, counted, and owners of riffs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from running_server import run_server
from server_tools import wait_until
from sonoriff.cli.serve import _keys
from sonoriff.errors import ParameterError, SonoriffWarning
from sonoriff.server.config import Limits, ServerConfig

QUICK = {"prompt": "", "duration_s": 1.0, "num_inference_steps": 1}


@pytest.fixture(scope="module")
def locked(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with two keys, each of which sees its own riffs."""
    config = ServerConfig(
        model=str(model_folder),
        data_folder=tmp_path_factory.mktemp("locked"),
        keys=("schlüssel", "other"),
        private=True,
        grace_s=0.1,
        limits=Limits(wrong_keys_per_minute=20.0),
    )
    running = run_server(config)
    wait_until(lambda: running.service.riff_pool.model_info)
    yield running
    running.stop()


def bearer(key: str, encoding: str = "utf-8") -> dict[str, Any]:
    return {"Authorization": b"Bearer " + key.encode(encoding)}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_keys_are_bytes(locked: Any, encoding: str) -> None:
    for path in ("/metrics", "/api/v1/riffs"):
        assert locked.get(path, headers=bearer("schlüssel", encoding)).status_code == 200
        assert locked.get(path).status_code == 401


def test_a_key_is_asked_for_before_the_body_is_read(locked: Any) -> None:
    import socket

    address = locked.url.removeprefix("http://").split(":")
    head = (
        b"POST /api/v1/riffs/remix HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 10000000\r\n\r\n"
    )
    with socket.create_connection((address[0], int(address[1]))) as connection:
        connection.sendall(head)
        connection.settimeout(60)
        assert connection.recv(100).startswith(b"HTTP/1.1 401")


def test_each_key_sees_its_own_riffs(locked: Any) -> None:
    mine, other = bearer("schlüssel"), bearer("other")
    record = locked.post("/api/v1/riffs", json=QUICK, headers=mine).json()
    path = f"/api/v1/riffs/{record['id']}"
    locked.get(f"{path}/events", headers=mine)
    assert locked.get(path, headers=mine).json()["state"] == "done"
    assert [r["id"] for r in locked.get("/api/v1/riffs", headers=mine).json()["riffs"]] == [
        record["id"]
    ]
    assert locked.get("/api/v1/riffs", headers=other).json()["riffs"] == []
    for ask in (f"{path}/riff.png", f"{path}/events", path):
        assert locked.get(ask, headers=other).status_code == 404
    assert locked.post(f"{path}/cancel", headers=other).status_code == 404
    form = {"settings": json.dumps({"prompt": ""}), "riff": record["id"]}
    assert locked.post("/api/v1/riffs/remix", data=form, headers=other).status_code == 404
    assert locked.get(f"{path}/riff.png?key=schl%C3%BCssel").status_code == 200


def test_who_guesses_keys_has_to_wait(locked: Any) -> None:
    """Last of all: the client that guesses is this machine."""
    answers = [locked.get("/metrics", headers=bearer(f"guess {i}")).status_code for i in range(30)]
    assert set(answers) == {401, 429}
    assert answers[-1] == 429
    assert locked.get("/metrics", headers=bearer("other")).status_code == 429
    assert locked.get("/healthz").status_code == 200


def test_a_file_of_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    path.write_bytes(b"\xef\xbb\xbf# of the house\n\n  one \n#two\nschl\xc3\xbcssel\n")
    path.chmod(0o600)
    assert _keys(path) == ("one", "schlüssel")
    path.chmod(0o644)
    with pytest.warns(SonoriffWarning, match="chmod 600"):
        _keys(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ParameterError, match="UTF-8"):
        _keys(path)
    path.write_text("# nothing\n")
    path.chmod(0o600)
    with pytest.raises(ParameterError, match="no API key"):
        _keys(path)
