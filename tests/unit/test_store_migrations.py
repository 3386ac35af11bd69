"""The schema that migrations make is the schema of the tables, and an old store comes up to it with its rows."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DatabaseError

import aios_connect.store.migrations
from aios_connect.errors import BusyError
from aios_connect.store.engine import Store
from aios_connect.store.migrations import REVISIONS, VERSION_TABLE
from aios_connect.store.tables import metadata

GOLDEN = Path(__file__).parent / "golden"


def test_every_revision_is_listed_in_its_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(aios_connect.store.migrations.__file__).parent))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == REVISIONS


def test_the_migrations_make_exactly_the_tables(empty_database: str) -> None:
    store = Store.open(empty_database)
    options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    store.close()


def test_tables_of_others_in_the_same_database_are_left_alone(empty_database: str) -> None:
    engine = create_engine(empty_database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("create table somebody_else (x integer)"))
        connection.execute(text("insert into somebody_else values (7)"))
    engine.dispose()
    store = Store.open(empty_database)
    with store.read() as connection:
        assert connection.execute(text("select x from somebody_else")).scalar() == 7
    store.close()


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_every_earlier_schema_comes_up_with_its_rows(revision: str, empty_database: str) -> None:
    """Each golden file is a dump of a store of that schema; the ``.json`` beside it says which rows must be there afterwards."""
    dialect = empty_database.partition(":")[0]
    _load(empty_database, (GOLDEN / f"schema_{revision}_{dialect}.sql").read_text())
    store = Store.open(empty_database)
    expected: dict[str, list[dict[str, Any]]] = json.loads((GOLDEN / f"schema_{revision}.json").read_text())
    with store.read() as connection:
        for table, rows in expected.items():
            found = [dict(row) for row in connection.execute(text(f"select * from {table} order by 1")).mappings()]
            shown: list[dict[str, Any]] = json.loads(json.dumps(found, default=_shown))
            assert [{column: row[column] for column in want} for row, want in zip(shown, rows, strict=True)] == rows, table
        version = connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalar()
        assert version == REVISIONS[-1]
        assert compare_metadata(MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}), metadata) == []
    store.close()


def test_while_one_process_upgrades_another_waits_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    _load(f"sqlite:///{path}", "create table x (y integer);")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("pragma journal_mode=WAL")
    other.execute("begin immediate")
    with pytest.raises(BusyError):
        Store.open(f"sqlite:///{path}", timeout=0.05)
    other.execute("rollback")
    other.close()
    Store.open(f"sqlite:///{path}").close()


def test_an_upgrade_that_fails_half_way_leaves_the_old_store(empty_database: str) -> None:
    # The last table of the first schema is in the way.
    blocker = create_engine(empty_database.replace("postgresql:", "postgresql+psycopg:"))
    with blocker.begin() as connection:
        connection.execute(text("create table aios_token (x integer)"))
    with pytest.raises(DatabaseError):
        Store.open(empty_database)
    assert inspect(blocker).get_table_names() == ["aios_token"]
    blocker.dispose()


def _load(url: str, script: str) -> None:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.executescript(script)
        connection.close()
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(script.encode())


def _shown(value: Any) -> str:
    """A value as both databases can show it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return bytes(value).hex()
