"""The records of one object: truly as they are, and as the search index knows them, which is later."""

from __future__ import annotations

import heapq
from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aios_connect.sandbox import Edit, SimClock

__all__ = ["Record", "Records"]


@dataclass(slots=True)
class Record:
    """One record.

    Attributes:
        id: A number; as text in JSON.
        values: Properties that are filled, all of them text.
        created: When it was made.
        modified: When a property was last changed.
        archived: When it was put into the bin, if it is there.
        survivor: The record it was merged into; 0 if it was not.
    """

    id: int
    values: dict[str, str]
    created: datetime
    modified: datetime
    archived: datetime | None = None
    survivor: int = 0

    @property
    def lives(self) -> bool:
        """It is neither in the bin nor merged into another."""
        return self.archived is None and not self.survivor


@dataclass(slots=True)
class Indexed:
    """A record as the index knows it."""

    id: int
    values: Mapping[str, str]
    created: datetime
    modified: datetime
    number: int = field(default=0)


class Records:
    """All records of one object.

    Args:
        clock: The vendor's time.
        first: Ids begin above it.
        lag: Seconds until the index knows of a change; asked for each one.

    Attributes:
        history: What was written by whom.
        unique: Properties whose values come only once.
        tell: Hears of everything that happens to a record: what, which, and the values that were written.
    """

    def __init__(self, clock: SimClock, first: int, lag: Callable[[], float]) -> None:
        self.history: list[Edit] = []
        self.unique: set[str] = set()
        self.tell: Callable[[str, Record, Mapping[str, str]], None] = lambda what, record, values: None
        self._clock = clock
        self._lag = lag
        self._next = first
        self._all: dict[int, Record] = {}
        self._owner: dict[tuple[str, str], int] = {}  # of a unique value
        self._living: list[int] = []
        self._bin: list[int] = []
        self._pending: list[tuple[datetime, int, int, Indexed | None]] = []
        self._changes = 0
        self._index: dict[int, Indexed] = {}
        self._newest: dict[int, int] = {}
        self._index_order: list[int] = []

    def __len__(self) -> int:
        return len(self._living)

    def __iter__(self) -> Iterator[Record]:
        """The living records by id."""
        return (self._all[id] for id in self._living)

    def get(self, id: str | int) -> Record | None:
        """The living record under an id; under the id of a merged one, its survivor."""
        record = self._all.get(int(id)) if str(id).isdigit() else None
        while record is not None and record.survivor:
            record = self._all[record.survivor]
        return record if record is not None and record.lives else None

    def by(self, property: str, value: str) -> Record | None:
        """The living record with a unique value."""
        id = self._owner.get((property, value.casefold()))
        return None if id is None else self.get(id)

    def page(self, after: int, limit: int, *, archived: bool = False) -> tuple[list[Record], bool]:
        """Records above an id, and whether there are more; those in the bin, if asked for."""
        order = self._bin if archived else self._living
        start = bisect_right(order, after)
        return [self._all[id] for id in order[start : start + limit]], start + limit < len(order)

    def create(self, values: Mapping[str, str], *, by: str = "api", line: str = "") -> Record:
        """Make a record."""
        record = self._add(values, by, line)
        self.tell("creation", record, values)
        return record

    def change(self, id: str | int, values: Mapping[str, str], *, by: str = "api", line: str = "") -> Record:
        """Change some properties of a living record; an empty text clears one."""
        record = self._must(id)
        record.modified = self._now()
        self._put(record, values, by, line)
        self.tell("propertyChange", record, values)
        return record

    def archive(self, id: str | int, *, by: str = "api", line: str = "") -> Record:
        """Put a living record into the bin."""
        record = self._must(id)
        record.archived = self._now()
        self._living.remove(record.id)
        insort(self._bin, record.id)
        self._note(record, None, by, line)
        self.tell("deletion", record, {})
        return record

    def erase(self, id: str | int, *, by: str = "a person") -> None:
        """Delete a living record for good: it is in no bin, and under no id."""
        record = self._must(id)
        record.archived = self._now()
        self._living.remove(record.id)
        del self._all[record.id]
        self._note(record, None, by, "")
        self.tell("deletion", record, {})

    def restore(self, id: str | int, *, by: str = "a person") -> Record:
        """Take a record out of the bin; that it counts as a change of the record is assumed."""
        record = self._all[int(id)]
        if record.archived is None:
            raise KeyError(id)
        record.archived, record.modified = None, self._now()
        self._bin.remove(record.id)
        insort(self._living, record.id)
        self._note(record, {}, by, "")
        self.tell("restore", record, {})
        return record

    def merge(self, primary: str | int, other: str | int, *, property: str, by: str = "a person") -> Record:
        """Merge two records into a new one with a new id, as HubSpot does since 2025; both old ids lead to it."""
        kept, lost = self._must(primary), self._must(other)
        values = {**lost.values, **kept.values}
        old = [part for record in (kept, lost) for part in record.values.get(property, "").split(";") if part]
        values[property] = ";".join([*old, str(kept.id), str(lost.id)])
        for record in (kept, lost):
            self._living.remove(record.id)
            record.survivor = self._next + 1
            self._note(record, None, by, "")
            self.tell("deletion", record, {})
        return self._add(values, by, "")

    def known(self) -> list[Indexed]:
        """The records as the index knows them now, by id."""
        now = self._clock.now()
        while self._pending and self._pending[0][0] <= now:
            _, number, id, entry = heapq.heappop(self._pending)
            if number < self._newest.get(id, 0):
                continue  # a later change overtook it
            self._newest[id] = number
            if entry is None:
                if self._index.pop(id, None) is not None:
                    self._index_order.remove(id)
                continue
            if id not in self._index:
                insort(self._index_order, id)
            self._index[id] = entry
        return [self._index[id] for id in self._index_order]

    def _add(self, values: Mapping[str, str], by: str, line: str) -> Record:
        self._next += 1
        now = self._now()
        record = Record(self._next, {}, now, now)
        self._all[record.id] = record
        self._living.append(record.id)
        self._put(record, values, by, line)
        return record

    def _must(self, id: str | int) -> Record:
        record = self.get(id)
        if record is None:
            raise KeyError(id)
        return record

    def _now(self) -> datetime:
        now = self._clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _put(self, record: Record, values: Mapping[str, str], by: str, line: str) -> None:
        for name, value in values.items():
            if name in self.unique:
                self._owner.pop((name, record.values.get(name, "").casefold()), None)
                if value:
                    self._owner[name, value.casefold()] = record.id
            if value:
                record.values[name] = value
            else:
                record.values.pop(name, None)
        self._note(record, values, by, line)

    def _note(self, record: Record, values: Mapping[str, str] | None, by: str, line: str) -> None:
        self._changes += 1
        entry = Indexed(record.id, dict(record.values), record.created, record.modified, self._changes) if record.lives else None
        due = self._clock.now() + timedelta(seconds=self._lag())
        heapq.heappush(self._pending, (due, self._changes, record.id, entry))
        self.history.append(Edit(self._clock.now(), by, str(record.id), None if values is None else dict(values), line))
