"""Writing records, a thousand in a call: checked against the live schema, compared before, and looked up when no answer came.

A create carries our key in a field whose values Salesforce keeps unique, so that none can be done twice, however often it is sent.
It is an insert and no upsert: an upsert that is sent again would write over what somebody changed in between. An update or a delete
is one call for what is there now, a comparison with what the plan saw, and one write. Collections know no condition (a single record
can be written with ``If-Unmodified-Since``, to the second:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest_conditional_requests.htm), so a moment stays
between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aios_connect.connectors import Change, ConfigError, Context, Raw, Receipt

from ._delivery import Answers, Batch, Delivery, Receipts
from ._ids import full_id, object_of
from ._objects import KEY, OBJECTS, STAMP
from ._reading import Reader
from ._roles import CONTACT, ROLES, Roles
from ._schema import CURRENCY, Schemas
from ._shape import same, what_of, written
from ._wire import COLLECTION, Part, Wire

__all__ = ["Writer"]

_COLLECTIONS: Final = "composite/sobjects"
_TAKEN: Final = "DUPLICATE_VALUE"


class Writer:
    """Writes one organisation's records.

    Args:
        wire: The way to Salesforce.
        schemas: What it says of its fields.
        reader: Reads what is compared and looked up.
        context: Of the connection: how to wait, and its name for hints.
    """

    def __init__(self, wire: Wire, schemas: Schemas, reader: Reader, context: Context) -> None:
        self._wire = wire
        self._schemas = schemas
        self._reader = reader
        self._roles = Roles(wire, reader)
        self._delivery = Delivery(context)
        self._connection = context.connection

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in order; see :meth:`aios_connect.connectors.Connector.write`."""
        receipts: Receipts = {}
        fitting = []
        for change in changes:
            if wrong := self._wrong(object, change):
                receipts[change.line] = Receipt("rejected", change.id, reason=wrong)
            else:
                fitting.append(change)
        if fitting:
            verb = {"create": self._create, "update": self._update, "delete": self._delete}[changes[0].action]
            receipts |= verb(object, fitting)
        return [receipts[change.line] for change in changes]

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        """API calls that these changes take: a write, and before it a question; of contacts of opportunities both for each four
        hundred, and nothing more for an opportunity of which nothing else changes."""
        if changes[0].action != "update":
            return 1 + (changes[0].action == "delete")
        roles = sum(_by_role(object, CONTACT) and CONTACT in change.patch for change in changes)
        plain = any(not _by_role(object, name) for change in changes for name in change.patch)
        return 1 + 2 * -(-roles // (ROLES * COLLECTION)) + plain

    def _wrong(self, object: str, change: Change) -> str:
        """What of a patch Salesforce would refuse by its schema; it would refuse the whole batch for it."""
        fields, may = self._schemas.fields(object), "createable" if change.action == "create" else "updateable"
        for name, value in change.patch.items():
            if name == "about" and OBJECTS[object].about:
                if wrong := sorted(set(value or ()) - {"Account", "Opportunity"}):
                    return f"what a record is about is an Account or an Opportunity, and no {', '.join(wrong)}"
            elif name == CURRENCY and self._schemas.lacks_currency(object):
                if value not in (None, self._schemas.currency):
                    return f"the organisation has one currency, {self._schemas.currency or 'which the setting currency names'}"
            elif name not in fields:
                return f"salesforce has no field {name} on {object}, or the user may not see it"
            elif _by_role(object, name) and object_of(value) == "Lead":
                return "a lead cannot be the contact of an opportunity: convert the lead in Salesforce first"
            elif not fields[name].get(may) and not _by_role(object, name):
                return f"salesforce does not let the user {'set' if change.action == 'create' else 'change'} {object}.{name}"
        return ""

    # creates

    def _create(self, object: str, changes: Sequence[Change]) -> Receipts:
        if OBJECTS[object].key and KEY not in self._schemas.fields(object) and any(change.key for change in changes):
            raise ConfigError(
                f"Salesforce has no field {KEY} on {object} yet that the user may see, which keeps creates from being done twice",
                hint=f"aios connect {self._connection}",
            )

        def send(parts: Sequence[Batch]) -> Answers:
            bodies = [{"allOrNone": False, "records": [self._new(object, change) for change in part]} for part in parts]
            return self._wire.write([Part("POST", _COLLECTIONS, body) for body in bodies], object, _lines(parts))

        done: Receipts = {}
        once = not OBJECTS[object].key or not all(change.key for change in changes)
        self._delivery.send(changes, done, send, lambda part: self._found(object, part), once=once)
        again = [change for change in changes if done[change.line].outcome == "rejected" and _TAKEN in done[change.line].reason]
        if again:  # an earlier create whose answer was lost: it is there, under our key
            self._delivery.keep(done, again, lambda part: self._found(object, part))
        return done

    def _new(self, object: str, change: Change) -> dict[str, Any]:
        values = {name: value for name, value in self._own(object, change, None).items() if value not in (None, "")}
        key = {KEY: change.key} if change.key and OBJECTS[object].key else {}
        return {"attributes": {"type": object}, **values, **key}

    def _found(self, object: str, changes: Iterable[Change]) -> Receipts:
        keyed = {change.key: change.line for change in changes if change.key} if OBJECTS[object].key else {}
        there = self._reader.find(object, [key for key in keyed if key]) if keyed else {}
        return {
            keyed[key]: Receipt("written", raw["Id"], str(raw[STAMP]), raw, found=True)
            for key, raw in there.items()
            if key in keyed
        }

    # updates

    def _update(self, object: str, changes: Sequence[Change]) -> Receipts:
        now = self._present(object, changes)
        receipts = self._gone(object, [change for change in changes if full_id(change.id or "") not in now])
        wanted: dict[str, tuple[Change, dict[str, Any]]] = {}
        for change in changes:
            raw = now.get(full_id(change.id or ""))
            if raw is None:
                continue
            try:
                values = self._own(object, change, raw)
            except ValueError as error:
                receipts[change.line] = Receipt("rejected", change.id, reason=str(error))
                continue
            if self._holds(object, raw, values):
                receipts[change.line] = Receipt("unchanged", change.id, str(raw[STAMP]))
            elif not self._expected(object, raw, change):
                reason = "it changed since the plan was made"
                receipts[change.line] = Receipt("conflict", change.id, str(raw[STAMP]), current=raw, reason=reason)
            else:
                wanted[change.line] = (change, values)

        done: Receipts = {}
        plain = self._related(object, wanted, done)
        related = {*done}

        def record(change: Change) -> dict[str, Any]:
            return {"attributes": {"type": object}, "Id": change.id, **plain[change.line]}

        def send(parts: Sequence[Batch]) -> Answers:
            bodies = [{"allOrNone": False, "records": [record(change) for change in part]} for part in parts]
            return self._wire.write([Part("PATCH", _COLLECTIONS, body) for body in bodies], object, _lines(parts))

        def lost(part: Sequence[Change]) -> Receipts:
            after = self._present(object, part)
            return {
                change.line: Receipt("written", change.id, str(raw[STAMP]), raw)
                for change in part
                if (raw := after.get(full_id(change.id or ""))) is not None and self._holds(object, raw, plain[change.line])
            }

        self._delivery.send([wanted[line][0] for line in plain], done, send, lost)
        for line in related & plain.keys():
            if done[line].outcome == "rejected":
                done[line] = replace(done[line], reason=f"its contact was written, and the rest refused: {done[line].reason}")
        return receipts | done

    def _related(
        self, object: str, wanted: Mapping[str, tuple[Change, dict[str, Any]]], done: Receipts
    ) -> dict[str, dict[str, Any]]:
        """Write what is kept in other records first: the contacts of opportunities. What is left to be written, by line."""
        contacts = {
            line: values[CONTACT] for line, (_, values) in wanted.items() if _by_role(object, CONTACT) and CONTACT in values
        }

        def send(parts: Sequence[Batch]) -> Answers:
            return self._roles.write([[(change, contacts[change.line]) for change in part] for part in parts])

        def lost(part: Sequence[Change]) -> Receipts:
            after = self._present(object, part)
            return {
                change.line: Receipt("written", change.id)
                for change in part
                if (raw := after.get(full_id(change.id or ""))) is not None
                and self._holds(object, raw, {CONTACT: contacts[change.line]})
            }

        self._delivery.send([wanted[line][0] for line in contacts], done, send, lost, ROLES)
        left = {
            line: {name: value for name, value in values.items() if not _by_role(object, name)}
            for line, (_, values) in wanted.items()
        }
        return {line: values for line, values in left.items() if values and (line not in done or done[line].outcome == "written")}

    # deletes

    def _delete(self, object: str, changes: Sequence[Change]) -> Receipts:
        now = self._present(object, changes)
        missing = [change for change in changes if full_id(change.id or "") not in now]
        receipts = {
            line: receipt if "merged" in receipt.reason else Receipt("unchanged", receipt.id)
            for line, receipt in self._gone(object, missing).items()
        }
        wanted = []
        for change in changes:
            raw = now.get(full_id(change.id or ""))
            if raw is not None and not self._expected(object, raw, change):
                receipts[change.line] = Receipt(
                    "conflict", change.id, str(raw[STAMP]), current=raw, reason="it changed since the plan was made"
                )
            elif raw is not None:
                wanted.append(change)

        def send(parts: Sequence[Batch]) -> Answers:
            ids = [",".join(str(change.id) for change in part) for part in parts]
            asked = [Part("DELETE", _COLLECTIONS, params={"ids": one, "allOrNone": "false"}) for one in ids]
            return self._wire.write(asked, object, _lines(parts))

        def lost(part: Sequence[Change]) -> Receipts:
            after = self._present(object, part)
            gone = [change for change in part if full_id(change.id or "") not in after]
            return {change.line: Receipt("written", change.id) for change in gone}

        done: Receipts = {}
        self._delivery.send(wanted, done, send, lost)
        return receipts | done

    # all of them

    def _present(self, object: str, changes: Sequence[Change]) -> dict[str, Raw]:
        return {raw["Id"]: raw for raw in self._reader.lookup(object, [change.id for change in changes if change.id])}

    def _gone(self, object: str, changes: Sequence[Change]) -> Receipts:
        """Receipts of changes of records that are not there: with the one that each was merged into, if it was."""
        survivors = self._reader.survivors(object, [change.id for change in changes if change.id]) if changes else {}
        told = {}
        for change in changes:
            survivor = survivors.get(full_id(change.id or ""))
            reason = f"it was merged into {survivor}" if survivor else "it is not there any more"
            told[change.line] = Receipt("conflict", change.id, reason=reason)
        return told

    def _own(self, object: str, change: Change, held: Raw | None) -> dict[str, Any]:
        """A patch in Salesforce's own fields.

        Raises:
            ValueError: It cannot be done to what is there.
        """
        values = dict(change.patch)
        about = values.pop("about", None)
        if about is not None and OBJECTS[object].about:
            values["WhatId"] = what_of(about, held)
        if self._schemas.lacks_currency(object):
            values.pop(CURRENCY, None)
        fields = self._schemas.fields(object)
        return {name: written(str(fields[name].get("type")), value) for name, value in values.items()}

    def _holds(self, object: str, raw: Raw, values: Mapping[str, Any]) -> bool:
        fields = self._schemas.fields(object)
        return all(same(str(fields[name].get("type")), raw.get(name), value) for name, value in values.items() if name in fields)

    def _expected(self, object: str, raw: Raw, change: Change) -> bool:
        """What a plan saw is still so, of what people can change."""
        fields = self._schemas.fields(object)
        seen = {
            name: value
            for name, value in change.expect.items()
            if fields.get(name, {}).get("updateable") or _by_role(object, name)
        }
        about, held = change.expect.get("about") or {}, raw.get("about") or {}
        return self._holds(object, raw, seen) and all(
            same("reference", value, held.get(name)) for name, value in about.items() if name in held or value
        )


def _lines(parts: Sequence[Batch]) -> list[str]:
    return [change.line for part in parts for change in part]


def _by_role(object: str, name: str) -> bool:
    """A field that is changed by writing another record."""
    return object == "Opportunity" and name == CONTACT
