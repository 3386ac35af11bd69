"""CalDAV and CardDAV as a provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from aios_connect.connectors import (
    Auth,
    Change,
    ConfigError,
    Connector,
    ConnectorSpec,
    Context,
    Cursor,
    Identity,
    NotFoundError,
    ObjectSpec,
    Page,
    Raw,
    Receipt,
    ScanPage,
    Schema,
    Setting,
    TruncatedError,
    Verb,
)

from .busy import Busy, busy_in, merged
from .cards import Cards
from .dav import DAV, Dav, path_of, xml
from .describing import SCHEMAS
from .events import Events
from .formats import UnreadableError
from .places import Collection, Places
from .reading import Resources
from .recurring import Occurrence, occurrences
from .times import zone
from .writing import Writer

__all__ = ["CalDav"]

_ALL: Final[frozenset[Verb]] = frozenset({"read", "create", "update", "delete"})
_DAY: Final = timedelta(days=1)
_UTC: Final = "%Y%m%dT%H%M%SZ"


def _object(title: str) -> ObjectSpec:
    return ObjectSpec(
        title=title,
        verbs=_ALL,
        version="etag",
        key="uid",
        conditional="compare-and-set",
        incremental=True,
        deletes="tombstones",
        page_size=100,
        lookup_size=100,
        scan_size=1000,
    )


class CalDav(Connector):
    """The calendars and address books of one user."""

    spec = ConnectorSpec(
        provider="caldav",
        title="CalDAV and CardDAV",
        docs="https://www.rfc-editor.org/rfc/rfc4791",
        auth=(
            Auth(
                "password",
                "The user's password; where the server has them, an app password made for this.",
                header="Authorization: Basic {basic}",
            ),
        ),
        settings=(
            Setting("url", "Address of the server, such as https://dav.example.com/.", required=True),
            Setting("user", "Login name.", required=True),
            Setting(
                "calendars",
                "Names of the calendars that count, separated by commas; new events go into the first. All, if not given.",
            ),
            Setting("addressbooks", "The same of address books."),
            Setting("timezone", "IANA name of the zone of times that name none.", default="UTC"),
        ),
        objects={
            "events": _object("Events"),
            "contacts": _object("Contacts"),
        },
        proof="live Radicale 3.9 and Xandikos 0.4",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        home = zone(context.settings.get("timezone") or "UTC")
        if home is None:
            raise ConfigError(
                f"timezone: {context.settings['timezone']!r} is no time zone", hint="give an IANA name such as Europe/Paris"
            )
        self._home = home
        self._dav = Dav(context)
        self._places = Places(self._dav, _names(context, "calendars"), _names(context, "addressbooks"))
        self._resources = {
            "events": Resources("events", self._dav, Events(home), "C:calendar-multiget", "calendar-data"),
            "contacts": Resources("contacts", self._dav, Cards(), "A:addressbook-multiget", "address-data"),
        }

    def check(self) -> Identity:
        """Sign in, and see which calendars and address books there are and what we may do with them."""
        principal = self._places.principal()
        missing: dict[str, str] = {}
        details: dict[str, str] = {}
        for object, what in (("events", "calendar"), ("contacts", "address book")):
            found = self._places.of(object)
            if not found:
                missing[f"read {object}"] = f"a {what} on the server"
                continue
            details[f"{what}s"] = ", ".join(one.name or one.path for one in found)
            if not found[0].writable:
                missing[f"write {object}"] = f"the right to write to {found[0].name or found[0].path}"
            for one in found:
                if one.reports and "sync-collection" not in one.reports:
                    missing[f"read {object}"] = f"sync-collection (RFC 6578) on {one.name or one.path}"
        account = principal.text(f"{DAV}displayname") or principal.path
        return Identity(account, self.context.settings["user"], details, missing)

    def describe(self, object: str) -> Schema:
        """What a record holds; the standards say, not the server."""
        self._known(object)
        return Schema(object, {field.path: field for field in SCHEMAS[object]})

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        """What changed since a sync token, in all calendars or address books that count; deletes are tombstones."""
        self._known(object)
        collections = sorted(self._places.of(object), key=lambda one: one.path)
        return self._resources[object].pages(collections, since or {}, self.spec.objects[object].page_size)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """Records by path."""
        self._known(object)
        resources = self._resources[object]
        found: list[Raw] = []
        for path, (revision, text) in resources.fetch([path_of(id) for id in ids]).items():
            try:
                found.append(resources.record(path, revision, text))
            except ValueError:
                continue  # what is there is no record any more
        return found

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        """Records by UID: first where we put them, then wherever somebody moved them."""
        self._known(object)
        resources = self._resources[object]
        path = self._target(object).path.rstrip("/")
        names = [path_of(f"{path}/{key}{resources.format.suffix}") for key in keys]
        found = {raw["uid"]: raw for raw in self.lookup(object, names) if raw["uid"] in keys}
        for key in keys:
            if key not in found:
                found |= {raw["uid"]: raw for raw in self._with_uid(object, key)}
        return found

    def scan(self, object: str) -> Iterator[ScanPage]:
        """Every path with its revision."""
        self._known(object)
        return self._resources[object].scan(self._places.of(object))

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """Write changes, one resource after another, each under its own condition."""
        self._known(object)
        if not changes:
            return []
        resources = self._resources[object]
        return Writer(resources, lambda: self._target(object), lambda keys: self.find(object, keys), self.context).write(changes)

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        """One for each resource, and one for each collection in which something that is there is looked at before.

        A server that does not tell the revision of what it wrote is asked for it: one more.
        """
        there = {path_of(change.id).rpartition("/")[0] for change in changes if change.id}
        return len(changes) + len(there)

    def calendars(self) -> list[Collection]:
        """The calendars that count; new events go into the first that may be written."""
        return list(self._places.of("events"))

    def busy(self, start: datetime, end: datetime) -> list[Busy]:
        """When the user is taken, in all calendars that count, as the server says.

        Args:
            start: The first instant, aware.
            end: The instant after the last.

        Raises:
            ProviderError: One of the calendars does not answer: it is unknown then, not free.
        """
        asked = f'<C:free-busy-query><C:time-range start="{start.astimezone(UTC):{_UTC}}" end="{end.astimezone(UTC):{_UTC}}"/></C:free-busy-query>'
        found: list[Busy] = []
        for one in self._places.of("events"):
            try:
                found += busy_in(self._dav.text(one.path, asked, object="events"))
            except UnreadableError as error:
                raise TruncatedError(f"{one.path}: {error}", provider="caldav", object="events") from None
        return merged(found, start, end)

    def occurrences(self, start: datetime, end: datetime) -> list[Occurrence]:
        """What takes place in a stretch of time, in all calendars that count, series worked out.

        Args:
            start: The first instant, aware.
            end: The instant after the last.

        Raises:
            TruncatedError: An event there cannot be read or worked out.
        """
        first, last = (start - _DAY).astimezone(UTC), (end + _DAY).astimezone(UTC)
        span = f'<C:time-range start="{first:{_UTC}}" end="{last:{_UTC}}"/>'  # of days and floating times a server may think otherwise
        asked = _query(f'<C:comp-filter name="VEVENT">{span}</C:comp-filter>')
        found: list[Occurrence] = []
        for one in self._places.of("events"):
            for entry in self._dav.report(one.path, asked, depth=1, object="events").entries:
                text = next((prop.text or "" for name, prop in entry.props.items() if name.endswith("}calendar-data")), "")
                try:
                    found += occurrences(text, start, end, home=self._home)
                except UnreadableError as error:
                    raise TruncatedError(f"{entry.path}: {error}", provider="caldav", object="events") from None
        return sorted(found, key=lambda one: (one.start, one.end, one.uid))

    def _target(self, object: str) -> Collection:
        """Where new records go."""
        found = self._places.of(object)
        if not found:
            what = "calendar" if object == "events" else "address book"
            raise NotFoundError(
                f"the server has no {what} of {self.context.settings['user']!r}", hint=f"make a {what} there", provider="caldav"
            )
        return next((one for one in found if one.writable), found[0])

    def _with_uid(self, object: str, uid: str) -> list[Raw]:
        """The records with a UID, wherever they are."""
        resources = self._resources[object]
        match = f'<{{}}:text-match collation="i;octet">{xml(uid)}</{{}}:text-match>'
        if object == "events":
            inner = f'<C:prop-filter name="UID">{match.format("C", "C")}</C:prop-filter>'
            asked = _query(f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>')
        else:
            inner = f'<A:prop-filter name="UID">{match.format("A", "A")}</A:prop-filter>'
            asked = f"<A:addressbook-query><prop><getetag/></prop><A:filter>{inner}</A:filter></A:addressbook-query>"
        paths = [entry.path for one in self._places.of(object) for entry in self._dav.report(one.path, asked, depth=1).entries]
        found = self.lookup(object, [path for path in paths if path.endswith(resources.format.suffix) or not path.endswith("/")])
        return [raw for raw in found if raw["uid"] == uid]

    def _known(self, object: str) -> None:
        if object not in self.spec.objects:
            raise ConfigError(f"caldav has no object {object!r}", hint=f"it has {', '.join(self.spec.objects)}")


def _names(context: Context, setting: str) -> list[str]:
    return [name.strip() for name in (context.settings.get(setting) or "").split(",") if name.strip()]


def _query(filter: str) -> str:
    inside = f'<C:comp-filter name="VCALENDAR">{filter}</C:comp-filter>'
    return f"<C:calendar-query><prop><getetag/><C:calendar-data/></prop><C:filter>{inside}</C:filter></C:calendar-query>"
