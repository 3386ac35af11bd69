"""The routes to the records of a fake organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from aios_connect.sandbox import Answer, Call, RefusedError, route
from aios_connect_salesforce._ids import full_id

from ._checks import read_values, shown
from ._deeds import body_of, failed
from ._fields import Field, Table, described, listed
from ._jobs import Jobs
from ._organisation import Locator, encoded
from ._soql import error, parse

__all__ = ["SalesforceVendor"]

_COLLECTION: Final = 200
_RETRIEVED: Final = 2000
_MINUTE: Final = timedelta(minutes=1)
_LOGGED: Final = timedelta(days=15)
_REPLICATED: Final = timedelta(days=30)


class SalesforceVendor(Jobs):
    """One fake Salesforce organisation. Deterministic: the same seed, clock and requests give the same answers. Nothing is recorded."""

    # queries

    @route("GET", "/services/data/{version}/query/?")
    def query(self, call: Call, version: str) -> Any:
        return self._asked(call, version, deleted=False)

    @route("GET", "/services/data/{version}/queryAll/?")
    def query_all(self, call: Call, version: str) -> Any:
        return self._asked(call, version, deleted=True)

    @route("GET", "/services/data/{version}/query/{place}")
    def query_more(self, call: Call, version: str, place: str) -> Any:
        token = self.enter(call)
        if call.fault == "cursor_gone":
            self.closed()
        name, _, offset = place.rpartition("-")
        return self._page(call, version, name, self.locator(name, token), int(offset or 0))

    @route("GET", "/services/data/{version}/queryAll/{place}")
    def query_all_more(self, call: Call, version: str, place: str) -> Any:
        return self.query_more(call, version, place)

    def _asked(self, call: Call, version: str, *, deleted: bool) -> Answer:
        token = self.enter(call)
        asked = parse(call.query.get("q", ""), self.tables)
        self.may("read", asked.object)
        if asked.object in ("Task", "Event") and "all data" in self.forbidden:
            self._seen_through(asked.object)
        found = [row for row in self.records[asked.object].all() if (deleted or not row.get("IsDeleted")) and asked.test(row)]
        for name, down in reversed(asked.order):
            found.sort(key=lambda row: (row[name] is not None, row[name] if row[name] is not None else 0), reverse=down)
        found = found[asked.offset :][: asked.limit]
        if asked.count:
            return encoded({"totalSize": len(found), "done": True, "records": []})
        locator = Locator(asked, [row["Id"] for row in found], self.clock.now(), token, deleted)
        return self._page(call, version, "", locator, 0)

    def _seen_through(self, object: str) -> None:
        """Whether the user may see what each activity is about is worked out, unless there is too much of it."""
        abouts = {row[name] for row in self.records[object] for name in ("WhoId", "WhatId") if row[name]}
        if len(abouts) > self.hazards.abouts:
            words = f"exceeded {self.hazards.abouts} distinct who/what's"
            raise RefusedError(400, error("OPERATION_TOO_LARGE", words))

    def _page(self, call: Call, version: str, name: str, locator: Locator, offset: int) -> Answer:
        """Some rows of a query: which they are was settled when it began, what they say is as it is now."""
        size = min(self.hazards.page, int(call.headers.get("sforce-query-options", "batchSize=2000").rpartition("=")[2]))
        fields = self.tables[locator.query.object].fields
        texts = [
            one for one in locator.query.fields if one in fields and fields[one].length > 255 and fields[one].type == "textarea"
        ]
        size = min(size, self.hazards.wide) if len(texts) > 1 else size
        end = min(offset + size, len(locator.ids))
        if call.fault == "empty_page" and end < len(locator.ids):
            end = offset
        records = self.records[locator.query.object]
        rows = [row for id in locator.ids[offset:end] if (row := records.any(id)) is not None]
        told: dict[str, Any] = {"totalSize": len(locator.ids), "done": end >= len(locator.ids)}
        if not told["done"]:
            name = name or self.opened(locator)
            place = f"{end}" if end > offset else f"0{end}"  # the same place, spelled anew
            told["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{place}"
        return encoded({**told, "records": [self._row(version, locator.query.object, row, locator.query.fields) for row in rows]})

    # what there is

    @route("GET", "/services/data/{version}/sobjects/?")
    def objects(self, call: Call, version: str) -> Any:
        self.enter(call)
        told = []
        for name, table in self.tables.items():
            one = listed(table, version)
            for flag, verb in (
                ("createable", "create"),
                ("updateable", "update"),
                ("deletable", "delete"),
                ("queryable", "read"),
            ):
                one[flag] = one[flag] and f"{verb} {name}" not in self.forbidden
            told.append(one)
        return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": told}

    @route("GET", "/services/data/{version}/sobjects/{object}/describe/?")
    def describe(self, call: Call, version: str, object: str) -> Any:
        self.enter(call)
        return encoded(described(self.table(object), version))

    @route("POST", "/services/data/{version}/tooling/sobjects/CustomField/?")
    def make_field(self, call: Call, version: str) -> Any:
        """Make a custom field. Nobody sees it until a permission says so."""
        self.enter(call)
        if "fields" in self.forbidden:
            raise RefusedError(403, error("INSUFFICIENT_ACCESS", "insufficient access rights on object id"))
        asked = call.json()
        object, _, name = asked["FullName"].partition(".")
        meant = asked["Metadata"]
        if name in self.tables[object].fields or name in self.unseen:
            raise RefusedError(400, error("DUPLICATE_DEVELOPER_NAME", f"There is already a field named {name} on {object}."))
        made = Field(
            name,
            "string",
            int(meant["length"]),
            creatable=True,
            updatable=True,
            nillable=True,
            external=bool(meant.get("unique")),
        )
        self.unseen[asked["FullName"]] = made
        return encoded({"id": full_id(f"00N5j{len(self.unseen):010d}"), "success": True, "errors": []}, 201)

    # single records

    @route("GET", "/services/data/{version}/sobjects/{object}/{id}")
    def one(self, call: Call, version: str, object: str, id: str) -> Any:
        self.enter(call)
        row = self._found(object, id)
        since = _http_date(call.headers.get("if-modified-since", ""))
        if since is not None and row["SystemModstamp"] <= since:
            return Answer(304)
        names = call.query["fields"].split(",") if call.query.get("fields") else [*self.tables[object].fields]
        return encoded(self._row(version, object, row, names))

    @route("POST", "/services/data/{version}/sobjects/{object}/?")
    def create(self, call: Call, version: str, object: str) -> Any:
        self.enter(call)
        result = self.made(call, object, read_values(self.table(object), body_of(call)))
        return encoded(result, 201) if result["success"] else encoded(_single(result), 400)

    @route("PATCH", "/services/data/{version}/sobjects/{object}/{id}")
    def update(self, call: Call, version: str, object: str, id: str) -> Any:
        self.enter(call)
        row = self._found(object, id)
        since = _http_date(call.headers.get("if-unmodified-since", ""))
        if since is not None and row["SystemModstamp"] > since:
            return Answer(412)
        result = self.changed(call, object, id, read_values(self.table(object), body_of(call)))
        return Answer(204) if result["success"] else encoded(_single(result), 400)

    @route("DELETE", "/services/data/{version}/sobjects/{object}/{id}")
    def delete(self, call: Call, version: str, object: str, id: str) -> Any:
        self.enter(call)
        self._found(object, id)
        result = self.removed(id)
        return Answer(204) if result["success"] else encoded(_single(result), 400)

    @route("GET", "/services/data/{version}/sobjects/{object}/{field}/{value}")
    def by_key(self, call: Call, version: str, object: str, field: str, value: str) -> Any:
        self.enter(call)
        row = self.records[self.table(object).name].by(self._external(object, field), value)
        if row is None:
            raise RefusedError(404, error("NOT_FOUND", "The requested resource does not exist"))
        return encoded(self._row(version, object, row, [*self.tables[object].fields]))

    @route("PATCH", "/services/data/{version}/sobjects/{object}/{field}/{value}")
    def upsert(self, call: Call, version: str, object: str, field: str, value: str) -> Any:
        self.enter(call)
        name = self._external(object, field)
        result = self.put(call, object, name, {**read_values(self.table(object), body_of(call)), name: value})
        if not result["success"]:
            return encoded(_single(result), 400)
        return encoded(result, 201 if result["created"] else 200)

    @route("GET", "/services/data/{version}/sobjects/{object}/deleted/?")
    def deleted(self, call: Call, version: str, object: str) -> Any:
        """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm"""
        self.enter(call)
        stamp = self.table(object).fields["SystemModstamp"]
        start, end = (_given(call, name).replace(second=0, microsecond=0) for name in ("start", "end"))
        earliest = self.clock.now().replace(second=0, microsecond=0) - _REPLICATED
        if end - start <= _MINUTE or start < earliest:
            words = "startDate is not before endDate by a minute" if start >= earliest else "startDate before 30 days"
            raise RefusedError(400, error("INVALID_REPLICATION_DATE", words))
        covered = min(end, self.clock.now())
        logged = self.records[object].deletes(max(start, earliest + _REPLICATED - _LOGGED), covered)
        told = [{"id": id, "deletedDate": shown(stamp, at)} for id, at in logged]
        dates = {"earliestDateAvailable": shown(stamp, earliest), "latestDateCovered": shown(stamp, covered)}
        return {"deletedRecords": told, **dates}

    @route("GET", "/services/data/{version}/sobjects/{object}/updated/?")
    def updated(self, call: Call, version: str, object: str) -> Any:
        """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm"""
        self.enter(call)
        start, end = (_given(call, name) for name in ("start", "end"))
        ids = [row["Id"] for row in self.records[object] if start <= row["SystemModstamp"] < end]
        return {"ids": ids, "latestDateCovered": call.query["end"]}

    # collections

    @route("POST", "/services/data/{version}/composite/sobjects/{object}")
    def retrieve(self, call: Call, version: str, object: str) -> Any:
        self.enter(call)
        self.may("read", self.table(object).name)
        asked = body_of(call)
        if len(asked["ids"]) > _RETRIEVED:
            raise RefusedError(400, error("EXCEEDED_ID_LIMIT", f"You can retrieve up to {_RETRIEVED} records"))
        known = {name.casefold(): name for name in self.tables[object].fields}
        wrong = [name for name in asked["fields"] if name.casefold() not in known]
        if wrong:
            raise RefusedError(400, error("INVALID_FIELD", f"No such column '{wrong[0]}' on entity '{object}'."))
        names = [known[name.casefold()] for name in asked["fields"]]
        rows = [self.records[object].get(str(id)) for id in asked["ids"]]
        return encoded([None if row is None else self._row(version, object, row, names) for row in rows])

    @route("GET", "/services/data/{version}/composite/sobjects/{object}")
    def retrieve_few(self, call: Call, version: str, object: str) -> Any:
        self.enter(call)
        rows = [self.records[self.table(object).name].get(id) for id in call.query["ids"].split(",")]
        names = call.query["fields"].split(",")
        return encoded([None if row is None else self._row(version, object, row, names) for row in rows])

    @route("POST", "/services/data/{version}/composite/sobjects/?")
    def create_many(self, call: Call, version: str) -> Any:
        self.enter(call)
        asked = body_of(call)
        given = [(self._kind(one), read_values(self._kind(one), one)) for one in _few(asked["records"])]
        return self._together(call, asked, [lambda t=table, v=values: self.made(call, t.name, v) for table, values in given])

    @route("PATCH", "/services/data/{version}/composite/sobjects/?")
    def update_many(self, call: Call, version: str) -> Any:
        self.enter(call)
        asked = body_of(call)
        given = [(one.get("Id") or one.get("id"), self._kind(one), one) for one in _few(asked["records"])]
        read = [(str(id), table, read_values(table, one)) for id, table, one in given]
        ids = [full_id(id) for id, _, _ in read]
        if len(set(ids)) < len(ids):
            raise RefusedError(400, error("INVALID_INPUT", "duplicate ids in a collection"))
        return self._together(
            call, asked, [lambda i=id, t=table, v=values: self.changed(call, t.name, i, v) for id, table, values in read]
        )

    @route("PATCH", "/services/data/{version}/composite/sobjects/{object}/{field}")
    def upsert_many(self, call: Call, version: str, object: str, field: str) -> Any:
        self.enter(call)
        asked, name = body_of(call), self._external(object, field)
        read = [read_values(self.table(object), one) for one in _few(asked["records"])]
        return self._together(call, asked, [lambda v=values: self.put(call, object, name, v) for values in read])

    @route("DELETE", "/services/data/{version}/composite/sobjects/?")
    def delete_many(self, call: Call, version: str) -> Any:
        self.enter(call)
        ids = _few(call.query["ids"].split(","))
        asked = {"allOrNone": call.query.get("allOrNone", "false") == "true"}
        return self._together(call, asked, [lambda i=id: self.removed(i) for id in ids])

    def _together(self, call: Call, asked: Mapping[str, Any], deeds: Sequence[Any]) -> Answer:
        """Do several things, in their order; all of them or none, if that was asked for.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
        """
        if call.fault == "all_or_nothing" and len(deeds) > 1:
            raise RefusedError(400, error("JSON_PARSER_ERROR", "The request is refused as a whole."))
        before = {name: records.kept() for name, records in self.records.items()} if asked.get("allOrNone") else {}
        results = []
        for number, deed in enumerate(deeds):
            if call.fault == "half_done" and number >= (len(deeds) + 1) // 2:
                results.append(failed("PROCESSING_HALTED", "The batch was halted."))
            else:
                results.append(deed())
        if before and not all(one["success"] for one in results):
            for name, held in before.items():
                self.records[name].put_back(held)
            words = "Record rolled back because not all records were valid and the request was using AllOrNone header"
            results = [failed("ALL_OR_NONE_OPERATION_ROLLED_BACK", words) if one["success"] else one for one in results]
        return encoded(results)

    # small things

    def _row(self, version: str, object: str, row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        table = self.tables[object]
        told: dict[str, Any] = {"attributes": {"type": object, "url": f"/services/data/{version}/sobjects/{object}/{row['Id']}"}}
        for name in names:
            field = table.fields.get(name)
            if field is None:
                told |= self._above(version, row, name, told)
            elif field.type == "address":
                told[name] = _address(table, name, row)
            else:
                value = row.get(name)
                told[name] = value if value is None or isinstance(value, (str, bool)) else shown(field, value)
        return told

    def _above(self, version: str, row: Mapping[str, Any], name: str, told: Mapping[str, Any]) -> dict[str, Any]:
        """A field of the record that another one points at: ``Account.Name``."""
        above, _, rest = name.partition(".")
        pointer = str(row.get(f"{above}Id") or "")
        to = next((one for one in self.tables.values() if pointer and pointer.startswith(one.prefix)), None)
        other = self.records[to.name].any(pointer) if to else None
        if to is None or other is None:
            return {above: None}
        return {above: {**(told.get(above) or {}), **self._row(version, to.name, other, [rest])}}

    def _kind(self, one: Mapping[str, Any]) -> Table:
        return self.table(str((one.get("attributes") or {}).get("type")))

    def _found(self, object: str, id: str) -> dict[str, Any]:
        row = self.records[self.table(object).name].any(id)
        if row is None:
            raise RefusedError(404, error("NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + id))
        if row.get("IsDeleted"):
            raise RefusedError(404, error("ENTITY_IS_DELETED", "entity is deleted"))
        return row

    def _external(self, object: str, name: str) -> str:
        field = self.table(object).fields.get(name)
        if field is None or not field.external:
            words = f"Provided external ID field does not exist or is not accessible: {name}"
            raise RefusedError(404, error("NOT_FOUND", words))
        return name


def _few(records: Sequence[Any]) -> Sequence[Any]:
    if len(records) > _COLLECTION:
        raise RefusedError(
            400, error("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {_COLLECTION} records")
        )
    return records


def _single(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The errors of one record as a request for that record alone has them: the code is called otherwise, a result misspelled."""
    names = {"statusCode": "errorCode", "duplicateResult": "duplicateResut"}
    return [{names.get(name, name): value for name, value in one.items()} for one in result["errors"]]


def _address(table: Table, name: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
    parts = {one.name: row.get(one.name) for one in table.fields.values() if one.compound == name}
    if not any(value is not None for value in parts.values()):
        return None
    prefix = name.removesuffix("Address")
    return {f"{part.removeprefix(prefix)[0].lower()}{part.removeprefix(prefix)[1:]}": value for part, value in parts.items()}


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError):
        return None


def _given(call: Call, name: str) -> datetime:
    return datetime.fromisoformat(call.query[name].replace(" ", "+")).astimezone(UTC)
