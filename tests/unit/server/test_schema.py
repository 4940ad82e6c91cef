"""Databases of earlier versions are taken over, and models and revisions say the same."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Float, make_url, text

from sonoriff.errors import ParameterError
from sonoriff.server.config import Limits
from sonoriff.server.records import Base, engine_of
from sonoriff.server.schema import HEAD, MIGRATIONS, migrate
from sonoriff.server.song_store import SongStore
from sonoriff.server.store import Store

STORED = Path(__file__).parents[2] / "golden" / "history"
OLD_SERVER = "0123456789abcdef"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'riffs.sqlite'}"
    database: str = request.getfixturevalue("postgresql").database()
    return database


@pytest.fixture
def old(url: str) -> str:
    """A database from before there were revisions."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        assert place.database is not None
        connection = sqlite3.connect(place.database)
        connection.executescript((STORED / "unversioned.sqlite.sql").read_text("utf-8"))
        connection.close()
    else:
        script = (STORED / "unversioned.postgresql.sql").read_bytes()
        with psycopg.connect(
            host=place.query["host"], user=place.username, dbname=place.database
        ) as one:
            one.execute(script)
    return url


def test_an_old_database_is_taken_over_without_loss(old: str, tmp_path: Path) -> None:
    store = Store(tmp_path, old, Limits(), OLD_SERVER)
    riffs = {riff.verb: riff for riff in store.page([], 10, None, order="oldest")[0]}
    assert list(riffs) == ["generate", "remix", "morph"]
    kept = riffs["generate"]
    assert (kept.state, kept.prompt, kept.duration_s, kept.n_bytes) == ("done", "kept é😀", 1.5, 7)
    assert kept.settings["seed"] == 2**53 - 1
    assert kept.settings["attributes"] == {"bpm": 120.0, "key": None}
    assert (riffs["remix"].state, riffs["remix"].error) == ("failed", "why")
    assert riffs["morph"].state == "failed"  # its server has started anew
    assert [riff.verb for riff in store.page([], 10, None, "two")[0]] == ["remix"]
    (song,) = SongStore(store).newest(10, "one")
    assert (song.plan, song.riff) == ('title = "a plan"\n', kept.id)
    added = store.add("loop", "new", {})
    assert added.number == 4
    store.close()
    again = Store(tmp_path, old, Limits(), OLD_SERVER)
    assert len(again.page([], 10, None)[0]) == 4
    again.close()


def test_revisions_make_what_the_models_say(url: str) -> None:
    migrate_and_compare(url)


def test_an_old_database_becomes_what_the_models_say(old: str) -> None:
    migrate_and_compare(old)


def migrate_and_compare(url: str) -> None:
    engine = engine_of(url)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
        options = {"compare_type": differs}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def differs(*types: Any) -> bool | None:
    """Whether two types of a column differ; Float and Double are one in both databases."""
    return False if all(isinstance(one, Float) for one in types[-2:]) else None


def test_the_newest_revision_is_the_one_that_is_asked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_servers_that_start_together_on_an_old_database_all_do(old: str, tmp_path: Path) -> None:
    together, stores = threading.Barrier(4), list[Store]()

    def start(number: int) -> None:
        together.wait()
        stores.append(Store(tmp_path / str(number), old, Limits(), str(number)))

    threads = [threading.Thread(target=start, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 4
    for store in stores:
        assert len(store.page([], 10, None)[0]) == 3
        store.close()


def test_a_database_of_a_newer_version_is_left_alone(url: str, tmp_path: Path) -> None:
    Store(tmp_path, url, Limits()).close()
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ParameterError, match="newer version") as caught:
        Store(tmp_path, url, Limits())
    assert "\n" not in str(caught.value)
    engine.dispose()


def test_a_table_of_another_program_is_left_alone(url: str, tmp_path: Path) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE songs (number INTEGER PRIMARY KEY, other TEXT)"))
    with pytest.raises(ParameterError, match="songs without"):
        Store(tmp_path, url, Limits())
    with engine.connect() as connection:
        names = engine.dialect.get_table_names(connection)
    assert names == ["songs"]
    engine.dispose()


def test_any_other_database_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="SQLite or PostgreSQL"):
        Store(tmp_path, "mssql://h/d", Limits())
