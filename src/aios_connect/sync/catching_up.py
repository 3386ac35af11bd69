"""Catching up: what a reconcile found apart is asked for by its id, and the store says again what the vendors say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import update

from aios_connect.connection import Connection
from aios_connect.connectors.contract import Page
from aios_connect.store import Store
from aios_connect.store.pages import upsert_records
from aios_connect.store.tables import record as record_table

from .paths import at_path
from .planning import new_id
from .reading import PageReader
from .reconciling import Drift

__all__ = ["catch_up"]


def catch_up(drifts: Sequence[Drift], connections: Mapping[str, Connection], store: Store, *, now: Callable[[], datetime]) -> int:
    """Read every record again that a reconcile found unknown, stale or vanished; returns how many.

    A vanished one that its vendor, asked for that very id, does not have either is taken for deleted: the listing was whole.
    """
    run = new_id("run", now(), "catch up")
    return sum(_read_again(drift, connections[drift.connection], store, run) for drift in drifts)


def _read_again(drift: Drift, connection: Connection, store: Store, run: str) -> int:
    mapping, spec = connection.mapping(drift.kind), connection.connector.spec.objects[drift.object]
    reader, identify = PageReader(connection.name, mapping, spec, run), at_path(spec.id)
    count = 0
    for ids in _parts([*drift.unknown, *drift.stale, *drift.vanished], spec.lookup_size):
        found = connection.connector.lookup(drift.object, ids)
        rows, _ = reader.map(Page(found, {}, False))
        gone = set(ids) - {str(identify(raw)) for raw in found}
        of_object = (record_table.c.connection == connection.name, record_table.c.object == drift.object)
        with store.begin() as tx:
            # asked for by its id, a record is as it is, whatever instant it bears
            tx.execute(update(record_table).where(*of_object, record_table.c.id.in_(ids)).values(modified=None))
            upsert_records(tx, rows)
            tx.execute(
                update(record_table)
                .where(*of_object, record_table.c.id.in_(gone), record_table.c.gone.is_(None))
                .values(gone="absent", absences=record_table.c.absences + 2)
            )
        count += len(ids)
    return count


def _parts(ids: list[str], size: int) -> Iterator[list[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
