"""The fast way in: the records of one page, in the transaction that stores the cursor after them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from .tables import record

__all__ = ["PageRow", "doubtful_ids", "upsert_records"]


class PageRow(NamedTuple):
    """One record as it was read just now: the columns of ``aios_record`` that a read fills."""

    connection: str
    object: str
    id: str
    kind: str
    raw: str
    seen: str
    version: str
    modified: datetime | None
    mapping: str
    read_run: str


_MODIFIED = PageRow._fields.index("modified")
_READ = {column: f"excluded.{column}" for column in ("raw", "seen", "version", "modified", "mapping")}
_THERE = {"gone": "null", "survivor": "null"}
# A lagging index may show a record as it was before our own write; what is older than what we know is no news.
_FRESH = "excluded.modified is null or aios_record.modified is null or excluded.modified >= aios_record.modified"
_UPSERT = (
    f"insert into aios_record ({', '.join(PageRow._fields)}, linked, absences)"
    f" values ({', '.join('?' * len(PageRow._fields))}, false, 0)"
    " on conflict (connection, object, id) do update set absences = 0, read_run = excluded.read_run"
    + "".join(f", {name} = case when {_FRESH} then {new} else aios_record.{name} end" for name, new in (_READ | _THERE).items())
)


def doubtful_ids(connection: Connection, rows: Sequence[PageRow]) -> list[str]:
    """Ids of the rows that a lagging index may have shown as they were: their instants do not tell old from new.

    That is so for a record that says something else at the very instant that is known, and for one that was known to be gone.

    Args:
        connection: Any transaction.
        rows: The records of about one page, of one object.
    """
    by_id = {row.id: row for row in rows if row.modified is not None}
    if not by_id:
        return []
    query = select(record.c.id, record.c.modified, record.c.seen, record.c.mapping, record.c.gone).where(
        record.c.connection == rows[0].connection, record.c.object == rows[0].object, record.c.id.in_(list(by_id))
    )
    doubtful = []
    for known in connection.execute(query):
        row = by_id[known.id]
        same_instant = known.modified == row.modified and known.mapping == row.mapping
        if known.gone is not None or (same_instant and known.seen != row.seen):
            doubtful.append(known.id)
    return doubtful


def upsert_records(connection: Connection, rows: Sequence[PageRow]) -> None:
    """Store records as read: new ones unlinked; of known ones only what was read is replaced.

    A record that is read is there, so marks of being gone or absent are taken off. Of an id that comes twice the last one stays,
    unless it is older: a record never goes back in time.

    Args:
        connection: A write transaction.
        rows: The records of about one page.
    """
    if not rows:
        return
    # The driver's own executemany: SQLAlchemy's binding of parameters would cost more than the database itself.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_UPSERT, [(*row[:_MODIFIED], _stored(row.modified), *row[_MODIFIED + 1 :]) for row in rows])
    else:
        connection.exec_driver_sql(_UPSERT.replace("?", "%s"), list(rows))


def _stored(instant: datetime | None) -> str | None:
    """As :class:`~aios_connect.store.tables.Instant` is kept in SQLite: UTC, always six digits, without its zone."""
    return None if instant is None else instant.astimezone(UTC).isoformat(" ", "microseconds")[:-6]
