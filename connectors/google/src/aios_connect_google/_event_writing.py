"""Writing events, fifty as one, each under the condition that it is as it was read.

A new one has an id that is made of our key, so that none can be made twice however often it is sent. What was sent and not answered is
looked at, never sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote

from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    Change,
    ConflictError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    Raw,
    Receipt,
    RejectedError,
    TruncatedError,
)

from ._apis import CALENDAR
from ._batch import Ask
from ._event_shape import KEY, UnfitError, body, event_id, holds, is_partial, shaped, split
from ._wire import Told, Wire

if TYPE_CHECKING:
    from ._events import Events

__all__ = ["EventWriter", "calls_of"]

_Receipts: TypeAlias = dict[str, Receipt]
_GONE: Final = "it is not there any more"
_STALE: Final = "it was changed since it was read"


class EventWriter:
    """Writes the events of one user.

    Args:
        wire: The way to Google.
        events: Reads what is compared and looked up.
        notify: Which guests Google tells.
    """

    def __init__(self, wire: Wire, events: Events, notify: str) -> None:
        self._wire = wire
        self._events = events
        self._notify = notify

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in order; see :meth:`aios_connect.connectors.Connector.write`."""
        receipts: _Receipts = {}
        first = [change for change in changes if _is_looked_at(change)]
        there = self._events.present([self._place(change) for change in first]) if first else {}
        asks: dict[str, Ask] = {}
        for change in changes:
            current = there.get(self._place(change))
            receipt = _compared(change, current) if change in first else None
            try:
                ask = self._ask(change, current) if receipt is None else None
            except UnfitError as error:
                receipt = Receipt("rejected", change.id, reason=str(error))
            if receipt is not None:
                receipts[change.line] = receipt
            elif ask is not None:
                asks[change.line] = ask
        if asks:
            receipts |= self._deliver([change for change in changes if change.line in asks], list(asks.values()))
        return [receipts[change.line] for change in changes]

    def _ask(self, change: Change, current: Raw | None) -> Ask:
        params = {"sendUpdates": self._notify}
        calendar = self._calendar(change)
        if change.action == "create":
            values = body(change.patch, new=True)
            if change.key:
                given = values.get("extendedProperties") or {}
                values["extendedProperties"] = {**given, "private": {**(given.get("private") or {}), KEY: change.key}}
                values["id"] = event_id(change.key)
            return Ask("POST", _path(calendar), params, values, line=change.line)
        path = f"{_path(calendar)}/{quote(split(change.id or '', calendar)[1], safe='')}"
        version = change.version or (current or {}).get("etag")
        condition = {"If-Match": str(version)} if version else {}
        if change.action == "delete":
            return Ask("DELETE", path, params, headers=condition, line=change.line)
        return Ask("PATCH", path, params, body(change.patch, current), condition, change.line)

    def _deliver(self, changes: Sequence[Change], asks: Sequence[Ask]) -> _Receipts:
        try:
            told: Sequence[Told] = self._wire.batch(CALENDAR, asks, "events")
        except (AmbiguousWriteError, TruncatedError) as error:
            told = [error] * len(changes)
        errors = [one for one in told if isinstance(one, ProviderError)]
        if len(errors) == len(told) and all(_is_for_all(one) for one in errors):
            raise errors[0]
        receipts: _Receipts = {}
        unsure: dict[str, ProviderError] = {}
        for change, one in zip(changes, told, strict=True):
            if not isinstance(one, ProviderError):
                receipts[change.line] = _written(change, one, self._calendar(change))
            elif isinstance(one, RejectedError | AuthError | RateLimitedError):  # it was not carried out
                receipts[change.line] = Receipt("rejected", change.id, reason=one.message)
            elif isinstance(one, NotFoundError) and change.action == "delete":
                receipts[change.line] = Receipt("unchanged", change.id, reason=_GONE)
            else:
                unsure[change.line] = one
        return receipts | self._seen([change for change in changes if change.line in unsure], unsure)

    def _seen(self, changes: Sequence[Change], errors: Mapping[str, ProviderError]) -> _Receipts:
        """What became of changes, by what is there now."""
        judge: dict[str, Callable[[Change, Raw | None, ProviderError], Receipt]] = {
            "create": _made,
            "update": _updated,
            "delete": _deleted,
        }
        places = {change.line: self._place(change) for change in changes}
        try:
            there = self._events.present([id for id in places.values() if id])
        except ProviderError:
            return {change.line: _unsure(change, errors[change.line]) for change in changes}
        return {
            change.line: judge[change.action](change, there.get(places[change.line]), errors[change.line]) for change in changes
        }

    def _calendar(self, change: Change) -> str:
        if change.action == "create":
            return str(change.patch.get("calendar") or self._events.calendars()[0])
        return split(change.id or "", self._events.calendars()[0])[0]

    def _place(self, change: Change) -> str:
        """The id of a change's event; empty for a new one without our key."""
        event = split(change.id, "")[1] if change.id else event_id(change.key) if change.key else ""
        return f"{self._calendar(change)}/{event}" if event else ""


def calls_of(changes: Sequence[Change]) -> int:
    """API calls that these changes take: Google counts each request of a batch by itself."""
    return len(changes) + sum(_is_looked_at(change) for change in changes)


def _is_looked_at(change: Change) -> bool:
    """It cannot be written before it is known what is there."""
    return change.id is not None and (not change.version or is_partial(change.patch))


def _written(change: Change, told: Raw, calendar: str) -> Receipt:
    if change.action == "delete":
        return Receipt("written", change.id)
    try:
        raw = shaped(told, calendar)
    except (UnfitError, KeyError) as error:
        return Receipt("ambiguous", change.id, reason=f"google does not show what it wrote: {error}")
    return Receipt("written", raw["id"], raw.get("etag"), raw)


def _made(change: Change, there: Raw | None, error: ProviderError) -> Receipt:
    if there is not None:
        return Receipt("written", there["id"], there["etag"], there, found=True)  # it has our key: it is ours, made now or before
    if isinstance(error, ConflictError):
        return Receipt("conflict", reason="it was made before, and deleted since")
    if isinstance(error, NotFoundError):
        return Receipt("rejected", reason="the calendar is not there, or not shared with us")
    return _unsure(change, error)


def _updated(change: Change, there: Raw | None, error: ProviderError) -> Receipt:
    if there is None:
        return Receipt("conflict", change.id, reason=_GONE)
    if holds(there, change.patch):
        return Receipt("written", change.id, there["etag"], there)
    if isinstance(error, ConflictError):
        return Receipt("conflict", change.id, there["etag"], current=there, reason=_STALE)
    return _unsure(change, error)


def _deleted(change: Change, there: Raw | None, error: ProviderError) -> Receipt:
    if there is None:
        return Receipt("unchanged" if isinstance(error, ConflictError) else "written", change.id)
    if isinstance(error, ConflictError) or (change.version and there["etag"] != change.version):
        return Receipt("conflict", change.id, there["etag"], current=there, reason=_STALE)
    return _unsure(change, error)


def _unsure(change: Change, error: ProviderError) -> Receipt:
    return Receipt("ambiguous", change.id, reason=error.message)


def _compared(change: Change, raw: Raw | None) -> Receipt | None:
    """The receipt of a change that must not or need not be sent, by what was read before."""
    if raw is None:
        return Receipt("unchanged" if change.action == "delete" else "conflict", change.id, reason=_GONE)
    if change.action == "update" and holds(raw, change.patch):
        return Receipt("unchanged", change.id, raw["etag"], raw)
    if raw["etag"] != change.version if change.version else not holds(raw, change.expect):
        return Receipt("conflict", change.id, raw["etag"], current=raw, reason=_STALE)
    return None


def _is_for_all(error: ProviderError) -> bool:
    """It says nothing about a record: nothing was written, and nothing will be before a person or time helps."""
    return isinstance(error, AuthError | RateLimitedError)


def _path(calendar: str) -> str:
    return f"calendars/{quote(calendar, safe='')}/events"
