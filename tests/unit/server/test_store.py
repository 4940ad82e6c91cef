"""The history keeps to its limits, and takes whatever words there are."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from sonoriff.audio import audio_bytes
from sonoriff.errors import ParameterError
from sonoriff.server.config import Limits, ServerConfig
from sonoriff.server.store import RiffRecord, Store
from sonoriff.sonogram import HIFI, Sonogram
from sonoriff.sonogram.picture import png_bytes

Open = Callable[[Limits], Store]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return ServerConfig(data_folder=tmp_path).database_url
    database: str = request.getfixturevalue("postgresql").database()
    return database


@pytest.fixture
def opened(url: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the history of one folder, again and again."""
    stores = []

    def make(limits: Limits) -> Store:
        stores.append(Store(tmp_path, url, limits))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def finished(
    store: Store, prompt: str, sound: bytes = b"123456", picture: bytes = b"1234"
) -> RiffRecord:
    riff = store.add("generate", prompt, {"prompt": prompt, "seed": 2**53 - 1})
    store.finish(riff.id, picture, sound, 1.0)
    return riff


def prompts(store: Store) -> list[str]:
    return [riff.prompt for riff in store.page([], 10, None)[0]]


def files(tmp_path: Path) -> int:
    return len(list((tmp_path / "riffs").iterdir()))


def test_the_oldest_go_where_there_are_too_many(opened: Open, tmp_path: Path) -> None:
    store = opened(Limits(max_riffs=3))
    for i in range(5):
        finished(store, str(i))
    assert prompts(store) == ["4", "3", "2"]
    assert files(tmp_path) == 6


def test_the_oldest_go_where_they_take_too_much_room(opened: Open, tmp_path: Path) -> None:
    store = opened(Limits(max_stored_bytes=25))
    for i in range(4):
        finished(store, str(i))
    assert prompts(store) == ["3", "2"]
    assert files(tmp_path) == 4


def test_sounds_that_were_asked_for_take_room_too(opened: Open, tmp_path: Path) -> None:
    second = np.zeros((1, 44100), np.float32)
    store = opened(Limits(max_stored_bytes=250_000))
    silence = png_bytes(Sonogram(np.full((1, 256, 86), -80.0, np.float32), HIFI))
    riff = finished(store, "old", audio_bytes(second, 44100, ".flac"), silence)
    wav = store.file(riff, "wav")
    fine = store.file(riff, "wav", 48000, "24")
    assert wav is not None
    assert fine is not None
    # As long as the other, at a higher rate with more bits.
    assert fine.stat().st_size > 1.6 * wav.stat().st_size
    assert store.file(riff, "wav", 48000, "24") == fine
    with pytest.raises(ParameterError, match="bits"):
        store.file(riff, "mp3", None, "24")
    assert prompts(store) == ["old"]
    finished(store, "new", b"1" * 50_000)
    assert prompts(store) == ["new"]
    assert files(tmp_path) == 2


def test_what_is_too_old_goes_at_the_start(opened: Open) -> None:
    store = opened(Limits())
    riff = finished(store, "old")
    finished(store, "new")
    then = datetime.datetime(2001, 1, 1)
    with store._engine.begin() as connection:
        connection.execute(update(RiffRecord).where(RiffRecord.id == riff.id).values(created=then))
    assert prompts(opened(Limits())) == ["new", "old"]
    assert prompts(opened(Limits(max_age_days=1.0))) == ["new"]


def test_what_a_server_did_not_finish_has_failed(opened: Open) -> None:
    lost = opened(Limits()).add("generate", "lost", {})
    found = opened(Limits()).find(lost.id)
    assert found is not None
    assert found.state == "failed"


@pytest.mark.parametrize("prompt", ["é😀" * 250, "\\", "'; drop table riffs;--", "100 % _"])
def test_words_are_found_as_they_are(opened: Open, prompt: str) -> None:
    store = opened(Limits())
    finished(store, prompt)
    finished(store, "other")
    assert [riff.prompt for riff in store.page([prompt], 10, None)[0]] == [prompt]


def test_a_page_may_begin_anywhere(opened: Open) -> None:
    store = opened(Limits())
    finished(store, "a")
    assert len(store.page([], 10, "9" * 18)[0]) == 1
    assert store.page([], 10, "0")[0] == []
    for wrong in ("-1", "²", "9" * 19):
        with pytest.raises(ParameterError):
            store.page([], 10, wrong)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "nonsense://",
        "sqlite:////nowhere/riffs.sqlite",
        "oracle+nodriver://u:geheim@h/d",
    ],
)
def test_a_database_that_cannot_be_opened_is_one_line(tmp_path: Path, url: str) -> None:
    with pytest.raises(ParameterError, match="database") as caught:
        Store(tmp_path, url, Limits())
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)
