"""A vendor that merges records may put them into a new one with an id of its own: which of them is it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import update

from aios_connect.connectors.contract import Raw
from aios_connect.connectors.spec import ObjectSpec
from aios_connect.store.records import RecordRow, loads, merged_records, records_by_id
from aios_connect.store.tables import record as record_table

from .keys import label_of
from .paths import at_path

__all__ = ["ancestors_of", "inherit", "lost_ancestor", "ranked"]

_HALF = 0.5


def ancestors_of(tx: Transaction, connection: str, object: str) -> dict[str, list[RecordRow]]:
    """Record id -> the linked records that were merged into it, one an entity; those that were merged on the way count too."""
    merged = {row.id: row for row in merged_records(tx, connection, object)}
    found: dict[str, dict[str, RecordRow]] = {}
    for old in merged.values():
        if old.entity is None or not old.linked:
            continue
        place, passed = old, {old.id}
        while (following := merged.get(place.survivor or "")) is not None and following.id not in passed:
            place = following
            passed.add(place.id)
        by_entity = found.setdefault(place.survivor or "", {})
        if old.entity not in by_entity or place is old:  # the last one before the survivor knows most
            by_entity[old.entity] = old
    return {id: list(by_entity.values()) for id, by_entity in found.items()}


def ranked(kind: str, said: Mapping[str, Any], ancestors: Sequence[RecordRow]) -> tuple[list[RecordRow], bool]:
    """The ancestors that a record may be, the likeliest first; and whether it is that one beyond doubt.

    A merge keeps what one record says, its name before all, and of the others only what that one has nothing to say about. Who
    lost the name and more than half of the rest is not the one that was kept; a record can be changed after a merge, too.
    """
    label = label_of(kind, said)

    def kept(old: RecordRow) -> tuple[bool, bool, float]:
        values = {leaf: value for leaf, value in loads(old.seen).items() if value is not None}
        same = sum(said.get(leaf) == value for leaf, value in values.items())
        return same == len(values), label_of(kind, values) == label, same / max(1, len(values))

    found = {old.id: kept(old) for old in ancestors}
    likely = [old for old in ancestors if found[old.id][1] or found[old.id][2] >= _HALF]
    likely.sort(key=lambda old: (found[old.id], old.id), reverse=True)
    marks = [found[old.id][:2] for old in likely]
    return likely, bool(marks) and any(marks[0]) and marks.count(marks[0]) == 1


def inherit(tx: Transaction, heirs: Mapping[str, RecordRow]) -> None:
    """Let records (by id) agree on what their ancestors agreed on: what differs from that is a change."""
    for id, old in heirs.items():
        of_row = (record_table.c.connection == old.connection, record_table.c.object == old.object)
        tx.execute(update(record_table).where(*of_row, record_table.c.id == id).values(base=old.base, given=old.given))


def lost_ancestor(tx: Transaction, connection: str, object: str, spec: ObjectSpec, raw: Raw, key: str | None) -> str | None:
    """The id of the record that we made with a key and that was merged into this one before anybody knew it for ours.

    A merge takes over the key of either record. Who finds one of ours by its key before its id was known may have found another
    record, into which ours was merged. It is the one that was read with that key and is nobody's yet; else one that nobody ever
    read, the newest, if there are several.
    """
    told = at_path(spec.merged)(raw) if spec.merged else None
    ids = [id for id in str(told or "").split(";") if id]
    known = records_by_id(tx, connection, object, ids) if ids else {}
    keyed = at_path(spec.key)
    ours = (id for id, row in known.items() if row.entity is None and keyed(loads(row.raw)) == key)
    return next(ours, None) or next((id for id in reversed(ids) if id not in known), None)
