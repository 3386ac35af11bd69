"""Calendar: the calendars of a fake account, and the events in them."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from aios_connect.sandbox import Answer, Call, RefusedError, route

from ._account import ADDRESS, Account
from ._changes import Changes, ForgottenError, Kept, Slice
from ._errors import invalid, refusal
from ._notices import Notices
from ._times import checked, instance_id, instances, shown, span, stamp

__all__ = ["CalendarPart"]

_READ: Final = ("calendar", "calendar.events", "calendar.readonly", "calendar.events.readonly", "calendar.events.owned")
_WRITE: Final = ("calendar", "calendar.events", "calendar.events.owned", "calendar.app.created")
_LIST: Final = ("calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly")
_BUSY: Final = ("calendar", "calendar.readonly", "calendar.freebusy", "calendar.events.freebusy")
_EMPTY: Final = 0.02
"""Share of pages that are empty; assumed."""

_NOT_WITH_A_TOKEN: Final = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)


@dataclass(slots=True)
class Place:
    """One calendar.

    Attributes:
        id: Its address.
        zone: Its time zone.
        events: What is in it; exceptions of a series are events of their own.
        role: What the account may do in it.
    """

    id: str
    zone: ZoneInfo
    events: Changes
    role: str = "owner"


class CalendarPart(Account):
    """The routes of Calendar.

    Attributes:
        calendars: Every calendar, by id.
        list_of_calendars: What the user sees of them: the list that is read.
        notices: Who is told of what.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.calendars: dict[str, Place] = {}
        self.list_of_calendars = Changes(self.clock, life=self.hazards.calendar_tokens * 86_400)
        self._events_made = 0
        self.notices = Notices(self.clock)
        self.add_calendar(ADDRESS, ADDRESS, primary=True)

    def add_calendar(
        self, id: str, summary: str, *, zone: str = "America/Los_Angeles", primary: bool = False, role: str = "owner"
    ) -> Place:
        """One of the account's people makes a calendar, or somebody shares one."""
        place = Place(id, ZoneInfo(zone), Changes(self.clock, life=self.hazards.calendar_tokens * 86_400), role)
        place.events.tell = lambda event: self.notices.tell(f"/calendar/v3/calendars/{id}/events")
        self.calendars[id] = place
        seen = {"summary": summary, "timeZone": zone, "accessRole": role, "selected": True}
        self.list_of_calendars.put(id, seen | ({"primary": True} if primary else {}), by="a person")
        return place

    def make_event(self, values: Mapping[str, Any], *, calendar: str = ADDRESS, by: str = "a person") -> str:
        """One of the account's people makes an event; its id."""
        self._events_made += 1
        id = f"e{self._events_made:08d}made0at0hand"
        self._place(calendar).events.put(id, {"status": "confirmed", **values}, by=by)
        return id

    # the list of calendars

    @route("GET", "/calendar/v3/users/me/calendarList")
    def calendar_list(self, call: Call) -> Any:
        self.enter(call, "calendar", *_LIST)
        slice = self._slice(call, self.list_of_calendars, most=250, default=100)
        items = [self._entry(one) for one in slice.items]
        return {"kind": "calendar#calendarList", "etag": '"list"', "items": items, **_tokens(slice)}

    @route("GET", "/calendar/v3/users/me/calendarList/{id}")
    def calendar_entry(self, call: Call, id: str) -> Any:
        self.enter(call, "calendar", *_LIST)
        return self.calendar_entry_of(self._named(id))

    def calendar_entry_of(self, id: str) -> dict[str, Any]:
        """A calendar as the list shows it."""
        one = self.list_of_calendars.get(id)
        if one is None or one.gone:
            raise _missing()
        return self._entry(one)

    # events

    @route("GET", "/calendar/v3/calendars/{calendar}/events")
    def list_events(self, call: Call, calendar: str) -> Any:
        self.enter(call, "calendar", *_READ)
        place, query = self._place(calendar), call.query
        if "syncToken" in query and any(name in query for name in _NOT_WITH_A_TOKEN):
            raise invalid("Sync token cannot be used with the other parameters.", "syncToken")
        told = {"kind": "calendar#events", "etag": '"p"', "summary": place.id, "timeZone": str(place.zone), "accessRole": "owner"}
        if query.get("singleEvents") == "true" or "timeMin" in query or "timeMax" in query:
            return {**told, "items": self._within(place, query), "nextSyncToken": "none"}
        if "syncToken" not in query and "privateExtendedProperty" in query:
            name, _, value = query["privateExtendedProperty"].partition("=")
            items = [
                one
                for one in place.events
                if ((one.values.get("extendedProperties") or {}).get("private") or {}).get(name) == value
            ]
            return {**told, "items": [self._event(place, one) for one in items], "nextSyncToken": "none"}
        deleted = query.get("showDeleted") == "true"
        slice = self._slice(call, place.events, most=2500, default=250, keep=lambda one: self._is_listed(place, one, deleted))
        return {**told, "items": [self._event(place, one) for one in slice.items], **_tokens(slice)}

    @route("GET", "/calendar/v3/calendars/{calendar}/events/{id}")
    def one_event(self, call: Call, calendar: str, id: str) -> Any:
        """An event that was deleted is shown, as cancelled: discovery document, ``Event.status``."""
        self.enter(call, "calendar", *_READ)
        place = self._place(calendar)
        return self._event(place, self._known(place, id))

    @route("POST", "/calendar/v3/calendars/{calendar}/events")
    def insert_event(self, call: Call, calendar: str) -> Any:
        """An id of the client's own is refused when it was ever used here.

        Evidence: discovery document, ``Event.id``; https://developers.google.com/workspace/calendar/api/guides/errors (409). That
        the id of a deleted event is still taken: https://stackoverflow.com/q/27542721.
        """
        self.enter(call, "calendar", *_WRITE)
        place, asked = self._open(calendar), call.json()
        id = asked.pop("id", None)
        if id is None:
            self._events_made += 1
            id = f"e{self._events_made:08d}made0for0us"
        elif not re.fullmatch("[a-v0-9]{5,1024}", id):
            raise invalid("Invalid resource id value.")
        values = {name: value for name, value in asked.items() if value is not None}
        checked(values)
        if place.events.get(id) is not None:
            raise refusal(409, "duplicate", "The requested identifier already exists.")
        return self._event(place, place.events.put(id, {"status": "confirmed", **values}, line=_line(call)))

    @route("PATCH", "/calendar/v3/calendars/{calendar}/events/{id}")
    def patch_event(self, call: Call, calendar: str, id: str) -> Any:
        """What is not named stays, null clears, lists are replaced: .../calendar/api/guides/performance#patch."""
        return self._write(call, calendar, id, merge=True)

    @route("PUT", "/calendar/v3/calendars/{calendar}/events/{id}")
    def update_event(self, call: Call, calendar: str, id: str) -> Any:
        return self._write(call, calendar, id, merge=False)

    @route("DELETE", "/calendar/v3/calendars/{calendar}/events/{id}")
    def delete_event(self, call: Call, calendar: str, id: str) -> Any:
        self.enter(call, "calendar", *_WRITE)
        place = self._open(calendar)
        one = self._known(place, id)
        if one.gone:
            raise refusal(410, "deleted", "Resource has been deleted")
        _unchanged(call, one)
        self.drop_event(id, calendar=place.id, by="api", line=_line(call))
        return Answer(204)

    def drop_event(self, id: str, *, calendar: str = ADDRESS, by: str = "a person", line: str = "") -> None:
        """Delete an event, an instance of a series, or a series with its exceptions (that these go too is assumed)."""
        place = self._place(calendar)
        one = self._known(place, id)
        if place.events.get(id) is None:
            place.events.put(id, one.values, by=by)
        place.events.remove(id, by=by, line=line)
        if one.values.get("recurrence"):
            for other in [other for other in place.events if other.values.get("recurringEventId") == id]:
                place.events.remove(other.id, by=by)

    @route("GET", "/calendar/v3/calendars/{calendar}/events/{id}/instances")
    def list_instances(self, call: Call, calendar: str, id: str) -> Any:
        self.enter(call, "calendar", *_READ)
        place = self._place(calendar)
        master = self._known(place, id)
        items = [self._event(place, one) for one in self._expanded(place, master)]
        told = {"kind": "calendar#events", "etag": '"p"', "summary": place.id, "timeZone": str(place.zone), "accessRole": "owner"}
        return {**told, "items": items, "nextSyncToken": "none"}

    @route("POST", "/calendar/v3/freeBusy")
    def free_busy(self, call: Call) -> Any:
        """https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query"""
        self.enter(call, "calendar", *_BUSY)
        asked = call.json()
        start, end = (_time(asked[name], name) for name in ("timeMin", "timeMax"))
        if end <= start:
            raise refusal(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")
        told: dict[str, Any] = {}
        for item in asked["items"]:
            place = self.calendars.get(self._named(item["id"]))
            if place is None:
                told[item["id"]] = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
                continue
            taken = sorted(
                (max(one[0], start), min(one[1], end))
                for event in self._all_of(place)
                if event.values.get("transparency") != "transparent"
                for one in [span(event.values, place.zone)]
                if one[0] < end and one[1] > start
            )
            told[item["id"]] = {"busy": [{"start": _plain(one), "end": _plain(other)} for one, other in _merged(taken)]}
        return {"kind": "calendar#freeBusy", "timeMin": asked["timeMin"], "timeMax": asked["timeMax"], "calendars": told}

    # channels

    @route("POST", "/calendar/v3/calendars/{calendar}/events/watch")
    def watch_events(self, call: Call, calendar: str) -> Any:
        self.enter(call, "calendar", *_READ)
        return self.notices.open(f"/calendar/v3/calendars/{self._place(calendar).id}/events", call.json())

    @route("POST", "/calendar/v3/channels/stop")
    def stop_channel(self, call: Call) -> Any:
        self.enter(call, "calendar", *_READ)
        self.notices.close(call.json())
        return Answer(204)

    # what they have in common

    def _named(self, id: str) -> str:
        return ADDRESS if id == "primary" else id

    def _place(self, calendar: str) -> Place:
        place = self.calendars.get(self._named(calendar))
        if place is None:
            raise _missing()
        return place

    def _open(self, calendar: str) -> Place:
        """A calendar in which the account may write; the words are those of spatie/laravel-google-calendar#95."""
        place = self._place(calendar)
        if place.role not in ("owner", "writer"):
            raise refusal(403, "requiredAccessLevel", "You need to have writer access to this calendar.", domain="calendar")
        return place

    def _slice(self, call: Call, changes: Changes, *, most: int, default: int, keep: Any = lambda one: True) -> Slice:
        query = call.query
        size = min(most, int(query.get("maxResults") or default))
        if call.fault == "cursor_gone" and ("syncToken" in query or "pageToken" in query):
            raise _forgotten()
        try:
            if self.hazards.short_pages and most == 2500 and (spot := changes.spot(query.get("pageToken", ""))):
                draw = random.Random(f"{self.seed}:{spot}")  # noqa: S311  # no secret
                size = 0 if draw.random() < _EMPTY else size - draw.randrange(1 + size // 50)
            if call.fault == "empty_page":
                size = 0
            if "syncToken" in query:
                return changes.since(size, query["syncToken"], query.get("pageToken", ""))
            return changes.listed(size, query.get("pageToken", ""), gone=True, keep=lambda one: keep(one) and _shows(call, one))
        except ForgottenError as forgotten:
            if forgotten.expired:
                raise _forgotten() from None
            name = "syncToken" if "syncToken" in query and "pageToken" not in query else "pageToken"
            raise invalid(f"Invalid {'sync' if name == 'syncToken' else 'page'} token value.", name) from None

    def _is_listed(self, place: Place, one: Kept, deleted: bool) -> bool:
        """Cancelled instances of a living series are listed always, other deleted events when they are asked for."""
        if not one.gone or deleted:
            return True
        master = place.events.get(one.values.get("recurringEventId", ""))
        return master is not None and not master.gone

    def _known(self, place: Place, id: str) -> Kept:
        one = place.events.get(id) or self._instance(place, id)
        if one is None:
            raise _missing()
        return one

    def _instance(self, place: Place, id: str) -> Kept | None:
        """An instance of a series that nobody has touched; it exists all the same."""
        master = place.events.get(id.rpartition("_")[0])
        if master is None or master.gone:
            return None
        return next((one for one in self._expanded(place, master) if one.id == id), None)

    def _expanded(self, place: Place, master: Kept) -> list[Kept]:
        found = []
        for start, end in instances(master.values, place.zone):
            id = instance_id(master.id, start)
            plain = {name: value for name, value in master.values.items() if name != "recurrence"}
            whole = {**plain, "start": start, "end": end, "recurringEventId": master.id, "originalStartTime": start}
            kept = place.events.get(id) or Kept(id, whole, 0, master.place, master.created, master.updated)
            if not kept.gone:
                found.append(kept)
        return found

    def _all_of(self, place: Place) -> list[Kept]:
        """Every event and every instance, series themselves left out."""
        found = []
        for one in place.events:
            if one.values.get("recurrence"):
                found += self._expanded(place, one)
            elif "recurringEventId" not in one.values:
                found.append(one)
        return found

    def _within(self, place: Place, query: Mapping[str, str]) -> list[dict[str, Any]]:
        start = _time(query["timeMin"], "timeMin") if "timeMin" in query else datetime.min.replace(tzinfo=UTC)
        end = _time(query["timeMax"], "timeMax") if "timeMax" in query else datetime.max.replace(tzinfo=UTC)
        found = [(span(one.values, place.zone), one) for one in self._all_of(place)]
        inside = [(when, one) for when, one in found if when[0] < end and when[1] > start]
        return [self._event(place, one) for _, one in sorted(inside, key=lambda pair: (pair[0], pair[1].id))]

    def _write(self, call: Call, calendar: str, id: str, *, merge: bool) -> Any:
        self.enter(call, "calendar", *_WRITE)
        place, asked = self._open(calendar), call.json()
        one = self._known(place, id)
        _unchanged(call, one)
        organizer = one.values.get("organizer") or {"self": True}
        if "shared" in (asked.get("extendedProperties") or {}) and not organizer.get("self"):
            message = "Shared properties can only be changed by the organizer of the event."
            raise refusal(403, "forbiddenForNonOrganizer", message, domain="calendar")
        kept = {name: one.values[name] for name in ("recurringEventId", "originalStartTime") if name in one.values}
        values = {**(_patched(one.values, asked) if merge else _patched({}, asked)), **kept}
        if asked.get("status") == "cancelled":
            self.drop_event(id, calendar=place.id, by="api", line=_line(call))
            return self._event(place, self._known(place, id))
        checked(values)
        return self._event(place, place.events.put(id, values, line=_line(call)))

    def _entry(self, one: Kept) -> dict[str, Any]:
        told = {"kind": "calendar#calendarListEntry", "etag": f'"{one.place}"', "id": one.id}
        return {**told, "deleted": True} if one.gone else {**told, "defaultReminders": [], **one.values}

    def _event(self, place: Place, one: Kept) -> dict[str, Any]:
        """As Calendar shows it; of a deleted one only what the discovery document guarantees."""
        told: dict[str, Any] = {"kind": "calendar#event", "etag": f'"{one.place}"', "id": one.id}
        values = deepcopy(dict(one.values))
        for name in ("start", "end", "originalStartTime"):
            if name in values:
                values[name] = shown(values[name], place.zone)
        if one.gone:
            told["status"] = "cancelled"
            return told | {name: values[name] for name in ("recurringEventId", "originalStartTime") if name in values}
        return {
            **told,
            "htmlLink": f"https://www.google.com/calendar/event?eid={one.id}",
            "created": stamp(one.created),
            "updated": stamp(one.updated),
            "creator": {"email": ADDRESS, "self": True},
            "organizer": {"email": place.id, "self": True},
            "iCalUID": f"{values.get('recurringEventId', one.id)}@google.com",
            "sequence": 0,
            "reminders": {"useDefault": True},
            "eventType": "default",
            **values,
        }


def _shows(call: Call, one: Kept) -> bool:
    """Of the list of calendars those removed are only told to who asks for changes."""
    return not (one.gone and call.path.endswith("/calendarList"))


def _tokens(slice: Slice) -> dict[str, str]:
    return {"nextPageToken": slice.page} if slice.page else {"nextSyncToken": slice.sync}


def _unchanged(call: Call, one: Kept) -> None:
    """https://developers.google.com/workspace/calendar/api/guides/version-resources"""
    asked = call.headers.get("if-match")
    if asked not in (None, "*", f'"{one.place}"'):
        raise refusal(412, "conditionNotMet", "Precondition Failed", locationType="header", location="If-Match")


def _patched(values: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    done = dict(values)
    for name, value in patch.items():
        if value is None:
            done.pop(name, None)
        elif isinstance(value, dict):
            done[name] = _patched(done.get(name) or {}, value)
        else:
            done[name] = value
    return done


def _missing() -> RefusedError:
    return refusal(404, "notFound", "Not Found")


def _forgotten() -> RefusedError:
    return refusal(
        410,
        "fullSyncRequired",
        "Sync token is no longer valid, a full sync is required.",
        domain="calendar",
        locationType="parameter",
        location="syncToken",
    )


def _merged(taken: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in taken:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _plain(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _time(text: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"Invalid value for: {name}") from None
    if at.tzinfo is None:
        raise invalid(f"Invalid value for: {name}")
    return at


def _line(call: Call) -> str:
    return call.headers.get("aios-plan-line", "")
