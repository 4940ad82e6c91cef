"""The history of riffs: records in a database, pictures and sounds in a folder."""

from __future__ import annotations

import datetime
import errno
import logging
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from sonoriff.errors import BusyError, FormatError, ParameterError, SonoriffError
from sonoriff.files import write_bytes
from sonoriff.server.config import Limits
from sonoriff.server.records import (
    ENDED,
    SOUNDS,
    UNFINISHED,
    Claim,
    RiffRecord,
    engine_of,
    make_tables,
)

__all__ = ["ENDED", "SOUNDS", "NoRoomError", "RiffRecord", "Store", "StoreError"]
log = logging.getLogger(__name__)
T = TypeVar("T")
_MAX_NUMBER = 2**31 - 1
# How long a server's word holds that it makes a riff; it is given again every third of that.
LEASE_S = 90.0
# Given up where the disk is full, so that what makes room can be noted.
_RESERVE_BYTES = 2**22
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoreError(BusyError):
    """The history cannot be reached at the moment."""


class NoRoomError(BusyError):
    """There is no room on the disk for another riff."""


class Store:
    """Records and files. Every call blocks: call it from a thread.

    Parameters
    ----------
    folder : for the files; made where it is missing
    url : of the database, SQLAlchemy's
    server : name of the server that makes what is added; no two that run have the same

    Raises
    ------
    ParameterError
        the database cannot be opened, or is of another kind

    Notes
    -----
    Every call may raise `StoreError`, and those that write files `NoRoomError`.
    """

    def __init__(self, folder: Path, url: str, limits: Limits, server: str = "") -> None:
        self._folder, self._files = folder, folder / "riffs"
        self._limits, self._server = limits, server
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            self._engine = engine_of(url)
            make_tables(self._engine)
            self._keep_reserve()
            self.end_lost(starting=True)
            self._clean()
            self.retire()
        except (SQLAlchemyError, ImportError, OSError, StoreError) as error:
            reason = str(getattr(error.__cause__ or error, "orig", None) or error)
            raise ParameterError(
                "the database of the history cannot be opened: " + reason.strip().split("\n")[0]
            ) from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def check(self) -> None:
        """StoreError where the database does not answer, NoRoomError where the disk is full."""
        self._do(lambda session: session.execute(select(RiffRecord.number).limit(1)).all())
        self.check_room()

    def check_room(self) -> None:
        """NoRoomError where less is free than the database may need."""
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise StoreError("the data folder cannot be reached") from error
        if free < self._limits.reserve_bytes:
            raise NoRoomError("the server's disk is full: delete riffs, or make room elsewhere")

    def add(self, verb: str, prompt: str, settings: dict[str, Any], owner: str = "") -> RiffRecord:
        """A new riff, queued."""
        riff = RiffRecord(
            id=secrets.token_urlsafe(9),
            state="queued",
            verb=verb,
            prompt=prompt,
            settings=settings,
            created=_now(),
        )
        until = _now() + datetime.timedelta(seconds=LEASE_S)

        def added(session: Session) -> RiffRecord:
            session.add(riff)
            session.add(Claim(riff_id=riff.id, server=self._server, until=until, owner=owner))
            return riff

        return self._do(added)

    def set_state(self, riff_id: str, state: str, error: str | None = None) -> None:
        """Note how far a riff is."""
        changed = (
            update(RiffRecord).where(RiffRecord.id == riff_id).values(state=state, error=error)
        )
        self._do(lambda session: session.execute(changed))

    def finish(self, riff_id: str, picture: bytes, sound: bytes, duration_s: float) -> None:
        """Keep a riff's files, and let the oldest go where there are too many.

        A riff that was deleted meanwhile leaves nothing, and neither does one that cannot be kept.

        Parameters
        ----------
        picture : PNG
        sound : FLAC
        """
        done = (
            update(RiffRecord)
            .where(RiffRecord.id == riff_id)
            .values(
                state="done",
                error=None,
                duration_s=duration_s,
                n_bytes=len(picture) + len(sound),
            )
        )
        try:
            with _room_needed():
                self._files.mkdir(parents=True, exist_ok=True)
                write_bytes(self._path(riff_id, "png"), picture)
                write_bytes(self._path(riff_id, "flac"), sound)
            found = self._do(lambda session: session.execute(done).rowcount)  # type: ignore[attr-defined]
        except BaseException:
            self._remove_files(riff_id)
            raise
        if not found:
            self._remove_files(riff_id)
        self.retire()

    def find(self, riff_id: str, owner: str | None = None) -> RiffRecord | None:
        """A riff by its id; of one owner, where one is named."""
        chosen = _owned(select(RiffRecord).where(RiffRecord.id == riff_id), owner)
        found: RiffRecord | None = self._do(lambda session: session.scalar(chosen))
        return found

    def page(
        self, words: Sequence[str], limit: int, before: str | None, owner: str | None = None
    ) -> tuple[list[RiffRecord], str | None]:
        """Riffs, newest first, and what to give as `before` for the next page.

        Raises
        ------
        ParameterError
            `before` is nothing that this method gave
        """
        chosen = _owned(
            select(RiffRecord).order_by(RiffRecord.number.desc()).limit(limit + 1), owner
        )
        for word in words:
            chosen = chosen.where(RiffRecord.prompt.icontains(word, autoescape=True))
        if before is not None:
            if not (before.isascii() and before.isdigit() and len(before) <= 18):
                raise ParameterError("before must be the `next` of an earlier page")
            chosen = chosen.where(RiffRecord.number < min(int(before), _MAX_NUMBER))
        riffs = self._do(lambda session: list(session.scalars(chosen)))
        more = len(riffs) > limit
        return riffs[:limit], str(riffs[limit - 1].number) if more else None

    def delete(self, riff_id: str) -> None:
        """Forget a riff."""

        def forgotten(session: Session) -> None:
            session.execute(delete(RiffRecord).where(RiffRecord.id == riff_id))
            session.execute(delete(Claim).where(Claim.riff_id == riff_id))

        self._do(forgotten)
        # Afterwards: a sound that is being made of it then finds no riff, and goes too.
        self._remove_files(riff_id)

    def file(self, riff: RiffRecord, kind: str) -> Path | None:
        """The picture or the sound of a riff that is done; None where it is gone.

        Other sounds than FLAC are made at the first call.

        Raises
        ------
        FormatError
            its sound is damaged
        """
        assert kind in ("png", *SOUNDS)
        path, source = self._path(riff.id, kind), self._path(riff.id, "flac")
        if _is_own_file(path):
            return path
        if kind == "png" or not _is_own_file(source):
            return None
        from sonoriff.audio import read_audio, write_audio

        self.check_room()
        try:
            with _room_needed():
                write_audio(path, *read_audio(source))
        except SonoriffError as error:
            if isinstance(error, NoRoomError):
                raise
            log.error("sound not made", exc_info=error, extra={"facts": {"riff": riff.id}})
            raise FormatError(f"the sound of riff {riff.id} is damaged") from error
        more = RiffRecord.n_bytes + path.stat().st_size
        noted = update(RiffRecord).where(RiffRecord.id == riff.id).values(n_bytes=more)
        if not self._do(lambda session: session.execute(noted).rowcount):  # type: ignore[attr-defined]
            self._remove_files(riff.id)
            return None
        return path

    def retire(self) -> None:
        """Forget the oldest riffs beyond the limits."""
        for riff_id in list(self._too_many()):
            self.delete(riff_id)

    def _too_many(self) -> Iterator[str]:
        limits, total = self._limits, 0
        oldest = None
        if limits.max_age_days is not None:
            oldest = _now() - datetime.timedelta(days=limits.max_age_days)
        chosen = select(RiffRecord.id, RiffRecord.n_bytes, RiffRecord.created).where(
            RiffRecord.state.in_(ENDED)
        )
        rows = self._do(lambda s: s.execute(chosen.order_by(RiffRecord.number.desc())).all())
        for place, (riff_id, n_bytes, created) in enumerate(rows):
            total += n_bytes
            old = oldest is not None and created < oldest
            if place >= limits.max_riffs or total > limits.max_stored_bytes or old:
                yield riff_id

    def renew(self) -> None:
        """Say again that this server makes what it makes."""
        until = _now() + datetime.timedelta(seconds=LEASE_S)
        unfinished = select(RiffRecord.id).where(RiffRecord.state.in_(UNFINISHED))
        own = update(Claim).where(Claim.server == self._server, Claim.riff_id.in_(unfinished))
        renewed = own.values(until=until).execution_options(synchronize_session=False)
        self._do(lambda session: session.execute(renewed))

    def end_lost(self, *, starting: bool = False) -> None:
        """Riffs that no server makes any more: those of one that has not said so for long.

        Parameters
        ----------
        starting : this server makes none yet, so that all of its own are lost too
        """
        held = select(Claim.riff_id).where(Claim.until > _now())
        if starting:
            held = held.where(Claim.server != self._server)
        lost = (
            update(RiffRecord)
            .where(RiffRecord.state.in_(UNFINISHED), RiffRecord.id.not_in(held))
            .values(state="failed", error="the server stopped before it was done: ask again")
            .execution_options(synchronize_session=False)
        )
        self._do(lambda session: session.execute(lost))

    def count(self) -> int:
        """Riffs in the history."""
        chosen = select(func.count()).select_from(RiffRecord)
        return int(self._do(lambda session: session.scalar(chosen)) or 0)

    def _do(self, work: Callable[[Session], T]) -> T:
        """Work in a session of its own; what can be mended is, and tried once more."""
        for again in (True, False):
            try:
                with Session(self._engine, expire_on_commit=False) as session:
                    result = work(session)
                    session.commit()
                    return result
            except SQLAlchemyError as error:
                if again and self._mended(str(getattr(error, "orig", None) or error).lower()):
                    continue
                log.error("database", exc_info=error)
                raise StoreError("the history cannot be reached: try again soon") from error
        raise AssertionError

    def _mended(self, reason: str) -> bool:
        """Whether another try may do better: the tables are there again, or there is some room."""
        if "no such table" in reason or "does not exist" in reason or "unable to open" in reason:
            log.error("the database is gone, a new one is begun")
            with suppress(SQLAlchemyError, OSError):
                self._files.mkdir(parents=True, exist_ok=True)
                make_tables(self._engine)
                return True
        if "full" in reason or "disk i/o" in reason:
            with suppress(OSError):
                self._reserve.unlink()
                return True
        return False

    @property
    def _reserve(self) -> Path:
        return self._folder / "reserve"

    def _keep_reserve(self) -> None:
        """Some room on the disk that only the database may use."""
        if not self._reserve.exists():
            with suppress(OSError):
                self._reserve.write_bytes(bytes(_RESERVE_BYTES))

    def _clean(self) -> None:
        """Remove what a server that was killed has left: half files, and those of no riff."""
        chosen = select(RiffRecord.id).where(RiffRecord.state != "done")
        unfinished = set(self._do(lambda session: session.scalars(chosen).all()))
        for path in self._files.iterdir():
            if (path.name.startswith(".") and ".tmp" in path.name) or path.stem in unfinished:
                _remove(path)

    def _remove_files(self, riff_id: str) -> None:
        for kind in ("png", *SOUNDS):
            _remove(self._path(riff_id, kind))
        self._keep_reserve()

    def _path(self, riff_id: str, kind: str) -> Path:
        """Of a file. Only ids from the database come here."""
        return self._files / f"{riff_id}.{kind}"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def _owned(chosen: Any, owner: str | None) -> Any:
    """Those of one owner, where one is named."""
    if owner is None:
        return chosen
    own = select(Claim.riff_id).where(Claim.owner == owner)
    return chosen.where(RiffRecord.id.in_(own))


def _is_own_file(path: Path) -> bool:
    """Whether it is a file and no link, which might lead anywhere."""
    return path.is_file() and not path.is_symlink()


def _remove(path: Path) -> None:
    """Remove a file; one that cannot be removed is noted, and costs nobody else anything."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.error("file not removed", exc_info=error, extra={"facts": {"file": path.name}})


@contextmanager
def _room_needed() -> Iterator[None]:
    """NoRoomError in place of what the system says of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoomError("the server's disk is full: delete riffs, or make room") from error
