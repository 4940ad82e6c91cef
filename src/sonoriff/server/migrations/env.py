"""Alembic runs this: the revisions go through the connection of `sonoriff.server.schema`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
