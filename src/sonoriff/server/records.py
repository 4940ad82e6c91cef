"""Database tables of the history."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import JSON, Engine, String, create_engine, event
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
    """The server that makes a riff, the end of its lease, and the owner of the riff."""

    __tablename__ = "claims"
    riff_id: Mapped[str] = mapped_column(String(24), primary_key=True)
    server: Mapped[str] = mapped_column(String(32), index=True)
    until: Mapped[datetime.datetime]
    owner: Mapped[str] = mapped_column(String(64), index=True)


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
