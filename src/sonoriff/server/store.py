"""The history of riffs: records in a database, pictures and sounds as files."""

from __future__ import annotations

import datetime
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from sonoriff.errors import FormatError, ParameterError, SonoriffError
from sonoriff.pipeline.sound_file import Bits, check_bits, save_sound
from sonoriff.server.config import Limits
from sonoriff.server.leases import Leases, Taken, Work, forget_sources
from sonoriff.server.records import (
    ENDED,
    SOUNDS,
    UNFINISHED,
    Claim,
    RiffRecord,
    engine_of,
)
from sonoriff.server.remote_files import RemoteFiles
from sonoriff.server.riff_files import LocalFiles, NoRoomError, StoreError
from sonoriff.server.schema import migrate
from sonoriff.sonogram.picture import load_picture

__all__ = ["ENDED", "SOUNDS", "NoRoomError", "RiffRecord", "Store", "StoreError"]
log = logging.getLogger(__name__)
ORDERS = ("newest", "oldest", "longest", "name")
T = TypeVar("T")
_MAX_NUMBER = 2**31 - 1
# Reserve file that is deleted when the disk is full, so that deletions can be recorded.
_RESERVE_BYTES = 2**22


class Store:
    """Records and files of all riffs. All methods block: call them from a thread.

    Parameters
    ----------
    folder : for the files, or for what is fetched of them; created if missing
    url : SQLAlchemy URL of the database
    server : id of the server that makes the added riffs; unique among running servers
    shared : another server may take a riff whose own has gone
    files_url : where files are kept, see `RemoteFiles`; None is in the folder

    Raises
    ------
    ParameterError
        the database cannot be opened, has tables of another program, or is of a newer version

    Notes
    -----
    Every method may raise `StoreError`, and those that write files `NoRoomError`.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        limits: Limits,
        server: str = "",
        *,
        shared: bool = False,
        files_url: str | None = None,
    ) -> None:
        self._folder, self._limits, self.shared = folder, limits, shared
        try:
            self.files = _files(folder, limits, files_url)
        except (ImportError, OSError) as error:
            raise ParameterError(f"files of riffs cannot be kept: {error}") from error
        try:
            self._engine = engine_of(url)
            self._leases = Leases(server, limits.lease_s, self._engine.dialect.name)
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
        """Raise StoreError if database or files do not respond, NoRoomError if the disk is full."""
        self._do(lambda session: session.execute(select(RiffRecord.number).limit(1)).all())
        self.files.check()

    def check_room(self) -> None:
        """Raise NoRoomError if there is too little room to begin a riff."""
        self.files.check_room()

    def add(
        self,
        verb: str,
        prompt: str,
        settings: dict[str, Any],
        owner: str = "",
        work: Work | None = None,
    ) -> RiffRecord:
        """Add a queued riff, which this server has a lease on.

        Parameters
        ----------
        work : what another server needs to make it, if the store is shared
        """
        riff = RiffRecord(
            id=secrets.token_urlsafe(9),
            state="queued",
            verb=verb,
            prompt=prompt,
            settings=settings,
            created=_now(),
        )

        def added(session: Session) -> RiffRecord:
            session.add(riff)
            session.add_all(self._leases.new(riff.id, owner, work if self.shared else None))
            return riff

        return self._do(added)

    def set_state(
        self, riff_id: str, state: str, error: str | None = None, attempt: int = 1
    ) -> bool:
        """Store the progress of a riff; False if it has ended, or is not this server's."""

        def changed(session: Session) -> bool:
            riff = self._held(session, riff_id, attempt)
            if riff is not None:
                riff.state, riff.error = state, error
                if state in ENDED:
                    forget_sources(session, riff_id)
            return riff is not None

        found = self._do(changed)
        if found and state in ENDED:
            self._remove_attempt(_stem(riff_id, attempt))
        return found

    def begin(self, riff_id: str, attempt: int) -> None:
        """Note that a queued riff is being made, for other servers."""

        def begun(session: Session) -> None:
            riff = self._held(session, riff_id, attempt, states=("queued",))
            if riff is not None:
                riff.state = "running"

        self._do(begun)

    def _held(
        self,
        session: Session,
        riff_id: str,
        attempt: int,
        states: Sequence[str] = UNFINISHED,
    ) -> RiffRecord | None:
        """A riff of this server that nobody else changes within the transaction."""
        if not self._leases.prove(session, riff_id, attempt):
            return None
        own = select(RiffRecord).where(RiffRecord.id == riff_id, RiffRecord.state.in_(states))
        return session.scalar(own)

    def finish(
        self,
        riff_id: str,
        picture: bytes,
        sound: bytes,
        duration_s: float,
        attributes: dict[str, Any] | None = None,
        attempt: int = 1,
    ) -> bool:
        """Store a riff's files, and delete the oldest riffs beyond the limits.

        Nothing is left behind if the riff has been deleted meanwhile, has been taken by another
        server, or cannot be stored.

        Parameters
        ----------
        picture : PNG
        sound : FLAC
        attributes : tempo and key of the music, as "attributes" in the settings of the record

        Returns
        -------
        Whether it is stored.
        """
        stem = _stem(riff_id, attempt)

        def done(session: Session) -> bool:
            riff = self._held(session, riff_id, attempt, states=(*UNFINISHED, "done"))
            if riff is None or riff.state == "done":
                return riff is not None and riff.file_stem == stem
            riff.state, riff.error, riff.duration_s = "done", None, duration_s
            riff.n_bytes = len(picture) + len(sound)
            riff.stem = None if stem == riff_id else stem
            if attributes is not None:
                riff.settings = {**riff.settings, "attributes": attributes}
            forget_sources(session, riff_id)
            return True

        try:
            self.files.write(f"{stem}.png", picture)
            self.files.write(f"{stem}.flac", sound)
        except BaseException:
            self._remove_attempt(stem)
            raise
        # Where this fails it may have been done all the same: the files stay until that is known.
        found = self._do(done)
        if not found:
            self._remove_attempt(stem)
        self.retire()
        return found

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

    def cancel(self, riff_id: str) -> RiffRecord | None:
        """Cancel a riff that another server makes; its record, or None if it is gone."""

        def cancelled(session: Session) -> RiffRecord | None:
            chosen = select(RiffRecord).where(RiffRecord.id == riff_id)
            riff = session.scalar(chosen)
            if riff is None or riff.state in ENDED:
                return riff
            self._leases.end(session, riff_id)
            # Only now: until the claim was ours it may have ended.
            riff = session.scalar(chosen.execution_options(populate_existing=True))
            if riff is not None and riff.state in UNFINISHED:
                riff.state, riff.error = "cancelled", None
                forget_sources(session, riff_id)
            return riff

        return self._do(cancelled)

    def delete(self, riff_id: str) -> None:
        """Delete a riff."""

        def forgotten(session: Session) -> None:
            session.execute(delete(Claim).where(Claim.riff_id == riff_id))
            session.execute(delete(RiffRecord).where(RiffRecord.id == riff_id))
            forget_sources(session, riff_id)

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
        name = _file_name(riff, kind, sample_rate, bits)
        path = self.files.find(name)
        if path is not None or kind == "png":
            return path
        source = self.files.find(f"{riff.file_stem}.flac")
        picture = self.files.find(f"{riff.file_stem}.png")
        if source is None or picture is None:
            return None
        from sonoriff.audio import read_audio

        self.check_room()
        try:
            sonogram, (sound, _rate) = load_picture(picture), read_audio(source)
            options: dict[str, Any] = {"sample_rate": sample_rate, "bits": bits}
            save = partial(save_sound, waveform=sound, sonogram=sonogram, **options)
            path = self.files.add(name, save)
        except SonoriffError as error:
            if isinstance(error, NoRoomError | StoreError):
                raise
            log.error("sound not made", exc_info=error, extra={"facts": {"riff": riff.id}})
            raise FormatError(f"the sound of riff {riff.id} is damaged") from error
        more = RiffRecord.n_bytes + path.stat().st_size
        noted = update(RiffRecord).where(RiffRecord.id == riff.id).values(n_bytes=more)
        if not self._do(lambda session: session.execute(noted).rowcount):  # type: ignore[attr-defined]
            self._remove_files(riff.id)
            return None
        return path

    def link(
        self, riff: RiffRecord, kind: str, sample_rate: int | None = None, bits: Bits | None = None
    ) -> str | None:
        """Address of a file at the store of files; None if it gives none, or has no such file.

        Parameters and errors are those of `file`.
        """
        name = _file_name(riff, kind, sample_rate, bits)
        is_stored = name.endswith((".png", ".flac")) and sample_rate is None and bits is None
        if not is_stored and self.file(riff, kind, sample_rate, bits) is None:
            return None
        return self.files.link(name)

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

    def renew(self) -> dict[str, int]:
        """Renew this server's leases; the attempts of its riffs, by id."""
        return self._do(self._leases.renew)

    def hand_back(self, riff_id: str, attempt: int) -> bool:
        """Let another server make a riff; False if it has ended, or none can."""
        return self._do(lambda session: self._leases.hand_back(session, riff_id, attempt))

    def take(self) -> Taken | None:
        """A riff whose server has gone and that is ours from now on; None if there is none."""
        return self._do(self._leases.take)

    def end_lost(self, *, starting: bool = False) -> None:
        """Note what servers have lost that have gone: failed, or free to be taken.

        Parameters
        ----------
        starting : this server has just started, so its own riffs are lost as well
        """

        def ended(session: Session) -> None:
            if starting:
                self._leases.release(session)
            self._leases.fail_lost(session, starting=starting)

        self._do(ended)

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
                self._folder.mkdir(parents=True, exist_ok=True)
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
        """Remove leftovers of a killed server: partial files and files of unfinished riffs."""
        riffs = self._do(lambda session: list(session.scalars(select(RiffRecord))))
        done = {riff.id: riff.file_stem if riff.state == "done" else None for riff in riffs}
        self.files.clean(done)

    def _remove_files(self, riff_id: str) -> None:
        self.files.remove(riff_id)
        self._keep_reserve()

    def _remove_attempt(self, stem: str) -> None:
        """Remove the files of one attempt alone: another may be the one that counts."""
        for kind in ("png", "flac"):
            self.files.remove_one(f"{stem}.{kind}")
        self._keep_reserve()


def _file_name(riff: RiffRecord, kind: str, sample_rate: int | None, bits: Bits | None) -> str:
    assert kind in ("png", *SOUNDS)
    if sample_rate is None and bits is None:
        return f"{riff.file_stem}.{kind}"
    check_bits(f".{kind}", bits, sample_rate)
    return f"{riff.file_stem}.{sample_rate or 0}-{bits or 0}.{kind}"


def _files(folder: Path, limits: Limits, url: str | None) -> LocalFiles | RemoteFiles:
    if url is None:
        return LocalFiles(folder / "riffs", limits.reserve_bytes)
    return RemoteFiles(
        url,
        folder / "fetched",
        cache_bytes=limits.max_fetched_bytes,
        reserve_bytes=limits.reserve_bytes,
    )


def _stem(riff_id: str, attempt: int) -> str:
    return riff_id if attempt == 1 else f"{riff_id}.{attempt}"


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
