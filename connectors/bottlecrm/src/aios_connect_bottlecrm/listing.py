"""Reading a list to its end. BottleCRM pages by offset, and an offset is no place: what is made or deleted meanwhile moves the rest.

So a place is the last row that was read, by the field the list is ordered by, which never changes; the offset only says where that row
is likely to be. Every page is asked for with the row before it. If that row, or one of those before it, is not in front, rows in front
of it were deleted and we go back; if rows that were read come again, others were made in front of them and we go on. The list ends
where its own count says so.

Rows of one instant have no order among themselves, and may stand in another one each time: of those at the end of a page the ids are
remembered, and the next page is asked for with all of them before it.

A list that comes in two halves is read one half after the other. What moves from the second to the first meanwhile would be in
neither: so in the end the first is counted once more, and read again if there are more or fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from aios_connect.connectors import Cursor, CursorGoneError, Raw, TruncatedError, instant

__all__ = ["Place", "walk"]

_PARTS: Final = frozenset({"part", "offset", "after", "ids", "first"})
_TRIES: Final = 3

Fetch = Callable[[int, int, int], tuple[list[Raw], int]]
"""Half, offset and limit -> rows, and how many the half has in all."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a list.

    Attributes:
        part: Which half; 2 is the first one again.
        offset: Where the next row is likely to be.
        after: What the last row is ordered by.
        ids: Of the rows that were read and have the same.
        first: How many the first half had when it was begun.
    """

    part: int = 0
    offset: int = 0
    after: str = ""
    ids: tuple[str, ...] = ()
    first: int = -1

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        """The place that a cursor means.

        Raises:
            CursorGoneError: It is not one of this connector.
        """
        if not cursor:
            return cls()
        try:
            if set(cursor) != _PARTS:
                raise ValueError
            numbers = (int(cursor["part"]), int(cursor["offset"]), int(cursor["first"]))
            return cls(numbers[0], numbers[1], str(cursor["after"]), tuple(map(str, cursor["ids"])), numbers[2])
        except (TypeError, ValueError):
            raise CursorGoneError("the cursor is not one of this connector", provider="bottlecrm") from None

    @property
    def cursor(self) -> dict[str, Any]:
        """As it is stored."""
        return {"part": self.part, "offset": self.offset, "after": self.after, "ids": list(self.ids), "first": self.first}


class _Order:
    """The order of a list: descending, by one field."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._key: Callable[[str], Any] = str if field == "id" else instant

    def of(self, row: Raw) -> str:
        return str(row[self._field])

    def beyond(self, row: Raw, place: Place) -> bool:
        """A row that was not read yet, for it comes after the place."""
        if not place.after:
            return True
        mine, last = self._key(self.of(row)), self._key(place.after)
        return bool(mine < last or (mine == last and row["id"] not in place.ids))

    def later(self, one: Raw, other: Raw) -> bool:
        """One row comes after another."""
        return bool(self._key(self.of(one)) <= self._key(self.of(other)) and one["id"] != other["id"])

    def moved(self, place: Place, rows: list[Raw], offset: int) -> Place:
        """The place after these rows."""
        last = self.of(rows[-1])
        ids = {row["id"] for row in rows if self._key(self.of(row)) == self._key(last)}
        same = bool(place.after) and self._key(place.after) == self._key(last)
        return replace(place, offset=offset, after=last, ids=tuple(sorted({*place.ids, *ids} if same else ids)))


def walk(fetch: Fetch, halves: int, order: str, size: int, place: Place, object: str) -> Iterator[tuple[list[Raw], Place | None]]:
    """The rows of a list page by page, each page with the place after it; ``None`` after the last.

    Raises:
        TruncatedError: The list goes round in a circle, or its parts contradict each other.
    """
    by = _Order(order)
    while True:
        rows, offset, count = _page(fetch, by, size, place, object)
        if place.first < 0:
            place = replace(place, first=count)
        if rows:
            place = by.moved(place, rows, offset)
        following: Place | None = place
        if offset >= count:
            following = _next_half(fetch, halves, place)
        yield rows, following
        if following is None:
            return
        place = following


def _next_half(fetch: Fetch, halves: int, place: Place) -> Place | None:
    if halves == 1 or place.part == 2:
        return None
    if place.part == 0:
        return Place(part=1, first=place.first)
    _, now = fetch(0, 0, 1)
    return None if now == place.first else Place(part=2, first=now)


def _page(fetch: Fetch, by: _Order, size: int, place: Place, object: str) -> tuple[list[Raw], int, int]:
    """Rows after a place, the offset after them, and how many there are in all."""
    part = place.part % 2
    offset, limit = max(0, place.offset - len(place.ids)), size + len(place.ids)
    last: Raw | None = None
    wrong = 0
    while wrong < _TRIES:
        rows, count = fetch(part, offset, limit)
        end = offset + len(rows)
        if (rows and end > count) or (not rows and count > offset):
            wrong += 1  # something was made or deleted between counting and listing
        elif offset and (not rows or by.beyond(rows[0], place)):
            offset = max(0, offset - size)  # rows in front of our place are gone
        elif fresh := [row for row in rows if by.beyond(row, place)]:
            return fresh, end, count
        elif end >= count:
            if not offset or fetch(part, offset - 1, limit)[0][1:2] == rows[:1]:
                return [], end, count
            wrong += 1  # the page is not where it says
        else:
            wrong += last is not None and not by.later(rows[-1], last)
            last, offset = rows[-1], end - 1  # rows were made in front of our place
    raise _circle(object)


def _circle(object: str) -> TruncatedError:
    return TruncatedError(
        f"the pages of {object} contradict each other, or come again and again",
        hint="nothing read so far is lost; try again",
        provider="bottlecrm",
        object=object,
    )
