"""Reading records: lists for everything, search for what changed, batches for what is named; associations come along.

No offset is ever trusted. The list's cursor is a place in the order of ids. A search asks for the ids above the last one it saw, so
that neither records that move while one pages, nor equal instants, nor the window of 10,000 results can hide one. What changes while
a read runs, or lags behind in the index, lies after the watermark from which the next read begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any, Final

from aios_connect.connectors import Cursor, CursorGoneError, Page, Quarantined, Raw, ScanPage, Tombstone, TruncatedError

from ._objects import MERGED, OBJECTS, Association
from ._schema import Properties
from ._wire import Wire, instant, instant_text

__all__ = ["Reader", "associate", "shaped"]

OVERLAP: Final = timedelta(seconds=60)
"""How far before its own beginning the next read looks back: longer than the index lags and than clocks differ."""

BATCH: Final = 100
"""Records per list or batch call (https://developers.hubspot.com/docs/guides/api/crm/objects/contacts)."""

FOUND: Final = 200
"""Records per search call (https://developers.hubspot.com/changelog/increasing-our-api-limits)."""

LINKED: Final = 1000
"""Ids per call for associations (https://developers.hubspot.com/changelog/bug-fix-batch-read-limit)."""

LONGEST: Final = 15_000
"""Characters of properties that are safe in an address; with more of them they are asked for in a body."""


class Reader:
    """Reads one account's records.

    Args:
        wire: The way to HubSpot.
        properties: Names of the properties to read, by object.
    """

    def __init__(self, wire: Wire, properties: Properties) -> None:
        self._wire = wire
        self._properties = properties

    def read(self, object: str, since: Cursor | None) -> Iterator[Page]:
        """Everything, or what changed since the cursor; see :meth:`aios_connect.connectors.Connector.read`."""
        position = dict(since or {})
        if not position.keys() <= {"since", "start", "after", "archived"}:
            raise CursorGoneError("this cursor was not made by this connector", provider="hubspot", object=object)
        if "archived" not in position:
            pages = self._changed(object, position) if "since" in position else self._all(object, position)
            for page in pages:
                position = dict(page.cursor)
                yield page
        yield from self._archived(object, position)

    def owners(self, since: Cursor | None = None) -> Iterator[Page]:
        """The owners who work here, then those who have left; a cursor goes on with a read that stopped."""
        path, since = self._wire.address("owners"), since or {}
        if not since.keys() <= {"after", "archived"}:
            raise CursorGoneError("this cursor was not made by this connector", provider="hubspot", object="owners")
        if "archived" not in since:
            for results, after, _ in self._listed(path, "owners", str(since.get("after", "")), {"archived": "false"}):
                yield Page(results, {"archived": ""} if after is None else {"after": after}, False)
        for results, after, _ in self._listed(path, "owners", str(since.get("archived", "")), {"archived": "true"}):
            gone = [Tombstone(str(raw["id"]), "archived") for raw in results]
            yield Page([], {} if after is None else {"archived": after}, after is None, gone)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """The living records among these ids. One that was merged is another record now, and left out."""
        asked = set(ids)
        found = [raw for raw in self.batch(object, ids, self._properties[object]) if raw["id"] in asked]
        return self._with_associations(object, found)

    def names(self, object: str) -> Sequence[str]:
        """The properties that are read of an object, as far as they are known without asking."""
        return self._properties.known(object)

    def find(self, object: str, property: str, values: Sequence[str]) -> dict[str, Raw]:
        """The living records by the value of a property whose values are unique.

        A merged record is found by its value too, as the survivor, which may have a value of its own; to which values that one
        answers, only asking for them one by one tells.
        """
        names = self._properties[object]
        found = {str(raw["properties"].get(property)): raw for raw in self.batch(object, values, names, by=property)}
        if any(_merged(raw) for raw in found.values()):
            for value in set(values) - found.keys():
                for raw in self.batch(object, [value], names, by=property):
                    found[value] = raw
        self._with_associations(object, list(found.values()))
        return {value: found[value] for value in values if value in found}

    def scan(self, object: str) -> Iterator[ScanPage]:
        """Every living id with the instant of its last change."""
        for results, after, _ in self._listed(self._wire.address("objects", object), object, "", {}):
            yield ScanPage([(str(item["id"]), str(item["updatedAt"])) for item in results], after is None)

    def batch(self, object: str, ids: Sequence[str], properties: Iterable[str], *, by: str = "") -> list[Raw]:
        """The living records with these ids, or with these values of a unique property, without associations.

        A merged record is found under its old id too, and comes with its new one.
        """
        found: dict[str, Raw] = {}
        for part in _parts(dict.fromkeys(ids), BATCH):
            body: dict[str, Any] = {
                "inputs": [{"id": id} for id in part],
                "properties": list(properties),
                "propertiesWithHistory": [],
            }
            if by:
                body["idProperty"] = by
            answer, _ = self._wire.post(self._wire.address("objects", f"{object}/batch/read"), object, body, safe=True)
            for item in _results(answer, object):
                found[str(item["id"])] = shaped(item)
            _refuse_errors(answer, object, "read")
        return list(found.values())

    def associations(self, object: str, ids: Sequence[str], to: Association) -> dict[str, list[tuple[str, bool]]]:
        """Id -> the ids it points at, each with whether it is the primary one. Fewest calls: one for each thousand."""
        found: dict[str, list[tuple[str, bool]]] = {id: [] for id in ids}
        asked: list[dict[str, str]] = [{"id": id} for id in found]
        path = self._wire.address("associations", f"{object}/{to.to}/batch/read")
        while asked:
            part, asked = asked[:LINKED], asked[LINKED:]
            answer, _ = self._wire.post(path, object, {"inputs": part}, safe=True)
            for item in _results(answer, object):
                id = str(item["from"]["id"])
                found[id] += [(str(one["toObjectId"]), _is_primary(one, to)) for one in item["to"]]
                if after := _after(item, object):
                    asked.append({"id": id, "after": after})
            _refuse_errors(answer, object, "read the associations of")
        return found

    def _all(self, object: str, position: dict[str, Any]) -> Iterator[Page]:
        names = self._properties[object]
        params: dict[str, Any] = {"properties": ",".join(names)}
        if kinds := OBJECTS[object].associations:
            params["associations"] = ",".join(one.to for one in kinds)
        in_body = len(params["properties"]) > LONGEST
        if in_body:
            del params["properties"]
        for results, after, clock in self._listed(
            self._wire.address("objects", object), object, position.get("after", ""), params
        ):
            start = position.setdefault("start", instant_text(clock))
            records = [shaped(item) for item in results]
            if in_body:
                whole = {raw["id"]: raw for raw in self.batch(object, [raw["id"] for raw in records], names)}
                records = [raw | {"properties": whole[raw["id"]]["properties"]} for raw in records if raw["id"] in whole]
            cursor = {"start": start} | ({"archived": ""} if after is None else {"after": after})
            self._take_inline(object, records)
            yield self._page(records, cursor)

    def _changed(self, object: str, position: dict[str, Any]) -> Iterator[Page]:
        """What changed since the watermark, in the order of ids; five searches make a page, for one call for its associations."""
        kind = OBJECTS[object]
        floor = str(int(instant(position["since"]).timestamp() * 1000))
        above, more = str(position.get("after", "0")), True
        while more:
            records: list[Raw] = []
            while more and len(records) < LINKED:
                body = {
                    "filterGroups": [
                        {
                            "filters": [
                                {"propertyName": kind.modified, "operator": "GTE", "value": floor},
                                {"propertyName": "hs_object_id", "operator": "GT", "value": above},
                            ]
                        }
                    ],
                    "sorts": ["hs_object_id"],
                    "properties": list(self._properties[object]),
                    "limit": FOUND,
                }
                answer, clock = self._wire.post(self._wire.address("objects", f"{object}/search"), object, body, safe=True)
                found = [shaped(item) for item in _results(answer, object)]
                position.setdefault("start", instant_text(clock))
                more = _after(answer, object) is not None
                _refuse_gap(answer, found, above, more, object)
                above = found[-1]["id"] if found else above
                records += found
            cursor = {name: position[name] for name in ("since", "start")}
            cursor |= {"after": above} if more else {"archived": ""}
            yield self._page(self._with_associations(object, records), cursor)

    def _archived(self, object: str, position: dict[str, Any]) -> Iterator[Page]:
        """The records in the bin, and those that had been merged into them: all on the first read, then those put there since.

        Where HubSpot does not tell when, all of them come every time: to be told twice that a record is gone does no harm.
        """
        since = instant(position["since"]) if "since" in position else None
        params = {"archived": "true", "properties": MERGED}
        for results, after, clock in self._listed(
            self._wire.address("objects", object), object, position.get("archived", ""), params
        ):
            start = position.setdefault("start", instant_text(clock))
            gone = {id: _archived_at(object, item) for item in results for id in (*_merged(shaped(item)), str(item["id"]))}
            new = {id: at for id, at in gone.items() if since is None or at is None or at >= since}
            cursor: dict[str, Any] = {"since": instant_text(instant(start) - OVERLAP)}
            if after is not None:
                cursor = {name: position[name] for name in ("since", "start") if name in position} | {"archived": after}
            yield Page([], cursor, after is None, self._tombstones(object, new))

    def _tombstones(self, object: str, gone: Mapping[str, datetime | None]) -> list[Tombstone]:
        """A merged record may lie in the bin as well: asked for by its old id, its survivor comes. A restored one comes itself."""
        lives: dict[str, str] = {}
        for raw in self.batch(object, list(gone), [MERGED]) if gone else ():
            lives |= dict.fromkeys((raw["id"], *_merged(raw)), raw["id"])
        return [
            Tombstone(id, "merged", lives[id], at) if id in lives else Tombstone(id, "archived", at=at)
            for id, at in gone.items()
            if lives.get(id) != id
        ]

    def _listed(
        self, path: str, object: str, after: str, params: Mapping[str, str]
    ) -> Iterator[tuple[list[dict[str, Any]], str | None, datetime]]:
        """The pages of a list: records, the cursor behind them or ``None`` at the end, and HubSpot's clock."""
        seen = {after}
        while True:
            place = {"after": after} if after else {}
            answer, clock = self._wire.get(path, object, limit=str(BATCH), **params, **place)
            following = _after(answer, object)
            yield _results(answer, object), following, clock
            if following is None:
                return
            if following in seen:
                raise TruncatedError(f"the cursor of {object} came twice: {following}", provider="hubspot", object=object)
            seen.add(following)
            after = following

    def _page(self, records: list[Raw], cursor: Mapping[str, Any]) -> Page:
        """A page that is never the last one: the bin comes after it."""
        merged = [Tombstone(old, "merged", raw["id"], instant(raw["updatedAt"])) for raw in records for old in _merged(raw)]
        aside = [
            Quarantined(f"{raw['id'] or 'a record without an id'}", "it has no properties", str(raw)[:1000], raw["id"] or None)
            for raw in records
            if not raw["properties"]
        ]
        return Page([raw for raw in records if raw["properties"]], cursor, False, merged, aside)

    def _with_associations(self, object: str, records: list[Raw]) -> list[Raw]:
        for to in OBJECTS[object].associations if records else ():
            found = self.associations(object, [raw["id"] for raw in records], to)
            for raw in records:
                associate(raw, to, found[raw["id"]])
        return records

    def _take_inline(self, object: str, records: list[Raw]) -> None:
        """The associations that a list brings along; where it does not bring all of a record's, the rest is asked for."""
        for to in OBJECTS[object].associations:
            cut: list[Raw] = []
            for raw in records:
                told = raw.get("inline", {}).get(to.to) or {"results": []}
                if told.get("paging"):
                    cut.append(raw)
                    continue
                marks: dict[str, bool] = {}
                for one in told["results"]:
                    id, type = str(one["id"]), str(one["type"])
                    marks[id] = marks.get(id, False) or (bool(to.primary) and type.endswith(f"_to_{to.name}"))
                associate(raw, to, list(marks.items()))
            found = self.associations(object, [raw["id"] for raw in cut], to) if cut else {}
            for raw in cut:
                associate(raw, to, found[raw["id"]])
        for raw in records:
            raw.pop("inline", None)


def shaped(item: Mapping[str, Any]) -> Raw:
    """A record in the shape that mappings see: HubSpot's own, with its associations by name once they are known."""
    properties = item.get("properties")
    raw: Raw = {
        "id": str(item.get("id") or ""),
        "properties": properties if isinstance(properties, dict) else {},
        "createdAt": item.get("createdAt"),
        "updatedAt": item.get("updatedAt"),
        "archived": bool(item.get("archived", False)),
    }
    if "associations" in item:
        raw["inline"] = item["associations"]
    return raw


def associate(raw: Raw, to: Association, found: Sequence[tuple[str, bool]]) -> None:
    """Put what a record points at into it: the one, if it is clear which; and all of them."""
    places = raw.setdefault("associations", {})
    ids = sorted({id for id, _ in found}, key=lambda id: (len(id), id))
    places[to.to] = ids
    primary = [id for id, is_primary in found if is_primary]
    if len(ids) <= 1:
        places[to.name] = ids[0] if ids else None
    elif primary:
        places[to.name] = primary[0]
    # else several and none of them primary: which one is meant is not known, and nothing is said


def _is_primary(one: Mapping[str, Any], to: Association) -> bool:
    return bool(to.primary) and any(type.get("typeId") == to.primary for type in one.get("associationTypes") or ())


def _merged(raw: Raw) -> list[str]:
    return [old for old in str(raw["properties"].get(MERGED) or "").split(";") if old and old != raw["id"]]


def _archived_at(object: str, item: Mapping[str, Any]) -> datetime | None:
    return instant(item["archivedAt"]) if item.get("archivedAt") and OBJECTS[object].dated_bin else None


def _parts(items: Iterable[str], size: int) -> Iterator[list[str]]:
    walk = iter(items)
    while part := list(islice(walk, size)):
        yield part


def _results(answer: Mapping[str, Any], object: str) -> list[dict[str, Any]]:
    results = answer.get("results")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise TruncatedError(f"a page of {object} has no results", provider="hubspot", object=object)
    return results


def _after(answer: Mapping[str, Any], object: str) -> str | None:
    """The cursor behind a page; ``None`` at the positive end: there are results, and ``paging`` is absent."""
    if "paging" not in answer:
        return None
    paging = answer["paging"]
    after = paging.get("next", {}).get("after") if isinstance(paging, dict) else None
    if not isinstance(after, str) or not after:
        raise TruncatedError(f"a page of {object} has neither an end nor a cursor", provider="hubspot", object=object)
    return after


def _refuse_gap(answer: Mapping[str, Any], found: Sequence[Raw], above: str, more: bool, object: str) -> None:
    """A search must go on from where it was, and its last page must hold all that is left."""
    marks = [above, *(raw["id"] for raw in found)]
    forward = all(mark.isdigit() for mark in marks) and all(int(low) < int(high) for low, high in pairwise(marks))
    if not forward:
        raise TruncatedError(f"a search of {object} does not go on from {above}", provider="hubspot", object=object)
    total = answer.get("total")
    if not isinstance(total, int) or (more and not found) or (not more and len(found) < total):
        raise TruncatedError(f"a search of {object} ended early", provider="hubspot", object=object)


def _refuse_errors(answer: Mapping[str, Any], object: str, what: str) -> None:
    """Records that are not there may be left out of a batch; anything else means that it is not whole."""
    for error in answer.get("errors") or ():
        if error.get("category") != "OBJECT_NOT_FOUND":
            raise TruncatedError(
                f"hubspot could not {what} some {object}: {error.get('message')}", provider="hubspot", object=object
            )
