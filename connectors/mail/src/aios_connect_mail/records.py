"""A message as a raw record: what it means, and where the copy of it lies that was read."""

from __future__ import annotations

import email.utils
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from typing import Any, Final

from aios_connect.connectors import Quarantined, Raw
from aios_connect.connectors.messages import UnreadableMessageError, understand

from .identity import by_header, by_message_id, header_of
from .imap import Opened

__all__ = ["Copy", "Records", "version"]

_KEPT: Final = 256_000
"""Bytes of an unreadable message that are kept."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a message.

    Attributes:
        folder: Where it lies.
        validity: UIDVALIDITY there.
        uid: Its UID.
        flags: Its marks, sorted; ``None`` where the server does not tell when they change.
        received: When the server got it, RFC 3339 in UTC, if it says.
        size: Its bytes, as the server counts them.
    """

    folder: str
    validity: int
    uid: int
    flags: tuple[str, ...] | None
    received: str | None
    size: int | None

    @classmethod
    def of(cls, opened: Opened, uid: int, values: Mapping[str, Any]) -> Copy:
        """By what was fetched of it."""
        flags = None
        if opened.modseq:
            marks = values.get("FLAGS") or []
            flags = tuple(sorted(mark.decode("utf-8", "replace") for mark in marks if mark.lower() != b"\\recent"))
        size = values.get("RFC822.SIZE")
        told = values.get("INTERNALDATE")
        return cls(opened.name, opened.validity, uid, flags, _instant(told), int(size) if size else None)


class Records:
    """Makes records of messages.

    Args:
        own: The addresses of the mailbox, in lower case: who writes from one of them, writes for us.
    """

    def __init__(self, own: Collection[str]) -> None:
        self._own = frozenset(own)

    def read(self, copy: Copy, message: bytes) -> Raw | Quarantined:
        """The record of a message, or why there is none."""
        try:
            understood = understand(message)
        except UnreadableMessageError as error:
            return self.set_aside(copy, message, error.message)
        told = understood.as_raw()
        out = _address(told["from"]) in self._own
        return {
            "id": _id(message),
            "version": version(copy),
            "folder": copy.folder,
            "uid": copy.uid,
            "flags": None if copy.flags is None else list(copy.flags),
            "received": copy.received,
            "size": copy.size,
            "direction": "out" if out else "in",
            "other": self._other(told, out),
            **told,
        }

    def _other(self, told: Raw, out: bool) -> Raw | None:
        """Whom it is from or for, seen from this mailbox; of a report, whom it tells about."""
        if told["deliveries"]:
            return {"email": told["deliveries"][0]["recipient"], "name": None}
        if not out:
            sender: Raw | None = told["from"]
            return sender
        return next((one for one in (*told["to"], *told["cc"], *told["bcc"]) if _address(one) not in self._own), None)

    def set_aside(self, copy: Copy, message: bytes, reason: str) -> Quarantined:
        """A message that cannot be read, with its bytes."""
        shown = message[:_KEPT].decode("ascii", "backslashreplace").replace("\0", "\\x00")
        return Quarantined(f"{copy.folder}, UID {copy.uid}", reason, shown, _id(message) if message else None)


def version(copy: Copy) -> str:
    """Changes when the copy is another one, or is marked otherwise."""
    marks = "" if copy.flags is None else " ".join(copy.flags)
    return sha256(f"{copy.folder}\0{copy.validity}\0{copy.uid}\0{marks}".encode()).hexdigest()[:16]


def _address(one: Raw | None) -> str:
    return str((one or {}).get("email") or "").lower()


def _id(message: bytes) -> str:
    header = header_of(message)
    return by_message_id(header) or by_header(header)


def _instant(told: Any) -> str | None:
    """``21-Nov-2026 16:57:35 +0100`` as an instant."""
    try:
        at = email.utils.parsedate_to_datetime(told.decode("ascii"))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)  # "-0000", for which the library names no zone
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (AttributeError, ValueError):
        return None
