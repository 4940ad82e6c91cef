"""The history of riffs: records in a database, pictures and sounds in a folder."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Engine, String, create_engine, event, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from sonoriff.errors import ParameterError
from sonoriff.files import write_bytes
from sonoriff.server.config import Limits

SOUNDS = ("wav", "flac", "ogg", "mp3")
ENDED = ("done", "failed", "cancelled")
_UNFINISHED = ("queued", "running")
_MAX_NUMBER = 2**31 - 1


class _Base(DeclarativeBase):
    pass


class Riff(_Base):
    """A row of the history; `number` says the order."""

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
        """As docs/protocol.md has it."""
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


class Store:
    """Records and files. Every call blocks: call it from a thread.

    Parameters
    ----------
    folder : for the files; made where it is missing
    url : of the database, SQLAlchemy's

    Raises
    ------
    ParameterError
        the database cannot be opened
    """

    def __init__(self, folder: Path, url: str, limits: Limits) -> None:
        self._files = folder / "riffs"
        self._files.mkdir(parents=True, exist_ok=True)
        self._limits = limits
        try:
            self._engine = _engine(url)
            _Base.metadata.create_all(self._engine)
        except (SQLAlchemyError, ImportError) as error:
            reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
            raise ParameterError(
                f"the database of the history cannot be opened: {reason}"
            ) from error
        self._end_lost()
        self.retire()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def add(self, verb: str, prompt: str, settings: dict[str, Any]) -> Riff:
        """A new riff, queued."""
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        riff = Riff(
            id=secrets.token_urlsafe(9),
            state="queued",
            verb=verb,
            prompt=prompt,
            settings=settings,
            created=now,
        )
        with Session(self._engine, expire_on_commit=False) as session:
            session.add(riff)
            session.commit()
        return riff

    def set_state(self, riff_id: str, state: str, error: str | None = None) -> None:
        """Note how far a riff is."""
        with Session(self._engine) as session:
            changed = update(Riff).where(Riff.id == riff_id).values(state=state, error=error)
            session.execute(changed)
            session.commit()

    def finish(self, riff_id: str, picture: bytes, sound: bytes, duration_s: float) -> None:
        """Keep a riff's files, and let the oldest go where there are too many.

        Parameters
        ----------
        picture : PNG
        sound : FLAC
        """
        write_bytes(self._path(riff_id, "png"), picture)
        write_bytes(self._path(riff_id, "flac"), sound)
        with Session(self._engine) as session:
            session.execute(
                update(Riff)
                .where(Riff.id == riff_id)
                .values(state="done", duration_s=duration_s, n_bytes=len(picture) + len(sound))
            )
            session.commit()
        self.retire()

    def find(self, riff_id: str) -> Riff | None:
        """A riff by its id."""
        with Session(self._engine, expire_on_commit=False) as session:
            return session.scalar(select(Riff).where(Riff.id == riff_id))

    def page(
        self, words: Sequence[str], limit: int, before: str | None
    ) -> tuple[list[Riff], str | None]:
        """Riffs, newest first, and what to give as `before` for the next page.

        Raises
        ------
        ParameterError
            `before` is nothing that this method gave
        """
        chosen = select(Riff).order_by(Riff.number.desc()).limit(limit + 1)
        for word in words:
            chosen = chosen.where(Riff.prompt.icontains(word, autoescape=True))
        if before is not None:
            if not (before.isascii() and before.isdigit() and len(before) <= 18):
                raise ParameterError("before must be the `next` of an earlier page")
            chosen = chosen.where(Riff.number < min(int(before), _MAX_NUMBER))
        with Session(self._engine, expire_on_commit=False) as session:
            riffs = list(session.scalars(chosen))
        more = len(riffs) > limit
        return riffs[:limit], str(riffs[limit - 1].number) if more else None

    def delete(self, riff_id: str) -> None:
        """Forget a riff."""
        with Session(self._engine) as session:
            riff = session.scalar(select(Riff).where(Riff.id == riff_id))
            if riff is not None:
                session.delete(riff)
                session.commit()
        for kind in ("png", *SOUNDS):
            with suppress(FileNotFoundError):
                self._path(riff_id, kind).unlink()

    def file(self, riff: Riff, kind: str) -> Path | None:
        """The picture or the sound of a riff that is done; None where it is gone.

        Other sounds than FLAC are made at the first call.
        """
        assert kind in ("png", *SOUNDS)
        path, source = self._path(riff.id, kind), self._path(riff.id, "flac")
        if path.is_file():
            return path
        if kind == "png" or not source.is_file():
            return None
        from sonoriff.audio import read_audio, write_audio

        waveform, rate = read_audio(source)
        write_audio(path, waveform, rate)
        with Session(self._engine) as session:
            more = Riff.n_bytes + path.stat().st_size
            session.execute(update(Riff).where(Riff.id == riff.id).values(n_bytes=more))
            session.commit()
        return path

    def retire(self) -> None:
        """Forget the oldest riffs beyond the limits."""
        for riff_id in list(self._too_many()):
            self.delete(riff_id)

    def _too_many(self) -> Iterator[str]:
        limits, total = self._limits, 0
        oldest = None
        if limits.max_age_days is not None:
            now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
            oldest = now - datetime.timedelta(days=limits.max_age_days)
        chosen = select(Riff.id, Riff.n_bytes, Riff.created).where(Riff.state.in_(ENDED))
        with Session(self._engine) as session:
            rows = session.execute(chosen.order_by(Riff.number.desc())).all()
        for place, (riff_id, n_bytes, created) in enumerate(rows):
            total += n_bytes
            old = oldest is not None and created < oldest
            if place >= limits.max_riffs or total > limits.max_stored_bytes or old:
                yield riff_id

    def _end_lost(self) -> None:
        """Riffs that a server before this one did not finish."""
        with Session(self._engine) as session:
            session.execute(
                update(Riff)
                .where(Riff.state.in_(_UNFINISHED))
                .values(state="failed", error="the server stopped before it was done: ask again")
            )
            session.commit()

    def count(self) -> int:
        """Riffs in the history."""
        with Session(self._engine) as session:
            return int(session.scalar(select(func.count()).select_from(Riff)) or 0)

    def _path(self, riff_id: str, kind: str) -> Path:
        """Of a file. Only ids from the database come here."""
        return self._files / f"{riff_id}.{kind}"


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    # A connection for each call: they come from changing threads.
    engine = create_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _wait_for_others(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA busy_timeout=10000")

    return engine
