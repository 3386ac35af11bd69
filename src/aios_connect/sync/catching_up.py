"""Catching up: what a reconcile or a refused write showed to be stale is asked for by its id, and the store says what the vendor says."""

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

__all__ = ["catch_up", "read_again"]

_PART = 500


def catch_up(drifts: Sequence[Drift], connections: Mapping[str, Connection], store: Store, *, now: Callable[[], datetime]) -> int:
    """Read every record again that a reconcile found unknown, stale or vanished; returns how many.

    A vanished one that its vendor, asked for that very id, does not have either is taken for deleted: the listing was whole.
    """
    run, count = new_id("run", now(), "catch up"), 0
    for drift in drifts:
        ids = [*drift.unknown, *drift.stale, *drift.vanished]
        lost = read_again(ids, drift.kind, connections[drift.connection], store, run)
        of_object = (record_table.c.connection == drift.connection, record_table.c.object == drift.object)
        for part in _parts(lost, _PART):
            gone = update(record_table).where(*of_object, record_table.c.id.in_(part), record_table.c.gone.is_(None))
            with store.begin() as tx:
                tx.execute(gone.values(gone="absent", absences=record_table.c.absences + 2))
        count += len(ids)
    return count


def read_again(ids: Sequence[str], kind: str, connection: Connection, store: Store, run: str) -> list[str]:
    """Ask for records by their ids and write down what they are now; returns the ids that are not there."""
    mapping = connection.mapping(kind)
    spec = connection.connector.spec.objects[mapping.object]
    reader, identify = PageReader(connection.name, mapping, spec, run), at_path(spec.id)
    of_object = (record_table.c.connection == connection.name, record_table.c.object == mapping.object)
    lost: list[str] = []
    for part in _parts(ids, spec.lookup_size):
        asked = set(part)
        found = [raw for raw in connection.connector.lookup(mapping.object, part) if str(identify(raw)) in asked]
        rows, _ = reader.map(Page(found, {}, False))
        with store.begin() as tx:
            # asked for by its id, a record is as it is, whatever instant it bears
            tx.execute(update(record_table).where(*of_object, record_table.c.id.in_(part)).values(modified=None))
            upsert_records(tx, rows)
        there = {str(identify(raw)) for raw in found}
        lost += [id for id in part if id not in there]
    return lost


def _parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
