"""The events of the calendars that count: series as one event each, their exceptions as events of their own.

https://developers.google.com/workspace/calendar/api/concepts/events-calendars
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from aios_connect.connectors import (
    Change,
    ConfigError,
    Context,
    Cursor,
    NotFoundError,
    ObjectSpec,
    Page,
    Quarantined,
    Raw,
    Receipt,
    ScanPage,
    Schema,
    Tombstone,
    TruncatedError,
    instant,
)

from ._apis import CALENDAR
from ._batch import Ask
from ._calendars import Calendars, answers
from ._event_shape import FIELDS, KEY, UnfitError, event_id, shaped, split
from ._event_writing import EventWriter
from ._paging import Pager, refuse
from ._wire import Wire

__all__ = ["SPEC", "Busy", "Events"]

SPEC: Final = ObjectSpec(
    title="Events",
    verbs=frozenset({"read", "create", "update", "delete"}),
    version="etag",
    modified="updated",
    key=f"extendedProperties.private.{KEY}",
    conditional="compare-and-set",
    incremental=True,
    deletes="tombstones",
    page_size=2500,
    batch_size=50,
    lookup_size=50,
    scan_size=2500,
    references={"calendar": "calendars"},
)

_NOTIFY: Final = ("none", "externalOnly", "all")
_SCANNED: Final = "kind,nextPageToken,nextSyncToken,items(id,etag,status)"
_BUSY_AT_ONCE: Final = 50  # discovery document, FreeBusyRequest.calendarExpansionMax


@dataclass(frozen=True, slots=True)
class Busy:
    """A stretch of time that is taken.

    Attributes:
        start: The first instant, UTC.
        end: The instant after the last, UTC.
    """

    start: datetime
    end: datetime


class Events:
    """The events of one user.

    Args:
        wire: The way to Google.
        context: Settings of the connection.
    """

    def __init__(self, wire: Wire, context: Context) -> None:
        notify = context.settings.get("notify") or "none"
        if notify not in _NOTIFY:
            raise ConfigError(f"notify: {notify!r} is nobody that can be told", hint=f"one of {', '.join(_NOTIFY)}")
        self._wire = wire
        self._list = Calendars(wire)
        named = (context.settings.get("calendars") or "primary").split(",")
        self._named = [name.strip() for name in named if name.strip()]
        self._ids: list[str] = []
        self._writer = EventWriter(wire, self, notify)

    def account(self) -> str:
        """The user's address, by asking for no event at all of the own calendar: the scope for events does not cover the list."""
        answer = self._wire.get(
            CALENDAR, f"{_path(self._named[0])}", "events", params={"maxResults": "1", "fields": "kind,summary"}
        )
        return str(answer.get("summary") or self._named[0])

    def schema(self) -> Schema:
        return Schema("events", {field.path: field for field in FIELDS})

    def calendars(self) -> list[str]:
        """Ids of the calendars that count; new events go into the first."""
        if not self._ids:
            ids = (str(self._list.primary()["id"]) if name == "primary" else name for name in self._named)
            self._ids = list(dict.fromkeys(ids))
        return self._ids

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """One calendar after the other; the cursor knows where each stands, and which are left."""
        position = refuse(since, {"at", "left"}, "events")
        at: dict[str, Any] = dict(position.get("at") or {})
        left = [id for id in position.get("left") or () if id in self.calendars()] or self.calendars()
        while left:
            for items, place, last in self._pager(left[0]).pages(at.get(left[0]) or {}, {}):
                at = {id: at[id] for id in at if id in self.calendars()} | {left[0]: place}
                rest = left[1:] if last else left
                yield self._page(items, left[0], {"at": at} | ({"left": rest} if rest else {}), not rest)
            left = left[1:]

    def lookup(self, ids: Sequence[str]) -> list[Raw]:
        return list(self.present(ids).values())

    def find(self, keys: Sequence[str]) -> dict[str, Raw]:
        """By the id that is made of a key: first where we put them, then wherever somebody moved them."""
        there: dict[str, Raw] = {}
        for calendar in self.calendars():
            asked = {f"{calendar}/{event_id(key)}": key for key in keys if key not in there}
            if asked:
                there |= {asked[id]: raw for id, raw in self.present(list(asked)).items()}
        return {key: raw for key, raw in there.items() if _key_of(raw) == key}

    def present(self, ids: Sequence[str]) -> dict[str, Raw]:
        """Id -> event, of those that are there and not cancelled. An id without a calendar is one of the first calendar.

        Raises:
            TruncatedError: What is there is no event.
        """
        places = [split(id, self.calendars()[0]) for id in dict.fromkeys(ids)]
        asks = [Ask("GET", f"{_path(calendar)}/{quote(event, safe='')}") for calendar, event in places]
        there: dict[str, Raw] = {}
        for (calendar, _), item in zip(places, answers(self._wire.batch(CALENDAR, asks, "events", safe=True)), strict=True):
            if item is not None and item.get("status") != "cancelled":
                raw = _shaped(item, calendar)
                there[raw["id"]] = raw
        return there

    def scan(self) -> Iterator[ScanPage]:
        calendars = self.calendars()
        for calendar in calendars:
            for items, _, last in self._pager(calendar).pages({}, {"fields": _SCANNED}):
                told = [(f"{calendar}/{item['id']}", str(item["etag"])) for item in items if item.get("status") != "cancelled"]
                yield ScanPage(told, last and calendar == calendars[-1])

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        return self._writer.write(changes)

    def occurrences(self, start: datetime, end: datetime) -> list[Raw]:
        """What takes place in a stretch of time, series worked out by Google; in the shape of events, in the order of their starts.

        Args:
            start: The first instant, aware.
            end: The instant after the last.
        """
        there: list[Raw] = []
        params = {"singleEvents": "true", "timeMin": _text(start), "timeMax": _text(end)}
        for calendar in self.calendars():
            for items, _, _ in self._pager(calendar).pages({}, params):
                there += [_shaped(item, calendar) for item in items if item.get("status") != "cancelled"]
        return sorted(there, key=lambda raw: (raw["when"]["start"], raw["id"]))

    def busy(self, start: datetime, end: datetime) -> list[Busy]:
        """When the user is taken, in all calendars that count; stretches that touch are one.

        Args:
            start: The first instant, aware.
            end: The instant after the last.

        Raises:
            ProviderError: One of the calendars cannot be asked: it is unknown then, not free.
        """
        taken: list[tuple[datetime, datetime]] = []
        calendars = self.calendars()
        for first in range(0, len(calendars), _BUSY_AT_ONCE):
            part = calendars[first : first + _BUSY_AT_ONCE]
            asked = {"timeMin": _text(start), "timeMax": _text(end), "items": [{"id": id} for id in part]}
            answer = self._wire.send(CALENDAR, "POST", "freeBusy", "busy times", asked, safe=True)
            for id in part:
                told = (answer.get("calendars") or {}).get(id)
                if not isinstance(told, dict) or told.get("errors") or not isinstance(told.get("busy"), list):
                    raise NotFoundError(
                        f"google does not say when {id} is busy: {(told or {}).get('errors')}",
                        hint="is the calendar still there, and shared with us?",
                        provider="google",
                        object="busy times",
                    )
                taken += [(instant(one["start"]), instant(one["end"])) for one in told["busy"]]
        return _merged(taken)

    def _pager(self, calendar: str) -> Pager:
        return Pager(self._wire, CALENDAR, _path(calendar), "events", "items", "calendar#events", SPEC.page_size)

    def _page(self, items: Sequence[dict[str, Any]], calendar: str, cursor: dict[str, Any], last: bool) -> Page:
        """Cancelled events are gone: deleted ones, and instances of a series that do not take place."""
        records: list[Raw] = []
        gone: list[Tombstone] = []
        aside: list[Quarantined] = []
        for number, item in enumerate(items, start=1):
            id = f"{calendar}/{item.get('id')}"
            if item.get("status") == "cancelled" and item.get("id"):
                gone.append(Tombstone(id, "deleted"))
                continue
            try:
                records.append(shaped(item, calendar))
            except (UnfitError, KeyError) as error:
                reason = str(error) if isinstance(error, UnfitError) else "it has no id"
                place = f"{calendar}, item {number} of a page"
                aside.append(Quarantined(place, reason, str(item)[:1000], id if item.get("id") else None))
        return Page(records, cursor, last, gone, aside)


def _shaped(item: dict[str, Any], calendar: str) -> Raw:
    try:
        return shaped(item, calendar)
    except (UnfitError, KeyError) as error:
        raise TruncatedError(f"google gave an event that is none: {error}", provider="google", object="events") from None


def _key_of(raw: Raw) -> str | None:
    key = ((raw.get("extendedProperties") or {}).get("private") or {}).get(KEY)
    return None if key is None else str(key)


def _path(calendar: str) -> str:
    return f"calendars/{quote(calendar, safe='')}/events"


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _merged(taken: list[tuple[datetime, datetime]]) -> list[Busy]:
    merged: list[Busy] = []
    for start, end in sorted(taken):
        if merged and start <= merged[-1].end:
            merged[-1] = Busy(merged[-1].start, max(merged[-1].end, end))
        else:
            merged.append(Busy(start, end))
    return merged
