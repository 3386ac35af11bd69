"""Reading a collection in the order of its changes. Kinto stamps each with an instant later than all before it.

Every page asks for what changed after the last instant that was read, the oldest first. What is edited meanwhile moves to the end
and comes again; what is deleted comes as a tombstone. So a position is one number, and it holds however long the reading pauses.
Whoever writes a record may choose its instant, so several can share one: a page that Kinto cut off ends before its last instant.

A page is the last one when it reaches the collection's own revision, the ``ETag`` of every list, or when Kinto says that nothing
follows. A revision that lies before our position means that the server lost its history: then everything is read again
(https://kinto.readthedocs.io/en/latest/api/1.x/timestamps.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from aios_connect.connectors import Cursor, CursorGoneError, Page, Raw, ScanPage, Tombstone, TruncatedError, instant

from .wire import Listed, Wire

__all__ = ["pages", "scan"]


def pages(wire: Wire, object: str, since: Cursor, size: int) -> Iterator[Page]:
    """Everything that changed since a cursor, or everything there is.

    Args:
        wire: The way to Kinto.
        object: The collection.
        since: Empty, or ``{"since": milliseconds}``.
        size: Records a page, at most.
    """
    at = _position(since, object)
    while True:
        told = wire.page(object, **_asking(at, size))
        if at is not None and told.newest < at:
            raise CursorGoneError(
                f"Kinto's {object} are at revision {told.newest}, before {at} that was read from it: it lost its history",
                hint="everything is read again from the beginning",
                provider="kinto",
                object=object,
            )
        items, at, end = _reached(told, at, size, object)
        yield Page(
            records=[item for item in items if not item.get("deleted")],
            cursor={"since": at},
            complete=end,
            tombstones=[_tombstone(item) for item in items if item.get("deleted")],
        )
        if end:
            return


def scan(wire: Wire, object: str, size: int) -> Iterator[ScanPage]:
    """Every id with its version. ``deleted`` is asked for by name: without it a tombstone would look like a record."""
    at: int | None = None
    while True:
        told = wire.page(object, _fields="id,last_modified,deleted", **_asking(at, size))
        items, at, end = _reached(told, at, size, object)
        yield ScanPage([(item["id"], str(item["last_modified"])) for item in items if not item.get("deleted")], end)
        if end:
            return


def _asking(at: int | None, size: int) -> dict[str, str]:
    """What a page is asked for: one record more than it has, to see whether that one shares the last one's instant."""
    asked = {"_sort": "last_modified", "_limit": str(size + 1)}
    return asked if at is None else {**asked, "_since": f'"{at}"'}


def _position(since: Cursor, object: str) -> int | None:
    if not since:
        return None
    if not isinstance(since.get("since"), int):
        raise CursorGoneError("the cursor is not one of this connector", provider="kinto", object=object)
    return int(since["since"])


def _reached(told: Listed, before: int | None, size: int, object: str) -> tuple[list[Raw], int, bool]:
    """What of an answer makes a page, how far it leads, and whether it is the last one."""
    at = before or 0
    for item in told.items:
        moment = item.get("last_modified")
        if not isinstance(moment, int) or moment < at or moment == before or "id" not in item:
            raise TruncatedError(
                f"a page of {object} is not in the order of its changes",
                hint="nothing read so far is lost; try again, and see whether something between us and Kinto keeps old answers",
                provider="kinto",
                object=object,
            )
        at = moment
    if len(told.items) <= size and not told.more:
        return told.items, at, at == told.newest or not told.items
    following = told.items[size]["last_modified"] if len(told.items) > size else at
    whole = [item for item in told.items[:size] if item["last_modified"] < following]
    if not whole:
        raise TruncatedError(
            f"more {object} share one instant of change than a page holds",
            hint="somebody wrote them with a last_modified of their own; write one of them again without",
            provider="kinto",
            object=object,
        )
    return whole, whole[-1]["last_modified"], False


def _tombstone(item: Raw) -> Tombstone:
    return Tombstone(item["id"], "deleted", at=instant(item["last_modified"]))
