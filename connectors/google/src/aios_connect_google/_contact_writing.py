"""Writing contacts, two hundred as one: compared before, told apart after, and looked up when no answer came.

What is refused as a whole is halved, so that whatever was wrong with a neighbour takes nothing with it.

Google checks the version of an update. Of a delete it checks nothing: what is there is read and compared just before. There is no place
where a new contact could be found by a key of ours, so that a create whose answer was lost stays ambiguous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aios_connect.connectors import (
    AmbiguousWriteError,
    Change,
    ConflictError,
    NotFoundError,
    ProviderError,
    Raw,
    Receipt,
    RejectedError,
    TruncatedError,
    redact,
)

from ._apis import PEOPLE
from ._contact_shape import MASK, TRACE, UnfitError, changed, holds, kept, shaped
from ._wire import Wire

if TYPE_CHECKING:
    from ._contacts import Contacts

__all__ = ["ContactWriter"]

_Receipts: TypeAlias = dict[str, Receipt]
_Send: TypeAlias = Callable[[Sequence[Change]], _Receipts]
_Lists: TypeAlias = dict[str, list[dict[str, Any]]]

_SOURCES: Final = ["READ_SOURCE_TYPE_CONTACT"]
_GONE: Final = "it is not there any more"
_STALE: Final = "it was changed since it was read"
_CONFLICTS: Final = frozenset(
    {9, 10}
)  # FAILED_PRECONDITION and ABORTED, https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
_REFUSED: Final = frozenset({3, 6, 7, 11, 12})  # what is wrong with the record, or not permitted with it


class ContactWriter:
    """Writes the contacts of one user.

    Args:
        wire: The way to Google.
        contacts: Reads what is compared and looked up.
    """

    def __init__(self, wire: Wire, contacts: Contacts) -> None:
        self._wire = wire
        self._contacts = contacts

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in order; see :meth:`aios_connect.connectors.Connector.write`."""
        verb = {"create": self._create, "update": self._update, "delete": self._delete}[changes[0].action]
        receipts = verb(changes)
        return [receipts[change.line] for change in changes]

    def _create(self, changes: Sequence[Change]) -> _Receipts:
        lists, done = _fitting((change, {}) for change in changes)

        def send(part: Sequence[Change]) -> _Receipts:
            people = [
                {"contactPerson": {**lists[change.line], "clientData": [{"key": TRACE, "value": change.line}]}} for change in part
            ]
            body = {"contacts": people, "readMask": MASK, "sources": _SOURCES}
            answer = self._post("people:batchCreateContacts", body, part)
            told = _told(answer.get("createdPeople"))
            by_trace = {trace: one for one in told if (trace := _trace(one.get("person")))}
            return _receipts(part, {change.line: by_trace[change.line] for change in part if change.line in by_trace})

        return self._deliver([change for change in changes if change.line in lists], done, send, lambda part: {})

    def _update(self, changes: Sequence[Change]) -> _Receipts:
        there = self._contacts.present([change.id for change in changes if change.id])
        done: _Receipts = {}
        for change in changes:
            receipt = _compared(change, there.get(change.id or ""))
            if receipt is not None:
                done[change.line] = receipt
        lists, unfit = _fitting((change, there[change.id or ""]) for change in changes if change.line not in done)
        done |= unfit

        def send(part: Sequence[Change]) -> _Receipts:
            """All lists that change in one of them are sent for each, as the mask holds for all; those that stay as they were read."""
            mask = sorted({name for change in part for name in lists[change.line]})
            people = {}
            for change in part:
                raw = there[change.id or ""]
                held = {name: kept(name, raw) for name in mask if name not in lists[change.line]}
                people[change.id] = {**held, **lists[change.line], "metadata": _sources(raw)}
            body = {"contacts": people, "updateMask": ",".join(mask), "readMask": MASK, "sources": _SOURCES}
            told = self._post("people:batchUpdateContacts", body, part).get("updateResult")
            if not isinstance(told, dict):
                raise TruncatedError("the answer to a batch has no results", provider="google", object="contacts")
            return _receipts(part, {change.line: told[change.id] for change in part if change.id in told})

        return self._deliver([change for change in changes if change.line in lists], done, send, self._seen)

    def _delete(self, changes: Sequence[Change]) -> _Receipts:
        there = self._contacts.present([change.id for change in changes if change.id])
        done: _Receipts = {}
        for change in changes:
            receipt = _compared(change, there.get(change.id or ""))
            if receipt is not None:
                done[change.line] = receipt

        def send(part: Sequence[Change]) -> _Receipts:
            answer = self._post("people:batchDeleteContacts", {"resourceNames": [change.id for change in part]}, part)
            if answer:  # it has nothing to say; what says something else is another answer
                raise TruncatedError("the answer to a delete is not empty", provider="google", object="contacts")
            return {change.line: Receipt("written", change.id) for change in part}

        return self._deliver([change for change in changes if change.line not in done], done, send, self._seen)

    def _post(self, path: str, body: Mapping[str, Any], part: Sequence[Change]) -> dict[str, Any]:
        return self._wire.send(PEOPLE, "POST", path, "contacts", body, lines=[change.line for change in part])

    def _deliver(self, changes: Sequence[Change], done: _Receipts, send: _Send, seen: _Send) -> _Receipts:
        """Send changes as one; halve what is refused as a whole, look up what was not answered.

        Args:
            changes: All of one action.
            done: Receipts so far; these come to it.
            send: Sends some, and gives the receipts of those that were told of.
            seen: What became of some, by what is there now.
        """
        if not changes:
            return done
        try:
            told = send(changes)
        except (RejectedError, ConflictError, NotFoundError) as error:
            if len(changes) > 1:
                half = len(changes) // 2
                self._deliver(changes[:half], done, send, seen)
                return self._deliver(changes[half:], done, send, seen)
            done[changes[0].line] = self._refused(changes[0], error)
            return done
        except (AmbiguousWriteError, TruncatedError) as error:
            return self._look_up(changes, done, seen, error.message)
        except ProviderError as error:
            if not any(receipt.outcome == "written" for receipt in done.values()):
                raise  # nothing was written
            done |= {change.line: Receipt("rejected", change.id, reason=error.message) for change in changes}  # of these neither
            return done
        done |= told
        untold = [change for change in changes if change.line not in told]
        return self._look_up(untold, done, seen, "google does not say what became of it") if untold else done

    def _look_up(self, changes: Sequence[Change], done: _Receipts, seen: _Send, reason: str) -> _Receipts:
        try:
            found = seen(changes)
        except ProviderError:
            found = {}
        for change in changes:
            done[change.line] = found.get(change.line) or Receipt("ambiguous", change.id, reason=reason)
        return done

    def _refused(self, change: Change, error: ProviderError) -> Receipt:
        if isinstance(error, RejectedError) or change.action == "create":
            return Receipt("rejected", change.id, reason=error.message)
        try:
            current = self._contacts.present([change.id or ""]).get(change.id or "")
        except ProviderError:
            current = None
        if current is None:
            return Receipt("unchanged" if change.action == "delete" else "conflict", change.id, reason=_GONE)
        return Receipt("conflict", change.id, current["version"], current=current, reason=_STALE)

    def _seen(self, changes: Sequence[Change]) -> _Receipts:
        there = self._contacts.present([change.id for change in changes if change.id])
        found: _Receipts = {}
        for change in changes:
            raw = there.get(change.id or "")
            if change.action == "delete":
                if raw is None:
                    found[change.line] = Receipt("written", change.id)
            elif raw is None:
                found[change.line] = Receipt("conflict", change.id, reason=_GONE)
            elif holds(raw, change.patch):
                found[change.line] = Receipt("written", change.id, raw["version"], raw)
        return found


def _fitting(pairs: Iterable[tuple[Change, Raw]]) -> tuple[dict[str, _Lists], _Receipts]:
    """The lists to send, by plan line, and the receipts of what does not fit."""
    lists: dict[str, _Lists] = {}
    unfit: _Receipts = {}
    for change, raw in pairs:
        try:
            lists[change.line] = changed(change.patch, raw)
        except UnfitError as error:
            unfit[change.line] = Receipt("rejected", change.id, reason=str(error))
    return lists, unfit


def _compared(change: Change, raw: Raw | None) -> Receipt | None:
    """The receipt of a change that must not or need not be sent."""
    if raw is None:
        return Receipt("unchanged" if change.action == "delete" else "conflict", change.id, reason=_GONE)
    if change.action == "update" and holds(raw, change.patch):
        return Receipt("unchanged", change.id, raw["version"], raw)
    if raw["version"] != change.version if change.version else not holds(raw, change.expect):
        return Receipt("conflict", change.id, raw["version"], current=raw, reason=_STALE)
    return None


def _sources(raw: Raw) -> dict[str, Any]:
    source = next(one for one in raw["metadata"]["sources"] if one.get("type") == "CONTACT")
    return {"sources": [{name: source[name] for name in ("type", "id", "etag") if name in source}]}


def _told(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list):
        raise TruncatedError("the answer to a batch has no results", provider="google", object="contacts")
    return [one for one in answer if isinstance(one, dict)]


def _trace(person: Any) -> str | None:
    data = person.get("clientData") if isinstance(person, dict) else None
    return next((str(one.get("value")) for one in data or () if one.get("key") == TRACE), None)


def _receipts(changes: Sequence[Change], told: Mapping[str, Mapping[str, Any]]) -> _Receipts:
    """The receipts of what a batch told (``PersonResponse``), by plan line; what it is not sure of is left out."""
    receipts: _Receipts = {}
    for change in changes:
        one = told.get(change.line) or {}
        status, person = one.get("status") or {}, one.get("person")
        code, words = status.get("code") or 0, f"google says: {redact(str(status.get('message')))[:300]}"
        if not code and isinstance(person, dict) and person.get("resourceName"):
            raw = shaped(person)
            receipts[change.line] = Receipt("written", raw["id"], raw["version"] or None, raw)
        elif code in _CONFLICTS and change.action == "update":
            receipts[change.line] = Receipt("conflict", change.id, reason=words)
        elif code in _REFUSED:
            receipts[change.line] = Receipt("rejected", change.id, reason=words)
    return receipts
