"""A vendor that merges records may put them into a new one with an id of its own: which of them is it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import update

from aios_connect.store.records import RecordRow, loads, merged_records
from aios_connect.store.tables import record as record_table

__all__ = ["ancestors_of", "inherit", "ranked"]


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


def ranked(said: Mapping[str, Any], ancestors: Sequence[RecordRow]) -> tuple[list[RecordRow], bool]:
    """The ancestors of whose values a record kept at least half, most first; and whether it kept all of the first one's alone.

    A merge keeps what one record says, and of the others only what that one has nothing to say about.
    """

    def lost(old: RecordRow) -> tuple[int, int]:
        values = {leaf: value for leaf, value in loads(old.seen).items() if value is not None}
        return sum(said.get(leaf) != value for leaf, value in values.items()), len(values)

    counts = {old.id: lost(old) for old in ancestors}
    alike = sorted(
        (old for old in ancestors if counts[old.id][0] * 2 <= counts[old.id][1]), key=lambda old: (counts[old.id][0], old.id)
    )
    whole = [old for old in alike if counts[old.id][0] == 0]
    return alike, len(whole) == 1


def inherit(tx: Transaction, heirs: Mapping[str, RecordRow]) -> None:
    """Let records (by id) agree on what their ancestors agreed on: what differs from that is a change."""
    for id, old in heirs.items():
        of_row = (record_table.c.connection == old.connection, record_table.c.object == old.object)
        tx.execute(update(record_table).where(*of_row, record_table.c.id == id).values(base=old.base, given=old.given))
