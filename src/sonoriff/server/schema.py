"""Brings a database to the revision that this version of Sonoriff needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text

from sonoriff.errors import ParameterError

# The newest of `migrations/versions`.
HEAD = "0002"
MIGRATIONS = Path(__file__).with_name("migrations")
# Any number that no other program takes for its advisory locks in our database.
_LOCK = 0x536F6E6F72696666
# How long a server waits while another one migrates.
_WAIT_MS = 60_000


def migrate(engine: Engine) -> None:
    """Apply the revisions that a database lacks; all of them to an empty one.

    Raises
    ------
    ParameterError
        a table of another program is in the way, or the database is of a newer version

    Notes
    -----
    Of servers that start together one does it, in a transaction of its own: a database is at one
    revision or at the next. Databases from before there were revisions are taken over.
    """
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _alone(engine) as connection:
        at = _revision(connection)
        known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
        if at is not None and at not in known:
            raise ParameterError(
                f"the database is of a newer version of Sonoriff (revision {at}, here {HEAD}): "
                "install that version, or name another database"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """Revision of a database; None for one that has none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that no other migration is in at the same time."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = {_WAIT_MS}"))
            connection.execute(text(f"SET LOCAL statement_timeout = {_WAIT_MS}"))
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        elif engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_WAIT_MS}")
            connection.rollback()
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()
