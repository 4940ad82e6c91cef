"""A server with a tiny model, run as users run it, and a player that checks all it is sent."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from listening import needs_page, page_at
from page_tools import LINK
from running_server import Running, run_server
from server_tools import WAIT_S, wait_until
from sonoriff.models.small.model import SmallModel
from sonoriff.server.config import Limits, ServerConfig
from sonoriff.sonogram import HIFI, Sonogram, save_picture

QUICK = {"num_inference_steps": 1}


@pytest.fixture(scope="session")
def model_folder(small_model: SmallModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    folder.mkdir()
    small_model.save_pretrained(folder)
    return folder


@pytest.fixture
def starting(model_folder: Path, tmp_path: Path) -> Iterator[Running]:
    """A server that has just been started."""
    config = ServerConfig(model=str(model_folder), data_folder=tmp_path, grace_s=WAIT_S)
    running = run_server(config)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def server(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    config = ServerConfig(
        model=str(model_folder),
        data_folder=tmp_path_factory.mktemp("data"),
        seed_images=seed_images(tmp_path_factory.mktemp("seeds")),
        grace_s=1.0,
        riff_nice=0,
        limits=Limits(
            requests_per_minute=1e6,
            max_streams=6,
            max_streams_per_client=5,
            max_jobs=3,
            resume_s=120.0,
            hello_s=3.0,
            max_body_bytes=2**21,
        ),
    )
    running = run_server(config)
    wait_until(lambda: running.service.ready)
    yield running
    running.stop()


def seed_images(folder: Path) -> Path:
    """A folder with one seed image."""
    values = np.random.default_rng(0).uniform(-80, -20, (1, 256, 128)).astype(np.float32)
    save_picture(folder / "own.png", Sonogram(values, HIFI))
    return folder


class Player:
    """A client that checks the index of every sample and column it gets."""

    def __init__(self, running: Running, max_queue: int | None = None, **hello: Any) -> None:
        self.socket = running.socket(max_queue=max_queue).__enter__()
        self.windows: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.sound = b""
        self.columns = b""
        self.send(type="hello", version=1, **hello)
        self.ready = self.expect("ready")
        self.first_sample = self.next_sample = self.ready["next_sample"]
        self.next_column: int | None = None

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def expect(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; all before it are taken in."""
        while True:
            message = self.step()
            if message is not None and message["type"] == kind:
                return message

    def step(self) -> dict[str, Any] | None:
        """Take in one message; None for a binary one."""
        data = self.socket.recv(timeout=WAIT_S)
        if isinstance(data, bytes):
            self._take(data)
            return None
        message: dict[str, Any] = json.loads(data)
        self.messages.append(message)
        if message["type"] == "window":
            if self.windows and message["index"] == self.windows[-1]["index"]:
                # The same window again, cut short by a change.
                last = self.windows.pop()
                assert message["first_sample"] == last["first_sample"]
                assert message["end_sample"] < last["end_sample"]
                assert self.next_sample <= message["end_sample"]
            if self.windows:
                assert message["first_sample"] == self.windows[-1]["end_sample"]
                assert message["index"] == self.windows[-1]["index"] + 1
            self.windows.append(message)
        return message

    def _take(self, data: bytes) -> None:
        kind, version, channels, zero, count, index = struct.unpack("<BBBBIQ", data[:16])
        assert (version, zero) == (1, 0)
        if kind == 1:
            assert index == self.next_sample
            assert channels == self.ready["channels"] == 2
            assert len(data) == 16 + 4 * count
            assert 0 < count <= 8192
            assert self.windows[0]["first_sample"] <= index
            # Picture and description come first.
            assert index + count <= self.windows[-1]["end_sample"]
            assert self.next_column is not None
            assert index + count <= self.next_column * 512
            self.next_sample += count
            self.sound += data[16:]
        else:
            assert kind == 2
            assert channels == 1
            assert len(data) == 16 + 256 * count
            assert 0 < count <= 1024
            assert index % 512 == 0
            if self.next_column is not None:
                assert index == self.next_column * 512
            self.next_column = index // 512 + count
            self.columns += data[16:]

    def play(self, until: int) -> None:
        """Ask for sound, and take it in."""
        self.send(type="want", until=until)
        while self.next_sample < until:
            self.step()
        assert self.next_sample == until

    def bye(self) -> None:
        self.send(type="bye")
        assert self.expect("end")["reason"] == "bye"
        self.socket.close()


@pytest.fixture
def player(server: Running) -> Iterator[Callable[..., Player]]:
    """Makes players, and closes them."""
    players = []

    def make(**hello: Any) -> Player:
        hello.setdefault("scene", QUICK) if "resume" not in hello else None
        players.append(Player(server, **hello))
        return players[-1]

    yield make
    for one in players:
        one.socket.close()


@pytest.fixture(scope="session")
def page_is_built() -> None:
    """Fail at once where there is no page or no browser."""
    needs_page()


@pytest.fixture
def page(server: Any) -> Iterator[Page]:
    """The page, stopped, with an ear at its output."""
    with page_at(server.url + LINK, width=1000, height=640) as page:
        yield page
