"""Values that do not stay: we write them, something changes them, and we would write them again, all day long.

Two automations that disagree, each in its own tool, keep a job writing for ever. The journal knows: what was written to the same place
several times within a day, each time over something else than we had left there, is changed there each time. It is left alone then, and a
person is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection as Transaction
from sqlalchemy import select

from aios_connect.store.records import dumps, loads
from aios_connect.store.tables import journal

__all__ = ["TIMES", "Written", "as_written", "written_of_late"]

TIMES: Final = 5
"""So often a value is written over somebody else's in one field of one record within a day; then it is left alone until a day has passed."""

_WITHIN: Final = timedelta(days=1)
_CHUNK: Final = 400

Written: TypeAlias = Counter[tuple[str, str]]
"""(Leaf, value as JSON) -> how often it was written of late."""


def written_of_late(tx: Transaction, entities: Sequence[str], now: datetime) -> dict[tuple[str, str], Written]:
    """(Connection, entity) -> what updates wrote to the entity's record there within the last day, over something that was not theirs.

    Args:
        tx: Any transaction.
        entities: Ids of entities.
        now: The clock.
    """
    found: dict[tuple[str, str], Written] = {}
    ours: dict[tuple[str, str, str], str] = {}
    for start in range(0, len(entities), _CHUNK):
        query = select(journal.c.connection, journal.c.entity, journal.c.fields).where(
            journal.c.entity.in_(entities[start : start + _CHUNK]),
            journal.c.action == "update",
            journal.c.at > now - _WITHIN,
            journal.c.undone_by.is_(None),
        )
        for row in tx.execute(query.order_by(journal.c.seq)):
            written = found.setdefault((row.connection, row.entity), Counter())
            for field in loads(row.fields):
                place, value = (row.connection, row.entity, field["leaf"]), as_written(field.get("new"))
                # what stayed until we changed it ourselves was changed by whoever decides, elsewhere
                written[field["leaf"], value] += ours.get(place) != as_written(field.get("old"))
                ours[place] = value
    return found


def as_written(value: Any) -> str:
    """A value as it can be compared with what the journal has."""
    return dumps(value)
