"""Brings the schema of a store up to date, and refuses one that is newer than this program.

Every change of ``tables.py`` is a file in ``versions/`` and a line in :data:`REVISIONS`.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from aios_connect.errors import ConfigError

__all__ = ["REVISIONS", "VERSION_TABLE", "upgrade"]

REVISIONS = ("0001", "0002")
"""Every schema there has been, oldest first."""

VERSION_TABLE = "aios_schema"

_LOCK = 7_233_090_165_012_349_441  # any number nobody else uses on the same server


def upgrade(engine: Engine) -> None:
    """Bring the schema to the last revision; one process does it, others wait.

    Raises:
        ConfigError: The schema was made by a newer program.
    """
    with engine.connect() as connection:
        connection = connection.execution_options(aios_reading=True)
        if _revision(connection) == REVISIONS[-1]:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        if _revision(connection) != REVISIONS[-1]:
            _run(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision = connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalar()
    if revision is not None and revision not in REVISIONS:
        raise ConfigError(
            f"The store was made by a newer aios-connect (schema {revision}; this one knows up to {REVISIONS[-1]}).",
            hint="Upgrade aios-connect: pip install --upgrade aios-connect.",
        )
    return str(revision) if revision is not None else None


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
