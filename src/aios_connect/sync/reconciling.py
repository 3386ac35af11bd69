"""Reconcile: does the store still say what the vendors say, and do the systems say the same? In percent and by id.

Ids and versions of both sides are summed up in buckets, order-independent; only buckets that differ are looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import delete, select

from aios_connect.connection import Connection
from aios_connect.store import Store
from aios_connect.store.records import entities_after, loads, records_of
from aios_connect.store.tables import record as record_table
from aios_connect.store.tables import scan as scan_table

from .deletes import store_scan
from .jobs import Job
from .planning import new_id
from .progress import Progress, Silent
from .reading import taking_part
from .references import References

__all__ = ["Drift", "reconcile"]

_BUCKETS = 1024
_SHOWN = 1000


@dataclass(slots=True)
class Drift:
    """How far one object of one connection and the store are apart.

    Attributes:
        connection: Where.
        object: The vendor's object.
        kind: What it means.
        there: Records the vendor lists.
        here: Records the store knows.
        buckets: Buckets that differ, of 1,024.
        unknown: Ids the vendor has and the store does not: the next read brings them, or they were missed.
        vanished: Ids the store has and the vendor does not.
        stale: Ids whose version differs.
        differing: Ids (first 1,000) whose linked records in two systems say different things, with the leaves.
        compared: Linked records compared.
    """

    connection: str
    object: str
    kind: str
    there: int = 0
    here: int = 0
    buckets: int = 0
    unknown: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    differing: dict[str, list[str]] = field(default_factory=dict)
    compared: int = 0
    apart: int = 0

    @property
    def agreement(self) -> float:
        """Percent of all ids on which vendor and store agree."""
        everything = max(self.there, self.here, 1)
        return 100.0 * (1 - min(everything, len(self.unknown) + len(self.vanished) + len(self.stale)) / everything)

    @property
    def clean(self) -> bool:
        """No drift at all."""
        return not (self.unknown or self.vanished or self.stale or self.apart)


def reconcile(
    job: Job,
    connections: Mapping[str, Connection],
    store: Store,
    *,
    now: Callable[[], datetime],
    progress: Progress | None = None,
) -> list[Drift]:
    """Compare every object of a job with what the store knows. Reads listings only; changes nothing.

    Raises:
        TruncatedError: A listing was not whole.
    """
    run = new_id("run", now(), f"reconcile {job.job}")
    drifts = []
    for kind in job.ordered_kinds():
        for connection in taking_part(job, kind, connections):
            object = connection.mapping(kind).object
            with (progress or Silent()).task(f"listing {connection.name} {object}") as task:
                drift = Drift(connection.name, object, kind)
                drift.there = store_scan(connection, object, store, run)
                task.advance(drift.there)
                try:
                    _compare(drift, store, run)
                finally:
                    with store.begin() as tx:
                        tx.execute(delete(scan_table).where(scan_table.c.run == run))
                _compare_sides(drift, job, store, connections)
                drifts.append(drift)
    return drifts


def _compare(drift: Drift, store: Store, run: str) -> None:
    listed = (scan_table.c.run == run, scan_table.c.connection == drift.connection, scan_table.c.object == drift.object)
    known = (record_table.c.connection == drift.connection, record_table.c.object == drift.object, record_table.c.gone.is_(None))
    with store.read() as tx:
        there = tx.execution_options(yield_per=1000).execute(select(scan_table.c.id, scan_table.c.version).where(*listed))
        theirs, _ = _digests((row.id, row.version) for row in there)
        here = tx.execution_options(yield_per=1000).execute(select(record_table.c.id, record_table.c.version).where(*known))
        ours, drift.here = _digests((row.id, row.version) for row in here)
        differing = {bucket for bucket in range(_BUCKETS) if theirs[bucket] != ours[bucket]}
        drift.buckets = len(differing)
        if not differing:
            return
        versions = {
            row.id: row.version
            for row in tx.execute(select(record_table.c.id, record_table.c.version).where(*known))
            if _bucket(row.id) in differing
        }
        for row in tx.execute(select(scan_table.c.id, scan_table.c.version).where(*listed).order_by(scan_table.c.id)):
            if _bucket(row.id) not in differing:
                continue
            version = versions.pop(row.id, None)
            if version is None:
                drift.unknown.append(row.id)
            elif row.version and version and row.version != version:
                drift.stale.append(row.id)
        drift.vanished = sorted(versions)


def _compare_sides(drift: Drift, job: Job, store: Store, connections: Mapping[str, Connection]) -> None:
    """Linked records against what their entity says, on the leaves that this connection holds."""
    rule = job.kinds[drift.kind]
    mapping = connections[drift.connection].mapping(drift.kind)
    last = ""
    while True:
        with store.read() as tx:
            rows = entities_after(tx, drift.kind, last)
            if not rows:
                return
            last = rows[-1].id
            records = {
                row.id: record
                for row in rows
                for record in records_of(tx, [row.id]).get(row.id, [])
                if record.connection == drift.connection and record.linked and record.gone is None
            }
            references = References(tx, drift.kind)
            seen = {id: loads(record.seen) for id, record in records.items()}
            references.learn((drift.connection, leaves) for leaves in seen.values())
            for row in rows:
                if row.id not in records:
                    continue
                agreed = loads(row.leaves)
                said = references.resolved(drift.connection, seen[row.id])
                apart = [
                    leaf
                    for leaf in said
                    if leaf in mapping.writes and leaf in agreed and said[leaf] != agreed[leaf] and not rule.leaves_alone(leaf)
                ]
                drift.compared += 1
                if apart:
                    drift.apart += 1
                    if len(drift.differing) < _SHOWN:
                        drift.differing[records[row.id].id] = apart


def _bucket(id: str) -> int:
    return int.from_bytes(blake2b(id.encode(), digest_size=2).digest()) % _BUCKETS


def _digests(items: Iterable[tuple[str, str]]) -> tuple[list[int], int]:
    """Sum of hashes per bucket: the same whatever the order."""
    sums, count = [0] * _BUCKETS, 0
    for id, version in items:
        digest = int.from_bytes(blake2b(f"{id}\0{version}".encode(), digest_size=8).digest())
        sums[_bucket(id)] = (sums[_bucket(id)] + digest) % 2**64
        count += 1
    return sums, count
