"""What a run did, line by line, and what reading set aside: the store's own account of the past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from aios_connect.store import Store
from aios_connect.store.records import loads
from aios_connect.store.tables import effect as effect_table
from aios_connect.store.tables import journal as journal_table
from aios_connect.store.tables import quarantine as quarantine_table

__all__ = ["Aside", "Done", "Undone", "done_in", "set_aside", "undone_in"]

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Done:
    """One line of a run that was done.

    Attributes:
        line: Id of the plan line.
        at: When.
        action: ``create``, ``update``, ``delete``, or ``link``, ``note``, ``restore`` in our own store.
        connection: Where; empty for our own store.
        object: The vendor's object.
        id: The vendor's id.
        entity: Our id.
        kind: The kind of record.
        fields: ``{leaf, old, new, rule, source, at}`` of each field.
        undone_by: The run that took it back.
    """

    line: str
    at: datetime
    action: str
    connection: str
    object: str
    id: str | None
    entity: str
    kind: str
    fields: list[dict[str, Any]]
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class Undone:
    """One line of a run that was not done: its outcome, and why."""

    line: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Something that could not be read as a record.

    Attributes:
        connection: Where it was found.
        object: The vendor's object.
        place: Where in it, for a person.
        id: The vendor's id, when that much could be read.
        reason: Why it could not be read.
        raw: What was there.
        at: When it was met last.
    """

    connection: str
    object: str
    place: str
    id: str | None
    reason: str
    raw: str
    at: datetime


def done_in(store: Store, run: str) -> Iterator[Done]:
    """Everything a run did, in order, read as it is asked for."""
    table, last = journal_table, 0
    while True:
        with store.read() as tx:
            query = select(table).where(table.c.run == run, table.c.seq > last).order_by(table.c.seq).limit(_CHUNK)
            rows = tx.execute(query).all()
        if not rows:
            return
        last = rows[-1].seq
        for row in rows:
            fields = loads(row.fields)
            yield Done(
                row.line, row.at, row.action, row.connection, row.object, row.id, row.entity, row.kind, fields, row.undone_by
            )


def undone_in(store: Store, run: str) -> list[Undone]:
    """The lines of a run that were refused, skipped, or have an unknown outcome."""
    table = effect_table
    query = select(table).where(table.c.run == run).order_by(table.c.line)
    with store.read() as tx:
        return [
            Undone(row.line, row.outcome or "unknown", row.reason or "it was begun and not finished; apply the plan again")
            for row in tx.execute(query)
            if row.outcome not in ("written", "unchanged")
        ]


def set_aside(store: Store) -> list[Aside]:
    """What could not be read and has not been read well since."""
    table = quarantine_table
    query = select(table).order_by(table.c.connection, table.c.object, table.c.place)
    with store.read() as tx:
        return [Aside(r.connection, r.object, r.place, r.id, r.reason, r.raw, r.at) for r in tx.execute(query)]
