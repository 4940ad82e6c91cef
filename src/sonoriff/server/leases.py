"""Which server makes a riff: leases in the database, renewed by a heartbeat, on its clock."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, Update, case, delete, func, select, update
from sqlalchemy.orm import Session

from sonoriff.server.records import UNFINISHED, Claim, RiffRecord, Source

# Servers that may go away while they make a riff, and takings in all, before it has failed.
MAX_LOST, MAX_ATTEMPTS = 3, 20
STOPPED = "the server stopped before it was done: ask again"


@dataclass(frozen=True)
class Work:
    """What a server needs beside a riff's settings to make it.

    Attributes
    ----------
    task : rest of the worker's message
    blobs : source and mask
    client : identity for limits
    """

    task: dict[str, Any]
    blobs: Sequence[bytes]
    client: str


@dataclass(frozen=True)
class Taken:
    """A riff that another server had, and that is now ours.

    Attributes
    ----------
    attempt : proof of the lease
    """

    riff: RiffRecord
    attempt: int
    work: Work


class Leases:
    """Leases of one server. Methods run in a session of the caller's, which commits.

    Parameters
    ----------
    server : id of this server; unique among running servers
    lease_s : a server that says nothing for so long has lost its riffs
    dialect : of the database

    Notes
    -----
    A lease is proved by server and attempt, and the proof is an update of its row: it holds the
    row until the transaction ends, so that what is written with it is written by the owner. Rows
    of claims are locked before those of riffs, so that servers never wait for each other in a ring.
    """

    def __init__(self, server: str, lease_s: float, dialect: str) -> None:
        self._server, self._lease_s, self._dialect = server, lease_s, dialect

    def new(self, riff_id: str, owner: str, work: Work | None) -> list[Claim | Source]:
        """Rows of a riff that this server makes; without `work` no other server can take it."""
        claim = Claim(riff_id=riff_id, server=self._server, owner=owner, attempt=1, lost=0)
        claim.until = self._time(self._lease_s)
        if work is None:
            return [claim]
        claim.client, claim.task = work.client, work.task
        blobs = enumerate(work.blobs)
        return [claim, *(Source(riff_id=riff_id, place=place, data=data) for place, data in blobs)]

    def prove(self, session: Session, riff_id: str, attempt: int) -> bool:
        """Whether this server has the lease; if so nobody takes it within the transaction."""
        own = self._own(riff_id, attempt).values(until=self._time(self._lease_s))
        return _count(session, own) == 1

    def renew(self, session: Session) -> dict[str, int]:
        """Renew all leases of this server; attempts by riff."""
        own = Claim.server == self._server, Claim.riff_id.in_(_unfinished())
        _count(session, update(Claim).where(*own).values(until=self._time(self._lease_s)))
        held = session.execute(select(Claim.riff_id, Claim.attempt).where(*own))
        return {row.riff_id: row.attempt for row in held}

    def hand_back(self, session: Session, riff_id: str, attempt: int) -> bool:
        """Let another server take a riff at once; False if it is not ours any more."""
        back = self._own(riff_id, attempt).where(Claim.task.is_not(None))
        if not _count(session, back.values(server="", until=self._time())):
            return False
        queued = update(RiffRecord).where(RiffRecord.id == riff_id)
        _count(session, queued.where(RiffRecord.state.in_(UNFINISHED)).values(state="queued"))
        return True

    def release(self, session: Session) -> None:
        """Give up what this server had before it was killed."""
        running = select(RiffRecord.id).where(RiffRecord.state == "running")
        own = update(Claim).where(Claim.server == self._server, Claim.task.is_not(None))
        own = own.where(Claim.riff_id.in_(_unfinished()))
        lost = Claim.lost + case((Claim.riff_id.in_(running), 1), else_=0)
        _count(session, own.values(server="", until=self._time(), lost=lost))

    def take(self, session: Session) -> Taken | None:
        """Take the oldest riff whose lease has run out; None if there is none.

        One that was lost too often is noted as failed instead.
        """
        free = (
            select(Claim.riff_id, Claim.attempt, Claim.server, RiffRecord.state)
            .join(RiffRecord, RiffRecord.id == Claim.riff_id)
            .where(RiffRecord.state.in_(UNFINISHED), Claim.task.is_not(None))
            .where(Claim.until <= self._time(), Claim.server != self._server)
            .order_by(RiffRecord.number)
            .limit(1)
        )
        found = session.execute(free).first()
        if found is None:
            return None
        riff_id, attempt, server, state = found
        lost = int(server != "" and state == "running")
        ours = (
            update(Claim)
            .where(Claim.riff_id == riff_id, Claim.attempt == attempt, Claim.server == server)
            .where(Claim.until <= self._time())
            .values(server=self._server, until=self._time(self._lease_s))
            .values(attempt=attempt + 1, lost=Claim.lost + lost)
        )
        if not _count(session, ours):
            return None
        # Only now: what was read before the row was ours may have changed.
        riff = session.scalar(select(RiffRecord).where(RiffRecord.id == riff_id))
        claim = session.get_one(Claim, riff_id, populate_existing=True)
        if riff is None or riff.state not in UNFINISHED or claim.task is None:
            return None
        if claim.lost >= MAX_LOST or claim.attempt > MAX_ATTEMPTS:
            riff.state = "failed"
            riff.error = f"given up: {claim.lost} servers stopped while they made it: ask for less"
            forget_sources(session, riff_id)
            return None
        riff.state = "queued"
        sources = select(Source.data).where(Source.riff_id == riff_id).order_by(Source.place)
        work = Work(claim.task, list(session.scalars(sources)), claim.client)
        return Taken(riff, claim.attempt, work)

    def end(self, session: Session, riff_id: str) -> None:
        """Take a riff away from whoever makes it: what they have made is not written."""
        of_it = update(Claim).where(Claim.riff_id == riff_id)
        _count(session, of_it.values(server="", attempt=Claim.attempt + 1))

    def fail_lost(self, session: Session, *, starting: bool) -> None:
        """Note riffs as failed that no server can take and whose own has gone.

        Parameters
        ----------
        starting : this server has just started, so its own riffs are lost as well
        """
        valid, own = Claim.until > self._time(), Claim.server == self._server
        kept = Claim.task.is_not(None) | (valid & ~own if starting else valid | own)
        lost = update(RiffRecord).where(
            RiffRecord.state.in_(UNFINISHED),
            RiffRecord.id.not_in(select(Claim.riff_id).where(kept)),
        )
        _count(session, lost.values(state="failed", error=STOPPED))

    def _own(self, riff_id: str, attempt: int) -> Update:
        return update(Claim).where(
            Claim.riff_id == riff_id, Claim.server == self._server, Claim.attempt == attempt
        )

    def _time(self, plus_s: float = 0.0) -> ColumnElement[datetime.datetime]:
        """The database's time, UTC, so many seconds from now."""
        if self._dialect == "sqlite":
            # As SQLAlchemy writes times: the last three digits are those that SQLite does not know.
            form, later = "%Y-%m-%d %H:%M:%f000", f"{plus_s:+.3f} seconds"
            return func.strftime(form, "now", later, type_=DateTime)
        now = func.timezone("utc", func.clock_timestamp(), type_=DateTime)
        return now + datetime.timedelta(seconds=plus_s)


def _unfinished() -> Select[str]:
    return select(RiffRecord.id).where(RiffRecord.state.in_(UNFINISHED))


def forget_sources(session: Session, riff_id: str) -> None:
    """Delete the sources of a riff that has ended."""
    _count(session, delete(Source).where(Source.riff_id == riff_id))


def _count(session: Session, change: Any) -> int:
    """Number of rows that a statement has changed."""
    done = session.execute(change.execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]
