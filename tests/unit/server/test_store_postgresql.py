"""The history in PostgreSQL: what happens while it is locked, gone, or not installed."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text

from postgresql_server import PostgresqlServer, find_programs, running_postgresql
from sonoriff.errors import ParameterError
from sonoriff.server.config import Limits
from sonoriff.server.store import Store, StoreError


@pytest.fixture
def store(postgresql: PostgresqlServer, tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path, postgresql.database(), Limits())
    yield store
    store.close()


def test_a_table_that_others_hold_is_not_waited_for_long(store: Store) -> None:
    riff = store.add("generate", "held", {})
    with store._engine.connect() as other:
        other.execute(text("LOCK TABLE riffs IN ACCESS EXCLUSIVE MODE"))
        for call in (store.check, lambda: store.find(riff.id), lambda: store.delete(riff.id)):
            with pytest.raises(StoreError):
                call()
        other.rollback()
    found = store.find(riff.id)
    assert found is not None


def test_a_server_that_goes_and_comes_back(tmp_path: Path) -> None:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgresql(programs) as server:
        store = Store(tmp_path, server.database(), Limits())
        riff = store.add("generate", "kept", {})
        server.stop()
        for call in (store.check, lambda: store.find(riff.id), lambda: store.add("x", "", {})):
            with pytest.raises(StoreError):
                call()
        with pytest.raises(ParameterError, match="database of the history") as caught:
            Store(tmp_path, store._engine.url.render_as_string(False), Limits())
        assert "\n" not in str(caught.value)
        server.start()
        assert [one.prompt for one in store.page([], 10, None)[0]] == ["kept"]
        store.close()


def test_many_threads_at_once(store: Store) -> None:
    """More than the pool has connections for; none is lost, and each has its own number."""

    def add() -> None:
        for _ in range(5):
            riff = store.add("generate", "one of many", {})
            store.finish(riff.id, b"png", b"flac", 1.0)

    threads = [threading.Thread(target=add) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    riffs, _ = store.page([], 100, None)
    assert len({riff.number for riff in riffs}) == 100
    assert {riff.state for riff in riffs} == {"done"}


def test_settings_in_the_url_are_kept(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    url = make_url(postgresql.database())
    with psycopg.connect(host=url.query["host"], user=url.username, dbname=url.database) as one:
        one.execute("CREATE SCHEMA riffs_of_ours")
    own = url.update_query_dict({"options": "-c search_path=riffs_of_ours"})
    store = Store(tmp_path, own.render_as_string(False), Limits())
    with store._engine.connect() as connection:
        assert connection.execute(text("SHOW search_path")).scalar() == "riffs_of_ours"
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "2s"
    store.close()


def test_a_driver_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = builtins.__import__

    def without_psycopg(name: str, *rest: Any, **options: Any) -> Any:
        if name.split(".")[0] == "psycopg":
            raise ModuleNotFoundError("No module named 'psycopg'")
        return given(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_psycopg)
    with pytest.raises(ParameterError, match=r"pip install 'sonoriff\[cluster\]'"):
        Store(tmp_path, "postgresql+psycopg://nobody@/nothing", Limits())


def test_servers_that_start_together_on_an_empty_database_all_do(
    postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    url, n_servers = postgresql.database(), 6
    together, stores = threading.Barrier(n_servers), list[Store]()

    def start(number: int) -> None:
        together.wait()
        stores.append(Store(tmp_path / str(number), url, Limits(), str(number)))

    threads = [threading.Thread(target=start, args=(n,)) for n in range(n_servers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == n_servers
    riff = stores[0].add("generate", "of the first", {})
    stores[0].renew()
    for store in stores[1:]:
        store.end_lost()
        found = store.find(riff.id)
        assert found is not None
        assert found.state == "queued"
    for store in stores:
        store.close()
