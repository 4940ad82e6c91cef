"""The tables as they were before there were revisions.

A database of that time has them, or the first of them, and no revision: only what is missing is
made.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sonoriff.errors import ParameterError

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = sa.MetaData()
sa.Table(
    "riffs",
    _TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(24), unique=True, index=True, nullable=False),
    sa.Column("state", sa.String(12), index=True, nullable=False),
    sa.Column("verb", sa.String(12), nullable=False),
    sa.Column("prompt", sa.String, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("created", sa.DateTime, nullable=False),
    sa.Column("duration_s", sa.Float),
    sa.Column("error", sa.String),
    sa.Column("n_bytes", sa.Integer, nullable=False),
)
sa.Table(
    "claims",
    _TABLES,
    sa.Column("riff_id", sa.String(24), primary_key=True),
    sa.Column("server", sa.String(32), index=True, nullable=False),
    sa.Column("until", sa.DateTime, nullable=False),
    sa.Column("owner", sa.String(64), index=True, nullable=False),
)
sa.Table(
    "songs",
    _TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(24), unique=True, index=True, nullable=False),
    sa.Column("plan", sa.String, nullable=False),
    sa.Column("created", sa.DateTime, nullable=False),
    sa.Column("riff", sa.String(24)),
    sa.Column("owner", sa.String(64), index=True, nullable=False),
)


def upgrade() -> None:
    """Make what is missing; ParameterError if a table of that name is of another program."""
    connection = op.get_bind()
    _TABLES.create_all(connection)
    for name, table in _TABLES.tables.items():
        there = {column["name"] for column in sa.inspect(connection).get_columns(name)}
        missing = sorted(set(table.columns.keys()) - there)
        if missing:
            raise ParameterError(
                f"the database has a table {name} without {', '.join(missing)}, of another program "
                "or version: name another database, or move it away"
            )
