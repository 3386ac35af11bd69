"""What the store takes note of by itself, some lines of a plan at a time: links, agreements, the journal.

Everything here takes an open transaction and calls nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, insert, update

from aios_connect.store.records import EntityRow, RecordRow, dumps, entities_by_id, loads, records_by_id, replace_keys
from aios_connect.store.tables import entity as entity_table
from aios_connect.store.tables import journal as journal_table
from aios_connect.store.tables import record as record_table

from .keys import keys_of
from .plans import Agreement, PlanLine
from .proposing import agreed_base
from .subjects import seen_digest

__all__ = ["Entry", "Place", "journal", "settle_links", "settle_notes"]

Place: TypeAlias = tuple[str, str, str]
"""Connection, object and id of a record."""

Entry: TypeAlias = tuple[PlanLine, str | None, Any, Any]
"""A line that was done, the id of its record, and what was there before and after."""

_OF_RECORD = (
    record_table.c.connection == bindparam("of_connection"),
    record_table.c.object == bindparam("of_object"),
    record_table.c.id == bindparam("of_id"),
)
_LINK = update(record_table).where(*_OF_RECORD).values(linked=True, evidence=bindparam("why"))
_AGREE = update(record_table).where(*_OF_RECORD).values(base=bindparam("agreed"), given=bindparam("told"))
_ADOPT = (
    update(entity_table)
    .where(entity_table.c.id == bindparam("of"))
    .values(
        leaves=bindparam("now"), provenance=bindparam("from"), version=bindparam("next"), proposed=False, gone=bindparam("fate")
    )
)


def journal(tx: Transaction, plan: str, run: str, entries: Sequence[Entry], now: datetime) -> None:
    """What was really done, with what was there before."""
    rows = [
        {
            "run": run,
            "plan": plan,
            "line": line.line,
            "at": now,
            "action": line.action,
            "connection": line.connection,
            "object": line.object,
            "id": id,
            "entity": line.entity,
            "kind": line.kind,
            "fields": dumps(line.fields),
            "before": dumps(before),
            "after": dumps(after),
        }
        for line, id, before, after in entries
    ]
    if rows:
        tx.execute(insert(journal_table), rows)


def settle_links(tx: Transaction, lines: Sequence[PlanLine]) -> list[str]:
    """Make proposed links true; returns the outcomes, in order."""
    records = _records_at(tx, [(line.connection, line.object, line.id or "") for line in lines])
    outcomes, links = [], []
    for line in lines:
        place = (line.connection, line.object, line.id or "")
        record = records.get(place)
        if record is None or record.entity != line.entity or record.gone is not None:
            outcomes.append("conflict")
        elif record.linked:
            outcomes.append("unchanged")
        else:
            outcomes.append("written")
            links.append({**_of(place), "why": line.evidence})
    if links:
        tx.execute(_LINK, links)
    return outcomes


def settle_notes(tx: Transaction, run: str, lines: Sequence[PlanLine], at: str) -> list[tuple[str, Any]]:
    """Take note of the new values of entities and of the records that agree; returns outcomes and what was there before, in order."""
    entities = entities_by_id(tx, [line.entity for line in lines])
    records = _records_at(tx, [_place(agreement) for line in lines for agreement in line.agreements])
    settled: list[tuple[str, Any]] = []
    adopted: list[dict[str, Any]] = []
    agreed: list[dict[str, Any]] = []
    keys: dict[str, dict[str, list[str]]] = {}
    for line in lines:
        row, theirs = entities.get(line.entity), {_place(a): records.get(_place(a)) for a in line.agreements}
        changed = any((there := theirs[_place(a)]) is None or seen_digest(there.seen) != a.seen for a in line.agreements)
        if row is None or row.version != line.entity_version or changed:
            settled.append(("conflict", None))
            continue
        settled.append(("written", _before(row, [record for record in theirs.values() if record])))
        leaves, provenance = loads(row.leaves), loads(row.provenance)
        for change in line.fields:
            leaves[change.leaf] = change.new
            provenance[change.leaf] = {"rule": change.rule, "source": change.source, "at": change.at, "run": run, "noted": at}
        version, fate = row.version + bool(line.fields or row.proposed), "deleted" if line.retire else None
        adopted.append({"of": row.id, "now": dumps(leaves), "from": dumps(provenance), "next": version, "fate": fate})
        for agreement in line.agreements:
            record = theirs[_place(agreement)]
            assert record is not None
            base = agreed_base(loads(record.seen), loads(record.base) if record.base else {}, agreement.open)
            known = None if agreement.owed and record.given == version else record.given
            told = version if agreement.in_step else known
            agreed.append({**_of(_place(agreement)), "agreed": dumps(base), "told": told})
        if line.fields:
            keys.setdefault(line.kind, {})[row.id] = list(keys_of(line.kind, leaves))
    if adopted:
        tx.execute(_ADOPT, adopted)
    if agreed:
        tx.execute(_AGREE, agreed)
    for kind, found in keys.items():
        replace_keys(tx, kind, found)
    return settled


def _before(row: EntityRow, records: Iterable[RecordRow]) -> dict[str, Any]:
    return {
        "entity": {"leaves": row.leaves, "provenance": row.provenance, "proposed": row.proposed, "gone": row.gone},
        "records": [
            {"connection": r.connection, "object": r.object, "id": r.id, "base": r.base, "given": r.given} for r in records
        ],
    }


def _place(agreement: Agreement) -> Place:
    return agreement.connection, agreement.object, agreement.id


def _of(place: Place) -> dict[str, str]:
    return dict(zip(("of_connection", "of_object", "of_id"), place, strict=True))


def _records_at(tx: Transaction, places: Iterable[Place]) -> dict[Place, RecordRow]:
    objects: dict[tuple[str, str], list[str]] = {}
    for connection, object, id in places:
        objects.setdefault((connection, object), []).append(id)
    return {
        (connection, object, id): row
        for (connection, object), ids in objects.items()
        for id, row in records_by_id(tx, connection, object, ids).items()
    }
