"""Reading records: all of them, by id, by our key, or their ids only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from aios_connect.connectors import Cursor, Page, Raw, ScanPage

from .listing import Fetch, Place, walk
from .objects import CUSTOM, KEY, OBJECTS
from .wire import Wire

__all__ = ["Reader"]


class Reader:
    """Reads the records of one organization.

    Args:
        wire: The way there.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def pages(self, object: str, size: int, since: Cursor) -> Iterator[Page]:
        """Every record, page by page. BottleCRM tells no changes, so a finished read has no cursor."""
        for rows, place in self._walk(object, size, Place.of(since)):
            cursor = {} if place is None else place.cursor
            yield Page([*self._whole(object, rows)], cursor, complete=place is None)

    def scan(self, object: str, size: int) -> Iterator[ScanPage]:
        """Every id. Lists have no version that changes with every change."""
        for rows, place in self._walk(object, size, Place()):
            yield ScanPage([(str(row["id"]), "") for row in rows], complete=place is None)

    def one(self, object: str, id: str) -> Raw | None:
        """One record; ``None`` if it is gone."""
        return self._wire.one(object, id)

    def by_key(self, object: str, keys: Iterable[str], size: int, **params: str) -> dict[str, Raw]:
        """Records by our key. It is looked for in the whole list, or in what ``params`` leave of it.

        BottleCRM can filter by a custom field, but only on PostgreSQL: on SQLite it answers 500.
        """
        wanted, found = set(keys), dict[str, Raw]()
        pages = self._walk(object, size, Place(), **params) if wanted else iter(())
        for rows, _ in pages:
            newest = sorted(rows, key=lambda row: str(row.get("created_at")), reverse=True)  # what we just made is soon found
            for raw in self._whole(object, newest):
                key = (raw.get(CUSTOM) or {}).get(KEY)
                if key in wanted:
                    found[key] = raw
                if len(found) == len(wanted):
                    return found
        return found

    def _walk(self, object: str, size: int, place: Place, **params: str) -> Iterator[tuple[list[Raw], Place | None]]:
        kind = OBJECTS[object]
        return walk(self._fetch(object, params), len(kind.halves), kind.order, size, place, object)

    def _fetch(self, object: str, params: dict[str, str]) -> Fetch:
        halves = OBJECTS[object].halves
        return lambda half, offset, limit: self._wire.listed(object, halves[half], offset, limit, **params)

    def _whole(self, object: str, rows: list[dict[str, Any]]) -> Iterator[Raw]:
        """The records of a list, each asked for where the list leaves out half of it."""
        kind = OBJECTS[object]
        for row in rows:
            raw = kind.raw(row) if kind.whole else self._wire.one(object, str(row["id"]))
            if raw is not None:
                yield raw
