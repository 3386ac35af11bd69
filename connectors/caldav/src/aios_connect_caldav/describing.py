"""What records hold: the standards say it (RFC 5545, 6350), the same on every server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aios_connect.connectors import FieldInfo

from .cards import Cards
from .events import Events

__all__ = ["SCHEMAS"]

_STATUS: Final = (("TENTATIVE", "Tentative"), ("CONFIRMED", "Confirmed"), ("CANCELLED", "Cancelled"))
_CLASS: Final = (("PUBLIC", "Public"), ("PRIVATE", "Private"), ("CONFIDENTIAL", "Confidential"))
_SHOW_AS: Final = (
    ("FREE", "Free"),
    ("TENTATIVE", "Tentative"),
    ("BUSY", "Busy"),
    ("OOF", "Out of office"),
    ("WORKINGELSEWHERE", "Working elsewhere"),
)


def _fields(writable: frozenset[str], *told: tuple[str, str, str] | tuple[str, str, str, Any]) -> list[FieldInfo]:
    return [
        FieldInfo(path, type, label, writable=path in writable, choices=more[0] if more else ())  # type: ignore[arg-type]
        for path, type, label, *more in told
    ]


_RESOURCE: Final = (
    ("id", "text", "Path"),
    ("etag", "text", "Revision"),
    ("collection", "text", "Where it is"),
    ("uid", "text", "UID"),
)

_EVENTS: Final = (
    ("summary", "text", "Title"),
    ("description", "text", "Description"),
    ("location", "text", "Place"),
    ("url", "text", "Address"),
    ("status", "choice", "Status", _STATUS),
    ("class", "choice", "Who may see it", _CLASS),
    ("show_as", "choice", "Shown as", _SHOW_AS),
    ("categories", "list", "Categories"),
    ("start", "instant", "Begins"),
    ("end", "instant", "Ends"),
    ("timezone", "text", "Time zone"),
    ("all_day", "boolean", "Whole days"),
    ("organizer.email", "text", "Organizer's address"),
    ("organizer.name", "text", "Organizer's name"),
    ("organizer.status", "text", "Organizer's answer"),
    ("attendees", "list", "Attendees"),
    ("attachments", "list", "Attachments, by name"),
    ("series", "text", "Series"),
    ("recurrence.rule", "text", "Rule of the series"),
    ("recurrence.dates", "list", "Further dates of the series"),
    ("recurrence.except", "list", "Dates left out of the series"),
    ("recurrence_id", "instant", "Which occurrence of a series it is"),
    ("overrides", "list", "Occurrences that differ"),
)

_PLACES: Final = {"tel": "Telephone", "email": "E-mail", "adr": "Address"}

_CONTACTS: Final = (
    ("fn", "text", "Name as written"),
    *((f"name.{part}", "text", f"Name: {part}") for part in ("family", "given", "middle", "prefix", "suffix")),
    ("nickname", "text", "Nickname"),
    ("org", "text", "Company"),
    ("units", "list", "Departments"),
    ("title", "text", "Job title"),
    ("role", "text", "Role"),
    ("url", "text", "Website"),
    ("note", "text", "Note"),
    ("birthday", "text", "Birthday"),
    ("categories", "list", "Categories"),
    ("version", "text", "Version of vCard"),
    ("kind", "text", "Kind of contact"),
    *(
        (path, "text", f"{_PLACES[path.partition('.')[0]]}: {path.partition('.')[2]}")
        for path in sorted(Cards.writable)
        if path.partition(".")[0] in _PLACES
    ),
    ("phones", "list", "All telephone numbers"),
    ("emails", "list", "All e-mail addresses"),
    ("addresses", "list", "All addresses"),
    ("photo", "boolean", "Has a photo"),
)

SCHEMAS: Final[Mapping[str, Sequence[FieldInfo]]] = {
    "events": _fields(Events.writable, *_RESOURCE, *_EVENTS),
    "contacts": _fields(Cards.writable, *_RESOURCE, *_CONTACTS),
}
"""Object -> its fields."""
