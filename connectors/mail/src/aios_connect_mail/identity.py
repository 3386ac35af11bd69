"""What makes a message the same message, wherever it lies.

A UID is the place of a copy: it changes when a message is moved, and all of them change with UIDVALIDITY. The Message-ID stays, but whoever
sends a message chooses it, and may choose one that is taken. So the id of a record is the Message-ID with a digest of ``From`` and ``Date``:
a copy in another folder is the same record, a message that only borrows an id is another one. Where there is no usable Message-ID, it is
the digest of the whole header.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

__all__ = ["FIELDS", "by_header", "by_message_id", "header_of", "message_id_in"]

FIELDS: Final = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID FROM DATE)]"
"""What must be asked for to tell an id."""

_USABLE: Final = re.compile(rb"<[!#-;=?-\[\]-~]{1,200}>")  # no space, quote, backslash or bracket within
_END: Final = re.compile(rb"\r?\n\r?\n")


def by_message_id(header: bytes) -> str | None:
    """The id of a message by its header, or by :data:`FIELDS` of it; ``None`` if there is no usable Message-ID."""
    fields = _fields(header)
    match = _USABLE.fullmatch(fields.get(b"message-id", b""))
    if match is None:
        return None
    told = b"\0".join(fields.get(name, b"") for name in (b"from", b"date"))
    return f"{match[0][1:-1].decode('ascii')}#{sha256(told).hexdigest()[:10]}"


def by_header(header: bytes) -> str:
    """The id of a message without a usable Message-ID, by its whole header."""
    return f"~{sha256(b' '.join(header.split())).hexdigest()[:40]}"


def message_id_in(id: str) -> str | None:
    """The Message-ID to search for, of an id that has one."""
    left, sign, _ = id.rpartition("#")
    return f"<{left}>" if sign and _USABLE.fullmatch(f"<{left}>".encode("ascii", "replace")) else None


def header_of(message: bytes) -> bytes:
    """The header of a whole message."""
    match = _END.search(message)
    return message[: match.end()] if match else message


def _fields(header: bytes) -> dict[bytes, bytes]:
    """The first field of each name, unfolded, white space made one."""
    found: dict[bytes, bytes] = {}
    for line in re.split(rb"\r?\n(?![ \t])", header):
        name, colon, value = line.partition(b":")
        if colon:
            found.setdefault(name.strip().lower(), b" ".join(value.split()))
    return found
