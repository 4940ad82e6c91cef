"""Database tables of the history."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import JSON, Engine, LargeBinary, String, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool

from sonoriff.errors import ParameterError

SOUNDS = ("wav", "flac", "ogg", "opus", "mp3")
ENDED = ("done", "failed", "cancelled")
UNFINISHED = ("queued", "running")
# How long a call waits for another process that is writing to the database.
_BUSY_MS = 2000
# How long PostgreSQL may take for one statement, and for a connection.
_STATEMENT_MS = 10_000
_CONNECT_S = 5


class Base(DeclarativeBase):
    """Base of all tables."""


class RiffRecord(Base):
    """A riff of the history; `number` gives the order."""

    __tablename__ = "riffs"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(24), unique=True, index=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    verb: Mapped[str] = mapped_column(String(12))
    prompt: Mapped[str] = mapped_column(String)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    created: Mapped[datetime.datetime]
    duration_s: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(String)
    n_bytes: Mapped[int] = mapped_column(default=0)
    stem: Mapped[str | None] = mapped_column(String(40))

    @property
    def file_stem(self) -> str:
        """What the names of its files begin with; no two attempts at a riff share one."""
        return self.stem or self.id

    def record(self, progress: float | None = None) -> dict[str, Any]:
        """The record as in docs/protocol.md."""
        done = self.state == "done"
        return {
            "id": self.id,
            "state": self.state,
            "progress": 1.0 if done else progress or 0.0,
            "verb": self.verb,
            "prompt": self.prompt,
            "settings": self.settings,
            "created": f"{self.created.isoformat(timespec='seconds')}Z",
            "duration_s": self.duration_s,
            "error": self.error,
            "files": {k: f"/api/v1/riffs/{self.id}/riff.{k}" for k in ("png", *SOUNDS)}
            if done
            else {},
        }


class Claim(Base):
    """The lease of a server on a riff that it makes, and the owner of the riff.

    Attributes
    ----------
    server : id of the server that makes it; "" after it was handed back
    until : end of the lease, on the database's clock
    owner : who may see the riff; "" if riffs are not private
    attempt : grows each time that a server takes the riff
    lost : servers that went away while they made it
    client, task : of the riff, for the server that takes it; without a task none can
    """

    __tablename__ = "claims"
    riff_id: Mapped[str] = mapped_column(String(24), primary_key=True)
    server: Mapped[str] = mapped_column(String(32), index=True)
    until: Mapped[datetime.datetime]
    owner: Mapped[str] = mapped_column(String(64), index=True)
    attempt: Mapped[int] = mapped_column(server_default="1")
    lost: Mapped[int] = mapped_column(server_default="0")
    client: Mapped[str] = mapped_column(String, server_default="")
    task: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Source(Base):
    """A source or mask of a riff that is not done yet, for the server that takes it.

    Here and not with the files: it comes and goes in one transaction with the riff.
    """

    __tablename__ = "sources"
    riff_id: Mapped[str] = mapped_column(String(24), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


def engine_of(url: str) -> Engine:
    """Create the SQLAlchemy engine for a URL.

    Raises
    ------
    ImportError
        the driver is not installed; says what to install
    ParameterError
        neither SQLite nor PostgreSQL
    """
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        # A connection per call: calls come from different threads.
        engine = create_engine(place, poolclass=NullPool)
        event.listen(engine, "connect", _set_up_sqlite)
        return engine
    try:
        if place.get_backend_name() != "postgresql":
            raise ParameterError(
                "the history is kept in SQLite or PostgreSQL, not in "
                f"{place.get_backend_name()}: name another database"
            )
        place = place.update_query_dict({"connect_timeout": str(_CONNECT_S), **place.query})
        engine = create_engine(place, pool_pre_ping=True, pool_timeout=_CONNECT_S)
    except ImportError as error:
        raise ImportError(
            f"{place.drivername} needs a driver ({error}): pip install 'sonoriff[cluster]' brings "
            "that of postgresql+psycopg://"
        ) from error
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    connection.execute("PRAGMA journal_mode=WAL")


def _set_up_postgresql(connection: Any, _record: Any) -> None:
    """Wait for others no longer than with SQLite; of itself PostgreSQL waits for ever."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {_BUSY_MS}")
        cursor.execute(f"SET statement_timeout = {_STATEMENT_MS}")
    connection.commit()
