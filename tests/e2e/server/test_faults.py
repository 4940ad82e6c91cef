"""Disks that are full, databases that are gone or locked, processes that are killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import sonoriff.server.store
from running_server import run_server
from server_tools import wait_until
from sonoriff.server.config import Limits, ServerConfig
from sonoriff.server.folder_lock import FolderLock
from sonoriff.server.store import NoRoomError, Store

QUICK = {"prompt": "", "duration_s": 1.0, "num_inference_steps": 1}
LONG = {"prompt": "", "duration_s": 120.0, "num_inference_steps": 50}
PROGRAM = str(Path(sys.executable).with_name("sonoriff"))


@pytest.fixture
def run(model_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts servers of one folder, and stops those that still run."""
    started = []

    def start(folder: Path = tmp_path, **options: Any) -> Any:
        options.setdefault("grace_s", 0.1)
        running = run_server(ServerConfig(model=str(model_folder), data_folder=folder, **options))
        started.append(running)
        wait_until(lambda: running.service.riff_pool.model_info or running.server.fatal)
        return running

    yield start
    for running in started:
        if running.thread.is_alive():
            running.stop()


def ended(server: Any, answer: Any) -> dict[str, Any]:
    """The last record of a riff."""
    assert answer.status_code == 202, answer.text
    path = f"/api/v1/riffs/{answer.json()['id']}"
    server.get(f"{path}/events")
    record: dict[str, Any] = server.get(path).json()
    return record


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_no_riff_is_begun_where_there_is_no_room(run: Any, tmp_path: Path) -> None:
    """More is to stay free than any disk has."""
    server = run(limits=Limits(reserve_bytes=2**62))
    answer = server.post("/api/v1/riffs", json=QUICK)
    assert answer.status_code == 507
    assert answer.json()["error"]["code"] == "no_room"
    ready = server.get("/readyz")
    assert ready.status_code == 503
    assert "disk" in ready.json()["error"]["message"]
    assert server.get("/api/v1/riffs").json()["riffs"] == []
    assert names(tmp_path / "riffs") == []


def test_what_cannot_be_kept_leaves_nothing(run: Any, tmp_path: Path) -> None:
    """The picture can be written, the sound cannot: something stands in its place."""
    server = run()
    riffs = tmp_path / "riffs"
    before = server.service.store.files.path

    def path(name: str) -> Path:
        place: Path = before(name)
        if name.endswith(".flac"):
            place.mkdir(exist_ok=True)
        return place

    server.service.store.files.path = path
    record = ended(server, server.post("/api/v1/riffs", json=QUICK))
    assert record["state"] == "failed"
    assert [name for name in names(riffs) if not (riffs / name).is_dir()] == []
    # The folder that stands there cannot be removed as a file: nobody else is the worse for it.
    server.service.store.files.path = before
    assert ended(server, server.post("/api/v1/riffs", json=QUICK))["state"] == "done"
    assert server.delete(f"/api/v1/riffs/{record['id']}") == 204


def test_a_database_that_is_locked_is_waited_for(run: Any, tmp_path: Path) -> None:
    server = run()
    store = server.service.store
    finish, locked, begun = store.finish, threading.Event(), []

    def while_locked(*given: Any) -> None:
        if not begun:
            begun.append(sqlite3.connect(tmp_path / "riffs.sqlite", check_same_thread=False))
            begun[0].execute("BEGIN EXCLUSIVE")
            locked.set()
        finish(*given)

    store.finish = while_locked
    asked = server.post("/api/v1/riffs", json=QUICK)
    assert locked.wait(60)
    busy = server.post("/api/v1/riffs", json=QUICK)
    assert busy.status_code == 503
    assert int(busy.headers["retry-after"]) > 0
    begun[0].rollback()
    begun[0].close()
    record = ended(server, asked)
    assert (record["state"], record["error"]) == ("done", None)
    assert server.get(record["files"]["png"]).status_code == 200


def test_a_database_that_is_deleted_is_begun_anew(run: Any, tmp_path: Path) -> None:
    server = run()
    assert ended(server, server.post("/api/v1/riffs", json=QUICK))["state"] == "done"
    for path in tmp_path.glob("riffs.sqlite*"):
        path.unlink()
    assert server.get("/api/v1/riffs").json()["riffs"] == []
    assert server.get("/readyz").status_code == 200
    assert ended(server, server.post("/api/v1/riffs", json=QUICK))["state"] == "done"


def test_a_folder_that_is_gone_is_made_again_and_no_path_is_told(run: Any, tmp_path: Path) -> None:
    server = run()
    first = ended(server, server.post("/api/v1/riffs", json=QUICK))
    second = ended(server, server.post("/api/v1/riffs", json=QUICK))
    (tmp_path / "riffs" / f"{second['id']}.flac").write_bytes(b"fLaC damaged")
    damaged = server.get(second["files"]["mp3"])
    assert damaged.status_code == 404
    assert second["id"] in damaged.json()["error"]["message"]
    link = tmp_path / "riffs" / f"{first['id']}.wav"
    link.symlink_to("/etc/hostname")
    linked = server.get(first["files"]["wav"])
    assert b"RIFF" in linked.content
    for path in (tmp_path / "riffs").iterdir():
        path.unlink()
    (tmp_path / "riffs").rmdir()
    gone = [server.get(first["files"][kind]) for kind in ("png", "flac", "mp3")]
    assert [answer.status_code for answer in gone] == [404] * 3
    assert all(str(tmp_path) not in answer.text for answer in (damaged, linked, *gone))
    assert ended(server, server.post("/api/v1/riffs", json=QUICK))["state"] == "done"


def test_what_is_deleted_while_its_sound_is_made_is_gone(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = run()
    record = ended(server, server.post("/api/v1/riffs", json=QUICK))
    write = sonoriff.server.store.save_sound

    def deleted_meanwhile(*given: Any, **options: Any) -> None:
        assert server.delete(f"/api/v1/riffs/{record['id']}") == 204
        write(*given, **options)

    monkeypatch.setattr(sonoriff.server.store, "save_sound", deleted_meanwhile)
    assert server.get(record["files"]["mp3"]).status_code == 404
    assert names(tmp_path / "riffs") == []


def test_a_start_removes_what_a_killed_server_has_left(run: Any, tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    url = ServerConfig(data_folder=tmp_path).database_url
    store = Store(tmp_path, url, Limits(), lock.server)
    lock.release()
    kept, lost = store.add("generate", "kept", {}), store.add("generate", "lost", {})
    store.finish(kept.id, b"png", b"flac", 1.0)
    store.close()
    (tmp_path / "riffs" / f"{lost.id}.png").write_bytes(b"png")
    (tmp_path / "riffs" / ".0123456789ab.tmp.flac").write_bytes(b"half")
    (tmp_path / "work" / "0" / "sonoriff-x").mkdir(parents=True)
    (tmp_path / "work" / "0" / "sonoriff-x" / "source.sound").write_bytes(b"secret")
    server = run()
    assert names(tmp_path / "riffs") == [f"{kept.id}.flac", f"{kept.id}.png"]
    assert not list((tmp_path / "work").rglob("source*"))
    assert server.get(f"/api/v1/riffs/{lost.id}").json()["state"] == "failed"


def test_a_worker_that_is_killed_leaves_no_upload(run: Any, tmp_path: Path) -> None:
    server = run()
    (pid,) = server.service.riff_pool.process_ids
    (folder,) = set((tmp_path / "work").iterdir()) - {
        process._folder for process in server.service.stream_pool._processes
    }
    (folder / "source.sound").write_bytes(b"secret")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not folder.exists())


def test_a_second_server_of_one_folder_ends_with_a_line(
    run: Any, model_folder: Path, tmp_path: Path
) -> None:
    server = run()
    asked = server.post("/api/v1/riffs", json=LONG).json()
    arguments = [PROGRAM, "serve", "--port", "0", "--data", str(tmp_path)]
    second = subprocess.run(
        [*arguments, "--model", str(model_folder)], capture_output=True, text=True, timeout=120
    )
    assert second.returncode == 1
    assert "another server" in second.stderr.splitlines()[-1]
    record = server.get(f"/api/v1/riffs/{asked['id']}").json()
    assert record["state"] in ("queued", "running")
    server.post(f"/api/v1/riffs/{asked['id']}/cancel")


def test_servers_of_one_database_leave_each_other_s_riffs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    one = Store(tmp_path / "one", url, Limits(), "one")
    riff = one.add("generate", "", {})
    two = Store(tmp_path / "two", url, Limits(), "two")
    one.renew()
    two.end_lost()
    found = two.find(riff.id)
    assert found is not None
    assert found.state == "queued"
    # The same server again has lost what it made.
    again = Store(tmp_path / "one", url, Limits(), "one")
    lost = again.find(riff.id)
    assert lost is not None
    assert lost.state == "failed"
    for store in (one, two, again):
        store.close()


@pytest.mark.parametrize("content", ["table", "text"])
def test_a_database_of_another_kind_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "riffs.sqlite"
    if content == "table":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE riffs (number INTEGER PRIMARY KEY, other TEXT)")
        connection.close()
    else:
        path.write_text("no database at all, but long enough for one" * 100)
    arguments = [PROGRAM, "serve", "--port", "0", "--data", str(tmp_path)]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert "database" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_a_clean_stop_is_no_failure_and_its_log_is_json_throughout(
    model_folder: Path, tmp_path: Path
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [PROGRAM, "serve", "--port", str(port), "--data", str(tmp_path)]
    process = subprocess.Popen(
        [*arguments, "--model", str(model_folder)], stderr=subprocess.PIPE, text=True
    )
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return requests.get(f"{url}/readyz", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    wait_until(ready)
    # A file of a kind whose reader may write to standard error itself.
    form = {"settings": json.dumps({"prompt": "", "num_inference_steps": 1})}
    broken = b"ID3\x04\0\0\0\0\0\0" + b"\xff\xfb\x90\0" * 50
    requests.post(f"{url}/api/v1/riffs/remix", data=form, files={"source": broken}, timeout=60)
    body = {
        "start": {"prompt": "a", "seed": 1},
        "end": {"prompt": "b", "seed": 2},
        "alpha": 0,
    }
    answers: list[int] = []

    def ask() -> None:
        with contextlib.suppress(requests.ConnectionError):  # it came too late to be heard
            answer = requests.post(f"{url}/run_inference/", json=body, timeout=120)
            answers.append(answer.status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(0.5)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    asking.join()
    assert process.returncode == 0
    assert set(answers) <= {200, 503}, said
    for line in said.splitlines():
        assert isinstance(json.loads(line), dict), line


def test_a_stop_before_the_riff_worker_has_loaded_is_said(starting: Any) -> None:
    """As on a busy machine: the streams' worker has loaded, that of the riffs has not."""
    starting.service.riff_pool.start = lambda: None
    wait_until(lambda: starting.service.ready)
    body = {"start": {"prompt": "", "seed": 1}, "end": {"prompt": "", "seed": 2}, "alpha": 0}
    answers: list[requests.Response] = []
    asking = [
        threading.Thread(target=lambda: answers.append(starting.post("/run_inference/", json=body)))
        for _ in range(2)
    ]
    for thread in asking:
        thread.start()
    wait_until(lambda: starting.service.riff_pool.waiting == 2)
    starting.stop()
    for thread in asking:
        thread.join()
    assert [answer.status_code for answer in answers] == [503, 503]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)


def test_a_part_of_a_stream_that_cannot_be_kept_does_not_wait_for_ever(
    server: Any, player: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = player(scene={"num_inference_steps": 1, "prompts": [{"text": "not kept"}]})
    one.play(2 * 44_100)

    def full(*_given: Any) -> None:
        raise NoRoomError("the disk is full")

    monkeypatch.setattr(server.service.store, "finish", full)
    where = f"/api/v1/streams/{one.ready['session']}/riffs"
    answer = server.post(where, json={"first_sample": 0, "end_sample": 44_100})
    assert answer.status_code == 507
    assert server.get("/api/v1/riffs?query=not+kept").json()["riffs"] == []
