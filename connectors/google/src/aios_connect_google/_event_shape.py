"""An event as mappings see it: Google's own words, and beside them when it is, what it blocks and which series it belongs to.

Google writes a time as a date or as a local time with an offset and a zone. ``when`` says the same in one form: instants in UTC, the
zone by name, and whether it takes whole days, which then begin at midnight UTC and end at midnight UTC after the last.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal

from aios_connect.connectors import FieldInfo, Raw

__all__ = ["FIELDS", "KEY", "UnfitError", "body", "event_id", "holds", "is_partial", "shaped", "split"]

KEY: Final = "aios_key"
"""Our key among the private extended properties; the id of an event that we make is made of it, too."""

_TEXTS: Final = ("summary", "description", "location", "status", "visibility", "colorId")
_SHOWN: Final = {"outOfOffice": "outOfOffice", "workingLocation": "workingElsewhere"}
_PLAIN: Final = (
    *("summary", "description", "location", "status", "visibility", "colorId", "attendees", "recurrence", "reminders"),
    *("guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests", "anyoneCanAddSelf", "source"),
)
_WHEN: Final = ("start", "end", "timeZone", "allDay")


def _field(path: str, type: str, label: str, *, writable: bool = True, choices: tuple[str, ...] = ()) -> FieldInfo:
    told = tuple((one, one) for one in choices)
    return FieldInfo(path, type, label, required=path in ("when.start", "when.end"), writable=writable, choices=told)  # type: ignore[arg-type]


FIELDS: Final = (
    _field("id", "text", "Calendar and event", writable=False),
    _field("event", "text", "Id in its calendar", writable=False),
    FieldInfo("calendar", "reference", "Calendar", writable=True),
    _field("etag", "text", "Version", writable=False),
    _field("kind", "choice", "Kind", writable=False, choices=("calendar#event",)),
    _field("summary", "text", "Title"),
    _field("description", "text", "Description"),
    _field("location", "text", "Place"),
    _field("status", "choice", "Status", choices=("confirmed", "tentative", "cancelled")),
    _field("visibility", "choice", "Visibility", choices=("default", "public", "private", "confidential")),
    _field("colorId", "text", "Colour"),
    _field("when.start", "instant", "Begins"),
    _field("when.end", "instant", "Ends"),
    _field("when.timeZone", "text", "Time zone"),
    _field("when.allDay", "boolean", "Whole days"),
    _field("show", "choice", "Shown as", choices=("busy", "free", "outOfOffice", "workingElsewhere")),
    _field("series", "text", "Series it belongs to", writable=False),
    _field("recurrence", "list", "Rules of the series"),
    _field("attendees", "list", "Guests"),
    _field("reminders", "object", "Reminders"),
    _field("source", "object", "Where it comes from"),
    _field("extendedProperties", "object", "Properties of applications"),
    _field(f"extendedProperties.private.{KEY}", "text", "Our key", writable=False),
    *(_field(name, "boolean", name) for name in _PLAIN[9:13]),
    *(_field(name, "instant", name, writable=False) for name in ("created", "updated")),
    *(
        _field(name, "object", name, writable=False)
        for name in (
            *("start", "end", "originalStartTime", "creator", "organizer", "conferenceData", "gadget", "birthdayProperties"),
            *("focusTimeProperties", "outOfOfficeProperties", "workingLocationProperties"),
        )
    ),
    *(
        _field(name, "text", name, writable=False)
        for name in (
            *("htmlLink", "iCalUID", "eventType", "recurringEventId", "transparency", "hangoutLink", "eventLabelId"),
            *("summaryOverride",),
        )
    ),
    *(
        _field(name, "boolean", name, writable=False)
        for name in ("attendeesOmitted", "endTimeUnspecified", "locked", "privateCopy")
    ),
    _field("sequence", "integer", "Revision", writable=False),
    _field("attachments", "list", "Attachments", writable=False),
)
"""Every path of an event (https://developers.google.com/workspace/calendar/api/v3/reference/events)."""


class UnfitError(ValueError):
    """Values that Google has no place for, or a record that makes no sense; the words are for a person."""


def event_id(key: str) -> str:
    """The id of the event that carries our key: base32hex, which is what Google allows (discovery document, ``Event.id``)."""
    return "aios" + base64.b32hexencode(key.encode()).decode().lower().rstrip("=")


def split(id: str, home: str) -> tuple[str, str]:
    """Calendar and event of an id."""
    calendar, _, event = id.rpartition("/")
    return calendar or home, event


def shaped(item: Mapping[str, Any], calendar: str) -> Raw:
    """An event as read.

    Raises:
        UnfitError: It has no times that can be understood.
    """
    id = str(item["id"])
    master = item.get("recurringEventId") or (id if item.get("recurrence") else None)
    shown = _SHOWN.get(str(item.get("eventType")), "free" if item.get("transparency") == "transparent" else "busy")
    return {
        **dict.fromkeys(_TEXTS),
        **item,
        "id": f"{calendar}/{id}",
        "event": id,
        "calendar": calendar,
        "when": _when(item),
        "show": shown,
        "series": f"{calendar}/{master}" if master else None,
    }


def is_partial(patch: Raw) -> bool:
    """A patch of times that says only some of it: the rest must be known before it can be written."""
    when = patch.get("when")
    return isinstance(when, dict) and bool(when) and not when.keys() >= {"start", "end", "allDay", "timeZone"}


def body(patch: Raw, current: Raw | None = None, *, new: bool = False) -> dict[str, Any]:
    """What is sent to Google for a patch.

    Args:
        patch: In the shape of :func:`shaped`.
        current: The event as it is, where :func:`is_partial` needs it.
        new: It is to be made: what is empty is left out.

    Raises:
        UnfitError: Google has no place for something in it.
    """
    sent: dict[str, Any] = {}
    for name, value in patch.items():
        if name in _PLAIN:
            sent[name] = value
        elif name == "show":
            sent["transparency"] = _transparency(value)
        elif name == "when":
            sent |= _times({**((current or {}).get("when") or {}), **(value or {})}, _zones(current or {}, value or {}), new)
        elif name == "extendedProperties" and isinstance(value, dict) and value.keys() <= {"private", "shared"}:
            sent[name] = value
        elif name != "calendar" or not new:
            raise UnfitError(f"google has no {name} of events to write")
    if sent.get("status") == "cancelled":
        raise UnfitError("to google a cancelled event is a deleted one: delete it")
    return {name: value for name, value in sent.items() if value is not None} if new else sent


def holds(raw: Raw, values: Raw) -> bool:
    """True if an event has these values; nothing, empty text and an empty list are the same, and instants are compared as such."""
    for name, value in values.items():
        there: Any = raw.get(name)
        if isinstance(value, dict):
            if not holds(there if isinstance(there, dict) else {}, value):
                return False
        elif isinstance(value, bool) or isinstance(there, bool):
            if bool(there) != bool(value):
                return False
        elif (there or None) != (value or None) and not _same_instant(there, value):
            return False
    return True


def _when(item: Mapping[str, Any]) -> dict[str, Any]:
    start, end = item.get("start"), item.get("end")
    if not isinstance(start, dict) or not isinstance(end, dict):
        raise UnfitError("it has no start or no end")
    whole = "date" in start and start["date"] is not None
    try:
        return {
            "start": _instant(start, whole),
            "end": _instant(end, whole),
            "timeZone": None if whole else start.get("timeZone"),
            "allDay": whole,
        }
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UnfitError(f"its times make no sense: {start} to {end}") from None


def _instant(value: Mapping[str, Any], whole: bool) -> str:
    if whole:
        return f"{date.fromisoformat(value['date']).isoformat()}T00:00:00Z"
    at = datetime.fromisoformat(value["dateTime"])
    if at.tzinfo is None:
        raise ValueError("no offset")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _zones(current: Raw, when: Mapping[str, Any]) -> dict[str, Any]:
    """The time zones that stay: a flight begins in one and ends in another."""
    if "timeZone" in when or (current.get("when") or {}).get("allDay"):
        return {}
    return {name: (current.get(name) or {}).get("timeZone") for name in ("start", "end")}


def _times(when: Mapping[str, Any], zones: Mapping[str, Any], new: bool) -> dict[str, Any]:
    if strange := when.keys() - set(_WHEN):
        raise UnfitError(f"google has no when.{sorted(strange)[0]} of events to write")
    zone = when.get("timeZone")
    sent: dict[str, Any] = {}
    for name in ("start", "end"):
        try:
            at = datetime.fromisoformat(when[name])
        except (KeyError, TypeError, ValueError):
            raise UnfitError(f"when.{name} is no instant: {when.get(name)!r}") from None
        if at.tzinfo is None or at.microsecond:
            raise UnfitError(f"when.{name} must be an instant with an offset, to the second: {when[name]!r}")
        at = at.astimezone(UTC)
        if when.get("allDay"):
            if at.timetz() != time(tzinfo=UTC):
                raise UnfitError(f"whole days begin and end at midnight UTC; when.{name} is {when[name]}")
            value: dict[str, Any] = {"date": at.date().isoformat(), "dateTime": None, "timeZone": None}
        else:
            own = zones.get(name) or zone
            value = {"date": None, "dateTime": at.isoformat().replace("+00:00", "Z"), "timeZone": own}
        sent[name] = {key: one for key, one in value.items() if one is not None} if new else value
    return sent


def _transparency(shown: object) -> str | None:
    known: dict[object, Literal["opaque", "transparent"] | None] = {"busy": "opaque", "free": "transparent", None: None}
    if shown not in known:
        raise UnfitError(f"an event can be written as busy or free, not as {shown!r}")
    return known[shown]


def _same_instant(one: object, other: object) -> bool:
    try:
        first, second = datetime.fromisoformat(str(one)), datetime.fromisoformat(str(other))
        return first == second and "T" in str(one)
    except (TypeError, ValueError):
        return False
