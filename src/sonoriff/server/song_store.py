"""Plans of songs on the server: a table beside the history of riffs."""

from __future__ import annotations

import datetime
import secrets
from typing import Any

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from sonoriff.server.records import Base
from sonoriff.server.store import Store

MAX_SONGS = 1000


class SongRecord(Base):
    """The plan of a song, and the riff that was rendered from it last."""

    __tablename__ = "songs"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(24), unique=True, index=True)
    plan: Mapped[str] = mapped_column(String)
    created: Mapped[datetime.datetime]
    riff: Mapped[str | None] = mapped_column(String(24))
    owner: Mapped[str] = mapped_column(String(64), index=True)


class SongStore:
    """All plans. Methods block: call them from a thread.

    Notes
    -----
    Every method may raise `StoreError`. The oldest plans beyond `MAX_SONGS` are deleted.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, plan: str, owner: str = "") -> SongRecord:
        """Add a plan."""
        song = SongRecord(
            id=secrets.token_urlsafe(9),
            plan=plan,
            created=datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None),
            owner=owner,
        )

        def added(session: Session) -> SongRecord:
            session.add(song)
            session.flush()
            numbers = select(SongRecord.number).order_by(SongRecord.number.desc())
            oldest = session.scalar(numbers.offset(MAX_SONGS).limit(1))
            if oldest is not None:
                session.execute(delete(SongRecord).where(SongRecord.number <= oldest))
            return song

        self._store.check_room()
        return self._store.transact(added)

    def find(self, song_id: str, owner: str | None = None) -> SongRecord | None:
        """The song of an id, optionally of one owner only."""
        chosen = select(SongRecord).where(SongRecord.id == song_id)
        if owner is not None:
            chosen = chosen.where(SongRecord.owner == owner)
        return self._store.transact(lambda session: session.scalar(chosen))

    def newest(self, limit: int, owner: str | None = None) -> list[SongRecord]:
        """The last plans, newest first."""
        chosen = select(SongRecord).order_by(SongRecord.number.desc()).limit(limit)
        if owner is not None:
            chosen = chosen.where(SongRecord.owner == owner)
        return self._store.transact(lambda session: list(session.scalars(chosen)))

    def change(self, song_id: str, **values: Any) -> None:
        """Replace the plan or the riff of a song."""

        def changed(session: Session) -> None:
            song = session.scalar(select(SongRecord).where(SongRecord.id == song_id))
            if song is not None:
                for name, value in values.items():
                    setattr(song, name, value)

        self._store.transact(changed)

    def delete(self, song_id: str) -> None:
        """Delete a plan; riffs that were rendered from it stay."""
        self._store.transact(
            lambda session: session.execute(delete(SongRecord).where(SongRecord.id == song_id))
        )
