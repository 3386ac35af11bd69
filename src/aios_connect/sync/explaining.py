"""Why is this value what it is? Where it came from, by which rule, when, and what it was before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from aios_connect.errors import NotFoundError
from aios_connect.store import Store
from aios_connect.store.records import entities_by_id, loads, records_of
from aios_connect.store.tables import journal as journal_table
from aios_connect.store.tables import record as record_table

from .keys import label_of

__all__ = ["Change", "Why", "why"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the leaf, as the journal has it.

    Attributes:
        at: When it was done.
        run: In which run.
        connection: Where it was written; empty for our own view.
        old: What was there.
        new: What came.
        rule: Why.
        source: The record it came from.
        undone_by: The run that took it back.
    """

    at: datetime
    run: str
    connection: str
    action: str
    old: Any
    new: Any
    rule: str
    source: str
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """All that is known about one leaf of one entity.

    Attributes:
        entity: Our id.
        label: What a person calls it.
        leaf: The leaf.
        value: Its value in our view.
        rule: Why it is that.
        source: The record it came from.
        at: When that record changed.
        run: The run that took note of it.
        sides: Connection and record -> what it says there.
        history: What was done with it, the newest first.
    """

    entity: str
    kind: str
    label: str
    leaf: str
    value: Any
    rule: str
    source: str
    at: str
    run: str
    sides: Mapping[str, Any]
    history: list[Change]


def why(store: Store, kind: str, id: str, leaf: str) -> Why:
    """Explain one leaf.

    Args:
        store: The store.
        kind: ``person``, ``company``, ``deal``...
        id: Our id (or its part after the kind), or a vendor's id.
        leaf: The leaf, ``stage``.

    Raises:
        NotFoundError: No such record, or it has no such leaf.
    """
    with store.read() as tx:
        wanted = [id, f"{kind}_{id}"]
        query = select(record_table.c.entity).where(
            record_table.c.kind == kind,
            record_table.c.entity.is_not(None),
            or_(record_table.c.id == id, record_table.c.entity.in_(wanted)),
        )
        entities = sorted({row.entity for row in tx.execute(query)})
        if not entities:
            raise NotFoundError(
                f"there is no {kind} {id}", hint="give the id that a plan or `aios read` shows, or the vendor's own"
            )
        if len(entities) > 1:
            raise NotFoundError(f"{id} is the id of {len(entities)} records", hint=f"give one of {', '.join(entities)}")
        row = entities_by_id(tx, entities)[entities[0]]
        leaves, provenance = loads(row.leaves), loads(row.provenance).get(leaf, {})
        sides = {
            record.place: seen[leaf]
            for record in records_of(tx, entities).get(row.id, [])
            if record.gone is None and leaf in (seen := loads(record.seen))
        }
        if leaf not in leaves and not sides:
            raise NotFoundError(
                f"{label_of(kind, leaves) or id} has no {leaf}", hint=f"it has {', '.join(sorted(leaves)) or 'nothing yet'}"
            )
        history = []
        for entry in tx.execute(
            select(journal_table).where(journal_table.c.entity == row.id).order_by(journal_table.c.seq.desc())
        ):
            for change in loads(entry.fields):
                if change["leaf"] == leaf:
                    history.append(
                        Change(
                            entry.at,
                            entry.run,
                            entry.connection,
                            entry.action,
                            change.get("old"),
                            change.get("new"),
                            change.get("rule", ""),
                            change.get("source", ""),
                            entry.undone_by,
                        )
                    )
    given = {name: provenance.get(name, "") for name in ("rule", "source", "at", "run")}
    return Why(row.id, kind, label_of(kind, leaves), leaf, leaves.get(leaf), sides=sides, history=history, **given)
