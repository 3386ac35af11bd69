"""What people do with a record, as one object: HubSpot's calls, e-mails, meetings and notes.

HubSpot keeps them as four objects that say the same in words of their own: ``hs_call_title``, ``hs_email_subject``. Here they are one,
``activities``, as HubSpot's own screens show them. A record is HubSpot's JSON with three things changed: its ``id`` names its object
(``calls-118``), so does its ``type``, and what all of them know stands under ``activity``, whatever it is called below::

    {"id": "calls-118", "type": "calls", "activity": {"title": "Rang back", "body": "...", "direction": "OUTBOUND"},
     "properties": {"hs_timestamp": "2026-01-05T10:00:00Z", ...}, "associations": {...}, "updatedAt": "2026-01-05T10:00:21.500Z"}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from aios_connect.connectors import (
    Change,
    Cursor,
    CursorGoneError,
    FieldInfo,
    Page,
    ProviderError,
    Raw,
    Receipt,
    ScanPage,
    Schema,
)

from ._objects import OBJECTS
from ._reading import Reader
from ._writing import Writer

__all__ = ["ACTIVITIES", "PARTS", "SPEC", "Activities", "activity_id"]

ACTIVITIES: Final = "activities"
"""The name of the object."""

_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "calls": {
        "title": "hs_call_title",
        "body": "hs_call_body",
        "direction": "hs_call_direction",
        "outcome": "hs_call_disposition",
    },
    "emails": {
        "title": "hs_email_subject",
        "body": "hs_email_text",
        "direction": "hs_email_direction",
        "outcome": "hs_email_status",
        "message": "hs_email_message_id",
        "thread": "hs_email_thread_id",
    },
    "meetings": {"title": "hs_meeting_title", "body": "hs_meeting_body", "outcome": "hs_meeting_outcome"},
    "notes": {"body": "hs_note_body"},
}
"""Object -> what all of them know -> what it calls that."""

PARTS: Final = tuple(_NAMES)
"""The objects, in the order in which they are read."""

_EMAIL: Final[Mapping[str, str]] = {"EMAIL": "OUTBOUND", "INCOMING_EMAIL": "INBOUND"}
"""The directions of an e-mail in the words of a call (https://developers.hubspot.com/docs/guides/api/crm/engagements/email)."""

_FIELDS: Final[Mapping[str, tuple[str, bool]]] = {
    "title": ("Title or subject", True),
    "body": ("Text", True),
    "direction": ("Direction", True),
    "outcome": ("Outcome or status", True),
    "message": ("Message-ID", False),
    "thread": ("Thread", False),
}
"""What all of them know -> its label, and whether it can be written."""

SPEC: Final = replace(OBJECTS["calls"].spec(), title="Activities")
"""All of them read, change and go in the same way."""

_Read: TypeAlias = Callable[[str], Schema]


class Activities:
    """Calls, e-mails, meetings and notes of one account, as one object.

    Args:
        reader: Reads them.
        writer: Writes them.
    """

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def schema(self, schema_of: _Read) -> Schema:
        """The live schema: what they have in common, then what only some of them have."""
        fields: dict[str, FieldInfo] = {}
        for object in PARTS:
            fields |= {path: info for path, info in schema_of(object).fields.items() if path not in fields}
        own = {f"properties.{name}" for names in _NAMES.values() for name in names.values()}
        choices = tuple((object, OBJECTS[object].title) for object in PARTS)
        told = {
            "type": FieldInfo("type", "choice", "Kind of activity", required=True, choices=choices),
            **{
                f"activity.{name}": FieldInfo(f"activity.{name}", "text", label, writable=writable)
                for name, (label, writable) in _FIELDS.items()
            },
        }
        return Schema(ACTIVITIES, {path: info for path, info in fields.items() if path not in own} | told)

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """One after the other; the cursor holds a place in each, and at which one the read is."""
        position: dict[str, Any] = dict(since or {})
        order = PARTS
        if not position.keys() <= {"at", *order} or position.get("at", order[0]) not in order:
            raise CursorGoneError("this cursor was not made by this connector", provider="hubspot", object=ACTIVITIES)
        for number in range(order.index(position.get("at", order[0])), len(order)):
            object, last = order[number], number == len(order) - 1
            for page in self._reader.read(object, position.get(object)):
                position[object] = dict(page.cursor)
                position["at"] = object if not page.complete else order[(number + 1) % len(order)]
                complete = page.complete and last
                cursor = {name: place for name, place in position.items() if not (complete and name == "at")}
                yield Page(
                    [_shown(object, raw) for raw in page.records],
                    cursor,
                    complete,
                    [
                        replace(stone, id=activity_id(object, stone.id), survivor=_id(object, stone.survivor))
                        for stone in page.tombstones
                    ],
                    [replace(aside, id=_id(object, aside.id)) for aside in page.quarantined],
                )

    def lookup(self, ids: Sequence[str]) -> list[Raw]:
        """The living ones among these ids."""
        return [
            _shown(object, raw)
            for object in PARTS
            if (own := [plain for of, plain in map(_split, ids) if of == object])
            for raw in self._reader.lookup(object, own)
        ]

    def scan(self) -> Iterator[ScanPage]:
        """Every living one with the instant of its last change."""
        for object in PARTS:
            for page in self._reader.scan(object):
                complete = page.complete and object == PARTS[-1]
                yield ScanPage([(activity_id(object, id), version) for id, version in page.items], complete)

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in order; those of each object go in one batch."""
        parts, receipts = _parts(changes)
        sent = False
        for object, part in parts.items():
            try:
                told = self._writer.write(object, part)
            except ProviderError as error:
                if not sent:
                    raise  # nothing was written
                told = [Receipt("rejected", change.id, reason=error.message) for change in part]
            sent = True
            receipts |= {change.line: _receipt(object, receipt) for change, receipt in zip(part, told, strict=True)}
        return [receipts[change.line] for change in changes]

    def calls(self, changes: Sequence[Change]) -> int:
        """API calls that these changes take: those of each object by themselves."""
        return sum(self._writer.calls(object, part) for object, part in _parts(changes)[0].items())


def activity_id(object: str, id: str) -> str:
    """The id of an activity, from its object's name and its id there."""
    return f"{object}-{id}"


def _id(object: str, id: str | None) -> str | None:
    return None if id is None else activity_id(object, id)


def _split(id: str | None) -> tuple[str, str]:
    object, _, plain = (id or "").partition("-")
    return object, plain


def _shown(object: str, raw: Raw) -> Raw:
    """A record of one of the objects, as an activity."""
    properties = dict(raw["properties"])
    common = {name: properties.pop(own) for name, own in _NAMES[object].items() if own in properties}
    if object == "emails" and "direction" in common:
        common["direction"] = _EMAIL.get(common["direction"], common["direction"])
    return {**raw, "id": activity_id(object, raw["id"]), "type": object, "activity": common, "properties": properties}


def _parts(changes: Sequence[Change]) -> tuple[dict[str, list[Change]], dict[str, Receipt]]:
    """Object -> the changes that go to it, in its words; and receipts of those that go to none."""
    parts: dict[str, list[Change]] = {}
    wrongs: dict[str, Receipt] = {}
    for change in changes:
        object, wrong = _object_of(change)
        if wrong:
            wrongs[change.line] = Receipt("rejected", change.id, reason=wrong)
        else:
            parts.setdefault(object, []).append(_translated(object, change))
    return parts, wrongs


def _object_of(change: Change) -> tuple[str, str]:
    """Which object a change goes to, or what is wrong with it."""
    told, (held, _) = change.patch.get("type"), _split(change.id)
    object = str(told) if change.id is None else held
    if object not in _NAMES:
        return "", f"an activity is one of {', '.join(PARTS)}: its type says which"
    if told not in (None, object):
        return "", f"one of HubSpot's {object} cannot become one of its {told}"
    named = {*(change.patch.get("activity") or ()), *(change.expect.get("activity") or ())}
    if wrong := sorted(named - _NAMES[object].keys()):
        return "", f"hubspot's {object} have no {', '.join(wrong)}"
    return object, ""


def _translated(object: str, change: Change) -> Change:
    """A change of an activity in the words of its object."""
    id = None if change.id is None else _split(change.id)[1]
    return replace(change, id=id, patch=_own(object, change.patch), expect=_own(object, change.expect))


def _own(object: str, side: Raw) -> Raw:
    directions = {word: own for own, word in _EMAIL.items()} if object == "emails" else {}
    common = {
        _NAMES[object][name]: directions.get(value, value) if name == "direction" else value
        for name, value in (side.get("activity") or {}).items()
    }
    rest = {name: value for name, value in side.items() if name not in ("type", "activity")}
    return {**rest, "properties": {**(side.get("properties") or {}), **common}} if common else rest


def _receipt(object: str, receipt: Receipt) -> Receipt:
    return replace(
        receipt,
        id=_id(object, receipt.id),
        record=receipt.record and _shown(object, receipt.record),
        current=receipt.current and _shown(object, receipt.current),
    )
