"""Riffs of servers that have gone: taken by one other, made once, or failed with a reason."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import sonoriff.server.store
from sonoriff.server.config import Limits
from sonoriff.server.leases import MAX_ATTEMPTS, MAX_LOST, STOPPED, Work
from sonoriff.server.records import Claim, RiffRecord
from sonoriff.server.store import Store

Open = Callable[..., Store]
WORK = Work({"has_source": True, "has_mask": True}, [b"source\0", b"mask"], "10.0.0.1")
LONG_AGO = datetime.datetime(2001, 1, 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Servers of one database, each with a folder of its own."""
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").database()
    stores = []

    def make(server: str, *, shared: bool = True) -> Store:
        stores.append(Store(tmp_path / server, url, Limits(), server, shared=shared))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def run_out(store: Store, **values: Any) -> None:
    """Let every lease run out."""
    with store._engine.begin() as connection:
        connection.execute(update(Claim).values(until=LONG_AGO, **values))


def state(store: Store, riff: RiffRecord) -> tuple[str, str | None]:
    found = store.find(riff.id)
    assert found is not None
    return found.state, found.error


def names(store: Store) -> list[str]:
    return sorted(path.name for path in store.files.path("").iterdir())


def test_a_riff_is_taken_when_its_lease_has_run_out(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    riff = one.add("inpaint", "words", {"seed": 7}, "somebody", WORK)
    assert two.take() is None
    run_out(one)
    assert one.take() is None  # it is its own
    taken = two.take()
    assert taken is not None
    assert (taken.riff.id, taken.riff.settings, taken.attempt) == (riff.id, {"seed": 7}, 2)
    assert taken.work == WORK
    assert two.take() is None
    assert two.find(riff.id, "somebody") is not None
    assert two.renew() == {riff.id: 2}
    assert one.renew() == {}


def test_who_has_lost_the_lease_writes_nothing(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    riff = one.add("generate", "", {}, "", WORK)
    run_out(one)
    taken = two.take()
    assert taken is not None
    assert not one.set_state(riff.id, "failed", "late")
    assert not one.finish(riff.id, b"late", b"late", 9.0)
    assert not one.hand_back(riff.id, 1)
    assert names(one) == []
    assert state(one, riff) == ("queued", None)
    assert two.finish(riff.id, b"png", b"flac", 1.0, None, taken.attempt)
    assert state(one, riff) == ("done", None)
    found = two.find(riff.id)
    assert found is not None
    assert found.file_stem == f"{riff.id}.2"
    path = two.file(found, "flac")
    assert path is not None
    assert path.read_bytes() == b"flac"
    assert not one.finish(riff.id, b"later", b"later", 9.0)
    two.delete(riff.id)
    assert names(two) == []


def test_a_commit_whose_answer_was_lost_is_not_undone(opened: Open) -> None:
    """The server asks again, as after a connection that broke; the files stay."""
    one = opened("one")
    riff = one.add("generate", "", {}, "", WORK)
    assert one.finish(riff.id, b"png", b"flac", 1.0)
    assert one.finish(riff.id, b"png", b"flac", 1.0)
    assert names(one) == [f"{riff.id}.flac", f"{riff.id}.png"]


def test_a_lease_that_nobody_took_still_holds(opened: Open) -> None:
    one = opened("one")
    riff = one.add("generate", "", {}, "", WORK)
    run_out(one)
    assert one.finish(riff.id, b"png", b"flac", 1.0)
    assert state(one, riff) == ("done", None)


def test_what_is_handed_back_is_taken_at_once_and_not_counted_as_lost(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    riff = one.add("generate", "", {}, "", WORK)
    one.begin(riff.id, 1)
    assert state(two, riff)[0] == "running"
    servers = [one, two]
    for attempt in range(1, MAX_LOST + 3):
        assert servers[0].hand_back(riff.id, attempt)
        assert state(two, riff)[0] == "queued"
        servers.reverse()
        taken = servers[0].take()
        assert taken is not None
        assert taken.attempt == attempt + 1
        servers[0].begin(riff.id, taken.attempt)


def test_a_server_that_starts_gives_up_what_it_had(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    riff = one.add("generate", "", {}, "", WORK)
    others = two.add("generate", "", {}, "", WORK)
    again = opened("one")
    assert not one.finish(riff.id, b"late", b"late", 1.0)
    taken = again.take()
    assert taken is not None
    assert taken.riff.id == riff.id
    assert again.take() is None
    assert two.finish(others.id, b"png", b"flac", 1.0)


@pytest.mark.parametrize("began", [True, False])
def test_a_riff_that_is_lost_again_and_again_fails_with_a_reason(opened: Open, began: bool) -> None:
    stores = [opened(str(number)) for number in range(2)]
    riff = stores[0].add("generate", "", {}, "", WORK)
    attempt = 1
    while True:
        if began:
            stores[0].begin(riff.id, attempt)
        run_out(stores[0])
        stores.reverse()
        taken = stores[0].take()
        if taken is None:
            break
        attempt = taken.attempt
    assert attempt == (MAX_LOST if began else MAX_ATTEMPTS)
    ended, error = state(stores[0], riff)
    assert ended == "failed"
    assert error is not None
    assert "servers stopped" in error


def test_one_of_many_servers_takes_each_riff(opened: Open) -> None:
    gone = opened("gone")
    riffs = {gone.add("generate", "", {}, "", WORK).id for _ in range(8)}
    run_out(gone)
    stores, taken = [opened(str(number)) for number in range(4)], list[str]()

    def take(store: Store) -> None:
        # Two may reach for the same one: then one of them gets it, and the other asks again.
        for _ in range(40):
            if (found := store.take()) is not None:
                taken.append(found.riff.id)

    threads = [threading.Thread(target=take, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(riffs)


def test_a_riff_is_cancelled_at_another_server(opened: Open) -> None:
    one, two = opened("one"), opened("two")
    riff = one.add("generate", "", {}, "", WORK)
    cancelled = two.cancel(riff.id)
    assert cancelled is not None
    assert cancelled.state == "cancelled"
    assert one.renew() == {}
    assert not one.finish(riff.id, b"late", b"late", 1.0)
    assert names(one) == []
    assert state(one, riff) == ("cancelled", None)
    done = one.add("generate", "", {}, "", WORK)
    one.finish(done.id, b"png", b"flac", 1.0)
    kept = two.cancel(done.id)
    assert kept is not None
    assert kept.state == "done"
    assert two.cancel("nothing") is None


def test_a_riff_that_none_can_take_fails_when_its_server_has_gone(opened: Open) -> None:
    one, two = opened("one", shared=False), opened("two")
    riff = one.add("generate", "", {}, "", WORK)
    assert not one.hand_back(riff.id, 1)
    two.end_lost()
    assert state(two, riff) == ("queued", None)
    run_out(one)
    one.end_lost()  # it is alive: a machine that slept has lost nothing
    assert state(two, riff) == ("queued", None)
    assert two.take() is None
    two.end_lost()
    assert state(two, riff) == ("failed", STOPPED)


def test_clocks_of_servers_do_no_harm(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is an hour ahead: its riffs are not kept longer, and it takes none too soon."""
    one, two = opened("one"), opened("two")
    before = sonoriff.server.store._now
    ahead = datetime.timedelta(hours=1)
    monkeypatch.setattr(sonoriff.server.store, "_now", lambda: before() + ahead)
    riff = one.add("generate", "", {}, "", WORK)
    one.renew()
    with one._engine.connect() as connection:
        until = connection.scalar(RiffRecord.__table__.select().with_only_columns(Claim.until))
    assert until is not None
    assert abs((until - before()).total_seconds() - Limits().lease_s) < Limits().lease_s / 2
    assert two.take() is None
    assert riff.created > before() + ahead / 2
