"""The routes to the records of a fake organisation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

from aios_connect.sandbox import Answer, Call, RefusedError, route
from aios_connect_salesforce._ids import full_id

from ._checks import problems, read_values, shown
from ._fields import Field, Table, described, listed
from ._organisation import Locator, Organisation, encoded
from ._soql import error, parse

__all__ = ["SalesforceVendor"]

_COLLECTION: Final = 200
_RETRIEVED: Final = 2000
_PREFIXES: Final = {"Task": ("WhoId", "WhatId"), "Event": ("WhoId", "WhatId")}


class SalesforceVendor(Organisation):
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
        self._may("read", asked.object)
        found = [row for row in self.records[asked.object].all() if (deleted or not row.get("IsDeleted")) and asked.test(row)]
        for name, down in reversed(asked.order):
            found.sort(key=lambda row: (row[name] is not None, row[name] if row[name] is not None else 0), reverse=down)
        found = found[asked.offset :][: asked.limit]
        if asked.count:
            return encoded({"totalSize": len(found), "done": True, "records": []})
        locator = Locator(asked, [row["Id"] for row in found], self.clock.now(), token, deleted)
        return self._page(call, version, "", locator, 0)

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
        return described(self._table(object), version)

    @route("POST", "/services/data/{version}/tooling/sobjects/CustomField/?")
    def make_field(self, call: Call, version: str) -> Any:
        """Make a custom field. Nobody sees it until a permission says so."""
        self.enter(call)
        if "fields" in self.forbidden:
            raise RefusedError(403, error("INSUFFICIENT_ACCESS", "insufficient access rights on object id"))
        asked = call.json()
        object, _, name = asked["FullName"].partition(".")
        meant = asked["Metadata"]
        if name in self.tables[object].fields or name in self._unseen:
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
        self._unseen[asked["FullName"]] = made
        return encoded({"id": full_id(f"00N5j{len(self._unseen):010d}"), "success": True, "errors": []}, 201)

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
        result = self._made(call, object, read_values(self._table(object), _body(call)))
        return encoded(result, 201) if result["success"] else encoded(_single(result), 400)

    @route("PATCH", "/services/data/{version}/sobjects/{object}/{id}")
    def update(self, call: Call, version: str, object: str, id: str) -> Any:
        self.enter(call)
        row = self._found(object, id)
        since = _http_date(call.headers.get("if-unmodified-since", ""))
        if since is not None and row["SystemModstamp"] > since:
            return Answer(412)
        result = self._changed(call, object, id, read_values(self._table(object), _body(call)))
        return Answer(204) if result["success"] else encoded(_single(result), 400)

    @route("DELETE", "/services/data/{version}/sobjects/{object}/{id}")
    def delete(self, call: Call, version: str, object: str, id: str) -> Any:
        self.enter(call)
        self._found(object, id)
        result = self._removed(id)
        return Answer(204) if result["success"] else encoded(_single(result), 400)

    @route("GET", "/services/data/{version}/sobjects/{object}/{field}/{value}")
    def by_key(self, call: Call, version: str, object: str, field: str, value: str) -> Any:
        self.enter(call)
        row = self.records[self._table(object).name].by(self._external(object, field), value)
        if row is None:
            raise RefusedError(404, error("NOT_FOUND", "The requested resource does not exist"))
        return encoded(self._row(version, object, row, [*self.tables[object].fields]))

    @route("PATCH", "/services/data/{version}/sobjects/{object}/{field}/{value}")
    def upsert(self, call: Call, version: str, object: str, field: str, value: str) -> Any:
        self.enter(call)
        name = self._external(object, field)
        result = self._put(call, object, name, {**read_values(self._table(object), _body(call)), name: value})
        if not result["success"]:
            return encoded(_single(result), 400)
        return encoded(result, 201 if result["created"] else 200)

    @route("GET", "/services/data/{version}/sobjects/{object}/deleted/?")
    def deleted(self, call: Call, version: str, object: str) -> Any:
        """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm"""
        self.enter(call)
        start, end = (_given(call, name) for name in ("start", "end"))
        gone = [row for row in self.records[object].all() if row.get("IsDeleted") and start <= row["SystemModstamp"] < end]
        told = [
            {"id": row["Id"], "deletedDate": shown(self.tables[object].fields["SystemModstamp"], row["SystemModstamp"])}
            for row in gone
        ]
        return {"deletedRecords": told, "earliestDateAvailable": call.query["start"], "latestDateCovered": call.query["end"]}

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
        self._may("read", self._table(object).name)
        asked = _body(call)
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
        rows = [self.records[self._table(object).name].get(id) for id in call.query["ids"].split(",")]
        names = call.query["fields"].split(",")
        return encoded([None if row is None else self._row(version, object, row, names) for row in rows])

    @route("POST", "/services/data/{version}/composite/sobjects/?")
    def create_many(self, call: Call, version: str) -> Any:
        self.enter(call)
        asked = _body(call)
        given = [(self._kind(one), read_values(self._kind(one), one)) for one in _few(asked["records"])]
        return self._together(call, asked, [lambda t=table, v=values: self._made(call, t.name, v) for table, values in given])

    @route("PATCH", "/services/data/{version}/composite/sobjects/?")
    def update_many(self, call: Call, version: str) -> Any:
        self.enter(call)
        asked = _body(call)
        given = [(one.get("Id") or one.get("id"), self._kind(one), one) for one in _few(asked["records"])]
        read = [(str(id), table, read_values(table, one)) for id, table, one in given]
        ids = [full_id(id) for id, _, _ in read]
        if len(set(ids)) < len(ids):
            raise RefusedError(400, error("INVALID_INPUT", "duplicate ids in a collection"))
        return self._together(
            call, asked, [lambda i=id, t=table, v=values: self._changed(call, t.name, i, v) for id, table, values in read]
        )

    @route("PATCH", "/services/data/{version}/composite/sobjects/{object}/{field}")
    def upsert_many(self, call: Call, version: str, object: str, field: str) -> Any:
        self.enter(call)
        asked, name = _body(call), self._external(object, field)
        read = [read_values(self._table(object), one) for one in _few(asked["records"])]
        return self._together(call, asked, [lambda v=values: self._put(call, object, name, v) for values in read])

    @route("DELETE", "/services/data/{version}/composite/sobjects/?")
    def delete_many(self, call: Call, version: str) -> Any:
        self.enter(call)
        ids = _few(call.query["ids"].split(","))
        asked = {"allOrNone": call.query.get("allOrNone", "false") == "true"}
        return self._together(call, asked, [lambda i=id: self._removed(i) for id in ids])

    def _together(self, call: Call, asked: Mapping[str, Any], deeds: Sequence[Any]) -> Answer:
        """Do several things, in their order; all of them or none, if that was asked for.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
        """
        if call.fault == "all_or_nothing" and len(deeds) > 1:
            raise RefusedError(400, error("UNKNOWN_EXCEPTION", "An unexpected error occurred."))
        before = {name: records.kept() for name, records in self.records.items()} if asked.get("allOrNone") else {}
        results = []
        for number, deed in enumerate(deeds):
            if call.fault == "half_done" and number >= (len(deeds) + 1) // 2:
                results.append(_failed("PROCESSING_HALTED", "The batch was halted."))
            else:
                results.append(deed())
        if before and not all(one["success"] for one in results):
            for name, held in before.items():
                self.records[name].put_back(held)
            words = "Record rolled back because not all records were valid and the request was using AllOrNone header"
            results = [_failed("ALL_OR_NONE_OPERATION_ROLLED_BACK", words) if one["success"] else one for one in results]
        return encoded(results)

    # deeds

    def _made(self, call: Call, object: str, values: dict[str, Any]) -> dict[str, Any]:
        self._may("create", object)
        refused = self._refused(call, object, values, None)
        if refused:
            return {"success": False, "errors": refused}
        if self.is_locked():
            return _locked()
        if object == "Lead" and self.hazards.assignment and call.headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE":
            values = {
                **values,
                "OwnerId": next(
                    row["Id"] for row in self.records["User"] if row["Id"] != self.user or len(self.records["User"]) == 1
                ),
            }
        if self.currencies and "CurrencyIsoCode" in self.tables[object].fields:
            values.setdefault("CurrencyIsoCode", self.currencies[0])
        row = self.records[object].create(values)
        self._settle(object, row, values)
        return {"id": row["Id"], "success": True, "errors": [], "created": True}

    def people_make(self, object: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """One of the company's people makes a record, and what follows from it follows."""
        row = self.records[object].create(values)
        self._settle(object, row, values)
        return row

    def people_change(self, object: str, id: str, values: Mapping[str, Any]) -> None:
        """One of the company's people changes a record."""
        self._settle(object, self.records[object].change(id, values), values)

    def _changed(self, call: Call, object: str, id: str, values: dict[str, Any]) -> dict[str, Any]:
        self._may("update", object)
        row = self.records[object].any(id)
        if row is None or not id.startswith(self.tables[object].prefix):
            return _failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row.get("IsDeleted"):
            return _failed("ENTITY_IS_DELETED", "entity is deleted")
        refused = self._refused(call, object, values, row)
        if refused:
            return {"id": row["Id"], "success": False, "errors": refused}
        if self.is_locked():
            return _locked()
        self.records[object].change(id, values)
        self._settle(object, row, values)
        return {"id": row["Id"], "success": True, "errors": []}

    def _put(self, call: Call, object: str, field: str, values: dict[str, Any]) -> dict[str, Any]:
        held = self.records[object].by(field, str(values.get(field)))
        if held is None:
            return self._made(call, object, values)
        rest = {name: value for name, value in values.items() if name != field}
        return {**self._changed(call, object, held["Id"], rest), "created": False}

    def _removed(self, id: str) -> dict[str, Any]:
        object = next((name for name, table in self.tables.items() if id.startswith(table.prefix)), "")
        row = self.records[object].any(id) if object else None
        if row is None:
            return _failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        self._may("delete", object)
        if row.get("IsDeleted"):
            return _failed("ENTITY_IS_DELETED", "entity is deleted")
        if self.is_locked():
            return _locked()
        self.records[object].remove(id)
        return {"id": row["Id"], "success": True, "errors": []}

    def _refused(self, call: Call, object: str, values: Mapping[str, Any], row: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """What a record is refused for."""
        table, records = self.tables[object], self.records[object]
        told = problems(table, values, new=row is None)
        for name, value in values.items():
            field = table.fields[name]
            if field.external and value is not None:
                held = records.by(name, str(value))
                if held is not None and (row is None or held["Id"] != row["Id"]):
                    words = f"duplicate value found: {name} duplicates value on record with id: {held['Id'][:15]}"
                    told.append({"statusCode": "DUPLICATE_VALUE", "message": words, "fields": []})
            if field.type == "reference" and value is not None and field.creatable:
                told += self._dangling(field, str(value))
        whole = {**(row or {}), **values}
        if object in _PREFIXES and str(whole.get("WhoId") or "").startswith("00Q") and whole.get("WhatId"):
            words = "A task or event for a lead is related to nothing else"
            told.append({"statusCode": "FIELD_INTEGRITY_EXCEPTION", "message": words, "fields": ["WhatId"]})
        return told or self._alike(call, object, values, row)

    def _dangling(self, field: Field, id: str) -> Iterable[dict[str, Any]]:
        if len(id) not in (15, 18) or not id.isalnum():
            yield {
                "statusCode": "MALFORMED_ID",
                "message": f"{field.name}: id value of incorrect type: {id[:30]}",
                "fields": [field.name],
            }
            return
        known = [to for to in field.to if to in self.records]
        right = [to for to in known if id.startswith(self.tables[to].prefix)]
        if known and not right and not set(field.to) - set(known):
            yield {
                "statusCode": "FIELD_INTEGRITY_EXCEPTION",
                "message": f"{field.name}: id value of incorrect type: {id}",
                "fields": [field.name],
            }
        elif right and self.records[right[0]].get(id) is None:
            words = "insufficient access rights on cross-reference id"
            yield {"statusCode": "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "message": words, "fields": []}

    def _alike(self, call: Call, object: str, values: Mapping[str, Any], row: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """A duplicate rule that warns of people with the same e-mail address."""
        email = values.get("Email")
        saved = "allowsave=true" in call.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
        if not self.hazards.duplicates or object not in ("Contact", "Lead") or not email or saved:
            return []
        found = [one for one in self.records[object] if str(one.get("Email") or "").casefold() == email.casefold()]
        found = [one for one in found if row is None or one["Id"] != row["Id"]]
        if not found:
            return []
        matches = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": object}, "Id": one["Id"]},
            }
            for one in found[:3]
        ]
        rule = {
            "allowSave": True,
            "duplicateRule": f"Standard_{object}_Duplicate_Rule",
            "duplicateRuleEntityType": object,
            "errorMessage": "Use one of these records?",
            "matchResults": [
                {"entityType": object, "errors": [], "matchEngine": "FuzzyMatchEngine", "matchRecords": matches, "success": True}
            ],
        }
        return [
            {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": [], "duplicateResult": rule}
        ]

    def _settle(self, object: str, row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """What follows from a record: the account of an activity, the role of an opportunity's contact, a new field to be seen."""
        if object in _PREFIXES:
            self.records[object].rows_of(row["Id"])["AccountId"] = self._account_of(row)
        if object == "Opportunity" and values.get("ContactId"):
            role = {"OpportunityId": row["Id"], "ContactId": row["ContactId"], "IsPrimary": True}
            self.records["OpportunityContactRole"].create(role)
        if object == "OpportunityContactRole" and row.get("IsPrimary"):
            opportunity = self.records["Opportunity"].get(row["OpportunityId"])
            if opportunity is not None:
                opportunity["ContactId"] = row["ContactId"]
        if object == "FieldPermissions" and row.get("Field") in self._unseen:
            self.add_field(str(row["SobjectType"]), self._unseen.pop(str(row["Field"])))

    def _account_of(self, row: Mapping[str, Any]) -> str | None:
        what = str(row.get("WhatId") or "")
        if what.startswith("001"):
            return what
        via = self.records["Opportunity"].get(what) if what else self.records["Contact"].get(str(row.get("WhoId") or ""))
        return None if via is None else via.get("AccountId")

    # small things

    def _row(self, version: str, object: str, row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        table = self.tables[object]
        told: dict[str, Any] = {"attributes": {"type": object, "url": f"/services/data/{version}/sobjects/{object}/{row['Id']}"}}
        for name in names:
            above, _, rest = name.partition(".")
            if rest:
                pointer = str(row.get(f"{above}Id") or "")
                to = next((one for one in self.tables.values() if pointer and pointer.startswith(one.prefix)), None)
                other = self.records[to.name].any(pointer) if to else None
                told[above] = (
                    None
                    if to is None or other is None
                    else {**(told.get(above) or {}), **self._row(version, to.name, other, [rest])}
                )
            elif table.fields[name].type == "address":
                told[name] = _address(table, name, row)
            else:
                told[name] = shown(table.fields[name], row.get(name))
        return told

    @property
    def _unseen(self) -> dict[str, Field]:
        """Custom fields that nobody may see yet, by their full names."""
        kept: dict[str, Field] = self.__dict__.setdefault("_fields_unseen", {})
        return kept

    def _table(self, object: str) -> Table:
        if object not in self.tables:
            raise RefusedError(404, error("NOT_FOUND", "The requested resource does not exist"))
        return self.tables[object]

    def _kind(self, one: Mapping[str, Any]) -> Table:
        return self._table(str((one.get("attributes") or {}).get("type")))

    def _may(self, verb: str, object: str) -> None:
        if f"{verb} {object}" in self.forbidden:
            raise RefusedError(403, error("INSUFFICIENT_ACCESS", f"insufficient access rights on {object}: {verb}"))

    def _found(self, object: str, id: str) -> dict[str, Any]:
        row = self.records[self._table(object).name].any(id)
        if row is None:
            raise RefusedError(404, error("NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + id))
        if row.get("IsDeleted"):
            raise RefusedError(404, error("ENTITY_IS_DELETED", "entity is deleted"))
        return row

    def _external(self, object: str, name: str) -> str:
        field = self._table(object).fields.get(name)
        if field is None or not field.external:
            words = f"Provided external ID field does not exist or is not accessible: {name}"
            raise RefusedError(404, error("NOT_FOUND", words))
        return name


def _body(call: Call) -> Any:
    try:
        return json.loads(call.body, parse_float=Decimal)
    except ValueError as wrong:
        raise RefusedError(400, error("JSON_PARSER_ERROR", f"Unexpected character: {wrong}")) from None


def _few(records: Sequence[Any]) -> Sequence[Any]:
    if len(records) > _COLLECTION:
        raise RefusedError(
            400, error("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {_COLLECTION} records")
        )
    return records


def _failed(code: str, message: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


def _locked() -> dict[str, Any]:
    return _failed("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")


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
