"""Writing records, two hundred at a time: checked against the live schema, compared before, and looked up when no answer came.

A create carries our key in a field whose values Salesforce keeps unique, so that none can be done twice, however often it is sent.
It is an insert and no upsert: an upsert that is sent again would write over what somebody changed in between. An update or a delete
is one call for what is there now, a comparison with what the plan saw, and one write. Collections know no condition (a single record
can be written with ``If-Unmodified-Since``, to the second:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest_conditional_requests.htm), so a moment stays
between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    Change,
    ConfigError,
    Context,
    ProviderError,
    RateLimitedError,
    Raw,
    Receipt,
    RejectedError,
    TruncatedError,
)

from ._ids import full_id, object_of
from ._objects import KEY, OBJECTS, STAMP
from ._reading import Reader
from ._roles import CONTACT, Roles
from ._schema import CURRENCY, Schemas
from ._shape import same, what_of, written
from ._wire import Wire, said

__all__ = ["Writer"]

_Receipts: TypeAlias = dict[str, Receipt]
_Send: TypeAlias = Callable[[Sequence[Change]], list[dict[str, Any]]]
_Lost: TypeAlias = Callable[[Sequence[Change]], _Receipts]

_LOCKED: Final = "UNABLE_TO_LOCK_ROW"
_GONE: Final = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND"})
_TAKEN: Final = "DUPLICATE_VALUE"
_ATTEMPTS: Final = 4
"""How often a record is sent that another transaction keeps to itself
(https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm)."""


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
        self._sleep = context.sleep
        self._connection = context.connection

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in order; see :meth:`aios_connect.connectors.Connector.write`."""
        receipts: _Receipts = {}
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

    def _create(self, object: str, changes: Sequence[Change]) -> _Receipts:
        if OBJECTS[object].key and KEY not in self._schemas.fields(object) and any(change.key for change in changes):
            raise ConfigError(
                f"Salesforce has no field {KEY} on {object} yet that the user may see, which keeps creates from being done twice",
                hint=f"aios connect {self._connection}",
            )

        def send(part: Sequence[Change]) -> list[dict[str, Any]]:
            records = [self._new(object, change) for change in part]
            body = {"allOrNone": False, "records": records}
            return self._wire.write("POST", "composite/sobjects", object, body, [change.line for change in part])

        done: _Receipts = {}
        self._deliver(changes, done, send, lambda part: self._found(object, part))
        again = [change for change in changes if done[change.line].outcome == "rejected" and _TAKEN in done[change.line].reason]
        if again:  # an earlier create whose answer was lost: it is there, under our key
            self._keep(done, again, lambda part: self._found(object, part))
        return done

    def _new(self, object: str, change: Change) -> dict[str, Any]:
        values = {name: value for name, value in self._own(object, change, None).items() if value not in (None, "")}
        key = {KEY: change.key} if change.key and OBJECTS[object].key else {}
        return {"attributes": {"type": object}, **values, **key}

    def _found(self, object: str, changes: Iterable[Change]) -> _Receipts:
        keyed = {change.key: change.line for change in changes if change.key} if OBJECTS[object].key else {}
        there = self._reader.find(object, [key for key in keyed if key]) if keyed else {}
        return {
            keyed[key]: Receipt("written", raw["Id"], str(raw[STAMP]), raw, found=True)
            for key, raw in there.items()
            if key in keyed
        }

    # updates

    def _update(self, object: str, changes: Sequence[Change]) -> _Receipts:
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

        done: _Receipts = {}
        plain = self._related(object, wanted, done)
        related = {*done}

        def send(part: Sequence[Change]) -> list[dict[str, Any]]:
            records = [{"attributes": {"type": object}, "Id": change.id, **plain[change.line]} for change in part]
            body = {"allOrNone": False, "records": records}
            return self._wire.write("PATCH", "composite/sobjects", object, body, [change.line for change in part])

        def lost(part: Sequence[Change]) -> _Receipts:
            after = self._present(object, part)
            return {
                change.line: Receipt("written", change.id, str(raw[STAMP]), raw)
                for change in part
                if (raw := after.get(full_id(change.id or ""))) is not None and self._holds(object, raw, plain[change.line])
            }

        self._deliver([wanted[line][0] for line in plain], done, send, lost)
        for line in related & plain.keys():
            if done[line].outcome == "rejected":
                done[line] = replace(done[line], reason=f"its contact was written, and the rest refused: {done[line].reason}")
        return receipts | done

    def _related(
        self, object: str, wanted: Mapping[str, tuple[Change, dict[str, Any]]], done: _Receipts
    ) -> dict[str, dict[str, Any]]:
        """Write what is kept in other records first: the contacts of opportunities. What is left to be written, by line."""
        contacts = {
            line: values[CONTACT] for line, (_, values) in wanted.items() if _by_role(object, CONTACT) and CONTACT in values
        }

        def send(part: Sequence[Change]) -> list[dict[str, Any]]:
            return self._roles.write([(change, contacts[change.line]) for change in part])

        def lost(part: Sequence[Change]) -> _Receipts:
            after = self._present(object, part)
            return {
                change.line: Receipt("written", change.id)
                for change in part
                if (raw := after.get(full_id(change.id or ""))) is not None
                and self._holds(object, raw, {CONTACT: contacts[change.line]})
            }

        self._deliver([wanted[line][0] for line in contacts], done, send, lost)
        left = {
            line: {name: value for name, value in values.items() if not _by_role(object, name)}
            for line, (_, values) in wanted.items()
        }
        return {line: values for line, values in left.items() if values and (line not in done or done[line].outcome == "written")}

    # deletes

    def _delete(self, object: str, changes: Sequence[Change]) -> _Receipts:
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

        def send(part: Sequence[Change]) -> list[dict[str, Any]]:
            ids, lines = ",".join(str(change.id) for change in part), [change.line for change in part]
            return self._wire.write("DELETE", "composite/sobjects", object, None, lines, ids=ids, allOrNone="false")

        def lost(part: Sequence[Change]) -> _Receipts:
            after = self._present(object, part)
            gone = [change for change in part if full_id(change.id or "") not in after]
            return {change.line: Receipt("written", change.id) for change in gone}

        done: _Receipts = {}
        self._deliver(wanted, done, send, lost)
        return receipts | done

    # all of them

    def _present(self, object: str, changes: Sequence[Change]) -> dict[str, Raw]:
        return {raw["Id"]: raw for raw in self._reader.lookup(object, [change.id for change in changes if change.id])}

    def _gone(self, object: str, changes: Sequence[Change]) -> _Receipts:
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

    def _deliver(self, changes: Sequence[Change], done: _Receipts, send: _Send, lost: _Lost) -> None:
        """Send changes in one call; again those whose row was locked; in two halves when one spoils the call for the others.

        Args:
            changes: What is to be sent.
            done: Where the receipts go.
            send: Sends some; gives Salesforce's results.
            lost: Receipts of those that can be seen to be done, after no answer came.
        """
        waiting = list(changes)
        for attempt in range(_ATTEMPTS):
            if not waiting:
                return
            if attempt:
                self._sleep(0.5 * 2**attempt)
            try:
                results = send(waiting)
            except RejectedError as error:
                if len(waiting) == 1:
                    done[waiting[0].line] = Receipt("rejected", waiting[0].id, reason=error.message)
                else:
                    half = len(waiting) // 2
                    self._deliver(waiting[:half], done, send, lost)
                    self._deliver(waiting[half:], done, send, lost)
                return
            except (AmbiguousWriteError, TruncatedError) as error:
                self._keep(done, waiting, lost, error.message)
                return
            except ProviderError as error:
                if not any(receipt.outcome in ("written", "ambiguous") for receipt in done.values()):
                    raise  # nothing was written
                certain = isinstance(error, AuthError | RateLimitedError)
                outcome: Any = "rejected" if certain else "ambiguous"
                done |= {change.line: Receipt(outcome, change.id, reason=error.message) for change in waiting}
                return
            if len(results) != len(waiting):
                self._keep(done, waiting, lost, "salesforce does not say what became of it")
                return
            told = list(zip(waiting, results, strict=True))
            done |= {change.line: _receipt(change, result) for change, result in told}
            waiting = [change for change, result in told if not result["success"] and _LOCKED in said(result.get("errors"))]

    def _keep(self, done: _Receipts, changes: Sequence[Change], lost: _Lost, reason: str = "") -> None:
        """Look up what became of changes; without a reason those that are not found keep the receipts they have."""
        try:
            seen = lost(changes)
        except ProviderError:
            seen = {}
        for change in changes:
            if change.line in seen:
                done[change.line] = seen[change.line]
            elif reason:
                done[change.line] = Receipt("ambiguous", change.id, reason=reason)


def _by_role(object: str, name: str) -> bool:
    """A field that is changed by writing another record."""
    return object == "Opportunity" and name == CONTACT


def _receipt(change: Change, result: Mapping[str, Any]) -> Receipt:
    if result["success"]:
        return Receipt("written", str(result.get("id") or change.id))
    errors = result.get("errors") or [{"message": "salesforce refused it and does not say why"}]
    codes = {str(error.get("statusCode")) for error in errors if isinstance(error, dict)}
    if change.action == "delete" and codes & _GONE:
        return Receipt("unchanged", change.id)
    if change.action == "update" and "ENTITY_IS_DELETED" in codes:
        return Receipt("conflict", change.id, reason="it is not there any more")
    return Receipt("rejected", change.id, reason=said(errors))
