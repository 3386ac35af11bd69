"""Undo: a plan made from the journal of a run. Nothing is taken back that a person changed since, and what cannot be taken back is named.

After an undo the store is as it was before the run, too: the next plan would propose the same again. That plan is for a person;
until one was applied, the job does not run unattended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from aios_connect.connection import Connection
from aios_connect.errors import NotFoundError
from aios_connect.model.canonical import instant_text
from aios_connect.store import Store
from aios_connect.store.records import RecordRow, loads, record_at
from aios_connect.store.tables import journal as journal_table

from .jobs import KIND_ORDER, Job
from .keys import label_of
from .paths import leaf_paths, put_at, value_at
from .planning import mapping_digests, new_id
from .plans import FieldChange, Header, PlanLine, PlanSummary, PlanWriter
from .prices import Bill, prices_of
from .progress import Progress, Silent
from .subjects import seen_digest

__all__ = ["make_undo"]


def make_undo(
    run: str,
    job: Job,
    connections: Mapping[str, Connection],
    store: Store,
    path: Path,
    *,
    now: Callable[[], datetime],
    progress: Progress | None = None,
) -> PlanSummary:
    """Make the plan that takes a run back. Read first, so that the store knows what people changed since.

    Args:
        run: The run to take back.
        job: The job it was a run of.
        connections: Its connections.
        store: Holds the journal.
        path: Where the plan file goes.
        now: The clock.
        progress: Who wants to know.

    Raises:
        NotFoundError: No such run wrote anything.
    """
    at = now()
    header = Header(new_id("plan", at, run), job.job, instant_text(at), job.digest, mapping_digests(job, connections), run)
    entries = 0
    skipped: list[str] = []
    bill = Bill(connections)
    entities: dict[str, tuple[str, str]] = {}
    with PlanWriter(path, header) as writer, (progress or Silent()).task(f"undoing {run}") as task:
        last = None
        while rows := _entries(store, run, last):
            last = rows[-1].seq
            entries += len(rows)
            task.advance(len(rows))
            for row in rows:
                line = _reverse(row, connections, store, run, skipped)
                if line is not None or row.entity not in entities:
                    entities[row.entity] = (row.kind, line.label if line is not None else row.entity)
                if line is not None:
                    line.line = writer.next_line()
                    writer.add(line, KIND_ORDER.index(line.kind))
                    bill.add(line)
        if not entries:
            raise NotFoundError(f"the run {run} wrote nothing that could be taken back", hint="aios runs lists the runs")
        for entity, (kind, label) in entities.items():
            writer.add(PlanLine(writer.next_line(), "restore", kind, entity, label, evidence=run), 0)
        calls = bill.calls()
        return writer.finish(calls=calls, prices=prices_of(calls, connections), skipped=skipped)


def _entries(store: Store, run: str, last: int | None) -> list[Any]:
    """Journal entries of a run that were not taken back, the newest first."""
    query = select(journal_table).where(journal_table.c.run == run, journal_table.c.undone_by.is_(None))
    if last is not None:
        query = query.where(journal_table.c.seq < last)
    with store.read() as tx:
        return list(tx.execute(query.order_by(journal_table.c.seq.desc()).limit(500)))


def _reverse(row: Any, connections: Mapping[str, Connection], store: Store, run: str, skipped: list[str]) -> PlanLine | None:
    if row.action not in ("create", "update", "delete"):
        return None
    connection = connections[row.connection]
    verbs = connection.connector.spec.objects[row.object].verbs
    with store.read() as tx:
        record = record_at(tx, row.connection, row.object, row.id)
    before, after, fields = loads(row.before), loads(row.after), loads(row.fields)
    place = f"{row.connection} {row.object}/{row.id}"
    leaves = loads(record.seen if record is not None else (before or after)["seen"])
    label = label_of(row.kind, leaves) or place
    line = PlanLine("", "update", row.kind, row.entity, label, row.connection, row.object, row.id, undoes=row.seq)
    if row.action == "delete":
        return (
            _make_again(line, connection, before, place, skipped) if "create" in verbs else _cannot(place, "was deleted", skipped)
        )
    if record is None or record.gone is not None:
        return _cannot(place, "is gone meanwhile", skipped)
    line.version, line.seen = record.version, seen_digest(record.seen)
    if row.action == "create":
        if "delete" not in verbs:
            return _cannot(place, f"was made, and {connection.connector.spec.title} offers no delete here", skipped)
        if record.seen != after["seen"]:
            return _cannot(place, "was made, and a person changed it since", skipped)
        line.action, line.expect = "delete", loads(record.raw)
        return line
    if "update" not in verbs:
        return _cannot(place, "cannot be updated", skipped)
    return _put_back(line, record, before, after, fields, place, skipped)


def _put_back(
    line: PlanLine, record: RecordRow, before: Any, after: Any, fields: list[dict[str, Any]], place: str, skipped: list[str]
) -> PlanLine | None:
    """The values before, at every place that still holds what the run wrote."""
    raw_now, raw_then, raw_before = loads(record.raw), loads(after["raw"]), loads(before["raw"])
    for path in leaf_paths(after["patch"]):
        if value_at(raw_now, path) != value_at(raw_then, path):
            skipped.append(f"{place} {'.'.join(path)} was changed since by somebody else; it stays")
            continue
        put_at(line.patch, path, value_at(raw_before, path))
        put_at(line.expect, path, value_at(raw_now, path))
    if not line.patch:
        return None
    line.fields = [
        FieldChange(f["leaf"], f.get("new"), loads(before["seen"]).get(f["leaf"], f.get("old")), "undo", line.evidence)
        for f in fields
    ]
    return line


def _make_again(line: PlanLine, connection: Connection, before: Any, place: str, skipped: list[str]) -> PlanLine | None:
    mapping = connection.mapping(line.kind)
    leaves = loads(before["seen"])
    line.action, line.id, line.key = "create", None, line.entity
    line.patch = mapping.put({leaf: leaves[leaf] for leaf in leaves if leaf in mapping.writes}, {}, None)
    skipped.append(f"{place} comes back with a new id and without what no mapping names")
    return line


def _cannot(place: str, why: str, skipped: list[str]) -> PlanLine | None:
    skipped.append(f"{place} {why}; it stays as it is")
    return None
