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
from sonoriff.pipeline.sound_file import Bits, check_bits, save_sound
from sonoriff.server.config import Limits
from sonoriff.server.records import (
    ENDED,
    SOUNDS,
    UNFINISHED,
    Claim,
    RiffRecord,
    engine_of,
)
from sonoriff.server.schema import migrate
from sonoriff.sonogram.picture import load_picture

__all__ = ["ENDED", "SOUNDS", "NoRoomError", "RiffRecord", "Store", "StoreError"]
log = logging.getLogger(__name__)
ORDERS = ("newest", "oldest", "longest", "name")
T = TypeVar("T")
_MAX_NUMBER = 2**31 - 1
# Lease of a server on the riffs that it makes; renewed every third of this.
LEASE_S = 90.0
# Reserve file that is deleted when the disk is full, so that deletions can be recorded.
_RESERVE_BYTES = 2**22
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoreError(BusyError):
    """The history is currently unreachable."""


class NoRoomError(BusyError):
    """The disk has no room for another riff."""


class Store:
    """Records and files of all riffs. All methods block: call them from a thread.

    Parameters
    ----------
    folder : for the files; created if missing
    url : SQLAlchemy URL of the database
    server : id of the server that makes the added riffs; unique among running servers

    Raises
    ------
    ParameterError
        the database cannot be opened, has tables of another program, or is of a newer version

    Notes
    -----
    Every method may raise `StoreError`, and those that write files `NoRoomError`.
    """

    def __init__(self, folder: Path, url: str, limits: Limits, server: str = "") -> None:
        self._folder, self._files = folder, folder / "riffs"
        self._limits, self._server = limits, server
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            self._engine = engine_of(url)
            try:
                migrate(self._engine)
                self._keep_reserve()
                self.end_lost(starting=True)
                self._clean()
                self.retire()
            except BaseException:
                self._engine.dispose()
                raise
        except (SQLAlchemyError, ImportError, OSError, StoreError) as error:
            reason = str(getattr(error.__cause__ or error, "orig", None) or error)
            raise ParameterError(
                "the database of the history cannot be opened: " + reason.strip().split("\n")[0]
            ) from error

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def check(self) -> None:
        """Raise StoreError if the database does not respond, NoRoomError if the disk is full."""
        self._do(lambda session: session.execute(select(RiffRecord.number).limit(1)).all())
        self.check_room()

    def check_room(self) -> None:
        """Raise NoRoomError if less disk space is free than the reserve."""
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise StoreError("the data folder cannot be reached") from error
        if free < self._limits.reserve_bytes:
            raise NoRoomError("the server's disk is full: delete riffs, or make room elsewhere")

    def add(self, verb: str, prompt: str, settings: dict[str, Any], owner: str = "") -> RiffRecord:
        """Add a queued riff."""
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
        """Store the progress of a riff."""
        changed = (
            update(RiffRecord).where(RiffRecord.id == riff_id).values(state=state, error=error)
        )
        self._do(lambda session: session.execute(changed))

    def finish(
        self,
        riff_id: str,
        picture: bytes,
        sound: bytes,
        duration_s: float,
        attributes: dict[str, Any] | None = None,
    ) -> None:
        """Store a riff's files, and delete the oldest riffs beyond the limits.

        Nothing is left behind if the riff has been deleted meanwhile or cannot be stored.

        Parameters
        ----------
        picture : PNG
        sound : FLAC
        attributes : tempo and key of the music, as "attributes" in the settings of the record
        """

        def done(session: Session) -> bool:
            riff = session.scalar(select(RiffRecord).where(RiffRecord.id == riff_id))
            if riff is None:
                return False
            riff.state, riff.error, riff.duration_s = "done", None, duration_s
            riff.n_bytes = len(picture) + len(sound)
            if attributes is not None:
                riff.settings = {**riff.settings, "attributes": attributes}
            return True

        try:
            with _room_needed():
                self._files.mkdir(parents=True, exist_ok=True)
                write_bytes(self._path(riff_id, "png"), picture)
                write_bytes(self._path(riff_id, "flac"), sound)
            found = self._do(done)
        except BaseException:
            self._remove_files(riff_id)
            raise
        if not found:
            self._remove_files(riff_id)
        self.retire()

    def find(self, riff_id: str, owner: str | None = None) -> RiffRecord | None:
        """The riff of an id, optionally of one owner only."""
        chosen = _owned(select(RiffRecord).where(RiffRecord.id == riff_id), owner)
        found: RiffRecord | None = self._do(lambda session: session.scalar(chosen))
        return found

    def rename(self, riff_id: str, title: str) -> RiffRecord | None:
        """Give a riff a title, as "title" in its settings; "" takes it away. None if it is gone."""

        def renamed(session: Session) -> RiffRecord | None:
            riff = session.scalar(select(RiffRecord).where(RiffRecord.id == riff_id))
            if riff is not None:
                others = {name: value for name, value in riff.settings.items() if name != "title"}
                riff.settings = {**others, "title": title} if title else others
            return riff

        return self._do(renamed)

    def page(
        self,
        words: Sequence[str],
        limit: int,
        before: str | None,
        owner: str | None = None,
        order: str = "newest",
    ) -> tuple[list[RiffRecord], str | None]:
        """Riffs in an order, and the value of `before` for the next page.

        Parameters
        ----------
        words : each in the prompt or the title
        order : one of `ORDERS`

        Raises
        ------
        ParameterError
            `before` did not come from this method
        """
        chosen = _owned(select(RiffRecord).limit(limit + 1), owner)
        title = RiffRecord.settings["title"].as_string()
        for word in words:
            found = RiffRecord.prompt.icontains(word, autoescape=True)
            chosen = chosen.where(found | title.icontains(word, autoescape=True))
        if before is not None and not (before.isascii() and before.isdigit() and len(before) <= 18):
            raise ParameterError("before must be the `next` of an earlier page")
        place = min(int(before or 0), _MAX_NUMBER)
        newest = RiffRecord.number.desc()
        if order == "newest":
            chosen = chosen.order_by(newest)
            if before is not None:
                chosen = chosen.where(RiffRecord.number < place)
        elif order == "oldest":
            chosen = chosen.order_by(RiffRecord.number).where(RiffRecord.number > place)
        else:
            by = RiffRecord.duration_s.desc() if order == "longest" else _name(title)
            chosen = chosen.where(RiffRecord.state == "done").order_by(by, newest).offset(place)
        riffs = self._do(lambda session: list(session.scalars(chosen)))
        if len(riffs) <= limit:
            return riffs, None
        by_number = order in ("newest", "oldest")
        return riffs[:limit], str(riffs[limit - 1].number if by_number else place + limit)

    def delete(self, riff_id: str) -> None:
        """Delete a riff."""

        def forgotten(session: Session) -> None:
            session.execute(delete(RiffRecord).where(RiffRecord.id == riff_id))
            session.execute(delete(Claim).where(Claim.riff_id == riff_id))

        self._do(forgotten)
        # Files go last: a sound that is being converted then finds no riff and is removed too.
        self._remove_files(riff_id)

    def file(
        self, riff: RiffRecord, kind: str, sample_rate: int | None = None, bits: Bits | None = None
    ) -> Path | None:
        """Path of the picture or sound of a finished riff; None if it is missing.

        Sounds other than the stored FLAC are converted on first use.

        Parameters
        ----------
        sample_rate, bits : as of `sonoriff.pipeline.sound_file.save_sound`

        Raises
        ------
        ParameterError
            a kind without these bits
        FormatError
            the stored sound or its picture is damaged
        """
        assert kind in ("png", *SOUNDS)
        picture, source = self._path(riff.id, "png"), self._path(riff.id, "flac")
        if sample_rate is None and bits is None:
            path = self._path(riff.id, kind)
        else:
            check_bits(f".{kind}", bits, sample_rate)
            path = self._path(riff.id, f"{sample_rate or 0}-{bits or 0}.{kind}")
        if _is_own_file(path):
            return path
        if kind == "png" or not _is_own_file(source) or not _is_own_file(picture):
            return None
        from sonoriff.audio import read_audio

        self.check_room()
        try:
            with _room_needed():
                sonogram, (sound, _rate) = load_picture(picture), read_audio(source)
                save_sound(path, sound, sonogram, sample_rate=sample_rate, bits=bits)
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
        """Delete the oldest riffs beyond the limits."""
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
        """Renew this server's lease on its riffs."""
        until = _now() + datetime.timedelta(seconds=LEASE_S)
        unfinished = select(RiffRecord.id).where(RiffRecord.state.in_(UNFINISHED))
        own = update(Claim).where(Claim.server == self._server, Claim.riff_id.in_(unfinished))
        renewed = own.values(until=until).execution_options(synchronize_session=False)
        self._do(lambda session: session.execute(renewed))

    def end_lost(self, *, starting: bool = False) -> None:
        """Mark riffs as failed whose server has not renewed its lease.

        Parameters
        ----------
        starting : this server has just started, so all of its own riffs are lost as well
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
        """Number of riffs in the history."""
        chosen = select(func.count()).select_from(RiffRecord)
        return int(self._do(lambda session: session.scalar(chosen)) or 0)

    def transact(self, work: Callable[[Session], T]) -> T:
        """Run work on tables of others in a session of its own, which is committed."""
        return self._do(work)

    def _do(self, work: Callable[[Session], T]) -> T:
        """Run work in a session of its own; retry once after a repairable error."""
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
        """Repair missing tables or a full disk, if possible; whether a retry makes sense."""
        if "no such table" in reason or "does not exist" in reason or "unable to open" in reason:
            log.error("the database has disappeared; starting a new one")
            with suppress(SQLAlchemyError, OSError):
                self._files.mkdir(parents=True, exist_ok=True)
                migrate(self._engine)
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
        """Create the reserve file, which keeps disk space for the database."""
        if not self._reserve.exists():
            with suppress(OSError):
                self._reserve.write_bytes(bytes(_RESERVE_BYTES))

    def _clean(self) -> None:
        """Remove leftovers of a killed server: partial files and files without a riff."""
        chosen = select(RiffRecord.id).where(RiffRecord.state != "done")
        unfinished = set(self._do(lambda session: session.scalars(chosen).all()))
        for path in self._files.iterdir():
            owner = path.name.split(".")[0]
            if (path.name.startswith(".") and ".tmp" in path.name) or owner in unfinished:
                _remove(path)

    def _remove_files(self, riff_id: str) -> None:
        for path in self._files.glob(f"{riff_id}.*"):
            _remove(path)
        self._keep_reserve()

    def _path(self, riff_id: str, kind: str) -> Path:
        """Path of a file. Only ids from the database are passed."""
        return self._files / f"{riff_id}.{kind}"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def _name(title: Any) -> Any:
    """What a riff is called, without regard to case."""
    return func.lower(func.coalesce(title, RiffRecord.prompt))


def _owned(chosen: Any, owner: str | None) -> Any:
    """Restrict a query to one owner, if given."""
    if owner is None:
        return chosen
    own = select(Claim.riff_id).where(Claim.owner == owner)
    return chosen.where(RiffRecord.id.in_(own))


def _is_own_file(path: Path) -> bool:
    """Whether a path is a regular file; links are not followed."""
    return path.is_file() and not path.is_symlink()


def _remove(path: Path) -> None:
    """Remove a file; failures are logged and otherwise ignored."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.error("file not removed", exc_info=error, extra={"facts": {"file": path.name}})


@contextmanager
def _room_needed() -> Iterator[None]:
    """Raise NoRoomError instead of the operating system's error for a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoomError("the server's disk is full: delete riffs, or make room") from error
