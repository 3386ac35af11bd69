"""The CRM "plain": the simplest vendor that still has everything a synchronisation must cope with.

A page of its own documentation, as it were:

- ``GET /api/{object}?limit=&since=&after=`` lists by (last change, id), ``since`` included, as
  ``{"items", "gone", "next", "end", "now"}``: the last page says ``"end": true``, every other one has a cursor in ``next``.
  The index lags behind by some seconds, and instants may be cut to whole minutes.
- ``GET /api/{object}/ids?after=`` lists ids with versions. ``POST /api/{object}/lookup`` finds by ``ids`` or ``keys``. Neither
  lags.
- ``POST /api/{object}/batch`` creates, updates or deletes up to ten. Updates and deletes carry the ``version`` they replace.
  Results name the input's ``line`` and come in any order. One bad value refuses the whole batch with 400.
- Fifty calls in a second; ``X-Plain-Left`` may say how many are left.
- ``key`` is free for the client's own key; nothing stops two records from having the same.
- Errors say ``{"status": "error", "message": ...}``, sometimes with status 200; nothing was done then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from aios_connect.sandbox import Call, Item, RefusedError, Schedule, Shelf, SimClock, Vendor, route

__all__ = ["FIELDS", "KEY", "Merges", "PlainVendor"]

KEY = "plain-key"
"""The API key of every plain server."""

FIELDS: Mapping[str, Mapping[str, str]] = {
    "companies": {"name": "text", "domain": "text", "phone": "text", "key": "text"},
    "people": {
        "first": "text",
        "last": "text",
        "email": "text",
        "mobile": "text",
        "title": "text",
        "company": "companies",
        "key": "text",
    },
    "deals": {"name": "text", "value": "decimal", "stage": "stage", "company": "companies", "person": "people", "key": "text"},
}
"""Object -> field -> type; an object's name is a reference to it."""

Merges: TypeAlias = list[tuple[str, str, str]]
"""Object, the id of a record that was merged away, and the id of the one it was merged into."""

STAGES = ("new", "talking", "offered", "won", "lost")
LONGEST = 60
LARGEST_BATCH = 10


class PlainVendor(Vendor):
    """One plain server.

    Args:
        clock: Its time.
        schedule: What goes wrong.
        grain: Its instants are cut to it.
        lag: Seconds by which its index lags.
        page_size: Records per page at most.

    Attributes:
        merges: What was merged, in order.
    """

    def __init__(
        self,
        clock: SimClock | None = None,
        schedule: Schedule | None = None,
        *,
        grain: timedelta = timedelta(seconds=1),
        lag: float = 0.0,
        page_size: int = 100,
    ) -> None:
        super().__init__(clock, schedule)
        self.page_size = page_size
        self.merges: Merges = []
        self.shelves = {
            object: Shelf(self.clock, lambda n, letter=object[0]: f"{letter}{n}", grain=grain, lag=lag)  # type: ignore[misc]
            for object in FIELDS
        }

    @route("GET", "/api/me")
    def me(self, call: Call) -> Any:
        self._sign_in(call)
        return {"account": "Plain Ltd", "user": "api", "now": _text(self.clock.now())}

    @route("GET", "/api/{object}/fields")
    def fields(self, call: Call, object: str) -> Any:
        self._shelf(call, object)
        return {"fields": dict(FIELDS[object]), "stages": list(STAGES), "longest": LONGEST}

    @route("GET", "/api/{object}")
    def list(self, call: Call, object: str) -> Any:
        shelf = self._shelf(call, object)
        if call.fault == "cursor_gone" and "after" in call.query:
            raise RefusedError(410, {"status": "error", "message": "this cursor has expired"})
        place = call.query.get("after") or call.query.get("since", "")
        at, _, id = place.partition("~")
        after = (_instant(at), id) if place else None
        limit = min(self.page_size, int(call.query.get("limit", self.page_size)))
        found = shelf.listing(after, limit + 1)
        end, found = len(found) <= limit, found[:limit]
        cursor = f"{_text(found[-1].modified)}~{found[-1].id}" if found else None
        if call.fault == "same_cursor" and "after" in call.query:
            end, cursor = False, call.query["after"]
        if call.fault == "empty_page" and not end and found:
            first = found[0]
            # A place just before the first record of the page that was withheld.
            end, cursor, found = False, f"{_text(first.modified)}~{first.id[:-1]}", []
        return {
            "items": [_shown(item) for item in found if not item.gone],
            "gone": [
                {"id": item.id, "how": item.gone, "survivor": item.survivor, "at": _text(item.modified)}
                for item in found
                if item.gone
            ],
            "next": None if end else cursor,
            "end": end,
            "now": _text(self.clock.now()),
        }

    @route("GET", "/api/{object}/ids")
    def ids(self, call: Call, object: str) -> Any:
        rows = sorted((item.id, str(item.version)) for item in self._shelf(call, object) if item.id > call.query.get("after", ""))
        end, rows = len(rows) <= self.page_size, rows[: self.page_size]
        return {"items": rows, "next": None if end else rows[-1][0], "end": end}

    @route("POST", "/api/{object}/lookup")
    def lookup(self, call: Call, object: str) -> Any:
        shelf, asked = self._shelf(call, object), call.json()
        keys = set(asked.get("keys", ()))
        found = [item for id in dict.fromkeys(asked.get("ids", ())) if (item := shelf.get(id))]
        found += [item for item in shelf if keys and item.values.get("key") in keys]
        return {"items": [_shown(item) for item in found]}

    @route("POST", "/api/{object}/batch")
    def batch(self, call: Call, object: str) -> Any:
        self._shelf(call, object)
        asked = call.json()
        inputs = asked["inputs"]
        if len(inputs) > LARGEST_BATCH:
            raise RefusedError(400, {"status": "error", "message": f"a batch takes at most {LARGEST_BATCH}"})
        if call.fault == "all_or_nothing" and len(inputs) > 1:
            raise RefusedError(400, {"status": "error", "message": "one of the inputs is not valid"})
        for given in inputs:
            self._check(object, given.get("values", {}))
        done = len(inputs) // 2 if call.fault == "half_done" else len(inputs)
        results = [self._write(object, asked["action"], given) for given in inputs[:done]]
        results += [{"line": given["line"], "status": "unprocessed"} for given in inputs[done:]]
        random.Random(call.index).shuffle(results)
        return {"results": results}

    def drop(self, object: str, id: str, *, survivor: str | None = None, by: str = "api", line: str = "") -> None:
        """Delete a record, or merge it into another; what pointed at it points at the survivor then, or at nothing."""
        if survivor:
            self.merges.append((object, id, survivor))
        self.shelves[object].remove(id, "merged" if survivor else "deleted", survivor=survivor or "", by=by, line=line)
        for name, fields in FIELDS.items():
            for field, kind in fields.items():
                for item in list(self.shelves[name]) if kind == object else ():
                    if item.values.get(field) == id:
                        self.shelves[name].change(item.id, {field: survivor}, by="the server")

    def _sign_in(self, call: Call) -> None:
        if call.headers.get("authorization") != f"Bearer {KEY}":
            raise RefusedError(401, {"status": "error", "message": "unknown key"})

    def _shelf(self, call: Call, object: str) -> Shelf:
        self._sign_in(call)
        if object not in self.shelves:
            raise RefusedError(404, {"status": "error", "message": f"no such object: {object}"})
        return self.shelves[object]

    def _check(self, object: str, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            kind = FIELDS[object].get(name)
            wrong = (
                kind is None
                or (isinstance(value, str) and len(value) > LONGEST)
                or (kind == "stage" and value not in (*STAGES, None))
                or (kind in self.shelves and value is not None and self.shelves[kind].get(value) is None)
            )
            if wrong:
                raise RefusedError(400, {"status": "error", "message": f"{object}: the value of {name!r} is not valid"})

    def _write(self, object: str, action: str, given: Mapping[str, Any]) -> Any:
        shelf, line = self.shelves[object], given["line"]
        if action == "create":
            return {"line": line, "status": "ok", "item": _shown(shelf.create(given["values"], line=line))}
        item = shelf.get(given["id"])
        if item is None:
            return {"line": line, "status": "missing"}
        if str(item.version) != given["version"]:
            return {"line": line, "status": "conflict", "item": _shown(item)}
        if action == "delete":
            self.drop(object, item.id, line=line)
            return {"line": line, "status": "ok"}
        return {"line": line, "status": "ok", "item": _shown(shelf.change(item.id, given["values"], line=line))}


def _shown(item: Item) -> dict[str, Any]:
    return {"id": item.id, "version": str(item.version), "updated": _text(item.modified), **item.values}


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
