"""`sonoriff serve`, `stream` and `play` as programs."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from websockets.exceptions import ConnectionClosed

from server_tools import wait_until
from sonoriff.cli.main import main
from sonoriff.server.config import Limits, ServerConfig
from sonoriff.server.store import Store

PROGRAM = str(Path(sys.executable).with_name("sonoriff"))


@pytest.fixture
def logs_as_they_were() -> Iterator[None]:
    """A server in this process logs to the standard error of one test, which ends before others."""
    loggers = [logging.getLogger(name) for name in ("sonoriff", "uvicorn")]
    before = [(log.handlers, log.propagate, log.level) for log in loggers]
    yield
    for log, (handlers, propagate, level) in zip(loggers, before, strict=True):
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)


def test_a_stream_becomes_a_file(model_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "long.flac"
    arguments = ["stream", "a", "--minutes", "0.02", "--steps", "1", "--model", str(model_folder)]
    assert main([*arguments, "-o", str(target)]) == 0
    assert soundfile.info(target).frames == round(1.2 * 44100)


@pytest.mark.usefixtures("logs_as_they_were")
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["stream", "-o", "a.txt"], ".flac"),
        (["stream", "a", "--schedule", "missing.json"], "not both"),
        (["stream", "--schedule", "missing.json"], "missing.json"),
        (["stream", "--bpm", "1000", "-o", "a.flac"], "bpm"),
        (["play"], "--live"),
        (["play", "missing.wav"], "missing.wav"),
        (["serve", "--keys", "missing.txt"], "missing.txt"),
        (["serve", "--seed-images", "missing", "--data", "."], "missing"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert word in said
    assert said.count("\n") == 1


def test_a_server_without_a_model_ends_with_a_line(tmp_path: Path) -> None:
    arguments = [PROGRAM, "serve", "--port", "0", "--data", str(tmp_path), "--model", "missing"]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert "missing" in result.stderr.splitlines()[-1]


def test_a_server_that_is_told_to_stop_hands_back_what_it_has(
    starting: Any, tmp_path: Path
) -> None:
    """The riff under way is finished; one that waits, and the stream, are told to come again."""
    wait_until(lambda: starting.service.riff_pool.model_info)
    asked = []
    for steps, seconds in ((6, 4.0), (50, 120.0)):
        body = {"prompt": "", "num_inference_steps": steps, "duration_s": seconds}
        asked.append(starting.post("/api/v1/riffs", json=body).json()["id"])
    first = starting.service.jobs.find(asked[0])
    wait_until(lambda: first.record["state"] != "queued")
    with starting.socket() as stream:
        stream.send(json.dumps({"type": "hello", "version": 1}))
        assert json.loads(stream.recv())["type"] == "ready"
        starting.server.should_exit = True
        messages = (json.loads(message) for message in stream)
        last = next(message for message in messages if message["type"] != "status")
        assert last == {"type": "end", "reason": "shutdown"}
        with pytest.raises(ConnectionClosed) as caught:
            stream.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
    starting.stop()
    store = Store(tmp_path, ServerConfig(data_folder=tmp_path).database_url, Limits())
    states = {riff.id: (riff.state, riff.error) for riff in store.page([], 10, None)[0]}
    store.close()
    assert states[asked[0]] == ("done", None)
    assert states[asked[1]] == ("cancelled", "the server was stopped: ask again")


@pytest.mark.parametrize("database", ["nonsense", "postgresql+nodriver://someone:secret@host/db"])
def test_a_server_without_a_history_ends_with_a_line(tmp_path: Path, database: str) -> None:
    arguments = [PROGRAM, "serve", "--port", "0", "--data", str(tmp_path), "--database", database]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert "database" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stderr
