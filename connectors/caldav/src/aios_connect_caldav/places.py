"""Where things are: from the address of a server to the calendars and address books of its user (RFC 5397, 4791, 6352)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aios_connect.connectors import ConfigError, NotFoundError, TruncatedError

from .dav import CALDAV, CARDDAV, DAV, Dav, Entry

__all__ = ["Collection", "Places"]

_PROPS: Final = (
    "<resourcetype/><displayname/><supported-report-set/><current-user-privilege-set/>"
    "<C:supported-calendar-component-set/><C:calendar-description/><C:calendar-timezone/>"
)
_WRITES: Final = frozenset({f"{DAV}write", f"{DAV}all", f"{DAV}write-content", f"{DAV}bind"})


@dataclass(frozen=True, slots=True)
class Collection:
    """A calendar or an address book.

    Attributes:
        path: Its path, which is its id.
        name: What people call it.
        description: What it is for.
        components: What it may hold, ``VEVENT``; all if it does not say.
        reports: The questions it answers, by name.
        writable: We may write there; assumed where the server does not say.
    """

    path: str
    name: str
    description: str
    components: frozenset[str]
    reports: frozenset[str]
    writable: bool


class Places:
    """The collections of a user, looked for once.

    Args:
        dav: The way to the server.
        calendars: Names or paths of the calendars that count; all if there are none.
        books: The same of address books.
    """

    def __init__(self, dav: Dav, calendars: Sequence[str], books: Sequence[str]) -> None:
        self._dav = dav
        self._named = {"events": calendars, "contacts": books}
        self._principal: Entry | None = None
        self._found: dict[str, list[Collection]] = {}

    def principal(self) -> Entry:
        """Who we are there.

        Raises:
            NotFoundError: The address is of no CalDAV or CardDAV server.
        """
        if self._principal is None:
            told = self._dav.find(self._dav.start, "<current-user-principal/><principal-URL/>")
            paths = [
                path
                for entry in told.entries
                for name in ("current-user-principal", "principal-URL")
                for path in entry.hrefs(f"{DAV}{name}")
            ]
            if not paths:
                raise NotFoundError(
                    f"{self._dav.start} does not say who we are there: it is no CalDAV or CardDAV address, or it is not for this user",
                    hint="set the url of the connection to what the server's own help gives for CalDAV",
                    provider="caldav",
                )
            props = "<displayname/><C:calendar-home-set/><A:addressbook-home-set/>"
            about = self._dav.find(paths[0], props).entries
            if not about:
                raise TruncatedError(f"{paths[0]} was asked for and not told about", provider="caldav")
            self._principal = about[0]
        return self._principal

    def of(self, object: str) -> list[Collection]:
        """The calendars (``events``) or address books (``contacts``) that count, those named first.

        Raises:
            ConfigError: One that the settings name is not there.
        """
        if object not in self._found:
            self._found[object] = self._chosen(object, self._all(object))
        return self._found[object]

    def _all(self, object: str) -> list[Collection]:
        home, kind = (
            (f"{CALDAV}calendar-home-set", f"{CALDAV}calendar")
            if object == "events"
            else (f"{CARDDAV}addressbook-home-set", f"{CARDDAV}addressbook")
        )
        found = []
        for path in dict.fromkeys(self.principal().hrefs(home)):
            for entry in self._dav.find(path, _PROPS, depth=1).entries:
                if kind in entry.names(f"{DAV}resourcetype"):
                    found.append(_collection(entry))
        return [one for one in found if object != "events" or not one.components or "VEVENT" in one.components]

    def _chosen(self, object: str, found: list[Collection]) -> list[Collection]:
        named = self._named[object]
        if not named:
            return sorted(found, key=lambda one: one.path)
        chosen = []
        for name in named:
            one = next((one for one in found if name in (one.path, one.path.rstrip("/"), one.name)), None)
            if one is None:
                there = ", ".join(repr(one.name or one.path) for one in found) or "none"
                what = "calendar" if object == "events" else "address book"
                raise ConfigError(f"the server has no {what} {name!r}", hint=f"there are: {there}")
            chosen.append(one)
        return chosen


def _collection(entry: Entry) -> Collection:
    components = entry.props.get(f"{CALDAV}supported-calendar-component-set")
    privileges = entry.names(f"{DAV}current-user-privilege-set")
    return Collection(
        path=entry.path,
        name=entry.text(f"{DAV}displayname"),
        description=entry.text(f"{CALDAV}calendar-description"),
        components=frozenset(part.get("name", "").upper() for part in components) if components is not None else frozenset(),
        reports=frozenset(tag.rpartition("}")[2] for tag in entry.names(f"{DAV}supported-report-set")),
        writable=not privileges or bool(privileges & _WRITES),
    )
