"""Google's APIs as they are spoken here: where each is, and what one has to consent to for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["CALENDAR", "GMAIL", "NEEDS", "PEOPLE", "SCOPES", "USES", "Api", "Needs"]


@dataclass(frozen=True, slots=True)
class Api:
    """One of Google's APIs.

    Attributes:
        name: The label of its limits.
        host: Where it is.
        root: What every path begins with.
        batch: Where many requests go as one.
    """

    name: str
    host: str
    root: str
    batch: str


CALENDAR: Final = Api("calendar", "https://www.googleapis.com", "calendar/v3", "batch/calendar/v3")
PEOPLE: Final = Api("people", "https://people.googleapis.com", "v1", "batch")
GMAIL: Final = Api("gmail", "https://gmail.googleapis.com", "gmail/v1", "batch")


@dataclass(frozen=True, slots=True)
class Needs:
    """The scopes of which an object needs one, the least first: what the discovery documents allow for what is called here.

    Attributes:
        read: To read it.
        write: To write it; empty if it is never written.
    """

    read: tuple[str, ...]
    write: tuple[str, ...] = ()


def _scopes(*names: str) -> tuple[str, ...]:
    return tuple(f"https://www.googleapis.com/auth/{name}" for name in names)


_LIST: Final = _scopes("calendar.calendarlist.readonly", "calendar.calendarlist", "calendar.readonly", "calendar")
_EVENTS: Final = _scopes("calendar.events", "calendar")
_EVENTS_READ: Final = _scopes("calendar.events.readonly", "calendar.events", "calendar.readonly", "calendar")
_BUSY: Final = _scopes("calendar.freebusy", "calendar.events.freebusy", "calendar.readonly", "calendar")
_CONTACTS: Final = _scopes("contacts")
_CONTACTS_READ: Final = _scopes("contacts.readonly", "contacts")
_MAIL_READ: Final = (*_scopes("gmail.readonly", "gmail.modify"), "https://mail.google.com/")
_MAIL: Final = (*_scopes("gmail.compose", "gmail.modify"), "https://mail.google.com/")

NEEDS: Final[Mapping[str, Needs]] = {
    "calendars": Needs(_LIST),
    "events": Needs(_EVENTS_READ, _EVENTS),
    "busy times": Needs(_BUSY),
    "contacts": Needs(_CONTACTS_READ, _CONTACTS),
    "messages": Needs(_MAIL_READ, _MAIL),
}
"""By object."""

SCOPES: Final[Mapping[str, str]] = {
    _LIST[0]: "read calendars",
    _EVENTS[0]: "read and write events",
    _EVENTS_READ[0]: "read events",
    _BUSY[0]: "read busy times",
    _CONTACTS[0]: "read and write contacts",
    _CONTACTS_READ[0]: "read contacts",
    _MAIL_READ[0]: "read messages",
    _MAIL[0]: "write messages",
}
"""Scope -> what it permits."""

USES: Final[Mapping[str, tuple[str, ...]]] = {
    "calendars": (_LIST[0],),
    "events": (_EVENTS[0], _LIST[0]),  # the list says which calendar is the user's own
    "events:read": (_EVENTS_READ[0], _LIST[0]),
    "busy": (_BUSY[0],),
    "contacts": (_CONTACTS[0],),
    "contacts:read": (_CONTACTS_READ[0],),
    "messages": (_MAIL_READ[0],),
    "sending": (_MAIL[0], _MAIL_READ[0]),  # what was sent is looked at, so that nothing is sent twice
}
"""What a connection is for -> the scopes that are asked for."""
