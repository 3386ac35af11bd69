"""Writing, one record a call: BottleCRM has neither batches nor conditions.

What is to be changed or deleted is looked at just before, and compared with what the plan saw; a window of one call stays. What was
written is looked at just after, because BottleCRM answers with little more than a thank-you: of a new task not even with its id.

A new record carries our key in a custom field. When an answer is lost, it is looked for by that key, among the records of the last days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import uuid4

from aios_connect.connectors import (
    AmbiguousWriteError,
    Change,
    NotFoundError,
    ProviderError,
    Raw,
    Receipt,
    RejectedError,
    TruncatedError,
    instant,
)

from .objects import CONTACT, CUSTOM, KEY, OBJECTS, SAID_TWICE, Field, Kind
from .reading import Reader
from .wire import ID, Wire

__all__ = ["Writer", "calls_of"]

_GONE: Final = "it is not in BottleCRM any more"
_STALE: Final = "it was changed in BottleCRM since it was read"
_RECENT: Final = timedelta(days=2)
"""How far back a record that we just made is looked for: BottleCRM filters by the day, in a time zone of its own."""


class Writer:
    """Carries out one change.

    Args:
        wire: The way to BottleCRM.
        reader: Reads records.
        custom: The custom fields of an object, by key.
        now: The clock.
        size: Records in a page of a list.
    """

    def __init__(
        self, wire: Wire, reader: Reader, custom: Callable[[str], frozenset[str]], now: Callable[[], datetime], size: int
    ) -> None:
        self._wire = wire
        self._reader = reader
        self._custom = custom
        self._now = now
        self._size = size

    def write(self, object: str, change: Change) -> Receipt:
        """What became of a change.

        Raises:
            ProviderError: It was not sent, or refused for a reason that is not its own.
        """
        if refused := self._refused(object, change):
            return Receipt("rejected", change.id, reason=refused)
        if change.action == "create":
            return self._create(object, change)
        kind, raw = OBJECTS[object], self._reader.one(object, change.id or "")
        if raw is None:
            return Receipt("unchanged" if change.action == "delete" else "conflict", change.id, reason=_GONE)
        if CONTACT in change.patch and CONTACT not in raw:
            return Receipt("rejected", change.id, reason="it has several contacts; change contacts, which has all of them")
        if change.action == "update" and _holds(kind, raw, change.patch):
            return Receipt("unchanged", change.id, record=raw)
        if not _holds(kind, raw, change.expect):
            return Receipt("conflict", change.id, current=raw, reason=_STALE)
        return self._delete(object, change) if change.action == "delete" else self._update(object, change)

    def _create(self, object: str, change: Change) -> Receipt:
        key = change.key or uuid4().hex
        if KEY not in self._custom(object):
            raise NotFoundError(
                f"BottleCRM has no custom field {KEY!r} on {object}, where our key would stand",
                hint="aios connect makes it",
                provider="bottlecrm",
                object=object,
            )
        values = {**change.patch, CUSTOM: {**(change.patch.get(CUSTOM) or {}), KEY: key}}
        try:
            told = self._wire.send(
                "POST", f"{OBJECTS[object].path}/", OBJECTS[object].body(values), object=object, line=change.line
            )
        except RejectedError as error:
            return Receipt("rejected", reason=error.message)
        except (AmbiguousWriteError, TruncatedError) as error:
            return self._made(object, key, change.patch, error.message)
        id = told.get("id")
        if not isinstance(id, str) or not ID.fullmatch(id):
            return self._made(object, key, change.patch, "BottleCRM did not say what it made")
        raw = self._seen(object, id)
        return Receipt("written", id, record=raw, reason=_lost(OBJECTS[object], raw, change.patch))

    def _made(self, object: str, key: str, values: Raw, why: str) -> Receipt:
        """Look for what was made, or was not."""
        near = {"created_at__gte": (self._now() - _RECENT).date().isoformat()}
        if object == "tasks":  # each that comes into question must be asked for
            near["title"] = str(values.get("title", "")).strip()
        try:
            found = self._reader.by_key(object, [key], self._size, **near)
        except ProviderError:
            found = {}
        if key not in found:
            return Receipt("ambiguous", reason=f"{why}; no record with our key is to be seen")
        return Receipt("written", str(found[key]["id"]), record=found[key], found=True)

    def _update(self, object: str, change: Change) -> Receipt:
        id, kind = str(change.id), OBJECTS[object]
        try:
            self._wire.send("PATCH", f"{kind.path}/{id}/", kind.body(change.patch), object=object, line=change.line)
        except RejectedError as error:
            return Receipt("rejected", id, reason=error.message)
        except NotFoundError:
            return Receipt("conflict", id, reason=_GONE)
        except (AmbiguousWriteError, TruncatedError) as error:
            raw = self._seen(object, id)
            if raw is not None and _holds(kind, raw, change.patch):
                return Receipt("written", id, record=raw)
            return Receipt("ambiguous", id, reason=error.message)
        raw = self._seen(object, id)
        lost = _lost(kind, raw, change.patch)
        return Receipt("rejected" if lost else "written", id, record=raw, reason=lost)

    def _delete(self, object: str, change: Change) -> Receipt:
        id = str(change.id)
        if object == "accounts" and (count := self._deals_of(id)):
            return Receipt("rejected", id, reason=f"it has {count} deals, which BottleCRM would delete with it")
        try:
            self._wire.send("DELETE", f"{OBJECTS[object].path}/{id}/", object=object, line=change.line)
        except RejectedError as error:
            return Receipt("rejected", id, reason=error.message)
        except NotFoundError:
            return Receipt("unchanged", id, reason=_GONE)
        except (AmbiguousWriteError, TruncatedError) as error:
            try:
                gone = self._reader.one(object, id) is None
            except ProviderError:
                gone = False
            return Receipt("written", id) if gone else Receipt("ambiguous", id, reason=error.message)
        return Receipt("written", id)

    def _deals_of(self, account: str) -> int:
        return self._wire.listed("deals", OBJECTS["deals"].halves[0], 0, 1, account=account)[1]

    def _seen(self, object: str, id: str) -> Raw | None:
        """The record as it is now; ``None`` if it cannot be looked at."""
        try:
            return self._reader.one(object, id)
        except ProviderError:
            return None

    def _refused(self, object: str, change: Change) -> str:
        """Why a change is not sent: BottleCRM would do something else, or nothing, and say it was done."""
        fields = OBJECTS[object].fields
        for name, value in change.patch.items():
            if name not in fields or not fields[name].write:
                return f"{name} cannot be written"
            if fields[name].type in ("decimal", "integer") and str(value).startswith("-"):
                return f"{name} cannot be below zero"  # of a deal's amount BottleCRM answers 500
        for ours, theirs in SAID_TWICE.items():
            if ours in change.patch and theirs in change.patch:
                return f"{ours} and {theirs} say the same; one of them is enough"
        try:
            OBJECTS[object].body(change.patch)
        except ValueError as error:
            return str(error)
        custom = change.patch.get(CUSTOM)
        if custom is not None and not isinstance(custom, dict):
            return f"{CUSTOM} is no object"
        if KEY in (custom or {}):
            return f"{CUSTOM}.{KEY} cannot be written"
        if unknown := sorted(set(custom or {}) - self._custom(object) if custom else ()):
            return f"BottleCRM has no custom field {unknown[0]!r} on {object}"
        if object == "leads" and change.patch.get("status") == "converted":
            return "a lead is converted in BottleCRM: that makes an account, a contact and a deal"
        return ""


def calls_of(object: str, change: Change) -> int:
    """API calls that a change takes: a look before it, unless it makes a record, and one after it, unless it deletes one. A new
    task is looked for in the list as well, as BottleCRM does not say its id; of an account that goes the deals are asked for."""
    more = (object, change.action) in {("tasks", "create"), ("accounts", "delete")}
    return {"create": 2, "update": 3, "delete": 2}[change.action] + more


def _holds(kind: Kind, raw: Raw, values: Raw) -> bool:
    """True if a record has these values."""
    return all(_same(kind.fields.get(name), raw.get(name), value) for name, value in values.items())


def _same(field: Field | None, there: Any, value: Any) -> bool:
    if isinstance(value, dict):
        inner = there if isinstance(there, dict) else {}
        return all(_same(None, inner.get(name), item) for name, item in value.items())
    if isinstance(value, list) and isinstance(there, list):
        return sorted(map(str, there)) == sorted(map(str, value))
    if there == value:
        return True
    if field and field.type == "instant" and field.write and isinstance(there, str) and isinstance(value, str):
        return instant(there).date() == instant(value).date()
    a_number = field.type in ("decimal", "integer") if field else isinstance(there, int | Decimal) and not isinstance(there, bool)
    return a_number and _number(there, value)


def _number(there: Any, value: Any) -> bool:
    """``"26000.00"`` and ``"26000"`` are the same amount."""
    try:
        return there is not None and value is not None and Decimal(str(there)) == Decimal(str(value))
    except InvalidOperation:
        return False


def _lost(kind: Kind, raw: Raw | None, patch: Raw) -> str:
    """What of a patch is not in the record that was just written, for a person; empty if nothing is, or it could not be looked at."""
    lost = sorted(name for name, value in patch.items() if raw and not _kept(kind.fields[name], raw.get(name), value))
    return f"BottleCRM took it and did not keep {', '.join(lost)}" if lost else ""


def _kept(field: Field | None, there: Any, value: Any) -> bool:
    """As :func:`_same`, but BottleCRM cuts blanks off both ends of a text, and may keep nothing for an empty one."""
    if isinstance(value, dict):
        inner = there if isinstance(there, dict) else {}
        return all(_kept(None, inner.get(name), item) for name, item in value.items())
    text = value.strip() if isinstance(value, str) else value
    return there in (None, "") if text in (None, "") else _same(field, there, text)
