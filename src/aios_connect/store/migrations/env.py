"""Run by alembic: migrations go through the connection, and in the transaction, that the caller opened."""

from __future__ import annotations

from alembic import context

from aios_connect.store.migrations import VERSION_TABLE
from aios_connect.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    version_table_pk=True,
)
context.run_migrations()
