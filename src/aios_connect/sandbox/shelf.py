"""The records of one object of a fake vendor, with versions, instants, deletes, merges, and an index that lags behind them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from .clock import SimClock

__all__ = ["Edit", "Item", "Shelf"]


@dataclass(frozen=True, slots=True)
class Item:
    """One record as it was from one instant on.

    Attributes:
        id: The vendor's id.
        version: 1 for a new record, one more with every change.
        created: When it was made.
        modified: When it was last changed, in the vendor's grain.
        values: What the record holds besides.
        gone: How it went, or an empty string.
        survivor: For a merge, the record it lives on in.
    """

    id: str
    version: int
    created: datetime
    modified: datetime
    values: Mapping[str, Any]
    gone: Literal["", "deleted", "archived", "merged"] = ""
    survivor: str = ""

    @property
    def mark(self) -> tuple[datetime, str]:
        """Its place in a listing by last change."""
        return self.modified, self.id


@dataclass(frozen=True, slots=True)
class Edit:
    """One line of a shelf's own history: what an oracle reads.

    Attributes:
        at: When.
        by: Who: ``"api"`` or a person's name.
        id: Which record.
        values: What was written; ``None`` for a delete or merge.
        line: What the client said about the request, such as a plan line.
    """

    at: datetime
    by: str
    id: str
    values: Mapping[str, Any] | None
    line: str = ""


class Shelf:
    """The records of one object.

    Args:
        clock: The vendor's time.
        name_id: Makes the id of the n-th record, from 1.
        grain: Instants are cut to it, so that several changes share one.
        distinct: No two changes share an instant: one that would is put a grain later.
        lag: Seconds until a change shows in :meth:`listing`; :meth:`get` and :meth:`find` show it at once.
    """

    def __init__(
        self,
        clock: SimClock,
        name_id: Callable[[int], str] = str,
        *,
        grain: timedelta = timedelta(milliseconds=1),
        distinct: bool = False,
        lag: float = 0.0,
    ) -> None:
        self.history: list[Edit] = []
        self._clock = clock
        self._name_id = name_id
        self._grain = grain
        self._distinct = distinct
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._lag = timedelta(seconds=lag)
        self._count = 0
        self._items: dict[str, Item] = {}
        self._indexed: dict[str, Item] = {}  # as the index knows them
        self._order: list[tuple[datetime, str]] = []
        self._pending: list[tuple[datetime, Item]] = []  # changes the index does not know yet

    def __len__(self) -> int:
        return sum(not item.gone for item in self._items.values())

    def __iter__(self) -> Iterator[Item]:
        """The living records, as they truly are."""
        return (item for item in self._items.values() if not item.gone)

    def get(self, id: str) -> Item | None:
        """One living record as it truly is."""
        item = self._items.get(id)
        return None if item is None or item.gone else item

    def find(self, field: str, value: Any) -> Item | None:
        """The first living record with this value, as it truly is."""
        return next((item for item in self if item.values.get(field) == value), None)

    def create(self, values: Mapping[str, Any], *, by: str = "api", line: str = "") -> Item:
        """Make a record."""
        self._count += 1
        at = self._instant()
        return self._put(Item(self._name_id(self._count), 1, at, at, deepcopy(dict(values))), by, line, values)

    def change(self, id: str, values: Mapping[str, Any], *, by: str = "api", line: str = "") -> Item:
        """Change some values of a living record; ``None`` clears one."""
        old = self._living(id)
        merged = {**old.values, **deepcopy(dict(values))}
        return self._put(replace(old, version=old.version + 1, modified=self._instant(), values=merged), by, line, values)

    def remove(
        self,
        id: str,
        how: Literal["deleted", "archived", "merged"] = "deleted",
        *,
        survivor: str = "",
        by: str = "api",
        line: str = "",
    ) -> Item:
        """Delete a living record, or merge it into another."""
        old = self._living(id)
        gone = replace(old, version=old.version + 1, modified=self._instant(), gone=how, survivor=survivor)
        return self._put(gone, by, line, None)

    def slow(self, seconds: float) -> None:
        """What is written from now on shows in :meth:`listing` only after so many seconds."""
        self._lag = timedelta(seconds=seconds)

    def listing(self, after: tuple[datetime, str] | None = None, limit: int = 100) -> list[Item]:
        """Records and tombstones by last change and id, as the index shows them now.

        Args:
            after: Only what stands strictly behind this mark.
            limit: At most so many.
        """
        self._catch_up()
        start = 0 if after is None else bisect_right(self._order, after)
        return [self._indexed[id] for _, id in self._order[start : start + limit]]

    def _living(self, id: str) -> Item:
        item = self.get(id)
        if item is None:
            raise KeyError(id)
        return item

    def _instant(self) -> datetime:
        now = self._clock.now()
        at = now - (now - datetime.min.replace(tzinfo=UTC)) % self._grain
        self._latest = max(at, self._latest + self._grain) if self._distinct else at
        return self._latest

    def _put(self, item: Item, by: str, line: str, values: Mapping[str, Any] | None) -> Item:
        self._items[item.id] = item
        insort(self._pending, (self._clock.now() + self._lag, item), key=lambda pending: pending[0])
        self.history.append(Edit(self._clock.now(), by, item.id, None if values is None else deepcopy(dict(values)), line))
        return item

    def _catch_up(self) -> None:
        now = self._clock.now()
        while self._pending and self._pending[0][0] <= now:
            _, item = self._pending.pop(0)
            old = self._indexed.get(item.id)
            if old is not None and old.version > item.version:
                continue  # a later change overtook it
            if old is not None:
                del self._order[bisect_left(self._order, old.mark)]
            self._indexed[item.id] = item
            insort(self._order, item.mark)
