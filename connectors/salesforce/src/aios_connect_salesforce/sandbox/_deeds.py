"""What becomes of records that are written to a fake organisation: what is refused, and what follows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from aios_connect.sandbox import Call, RefusedError
from aios_connect_salesforce._ids import full_id

from ._checks import problems
from ._fields import Field, Table
from ._organisation import Organisation
from ._soql import error

__all__ = ["Deeds", "body_of", "failed"]

_PREFIXES: Final = {"Task": ("WhoId", "WhatId"), "Event": ("WhoId", "WhatId")}


class Deeds(Organisation):
    """One fake organisation whose records can be made, changed and deleted."""

    def made(self, call: Call, object: str, values: dict[str, Any]) -> dict[str, Any]:
        """The result of making a record that a client asks for."""
        self.may("create", object)
        refused = self._refused(call, object, values, None)
        if refused:
            return {"success": False, "errors": refused}
        if self.is_locked():
            return _locked()
        if object == "Lead" and self.hazards.assignment and call.headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE":
            others = [row["Id"] for row in self.records["User"] if row["Id"] != self.user]
            values = {**values, "OwnerId": others[0] if others else self.user}
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

    def people_remove(self, object: str, id: str) -> None:
        """One of the company's people deletes a record; with an opportunity go its roles, and a role by itself leaves nothing."""
        if object == "OpportunityContactRole":
            self.records[object].erase(id)
            return
        self.records[object].remove(id)
        if object == "Opportunity":
            roles = self.records["OpportunityContactRole"]
            for role in [role for role in roles if role["OpportunityId"] == full_id(id)]:
                roles.remove(role["Id"])

    def changed(self, call: Call, object: str, id: str, values: dict[str, Any]) -> dict[str, Any]:
        """The result of changing a record as a client asks for."""
        self.may("update", object)
        row = self.records[object].any(id)
        if row is None or not id.startswith(self.tables[object].prefix):
            return failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row.get("IsDeleted"):
            return failed("ENTITY_IS_DELETED", "entity is deleted")
        refused = self._refused(call, object, values, row)
        if refused:
            return {"id": row["Id"], "success": False, "errors": refused}
        if self.is_locked():
            return _locked()
        self.records[object].change(id, values)
        self._settle(object, row, values)
        return {"id": row["Id"], "success": True, "errors": []}

    def put(self, call: Call, object: str, field: str, values: dict[str, Any]) -> dict[str, Any]:
        """The result of making a record, or of changing the one that has this external id."""
        held = self.records[object].by(field, str(values.get(field)))
        if held is None:
            return self.made(call, object, values)
        rest = {name: value for name, value in values.items() if name != field}
        return {**self.changed(call, object, held["Id"], rest), "created": False}

    def removed(self, id: str) -> dict[str, Any]:
        """The result of putting a record into the bin."""
        object = next((name for name, table in self.tables.items() if id.startswith(table.prefix)), "")
        row = self.records[object].any(id) if object else None
        if row is None:
            return failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        self.may("delete", object)
        if row.get("IsDeleted"):
            return failed("ENTITY_IS_DELETED", "entity is deleted")
        if self.is_locked():
            return _locked()
        self.people_remove(object, id)
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
        if object == "Opportunity" and "AccountId" in values:
            for of in _PREFIXES:
                for activity in [one for one in self.records[of] if one["WhatId"] == row["Id"]]:
                    activity["AccountId"] = row["AccountId"]
        if object == "Opportunity" and values.get("ContactId"):
            role = {"OpportunityId": row["Id"], "ContactId": row["ContactId"], "IsPrimary": True}
            self.records["OpportunityContactRole"].create(role)
        if object == "OpportunityContactRole" and "IsPrimary" in values:
            self._primary(row)
        if object == "FieldPermissions" and row.get("Field") in self.unseen:
            self.add_field(str(row["SobjectType"]), self.unseen.pop(str(row["Field"])))

    def _primary(self, role: Mapping[str, Any]) -> None:
        """One role of an opportunity is the primary one, and its contact the opportunity's."""
        roles, opportunity = self.records["OpportunityContactRole"], self.records["Opportunity"].get(role["OpportunityId"])
        for other in [one for one in roles if one["OpportunityId"] == role["OpportunityId"] and one["Id"] != role["Id"]]:
            if role["IsPrimary"] and other["IsPrimary"]:
                roles.change(other["Id"], {"IsPrimary": False})
        if opportunity is not None:
            mine = [one["ContactId"] for one in roles if one["OpportunityId"] == role["OpportunityId"] and one["IsPrimary"]]
            opportunity["ContactId"] = mine[0] if mine else None

    def _account_of(self, row: Mapping[str, Any]) -> str | None:
        what = str(row.get("WhatId") or "")
        if what.startswith("001"):
            return what
        via = self.records["Opportunity"].get(what) if what else self.records["Contact"].get(str(row.get("WhoId") or ""))
        return None if via is None else via.get("AccountId")

    def table(self, object: str) -> Table:
        """An object by its name; refused if there is none."""
        if object not in self.tables:
            raise RefusedError(404, error("NOT_FOUND", "The requested resource does not exist"))
        return self.tables[object]

    def may(self, verb: str, object: str) -> None:
        """Refuse what the user is not permitted to do."""
        if f"{verb} {object}" in self.forbidden:
            raise RefusedError(403, error("INSUFFICIENT_ACCESS", f"insufficient access rights on {object}: {verb}"))


def body_of(call: Call) -> Any:
    """The JSON of a request, its numbers digit by digit; refused if it is none."""
    try:
        return json.loads(call.body, parse_float=Decimal)
    except ValueError as wrong:
        raise RefusedError(400, error("JSON_PARSER_ERROR", f"Unexpected character: {wrong}")) from None


def failed(code: str, message: str) -> dict[str, Any]:
    """The result of what could not be done."""
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


def _locked() -> dict[str, Any]:
    return failed("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
