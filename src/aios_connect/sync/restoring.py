"""The store's own part of an undo: an entity as it was before a run, once all its vendor writes were taken back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, select, update

from aios_connect.store.records import dumps, entities_by_id, loads, records_of, replace_keys
from aios_connect.store.tables import effect as effect_table
from aios_connect.store.tables import entity as entity_table
from aios_connect.store.tables import journal as journal_table
from aios_connect.store.tables import key as key_table
from aios_connect.store.tables import record as record_table

from .keys import keys_of
from .plans import PlanLine

__all__ = ["settle_restore"]


def settle_restore(tx: Transaction, plan: str, run: str, line: PlanLine) -> str:
    """Take back what the store noted of one entity; returns the outcome.

    Nothing is taken back while a vendor write of the entity was not: the two would no longer tell the same story.
    """
    undone = line.evidence
    query = select(journal_table).where(
        journal_table.c.run == undone, journal_table.c.entity == line.entity, journal_table.c.undone_by.is_(None)
    )
    entries = list(tx.execute(query.order_by(journal_table.c.seq.desc())))
    wrote = [entry for entry in entries if entry.action in ("create", "update", "delete")]
    if len(wrote) != _taken_back(tx, plan, line.entity):
        return "conflict"
    for entry in entries:
        if entry.action == "note":
            _unnote(tx, entry)
        elif entry.action == "link":
            _unlink(tx, entry)
        elif entry.action == "create":
            _at(tx, entry, delete(record_table), record_table.c.gone.is_not(None))
    _settle_entity(tx, line)
    tx.execute(update(journal_table).where(journal_table.c.seq.in_([entry.seq for entry in entries])).values(undone_by=run))
    return "written"


def _taken_back(tx: Transaction, plan: str, entity: str) -> int:
    """How many vendor writes of the entity this undo has done."""
    done = (
        select(journal_table.c.seq)
        .join(effect_table, (effect_table.c.plan == journal_table.c.plan) & (effect_table.c.line == journal_table.c.line))
        .where(
            journal_table.c.plan == plan,
            journal_table.c.entity == entity,
            journal_table.c.action.in_(["create", "update", "delete"]),
            effect_table.c.outcome == "written",
        )
    )
    return len(tx.execute(done).all())


def _unnote(tx: Transaction, entry: Any) -> None:
    """Values of the entity back to what they were, where they still are what the run made them; the same for what was agreed."""
    row = entities_by_id(tx, [entry.entity]).get(entry.entity)
    before = loads(entry.before)
    if row is None:
        return
    leaves, provenance = loads(row.leaves), loads(row.provenance)
    old_leaves, old_provenance = loads(before["entity"]["leaves"]), loads(before["entity"]["provenance"])
    changed = [field["leaf"] for field in loads(entry.fields) if leaves.get(field["leaf"]) == field.get("new")]
    for leaf in changed:
        for now, then in ((leaves, old_leaves), (provenance, old_provenance)):
            if leaf in then:
                now[leaf] = then[leaf]
            else:
                now.pop(leaf, None)
    tx.execute(
        update(entity_table)
        .where(entity_table.c.id == row.id)
        .values(leaves=dumps(leaves), provenance=dumps(provenance), version=row.version + 1, gone=before["entity"]["gone"])
    )
    for then in before["records"]:
        for record in records_of(tx, [row.id]).get(row.id, []):
            if (record.connection, record.object, record.id) != (then["connection"], then["object"], then["id"]):
                continue
            base, old = loads(record.base or "{}"), loads(then["base"] or "{}")
            for leaf in changed:
                if leaf in old:
                    base[leaf] = old[leaf]
                else:
                    base.pop(leaf, None)
            _at(tx, record, update(record_table).values(base=dumps(base) if then["base"] else None, given=None))


def _unlink(tx: Transaction, entry: Any) -> None:
    _at(tx, entry, update(record_table).values(entity=None, linked=False, evidence=None, base=None, given=None))


def _settle_entity(tx: Transaction, line: PlanLine) -> None:
    """An entity without records is no more; one with records is found by what it is now."""
    if not records_of(tx, [line.entity]).get(line.entity):
        tx.execute(delete(key_table).where(key_table.c.entity == line.entity))
        tx.execute(delete(entity_table).where(entity_table.c.id == line.entity))
        return
    row = entities_by_id(tx, [line.entity]).get(line.entity)
    if row is not None:
        replace_keys(tx, row.kind, {row.id: list(keys_of(row.kind, loads(row.leaves)))})


def _at(tx: Transaction, where: Any, statement: Any, *more: Any) -> None:
    tx.execute(
        statement.where(
            record_table.c.connection == where.connection,
            record_table.c.object == where.object,
            record_table.c.id == where.id,
            *more,
        )
    )
