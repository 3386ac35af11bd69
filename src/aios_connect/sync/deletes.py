"""Deletes that no vendor announced: found by absence, believed only on a proof.

A record is taken for deleted when a listing that provably was whole did not have it, and the vendor, asked for that very id, does
not have it either. A listing that lacks suspiciously much proves nothing and becomes an exception. A vendor that tells of its deletes
has told of none before a cursor that it no longer knows: there the read from the beginning is the listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, func, insert, select, update

from aios_connect.connection import Connection
from aios_connect.errors import TruncatedError
from aios_connect.store import Store
from aios_connect.store.records import count_known
from aios_connect.store.tables import cursor as cursor_table
from aios_connect.store.tables import quarantine as quarantine_table
from aios_connect.store.tables import record as record_table
from aios_connect.store.tables import scan as scan_table

from .exceptions import raise_exception, resolve_exception
from .jobs import Job
from .paths import at_path

__all__ = ["TOLERANCE", "find_deletes", "store_scan"]

TOLERANCE = 0.2
"""Share of the known records that may be absent at once (from five on) before a listing is not believed."""


def find_deletes(connection: Connection, kind: str, store: Store, job: Job, *, run: str, now: Callable[[], datetime]) -> int:
    """Mark the records that are gone without a word; returns how many."""
    mapping = connection.mapping(kind)
    spec = connection.connector.spec.objects[mapping.object]
    if spec.deletes == "none" or job.kinds[kind].deletes == "ignore":
        return 0
    with store.read() as tx:
        known = count_known(tx, connection.name, mapping.object)
    if not known:
        return 0
    if spec.deletes == "scan":
        store_scan(connection, mapping.object, store, run)
    with store.begin() as tx:
        match spec.deletes:
            case "scan":
                missing = _absent_from_scan(tx, connection.name, mapping.object, run)
            case "file":
                missing = _absent_from_file(tx, connection.name, mapping.object)
            case "tombstones":
                missing = _absent_since_the_cursor(tx, connection.name, mapping.object)
        tx.execute(delete(scan_table).where(scan_table.c.run == run))
        subject = f"{job.job}:{connection.name}:{mapping.object}"
        if len(missing) > max(5, TOLERANCE * known):
            raise_exception(
                tx,
                job=job.job,
                code="suspicious_listing",
                severity="high",
                dedupe=f"listing:{subject}",
                summary=f"{connection.name} {mapping.object}: {len(missing)} of {known} known records are not in its listing; "
                "nothing is taken for deleted",
                choices={},
                now=now(),
            )
            return 0
        resolve_exception(tx, f"listing:{subject}", now())
    there: set[str] = set()
    identify = at_path(spec.id)
    for start in range(0, len(missing), spec.lookup_size):
        part = missing[start : start + spec.lookup_size]
        there.update(str(identify(raw)) for raw in connection.connector.lookup(mapping.object, part))
    gone = [id for id in missing if id not in there]
    of_object = (record_table.c.connection == connection.name, record_table.c.object == mapping.object)
    with store.begin() as tx:
        for part in _parts(gone):
            lost = update(record_table).where(*of_object, record_table.c.id.in_(part))
            tx.execute(lost.values(gone="absent", absences=record_table.c.absences + 2))
        for part in _parts(sorted(there)):
            tx.execute(update(record_table).where(*of_object, record_table.c.id.in_(part)).values(absences=0))
    return len(gone)


def store_scan(connection: Connection, object: str, store: Store, run: str) -> int:
    """List every id and version of an object into the scan table; returns how many.

    Raises:
        TruncatedError: The listing ended without its end marker.
    """
    count, complete = 0, False
    with store.begin() as tx:
        tx.execute(delete(scan_table).where(scan_table.c.connection == connection.name, scan_table.c.object == object))
    for page in connection.connector.scan(object):
        items = dict(page.items)
        with store.begin() as tx:
            for part in _parts(list(items)):
                tx.execute(
                    delete(scan_table).where(
                        scan_table.c.run == run,
                        scan_table.c.connection == connection.name,
                        scan_table.c.object == object,
                        scan_table.c.id.in_(part),
                    )
                )
            if items:
                tx.execute(
                    insert(scan_table),
                    [
                        {"run": run, "connection": connection.name, "object": object, "id": id, "version": version}
                        for id, version in items.items()
                    ],
                )
        count += len(items)
        complete = page.complete
    if not complete:
        raise TruncatedError(
            f"{connection.name} {object}: the listing of ids ended without its end marker",
            hint="run again; nothing was taken for deleted",
            provider=connection.connector.spec.provider,
            object=object,
        )
    return count


def _absent_from_scan(tx: Transaction, connection: str, object: str, run: str) -> list[str]:
    listed = select(scan_table.c.id).where(
        scan_table.c.run == run,
        scan_table.c.connection == connection,
        scan_table.c.object == object,
        scan_table.c.id == record_table.c.id,
    )
    query = select(record_table.c.id).where(
        record_table.c.connection == connection,
        record_table.c.object == object,
        record_table.c.gone.is_(None),
        ~listed.exists(),
    )
    return [row[0] for row in tx.execute(query.order_by(record_table.c.id))]


def _absent_from_file(tx: Transaction, connection: str, object: str) -> list[str]:
    """Known records that the last whole read did not bring; none if it brought anything without an id."""
    where = (cursor_table.c.connection == connection, cursor_table.c.object == object)
    row = tx.execute(select(cursor_table).where(*where)).one_or_none()
    if row is None or row.finished_at is None or not row.full:
        return []
    nameless = select(func.count()).where(
        quarantine_table.c.connection == connection,
        quarantine_table.c.object == object,
        quarantine_table.c.run == row.run,
        quarantine_table.c.id.is_(None),
    )
    if tx.execute(nameless).scalar_one():
        return []
    query = select(record_table.c.id).where(
        record_table.c.connection == connection,
        record_table.c.object == object,
        record_table.c.gone.is_(None),
        record_table.c.read_run != row.run,
    )
    return [found[0] for found in tx.execute(query.order_by(record_table.c.id))]


def _absent_since_the_cursor(tx: Transaction, connection: str, object: str) -> list[str]:
    """Living records that had to show themselves again, after the vendor forgot the cursor, and did not."""
    query = select(record_table.c.id).where(
        record_table.c.connection == connection,
        record_table.c.object == object,
        record_table.c.gone.is_(None),
        record_table.c.absences > 0,
    )
    return [found[0] for found in tx.execute(query.order_by(record_table.c.id))]


def _parts(ids: list[str], size: int = 400) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
