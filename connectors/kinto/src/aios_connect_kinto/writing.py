"""Writing: up to 25 changes in one call, each with its own condition and its own answer.

A record is made under an id that our key gives, with ``If-None-Match: *``: made twice, the second is refused and shows the first. A
change is a ``PATCH`` with ``If-Match``. One that reaches into an object is put together here, on the record as it was looked up, and
``PUT`` with ``If-Match``: Kinto has merge patches, but takes them for plain ones in a batch (26.5.0), and a plain one replaces objects
whole. When no answer comes, the records are looked at; nothing is sent again. Nor is an answer believed beside one of a failure: on
PostgreSQL a batch is one transaction, which a 409 undoes while its neighbours have been told that all went well
(https://github.com/Kinto/kinto/blob/main/kinto/core/views/batch.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from aios_connect.connectors import (
    AmbiguousWriteError,
    Change,
    ProviderError,
    Raw,
    Receipt,
    RejectedError,
    TruncatedError,
)

from .wire import ID, Wire, words

__all__ = ["KEY", "Writer", "holds", "id_of", "rests_on_the_record"]

KEY: Final = "aios_key"
"""Where our key stands in a record."""
_KEYS: Final = UUID("6f0f7c6e-5d1b-5b0a-9f0e-6c1c8f3c2a41")

_GONE: Final = "it is not in Kinto any more"
_STALE: Final = "it was changed in Kinto since it was read"
_OWN: Final = frozenset({"id", "last_modified", "schema", "deleted", KEY})
_KINTOS: Final = _OWN - {KEY}


class Writer:
    """Carries out the changes of one call of ``write``.

    Args:
        wire: The way to Kinto.
        object: The collection.
        lookup: The records with these ids.
    """

    def __init__(self, wire: Wire, object: str, lookup: Callable[[Sequence[str]], list[Raw]]) -> None:
        self._wire = wire
        self._object = object
        self._lookup = lookup
        self._receipts: dict[int, Receipt] = {}

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in their order.

        Raises:
            ProviderError: Nothing was written.
        """
        ids = [_id(change) for change in changes]
        known = self._looked_up(changes)
        tasks = []
        for place, change in enumerate(changes):
            refused = _refused(change, ids[place], known)
            if refused is not None:
                self._receipts[place] = refused
            else:
                tasks.append((place, change, ids[place]))
        if tasks:
            self._send(tasks, known)
        return [self._receipts[place] for place in range(len(changes))]

    def _looked_up(self, changes: Sequence[Change]) -> dict[str, Raw]:
        """The records that a change is put together on, or compared with because it comes without a version."""
        ids = [change.id for change in changes if change.id and rests_on_the_record(change)]
        return {raw["id"]: raw for raw in self._lookup(ids)} if ids else {}

    def _send(self, tasks: list[tuple[int, Change, str]], known: dict[str, Raw]) -> None:
        requests = [self._request(change, id, known) for _, change, id in tasks]
        try:
            answers = self._wire.batch(self._object, requests, [change.line for _, change, _ in tasks])
        except RejectedError as error:  # the batch as a whole: too many, or too large
            if len(tasks) > 1:
                half = len(tasks) // 2
                self._send(tasks[:half], known)
                self._send(tasks[half:], known)
            else:
                self._receipts[tasks[0][0]] = Receipt("rejected", tasks[0][1].id, reason=error.message)
            return
        except (AmbiguousWriteError, TruncatedError) as error:
            self._find_out(tasks, error.message)
            return
        except ProviderError as error:
            if not any(receipt.outcome in ("written", "ambiguous") for receipt in self._receipts.values()):
                raise  # nothing was written
            self._receipts |= {place: Receipt("ambiguous", change.id, reason=error.message) for place, change, _ in tasks}
            return
        unsure, undone = [], any(_failed(answer) for answer in answers)
        for task, answer in zip(tasks, answers, strict=True):
            receipt = _receipt(task[1], task[2], answer)
            if receipt is None or (undone and receipt.outcome == "written"):
                unsure.append(task)
            else:
                self._receipts[task[0]] = receipt
        if unsure:
            self._find_out(unsure, "Kinto could not say what became of it")

    def _request(self, change: Change, id: str, known: dict[str, Raw]) -> dict[str, Any]:
        place = self._wire.place(self._object, id)
        if change.action == "create":
            return {"method": "PUT", "path": place, "headers": {"If-None-Match": "*"}, "body": {"data": _new(change)}}
        raw = known.get(id)
        headers = {"If-Match": f'"{raw["last_modified"] if raw else change.version}"'}
        if change.action == "delete":
            return {"method": "DELETE", "path": place, "headers": headers}
        if raw is None:
            return {"method": "PATCH", "path": place, "headers": headers, "body": {"data": change.patch}}
        whole = _laid({name: value for name, value in raw.items() if name not in _KINTOS}, change.patch)
        return {"method": "PUT", "path": place, "headers": headers, "body": {"data": whole}}

    def _find_out(self, tasks: list[tuple[int, Change, str]], why: str) -> None:
        """Sent, and no answer: see what is there now. What cannot be seen stays ambiguous."""
        try:
            there = {raw["id"]: raw for raw in self._lookup([id for _, _, id in tasks])}
        except ProviderError:
            there = None
        for place, change, id in tasks:
            self._receipts[place] = _found(change, id, there, why)


def holds(raw: Raw, values: Raw) -> bool:
    """True if a record has these values; what is not there and null are the same."""
    for name, value in values.items():
        there = raw.get(name)
        if isinstance(value, dict):
            if not holds(there if isinstance(there, dict) else {}, value):
                return False
        elif there != value:
            return False
    return True


def _id(change: Change) -> str:
    if change.action == "create":
        return id_of(change.key) if change.key else uuid4().hex
    return change.id or ""


def id_of(key: str) -> str:
    """The id of the record that is made under a key: the key itself, if it can be one."""
    return key if ID.fullmatch(key) else uuid5(_KEYS, key).hex


def _new(change: Change) -> Raw:
    return {**change.patch, KEY: change.key} if change.key else change.patch


def rests_on_the_record(change: Change) -> bool:
    """It cannot be written without looking at the record first: it has no version, or reaches into an object."""
    if change.action == "create":
        return False
    return not change.version or any(isinstance(value, dict) for value in change.patch.values())


def _refused(change: Change, id: str, known: dict[str, Raw]) -> Receipt | None:
    """The receipt of a change that need not be sent."""
    if not ID.fullmatch(id):
        return Receipt("rejected", change.id, reason=f"{id!r} cannot be an id in Kinto: it takes letters, digits, - and _")
    if wrong := _OWN & change.patch.keys():
        return Receipt("rejected", change.id, reason=f"{min(wrong)} cannot be written")
    if not rests_on_the_record(change):
        return None
    raw = known.get(id)
    if raw is None:
        return Receipt("unchanged" if change.action == "delete" else "conflict", id, reason=_GONE)
    version = str(raw["last_modified"])
    if change.action == "update" and holds(raw, change.patch):
        return Receipt("unchanged", id, version, raw)
    if change.version != version if change.version else not holds(raw, change.expect):
        return Receipt("conflict", id, version, current=raw, reason=_STALE)
    return None


def _laid(raw: Raw, values: Raw) -> Raw:
    """The record with these values laid over it, objects merged."""
    laid = dict(raw)
    for name, value in values.items():
        there = raw.get(name)
        laid[name] = _laid(there if isinstance(there, dict) else {}, value) if isinstance(value, dict) else value
    return laid


def _failed(answer: dict[str, Any]) -> bool:
    """It failed in a way that undoes the whole batch, or may."""
    status = answer.get("status")
    return not isinstance(status, int) or status == 409 or status >= 500


def _receipt(change: Change, id: str, answer: dict[str, Any]) -> Receipt | None:
    """What one answer of a batch means; ``None`` if it does not say."""
    status, body = answer.get("status"), answer.get("body")
    told = body if isinstance(body, dict) else {}
    data = told.get("data")
    if status in (200, 201) and isinstance(data, dict):
        if change.action == "delete":
            return Receipt("written", id)
        return Receipt("written", id, str(data["last_modified"]), data)
    if status == 404:
        return Receipt("unchanged" if change.action == "delete" else "conflict", id, reason=_GONE)
    if status == 412:
        details = told.get("details")
        return _met(change, id, details.get("existing") if isinstance(details, dict) else None)
    if isinstance(status, int) and 400 <= status < 500 and status not in (408, 409, 429):
        return Receipt("rejected", change.id, reason=words(told))
    return None


def _met(change: Change, id: str, existing: Raw | None) -> Receipt:
    """The condition did not hold, and this is what stands there."""
    if existing is None:
        return Receipt("conflict", id, reason=_STALE)
    version = str(existing["last_modified"])
    if change.action == "create":
        if change.key and existing.get(KEY) == change.key:
            return Receipt("written", id, version, existing, found=True)  # made before, under this key
        return Receipt("conflict", id, version, current=existing, reason="there is a record with this id already")
    if change.action == "update" and holds(existing, change.patch):
        return Receipt("unchanged", id, version, existing)
    return Receipt("conflict", id, version, current=existing, reason=_STALE)


def _found(change: Change, id: str, there: dict[str, Raw] | None, why: str) -> Receipt:
    raw = (there or {}).get(id)
    if there is None:
        return Receipt("ambiguous", change.id, reason=why)
    if change.action == "delete":
        return Receipt("written", id) if raw is None else Receipt("ambiguous", id, reason=why)
    if raw is None:
        return Receipt("ambiguous" if change.action == "create" else "conflict", change.id, reason=why)
    version = str(raw["last_modified"])
    if holds(raw, _new(change) if change.action == "create" else change.patch):
        return Receipt("written", id, version, raw, found=change.action == "create")
    if change.action == "create":
        return _met(change, id, raw)
    return Receipt("ambiguous", id, version, reason=why)  # somebody may have written over ours
