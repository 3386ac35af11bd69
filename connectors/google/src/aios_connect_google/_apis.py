"""Google's APIs as they are spoken here: where each is, and what one has to consent to for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["CALENDAR", "GMAIL", "NEEDS", "PEOPLE", "SCOPES", "Api", "Needs"]

_AUTH: Final = "https://www.googleapis.com/auth/"


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
    """The scopes that an object needs: the least that the discovery documents allow for what is called here.

    Attributes:
        read: To read it.
        write: To write it; empty if it is never written.
    """

    read: str
    write: str = ""


NEEDS: Final[Mapping[str, Needs]] = {
    "calendars": Needs(f"{_AUTH}calendar.calendarlist.readonly"),
    "events": Needs(f"{_AUTH}calendar.events", f"{_AUTH}calendar.events"),
    "busy times": Needs(f"{_AUTH}calendar.freebusy"),
    "contacts": Needs(f"{_AUTH}contacts", f"{_AUTH}contacts"),
    "messages": Needs(f"{_AUTH}gmail.readonly", f"{_AUTH}gmail.compose"),
}
"""By object."""


def _scopes() -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for object, needs in NEEDS.items():
        verbs = "read and write" if needs.write == needs.read else "read"
        found.setdefault(needs.read, []).append(f"{verbs} {object}")
        if needs.write and needs.write != needs.read:
            found.setdefault(needs.write, []).append(f"write {object}")
    return {scope: ", ".join(what) for scope, what in found.items()}


SCOPES: Final[Mapping[str, str]] = _scopes()
"""Scope -> what it permits."""
