"""Riffs that another server can take up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it. A server of the version before still works with it."""
    op.add_column("riffs", sa.Column("stem", sa.String(40)))
    op.add_column("claims", sa.Column("attempt", sa.Integer, nullable=False, server_default="1"))
    op.add_column("claims", sa.Column("lost", sa.Integer, nullable=False, server_default="0"))
    op.add_column("claims", sa.Column("client", sa.String, nullable=False, server_default=""))
    op.add_column("claims", sa.Column("task", sa.JSON))
    op.create_table(
        "sources",
        sa.Column("riff_id", sa.String(24), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
