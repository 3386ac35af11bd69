"""Both sides of a calendar and an address book on a real server: the connector, and somebody else who writes there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from aios_connect_caldav import CalDav
from aios_connect_caldav.zones import definition

from aios_connect.connectors import Change, Cursor, Page, Raw, Receipt
from aios_connect.testing.servers.dav import DavServer
from tests.connectors.caldav_story import connector

from .tapped import Tapped

__all__ = ["Office", "calendar", "card", "delete", "update"]


class Office:
    """A fresh calendar and a fresh address book."""

    def __init__(self, server: DavServer) -> None:
        self.server = server
        self.place = server.fresh()
        self.wire = Tapped()
        self.caldav = self.connector()

    def connector(self, *, password: str = "", page_size: int = 0, **settings: str) -> CalDav:
        there = self.place
        told = {"calendars": there.calendar, "addressbooks": there.book, **settings}
        url = told.pop("url", there.url)
        made = connector(self.wire, url, there.user, password or there.password, settings=told)
        if page_size:
            objects = {name: replace(spec, page_size=page_size) for name, spec in CalDav.spec.objects.items()}
            made.spec = replace(CalDav.spec, objects=objects)  # type: ignore[misc]
        made.check()
        self.wire.calls.clear()
        return made

    def make(self, object: str, *patches: Raw) -> list[Raw]:
        """Write new records; as the server has them then."""
        receipts = self.write(
            object,
            *(
                Change("create", f"l{number}", patch=patch, key=f"k{number}-{id(patch):x}")
                for number, patch in enumerate(patches)
            ),
        )
        assert {receipt.outcome for receipt in receipts} == {"written"}, receipts
        self.wire.calls.clear()
        return [receipt.record or {} for receipt in receipts]

    def write(self, object: str, *changes: Change) -> list[Receipt]:
        return self.caldav.write(object, changes)

    def read(self, object: str, since: Cursor | None = None) -> list[Page]:
        return list(self.caldav.read(object, since))

    def now(self, object: str, id: str) -> Raw:
        (raw,) = self.caldav.lookup(object, [id])
        return raw

    def put(self, name: str, text: str) -> str:
        """Somebody else writes a resource; its path."""
        card = name.endswith(".vcf")
        path = name if name.startswith("/") else f"{self.place.book if card else self.place.calendar}{name}"
        self.place.request("PUT", path, text, type="text/vcard" if card else "text/calendar")
        return path

    def text(self, path: str) -> str:
        """What stands there, as somebody else sees it."""
        return self.place.request("GET", path).replace("\r\n", "\n")

    def gone(self, path: str) -> None:
        """Somebody else deletes a resource."""
        self.place.request("DELETE", path)


def calendar(uid: str, *lines: str) -> str:
    """A calendar with one event."""
    told = [f"UID:{uid}", "DTSTAMP:20261121T000000Z", *lines]
    named = re.findall(r";TZID=([\w/]+):", "\n".join(lines))
    zones = [definition(name, 2026).to_ical().decode().strip() for name in dict.fromkeys(named) if name in available_timezones()]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", *zones, *_event(told), "END:VCALENDAR", ""])


def _event(lines: list[str]) -> list[str]:
    """The lines, ``===`` beginning another event."""
    parts = "\n".join(lines).split("\n===\n")
    uid = re.search(r"^UID:.*", parts[0], re.MULTILINE)
    assert uid is not None
    bodies = [parts[0], *(f"{uid[0]}\nDTSTAMP:20261121T000000Z\n{part}" for part in parts[1:])]
    return [line for body in bodies for line in ("BEGIN:VEVENT", *body.split("\n"), "END:VEVENT")]


def card(uid: str, *lines: str) -> str:
    """A vCard."""
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", *lines, "END:VCARD", ""])


def update(raw: Raw, patch: Raw, **more: Any) -> Change:
    return Change("update", f"l-{raw['uid']}", raw["id"], patch, **{"version": raw["etag"], **more})


def delete(raw: Raw) -> Change:
    return Change("delete", f"l-{raw['uid']}", raw["id"], version=raw["etag"])
