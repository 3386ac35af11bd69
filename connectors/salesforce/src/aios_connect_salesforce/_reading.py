"""Reading records in the order of their changes: what changed, what was deleted and what was merged, in one query; and from the log
of deletes what is in no bin any more.

A read begins where the one before it began, less an overlap: a transaction may take ten minutes, and its records bear the instant at
which they were written in it. Its own place is the instant and id of the last row. Salesforce's query goes on by a locator, which
lives as long as the sign-in that opened it and no longer than two days; when it is gone, a new query begins behind the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from aios_connect.connectors import (
    Cursor,
    CursorGoneError,
    Page,
    Progress,
    Quarantined,
    Raw,
    ScanPage,
    Tombstone,
    TruncatedError,
    instant,
)

from ._bulk import Bulk, Job
from ._ids import full_id
from ._objects import KEY, OBJECTS, STAMP
from ._schema import Schemas
from ._shape import shaped
from ._wire import LONGEST, Rows, Wire, in_parts, instant_text, literal

__all__ = ["OVERLAP", "RETRIEVED", "Reader"]

OVERLAP: Final = timedelta(minutes=10)
"""As long as a transaction may take: https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_gov_limits.htm"""

RETRIEVED: Final = 2000
"""Ids per call that asks for records by id:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_retrieve_post.htm"""

_LOGGED: Final = timedelta(days=15)
"""How long the log of deletes, and the bin, keep a record:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm"""

_JOB: Final = frozenset(one.name for one in fields(Job))

_RESTARTS: Final = 3
"""How often a query is begun anew without having come further."""


class _Place:
    """How far a query has come: behind the record with this instant and this id."""

    def __init__(self, at: str = "", id: str = "") -> None:
        self.at = at
        self.id = id

    def reach(self, row: Mapping[str, Any], before: datetime | None) -> None:
        """A row was read. One that was changed after the read began stands where it stood before, not where its instant says."""
        if before is None:
            self.id = str(row["Id"])
        elif instant(row[STAMP]) <= before:
            self.at, self.id = instant_text(row[STAMP]), str(row["Id"])


class Reader:
    """Reads one organisation's records.

    Args:
        wire: The way to Salesforce.
        schemas: What it says of its fields.
        bulk: Reads what is big.
    """

    def __init__(self, wire: Wire, schemas: Schemas, bulk: Bulk) -> None:
        self._wire = wire
        self._schemas = schemas
        self._bulk = bulk

    def read(self, object: str, since: Cursor | None) -> Iterator[Page]:
        """Everything, or what changed since the cursor; see :meth:`aios_connect.connectors.Connector.read`."""
        position = _known(since, object)
        first: Rows | None = None
        job = Job(**{name: position[name] for name in _JOB if name in position}) if "job" in position else None
        if not position:
            first = self._wire.query(self._soql(object, {}, _Place()), object)
            if self._bulk.pays(first) and (job := self._bulk.begin(object, _living(object))):
                position = {"start": instant_text(first.clock)}
        if job:
            start = str(position["start"])

            def cursor(job: Job | None) -> dict[str, Any]:
                if job is None:
                    return {"since": instant_text(instant(start) - OVERLAP)}
                return {"start": start, **{name: value for name, value in asdict(job).items() if value or name == "of"}}

            if (yield from self._bulk.read(object, job, cursor, fresh=first is not None)):
                return
            position, first = {"start": start}, None
        yield from self._pages(object, position, first)

    def _soql(self, object: str, position: Mapping[str, Any], place: _Place) -> str:
        """What is behind a place, of everything or of what changed."""
        behind = f"({STAMP} > {place.at} OR ({STAMP} = {place.at} AND Id > {literal(place.id)}))" if place.at else ""
        floor = f"{STAMP} >= {position['since']}" if "since" in position else f"{_living(object)}"
        where = " AND ".join(part for part in (floor if not behind or "since" not in position else "", behind) if part)
        return f"SELECT {','.join(self._columns(object)[1])} FROM {object} WHERE {where} ORDER BY {STAMP}, Id"

    def _pages(self, object: str, position: Mapping[str, Any], first: Rows | None) -> Iterator[Page]:
        """Page by page; the first rows may be there already."""
        place = _Place(position.get("at", ""), position.get("id", ""))
        names, narrow = self._columns(object)
        start = instant(position["start"]) if "start" in position else None
        begun = instant(position["since"]) if "since" in position else None
        told: set[str] = set()
        for rows, complete in self._walk(object, lambda: self._soql(object, position, place), place, start, first=first):
            start = start or rows.clock
            if begun and rows.clock - begun > _LOGGED and OBJECTS[object].announced and OBJECTS[object].writes:
                raise CursorGoneError(
                    f"the last read of {object} was more than {_LOGGED.days} days ago, and salesforce tells no older deletes",
                    provider="salesforce",
                    object=object,
                )
            kept, stones, aside = self._sorted(object, rows.rows)
            if narrow is not names and kept:
                kept = self.lookup(object, [raw["Id"] for raw in kept])
            ending = start - OVERLAP
            if begun:
                told.update(stone.id for stone in stones)
                if complete and OBJECTS[object].writes:
                    erased, covered = self._erased(object, begun, start, told)
                    stones, ending = [*stones, *erased], min(ending, covered)
                ending = max(ending, begun)
            cursor = {"since": instant_text(ending)}
            if not complete:
                cursor = {name: position[name] for name in ("since",) if name in position} | {"start": instant_text(start)}
                cursor |= {"at": place.at, "id": place.id} if place.at else {}
            yield Page(kept, cursor, complete, stones, aside)

    def _erased(self, object: str, since: datetime, until: datetime, told: Set[str]) -> tuple[list[Tombstone], datetime]:
        """What was deleted and is in no bin, by the log of deletes, without what was told; and up to when it can be relied on.

        Some of what is in the log may have been restored, and what is in the bin may have been merged: a query tells.

        Raises:
            CursorGoneError: The log does not reach back so far.
        """
        logged, covered = self._wire.deleted(object, since, until)
        doubtful = {id: at for id, at in logged.items() if id not in told}
        names = [
            name for name in ("Id", STAMP, "IsDeleted", "MasterRecordId") if name != "MasterRecordId" or OBJECTS[object].merges
        ]
        head = f"SELECT {','.join(names)} FROM {object} WHERE Id IN ("
        parts = in_parts([literal(id) for id in doubtful], LONGEST - len(quote(head)))
        known = self.rows(object, *(f"{head}{','.join(part)})" for part in parts))
        for row in known:
            doubtful.pop(str(row["Id"]), None)
        _, stones, _ = self._sorted(object, known)
        stones += [Tombstone(id, "deleted", at=at) for id, at in doubtful.items()]
        return stones, covered

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """The living records among these ids."""
        names, kind = self._schemas.names(object), OBJECTS[object]
        found: dict[str, Raw] = {}
        wanted = list(dict.fromkeys(full_id(id) for id in ids))
        for begin in range(0, len(wanted), RETRIEVED):
            part = wanted[begin : begin + RETRIEVED]
            rows = self._wire.ask(f"composite/sobjects/{object}", object, {"ids": part, "fields": names})
            if not isinstance(rows, list) or len(rows) != len(part):
                raise TruncatedError("salesforce did not answer for every id", provider="salesforce", object=object)
            for row in rows:
                if isinstance(row, dict) and not kind.is_gone(row):
                    found[full_id(str(row.get("Id")))] = shaped(self._schemas, object, row)
        return [found[id] for id in wanted if id in found]

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        """The living records by our key; none, where its field is not there."""
        if KEY not in self._schemas.fields(object):
            return {}
        names, narrow = self._columns(object, LONGEST // 3)
        head = f"SELECT {','.join(narrow)} FROM {object} WHERE {_living(object)} AND {KEY} IN ("
        parts = in_parts([literal(key) for key in dict.fromkeys(keys)], LONGEST - len(quote(head)), 1000)
        found = self.rows(object, *(f"{head}{','.join(part)})" for part in parts))
        if narrow is not names and found:
            found = self.lookup(object, [raw["Id"] for raw in found])
        return {str(raw[KEY]): raw for raw in found}

    def survivors(self, object: str, ids: Sequence[str]) -> dict[str, str]:
        """Of those ids that were merged away, the id of the record that each lives on in."""
        if not OBJECTS[object].merges:
            return {}
        head = f"SELECT Id, MasterRecordId FROM {object} WHERE MasterRecordId != null AND Id IN ("
        parts = in_parts([literal(id) for id in ids], LONGEST)
        rows = self.rows(object, *(f"{head}{','.join(part)})" for part in parts))
        return {str(row["Id"]): str(row["MasterRecordId"]) for row in rows}

    def rows(self, object: str, *soqls: str) -> list[dict[str, Any]]:
        """All rows of some queries of one object."""
        found: list[dict[str, Any]] = []
        for rows in self._wire.queries(soqls, object):
            progress = Progress("salesforce", object)
            while True:
                found += [shaped(self._schemas, object, row) if object in OBJECTS else row for row in rows.rows]
                if not rows.following:
                    break
                progress.to(rows.following)
                rows = self._wire.more(rows.following, object)
        return found

    def scan(self, object: str, more: str = "") -> Iterator[ScanPage]:
        """Every living id with the instant of its last change; ``more`` is one more condition."""
        place = _Place()

        def soql() -> str:
            behind = f" AND Id > {literal(place.id)}" if place.id else ""
            return f"SELECT Id, {STAMP} FROM {object} WHERE {_living(object)}{more}{behind} ORDER BY Id"

        for rows, complete in self._walk(object, soql, place, None, by_id=True):
            if not all(isinstance(row, dict) and row.get("Id") and row.get(STAMP) for row in rows.rows):
                raise TruncatedError("a row of a listing has no id", provider="salesforce", object=object)
            yield ScanPage([(str(row["Id"]), str(row[STAMP])) for row in rows.rows], complete)

    def _columns(self, object: str, room: int = LONGEST - 1000) -> tuple[list[str], list[str]]:
        """The fields to read; and those to ask for in a query, which are fewer where all of them do not fit into the room."""
        names = self._schemas.names(object)
        if len(",".join(names)) + 3 * len(names) <= room:
            return names, names
        kind = OBJECTS[object]
        return names, ["Id", STAMP, kind.gone.split()[0], *(["MasterRecordId"] if kind.merges else [])]

    def _walk(
        self,
        object: str,
        soql: Callable[[], str],
        place: _Place,
        start: datetime | None,
        *,
        by_id: bool = False,
        first: Rows | None = None,
    ) -> Iterator[tuple[Rows, bool]]:
        """The rows of a query, call by call, and whether it is done: as it says itself, and as its count says."""
        progress, seen, following, stuck = Progress("salesforce", object), 0, "", 0
        while True:
            before = (place.at, place.id)
            try:
                rows = first or (self._wire.more(following, object) if following else self._wire.query(soql(), object))
                first = None
            except CursorGoneError as error:
                if not following:
                    raise
                if stuck >= _RESTARTS:
                    raise TruncatedError(
                        f"salesforce closes the query of {object} again and again",
                        hint="nothing read so far is lost; try again",
                        provider="salesforce",
                        object=object,
                    ) from error
                following, seen, stuck = "", 0, stuck + 1
                continue
            start = start or rows.clock
            seen += len(rows.rows)
            for row in rows.rows:
                if isinstance(row, dict) and row.get("Id") and row.get(STAMP):
                    place.reach(row, None if by_id else start)
            stuck = 0 if (place.at, place.id) != before else stuck
            following = rows.following
            if following:
                progress.to(following)
            complete = not following and seen >= rows.total
            yield rows, complete
            if complete:
                return
            if not following:  # rows are missing: a new query begins behind the last one
                if stuck >= _RESTARTS:
                    raise TruncatedError(
                        f"salesforce said {rows.total} and gave {seen} {object}", provider="salesforce", object=object
                    )
                seen, stuck = 0, stuck + 1

    def _sorted(self, object: str, rows: Sequence[Any]) -> tuple[list[Raw], list[Tombstone], list[Quarantined]]:
        kind = OBJECTS[object]
        kept: list[Raw] = []
        stones: list[Tombstone] = []
        aside: list[Quarantined] = []
        for row in rows:
            if not isinstance(row, dict) or not row.get("Id") or not row.get(STAMP):
                id = str(row["Id"]) if isinstance(row, dict) and row.get("Id") else None
                aside.append(Quarantined(f"{object} {id or 'without an id'}", f"it has no id or no {STAMP}", str(row)[:1000], id))
            elif not kind.is_gone(row):
                kept.append(shaped(self._schemas, object, row))
            elif row.get("MasterRecordId"):
                stones.append(Tombstone(str(row["Id"]), "merged", str(row["MasterRecordId"]), instant(row[STAMP])))
            else:
                stones.append(Tombstone(str(row["Id"]), "deleted" if kind.writes else "archived", at=instant(row[STAMP])))
        return kept, stones, aside


def _living(object: str) -> str:
    name, _, gone = OBJECTS[object].gone.split()
    return f"{name} = {'false' if gone == 'true' else 'true'}"


def _known(since: Cursor | None, object: str) -> dict[str, Any]:
    """A cursor of ours, whose instants are instants and whose job is an id: they are written into queries and addresses."""
    position = dict(since or {})
    try:
        if not position.keys() <= {"since", "start", "at", "id", *_JOB} or ("at" in position) is not ("id" in position):
            raise ValueError
        if _JOB & position.keys() and not (position.keys() <= {"start", *_JOB} and {"start", "job"} <= position.keys()):
            raise ValueError
        if not str(position.get("job", "a")).isalnum():
            raise ValueError
        read = {"id": str, "job": str, "locator": str, "of": int, "skip": int, "got": int}
        return {name: read.get(name, lambda value: instant_text(instant(value)))(value) for name, value in position.items()}
    except (ValueError, TypeError):
        raise CursorGoneError("this cursor was not made by this connector", provider="salesforce", object=object) from None
