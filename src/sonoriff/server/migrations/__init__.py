"""Revisions of the database, for Alembic; `sonoriff.server.schema` applies them."""
