"""Files of riffs in a real S3 and in a shared folder: whole, the same for all servers, or an error.

What a store does not take is never noted as done.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

import sonoriff.server.remote_files as remote_files
from s3_server import S3Server
from sonoriff.audio import audio_bytes
from sonoriff.errors import ParameterError
from sonoriff.server.config import Limits
from sonoriff.server.leases import Work
from sonoriff.server.remote_files import RemoteFiles
from sonoriff.server.riff_files import NoRoomError, RefusedError, StoreError
from sonoriff.server.store import RiffRecord, Store
from sonoriff.sonogram import HIFI, Sonogram
from sonoriff.sonogram.picture import png_bytes

Open = Callable[..., Store]
WORK = Work({}, [], "")


@pytest.fixture
def s3_url(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A prefix in a bucket, with its credentials in the environment."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    # Not as patient as with a store elsewhere.
    monkeypatch.setattr(remote_files, "_ATTEMPT_S", 0.5)
    monkeypatch.setattr(remote_files, "_REQUEST_S", 1.0)
    bucket = "b" + "".join(c for c in tmp_path.name.lower() if c.isalnum())[-40:]
    yield s3.make_bucket(bucket) + "/some/prefix"
    s3.fail("none")


@pytest.fixture(params=["s3", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of each kind."""
    if request.param == "file":
        return (tmp_path / "shared").as_uri()
    found: str = request.getfixturevalue("s3_url")
    return found


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Servers of one database and one store of files."""
    stores = []

    def make(url: str, server: str = "one", limits: Limits | None = None) -> Store:
        database = f"sqlite:///{tmp_path / 'shared.sqlite'}"
        folder = tmp_path / server
        more = {"shared": True, "files_url": url}
        stores.append(Store(folder, database, limits or Limits(), server, **more))  # type: ignore[arg-type]
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def keys(store: Store) -> list[str]:
    assert isinstance(store.files, RemoteFiles)
    return sorted(file["path"] for file in store.files._listed(None))


def finished(store: Store, sound: bytes = b"flac", picture: bytes = b"png") -> RiffRecord:
    riff = store.add("generate", "", {}, "", WORK)
    assert store.finish(riff.id, picture, sound, 1.0)
    found = store.find(riff.id)
    assert found is not None
    return found


def test_every_server_has_the_files(opened: Open, url: str) -> None:
    one, two = opened(url, "one"), opened(url, "two")
    sound = audio_bytes(np.zeros((1, 44100), np.float32), 44100, ".flac")
    picture = png_bytes(Sonogram(np.full((1, 256, 86), -80.0, np.float32), HIFI))
    riff = finished(one, sound, picture)
    for store in (two, one):
        path = store.file(riff, "flac")
        assert path is not None
        assert path.read_bytes() == sound
    wav = two.file(riff, "wav", 48000, "24")
    assert wav is not None
    assert f"{riff.id}/{riff.id}.48000-24.wav" in keys(one)
    same = one.file(riff, "wav", 48000, "24")
    assert same is not None
    assert same.read_bytes() == wav.read_bytes()
    assert two.file(riff, "mp3") is not None
    one.check()
    two.delete(riff.id)
    assert keys(one) == ["sonoriff"]
    assert two.file(riff, "png") is None


def test_what_is_damaged_or_gone_is_said(opened: Open, url: str) -> None:
    store = opened(url)
    riff = finished(store)
    assert isinstance(store.files, RemoteFiles)
    store.files._delete([f"{riff.id}/{riff.id}.flac"])
    assert store.file(riff, "flac") is None
    assert store.file(riff, "wav") is None


def test_a_late_attempt_removes_its_own_files_alone(opened: Open, url: str) -> None:
    one, two = opened(url, "one"), opened(url, "two")
    riff = one.add("generate", "", {}, "", WORK)
    assert one.hand_back(riff.id, 1)
    taken = two.take()
    assert taken is not None
    assert two.finish(riff.id, b"png", b"flac", 1.0, None, taken.attempt)
    assert not one.finish(riff.id, b"late", b"late", 1.0)
    names = [f"{riff.id}/{riff.id}.2.{kind}" for kind in ("flac", "png")]
    assert keys(one) == [*names, "sonoriff"]


def test_what_killed_servers_left_is_removed_after_an_hour(
    opened: Open, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened(url, "one")
    riff, under_way = finished(one), one.add("generate", "", {}, "", WORK)
    for name in (f"{riff.id}.2.png", f"{under_way.id}.png", "unknown.png"):
        one.files.write(name, b"left")
    before = keys(one)
    opened(url, "two")
    assert keys(one) == before
    monkeypatch.setattr(remote_files, "_LEFT_S", -60.0)
    opened(url, "three")
    names = [f"{riff.id}/{riff.id}.{kind}" for kind in ("flac", "png")]
    assert keys(one) == sorted([*names, "sonoriff", "unknown/unknown.png"])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("denied", RefusedError),
        ("full", NoRoomError),
        ("slow", StoreError),
        ("broken", StoreError),
    ],
)
def test_what_cannot_be_stored_is_not_done(
    opened: Open, s3_url: str, s3: S3Server, fault: str, error: type[Exception]
) -> None:
    store = opened(s3_url)
    riff = store.add("generate", "", {}, "", WORK)
    s3.fail(fault)
    with pytest.raises(error) as caught:
        store.finish(riff.id, b"png", b"flac", 1.0)
    assert "\n" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    found = store.find(riff.id)
    assert found is not None
    assert found.state == "queued"
    if fault != "full":
        with pytest.raises(error):
            store.check()
    with pytest.raises(ParameterError, match="nothing can be stored") as refused:
        opened(s3_url, "two")
    assert "\n" not in str(refused.value)
    s3.fail("none")
    assert keys(store) == ["sonoriff"]
    assert store.finish(riff.id, b"png", b"flac", 1.0)
    path = store.file(riff, "png")
    assert path is not None
    assert path.read_bytes() == b"png"


def test_a_store_that_goes_after_the_picture_leaves_nothing_done(
    opened: Open, s3_url: str, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(s3_url)
    riff = store.add("generate", "", {}, "", WORK)
    write = store.files.write

    def full_before_the_sound(name: str, data: bytes) -> None:
        if name.endswith(".flac"):
            s3.fail("full")
        write(name, data)

    monkeypatch.setattr(store.files, "write", full_before_the_sound)
    with pytest.raises(NoRoomError):
        store.finish(riff.id, b"png", b"flac", 1.0)
    s3.fail("none")
    assert keys(store) == ["sonoriff"]
    found = store.find(riff.id)
    assert found is not None
    assert found.state == "queued"


def test_a_link_needs_no_key(opened: Open, s3_url: str, tmp_path: Path) -> None:
    store = opened(s3_url)
    riff = finished(store)
    link = store.link(riff, "png")
    assert link is not None
    answer = requests.get(link, timeout=60)
    assert (answer.content, answer.headers["content-type"]) == (b"png", "image/png")
    folder = opened((tmp_path / "files").as_uri(), "folder")
    assert folder.link(riff, "png") is None


def test_what_was_fetched_does_not_grow_for_ever(opened: Open, s3_url: str) -> None:
    store = opened(s3_url, limits=Limits(max_fetched_bytes=25))
    files = store.files
    assert isinstance(files, RemoteFiles)
    for i in range(4):
        files.write(f"riff{i}.png", bytes(10))
        assert files.find(f"riff{i}.png") is not None
    fetched = files.path("")
    assert len(list(fetched.iterdir())) == 4  # somebody may be reading them
    long_ago = (timedelta(days=1) / timedelta(seconds=1),) * 2
    for i in (1, 2):
        os.utime(fetched / f"riff{i}.png", long_ago)
    files.write("riff4.png", bytes(10))
    assert files.find("riff4.png") is not None
    assert sorted(path.name for path in fetched.iterdir()) == [f"riff{i}.png" for i in (0, 3, 4)]


@pytest.mark.parametrize("url", ["ftp://a/b", "nonsense", "s3://", "http://h/d", "file://"])
def test_a_place_that_is_none_is_one_line(opened: Open, url: str) -> None:
    with pytest.raises(ParameterError) as caught:
        opened(url)
    assert "\n" not in str(caught.value)


def test_a_bucket_that_is_missing_is_said(opened: Open, s3_url: str) -> None:
    with pytest.raises(ParameterError, match="no such bucket"):
        opened(s3_url.replace("s3://b", "s3://another-b"))


def test_a_package_that_is_missing_is_named(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    given = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.split(".")[0] == "obstore":
            raise ModuleNotFoundError("No module named 'obstore'")
        return given(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ParameterError, match=r"pip install 'sonoriff\[cluster\]'"):
        opened("s3://bucket")
