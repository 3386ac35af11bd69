"""The calendars that a user sees: read only, and told by what changed.

https://developers.google.com/workspace/calendar/api/v3/reference/calendarList
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from aios_connect.connectors import (
    Change,
    Cursor,
    FieldInfo,
    ObjectSpec,
    Page,
    ProviderError,
    Raw,
    Receipt,
    RejectedError,
    ScanPage,
    Schema,
    Tombstone,
    TruncatedError,
)

from ._apis import CALENDAR
from ._batch import Ask
from ._paging import Pager, refuse
from ._wire import Wire

__all__ = ["SPEC", "Calendars", "answers"]

SPEC: Final = ObjectSpec(
    title="Calendars",
    verbs=frozenset({"read"}),
    version="etag",
    incremental=True,
    deletes="tombstones",
    page_size=250,
    lookup_size=50,
    scan_size=250,
)

_PATH: Final = "users/me/calendarList"
_TEXTS: Final = ("summary", "summaryOverride", "description", "location", "timeZone")
_FIELDS: Final = (
    *(FieldInfo(name, "text", label, writable=False) for name, label in (("id", "Id"), ("etag", "Version"))),
    FieldInfo("kind", "choice", "Kind", writable=False, choices=(("calendar#calendarListEntry", "Calendar"),)),
    FieldInfo("summary", "text", "Name", writable=False),
    FieldInfo("summaryOverride", "text", "Name this user gave it", writable=False),
    FieldInfo("description", "text", "Description", writable=False),
    FieldInfo("location", "text", "Place", writable=False),
    FieldInfo("timeZone", "text", "Time zone", writable=False),
    FieldInfo("accessRole", "text", "What this user may do", writable=False),
    FieldInfo("primary", "boolean", "The user's own calendar", writable=False),
    FieldInfo("selected", "boolean", "Shown", writable=False),
    FieldInfo("hidden", "boolean", "Taken off the list", writable=False),
    FieldInfo("deleted", "boolean", "Removed", writable=False),
    FieldInfo("autoAcceptInvitations", "boolean", "Accepts invitations by itself", writable=False),
    FieldInfo("dataOwner", "text", "Owner", writable=False),
    FieldInfo("backgroundColor", "text", "Colour", writable=False),
    FieldInfo("foregroundColor", "text", "Colour of its texts", writable=False),
    FieldInfo("colorId", "text", "Colour by its number", writable=False),
    FieldInfo("conferenceProperties", "object", "Conferences", writable=False),
    FieldInfo("notificationSettings", "object", "Notices", writable=False),
    FieldInfo("defaultReminders", "list", "Reminders", writable=False),
)


class Calendars:
    """The list of one user's calendars.

    Args:
        wire: The way to Google.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._pager = Pager(wire, CALENDAR, _PATH, "calendars", "items", "calendar#calendarList", SPEC.page_size)

    def account(self) -> str:
        """The user's address: it is the id of the own calendar."""
        return str(self.primary()["id"])

    def primary(self) -> Raw:
        """The user's own calendar."""
        entry = self._wire.get(CALENDAR, f"{_PATH}/primary", "calendars")
        if not entry.get("id"):
            raise TruncatedError("google does not say which calendar is the user's own", provider="google", object="calendars")
        return _shaped(entry)

    def schema(self) -> Schema:
        return Schema("calendars", {field.path: field for field in _FIELDS})

    def read(self, since: Cursor | None) -> Iterator[Page]:
        position = refuse(since, {"sync", "page"}, "calendars")
        for items, cursor, last in self._pager.pages(position, {"showHidden": "true"}):
            gone = [Tombstone(str(item["id"]), "deleted") for item in items if item.get("deleted")]
            yield Page([_shaped(item) for item in items if not item.get("deleted")], cursor, last, gone)

    def lookup(self, ids: Sequence[str]) -> list[Raw]:
        asks = [Ask("GET", f"{_PATH}/{quote(id, safe='')}") for id in dict.fromkeys(ids)]
        there = answers(self._wire.batch(CALENDAR, asks, "calendars", safe=True))
        return [_shaped(one) for one in there if one is not None and not one.get("deleted")]

    def scan(self) -> Iterator[ScanPage]:
        for items, _, last in self._pager.pages({}, {"showHidden": "true"}):
            yield ScanPage([(str(item["id"]), str(item["etag"])) for item in items], last)

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        raise RejectedError(
            "the list of calendars is only read", hint="make calendars in Google Calendar", provider="google", object="calendars"
        )


def answers(told: Sequence[dict[str, Any] | ProviderError]) -> list[dict[str, Any] | None]:
    """The answers of a batch of questions; ``None`` for what is not there.

    Raises:
        ProviderError: One of them failed in another way.
    """
    there: list[dict[str, Any] | None] = []
    for one in told:
        if isinstance(one, ProviderError) and one.status not in (404, 410):
            raise one
        there.append(None if isinstance(one, ProviderError) else one)
    return there


def _shaped(item: Mapping[str, Any]) -> Raw:
    """Google leaves out what is empty; here a text is always there."""
    return {**dict.fromkeys(_TEXTS), **item}
