"""Reading a model: by id, all of it, or what changed.

A pass goes through the ids in ascending order, each page asking for what comes after the last id; records that change meanwhile
keep their place in it, so none is passed over and ties do not exist. Which records are in it is decided by the instant of their
last change, on or after the lower bound of the pass. The next pass begins where this one began, less an overlap: Tryton stamps a
record with the instant its transaction began, and it can be seen only when that ends.

A page is asked for with one record more than it has. If that is not there, Tryton itself says that nothing follows: it is one
``select ... where id > x order by id limit n``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from aios_connect.connectors import Cursor, CursorGoneError, Page, RejectedError, ScanPage, Tombstone

from .model import Domain, Model, Seen
from .rpc import Rpc
from .wire import instant

__all__ = ["Records"]

_TOO_LARGE: Final = 413


class Records:
    """The records of one of our objects.

    Args:
        model: What they are in Tryton.
        rpc: The way there.
    """

    def __init__(self, model: Model, rpc: Rpc) -> None:
        self.model = model
        self._rpc = rpc

    def fields(self) -> dict[str, Any]:
        """Tryton's live description of the model's fields."""
        fields = self._rpc.fields(self.model.name, self.model.object)
        self.model.meet(fields)
        return fields

    def context(self) -> dict[str, Any]:
        """Tryton's context for calls on the model. Archived records are records.

        It names no employee: Tryton would make that one the owner of every record made.
        """
        company = self._rpc.company().get("company") if self.model.of_company else None
        return {"active_test": False, **({} if company is None else {"company": company})}

    def pages(self, since: Cursor, size: int, overlap: timedelta) -> Iterator[Page]:
        """Everything that changed since a cursor.

        Args:
            since: Empty for the beginning; ``mark`` alone after a finished pass; ``mark``, ``from`` and ``after`` within one.
            size: Records a page, at most.
            overlap: How far before its mark a new pass begins.
        """
        fields = self.fields()
        if since and "mark" not in since:
            raise CursorGoneError("the cursor is not one of this connector", provider="tryton", object=self.model.object)
        after, mark, start = since.get("after"), since.get("mark"), since.get("from")
        if after is None:
            start = _text(_parsed(mark) - overlap) if mark else None
            mark, after = _text(self._rpc.clock()), 0
        changed = [self.model.changed(instant(_parsed(start)))] if start else []
        while True:
            page, complete, size = self._page([*changed, ["id", ">", after]], self.model.columns(fields), size)
            seen = [self.model.seen(row, fields) for row in page if not self.model.unfinished(row)]
            stones = [stone for one in seen if (stone := _tombstone(one))]
            gone = {stone.id for stone in stones}
            after = page[-1]["id"] if page else after
            yield Page(
                records=[one.raw for one in seen if one.id not in gone],
                cursor={"mark": mark} if complete else {"mark": mark, "from": start, "after": after},
                complete=complete,
                tombstones=stones,
            )
            if complete:
                return

    def scan(self, size: int) -> Iterator[ScanPage]:
        """Every id that is not archived, with its version."""
        after, archivable = 0, "active" in self.model.stored(self.fields())
        active = [["active", "=", True]] if archivable else []
        while True:
            page, complete, size = self._page([*active, ["id", ">", after]], self.model.versions(), size)
            yield ScanPage([(str(row["id"]), self.model.version(row)) for row in page], complete)
            if complete:
                return
            after = page[-1]["id"]

    def by_id(self, ids: Sequence[int]) -> dict[int, Seen]:
        """The records with these ids, archived ones too; those that are gone are left out."""
        return {int(one.id): one for one in self._all([["id", "in", list(ids)]])} if ids else {}

    def by_key(self, keys: Sequence[str], *, unfinished: bool = False) -> dict[str, Seen]:
        """The records that carry our keys, or those still being made. If a person copied one, key and all, it is the older one."""
        found = self._all(self.model.keyed(list(keys), unfinished=unfinished)) if keys else []
        return {one.raw["key"]: one for one in reversed(found)}

    def count(self, domain: Domain) -> int:
        """How many of the model's records are in a domain."""
        return int(self._rpc.call(f"model.{self.model.name}.search_count", domain, context=self.context()))

    def _all(self, domain: Domain) -> list[Seen]:
        fields = self.fields()
        return [self.model.seen(row, fields) for row in self._search(domain, self.model.columns(fields), None)]

    def _page(self, domain: Domain, columns: Sequence[str], size: int) -> tuple[list[dict[str, Any]], bool, int]:
        """A page, whether nothing follows it, and how many records it may have: fewer than wished where the server permits no more."""
        while True:
            try:
                rows = self._search(domain, columns, size + 1)
                return rows[:size], len(rows) <= size, size
            except RejectedError as error:
                if error.status != _TOO_LARGE or size == 1:
                    raise
                size //= 2

    def _search(self, domain: Domain, columns: Sequence[str], limit: int | None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._rpc.call(
            f"model.{self.model.name}.search_read",
            [*self.model.domain(), *domain],
            0,
            limit,
            [["id", "ASC"]],
            list(columns),
            object=self.model.object,
            context=self.context(),
        )
        return rows


def _tombstone(seen: Seen) -> Tombstone | None:
    """What Tryton calls replaced is merged, and what it calls inactive is archived."""
    raw = seen.raw
    if raw.get("replaced_by") is not None:
        return Tombstone(seen.id, "merged", survivor=str(raw["replaced_by"]), at=_parsed(raw["modified"]))
    if "active" in raw and not raw["active"]:
        return Tombstone(seen.id, "archived", at=_parsed(raw["modified"]))
    return None


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(at: datetime) -> str:
    return at.isoformat()
