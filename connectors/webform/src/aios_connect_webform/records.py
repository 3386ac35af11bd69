"""Records as they are read: what every submission, every call and every person has, around what its source says."""

from __future__ import annotations

import re
from typing import Any, Final

from aios_connect.connectors import FieldInfo, Quarantined, Raw, RejectedError, Schema

from .content import read_content
from .door import Door
from .inbox import PEOPLE, Entry
from .sources import SOURCES, Source, Told
from .sources.source import CALLS, SUBMISSIONS

__all__ = ["MISSHAPEN", "SCHEMAS", "address", "record"]

MISSHAPEN: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError, RejectedError)
"""What is raised over a payload that is not what its source always sends."""

_ADDRESS: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_INSTANT: Final = "instant"
_COMMON: Final[dict[str, tuple[str, str]]] = {
    "id": ("text", "Id"),
    "version": ("text", "Number of its last change"),
    "changed_at": (_INSTANT, "Last change"),
    "source": ("text", "Connection that it came in by"),
    "via": ("text", "Kind of sender"),
    "channel": ("text", "How it reached us"),
    "trust": ("text", "How far the sender is known"),
    "received_at": (_INSTANT, "When it arrived"),
    "accepted_at": (_INSTANT, "When it was on the disk"),
    "occurred_at": (_INSTANT, "When it happened at the sender"),
    "deliveries": ("integer", "How often something came for it"),
    "key": ("text", "Key of its first event"),
    "raw": ("text", "Where it is kept as received"),
    "fields": ("object", "What was said, by name"),
    "fields.name": ("text", "Name"),
    "fields.given-name": ("text", "First name"),
    "fields.family-name": ("text", "Last name"),
    "fields.email": ("text", "E-mail address"),
    "fields.tel": ("text", "Phone number"),
    "fields.organization": ("text", "Company"),
    "fields.postal-code": ("text", "Postal code"),
    "fields.subject": ("text", "Subject"),
    "fields.message": ("text", "Message"),
    "call": ("object", "The call"),
    "call.direction": ("text", "in or out"),
    "call.outcome": ("text", "What became of it"),
    "call.from": ("text", "Number that rang"),
    "call.to": ("text", "Number that was rung"),
    "call.seconds": ("integer", "How long it took"),
    "call.recording": ("text", "Address of the recording"),
    "call.answered_by": ("text", "Who or what answered, in the vendor's word"),
}
_OF_SUBMISSIONS: Final[dict[str, tuple[str, str]]] = {
    **{
        f"{when}.{part}": ("text", f"{label} {part}")
        for when, label in (("first", "First"), ("last", "Last"))
        for part in ("source", "medium", "campaign", "landing", "referrer")
    },
    "booking": ("object", "The meeting"),
    "booking.status": ("text", "active or canceled"),
    "booking.start": (_INSTANT, "When it begins"),
    "booking.end": (_INSTANT, "When it ends"),
    "files": ("list", "Files that came along"),
    "body": ("object", "The vendor's own JSON, as it came last"),
}
_WHO: Final = ("name", "given-name", "family-name", "email", "tel", "organization", "postal-code")
_OF_CALLS: Final[dict[str, tuple[str, str]]] = {"submission": ("reference", "The enquiry it is")}


_TOLD: Final = ("id", "version", "changed_at", "source", "via", "trust", "received_at", "deliveries", "raw", "fields")


def _schema(object: str, fields: dict[str, tuple[str, str]]) -> Schema:
    infos = {path: FieldInfo(path, type, label, writable=False) for path, (type, label) in fields.items()}  # type: ignore[arg-type]
    return Schema(object, infos, open=True)


SCHEMAS: Final = {
    SUBMISSIONS: _schema(SUBMISSIONS, _COMMON | _OF_SUBMISSIONS),
    CALLS: _schema(CALLS, _COMMON | _OF_CALLS),
    PEOPLE: _schema(
        PEOPLE, {path: told for path, told in _COMMON.items() if path in _TOLD or path.removeprefix("fields.") in _WHO}
    ),
}
"""By object. What was said may have any name, so there is always more."""


def record(entry: Entry, object: str, door: Door, connection: str) -> Raw | Quarantined:
    """A record of what was delivered for it, read anew; or why there is none to be had."""
    place, first = f"{door.inbox.name}#{entry.id}", entry.deliveries[0]
    if entry.aside:
        return Quarantined(place, entry.aside, first.body.decode("utf-8", "replace"), entry.id)
    source = SOURCES[first.via]
    try:
        told = [
            Told(read_content(one.body, one.headers.get("content-type", "")), one.headers, one.received)
            for one in entry.deliveries
        ]
        said = source.said(told, SUBMISSIONS if object == PEOPLE else object)
    except MISSHAPEN as error:
        return Quarantined(place, f"it cannot be read: {error}", first.body.decode("utf-8", "replace"), entry.id)
    raw: Raw = {
        "id": entry.id,
        "version": str(entry.changed),
        "changed_at": entry.at,
        "source": connection,
        "via": first.via,
        "channel": door.channel or source.channel,
        "trust": "unverified" if any(one.trust != "verified" for one in entry.deliveries) else "verified",
        "received_at": first.received,
        "accepted_at": first.kept,
        "occurred_at": said.occurred,
        "deliveries": entry.times,
        "key": first.key or None,
        "raw": f"{door.inbox.name}#{first.number}",
        "fields": {_name(name): value for name, value in said.fields.items() if name not in (door.trap, door.shown)},
        **said.more,
    }
    if object == PEOPLE:
        raw["fields"] = {name: value for name in _WHO if (value := said.fields.get(name)) not in (None, "")}
        return {name: raw[name] for name in _TOLD}
    if object == CALLS:
        raw["submission"] = entry.id if (said.more.get("call") or {}).get("direction") == "in" else None
    else:
        raw["first"], raw["last"] = (_origin(said.origins, at) for at in (0, -1))
    return raw


def address(source: Source, told: Told) -> str:
    """By which address somebody names himself in a delivery, in small letters; empty if nobody does."""
    try:
        email = source.said([told], SUBMISSIONS).fields.get("email")
    except MISSHAPEN:
        return ""
    return email.strip().lower() if isinstance(email, str) and _ADDRESS.fullmatch(email.strip()) else ""


def _name(name: str) -> str:
    """A name that can stand in the path of a mapping, where a point is a step."""
    return name.replace(".", " ")


def _origin(origins: Any, at: int) -> dict[str, str]:
    return dict(origins[at]) if origins else {}
