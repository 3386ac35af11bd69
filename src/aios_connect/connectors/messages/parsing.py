"""Bytes to a tree of parts, within bounds."""

from __future__ import annotations

import binascii
import re
from email.errors import MessageError
from email.message import Message as Part
from email.parser import BytesFeedParser
from email.policy import Compat32
from typing import Any, Final

from .shapes import UnreadableMessageError
from .words import Note, unfolded, untold

__all__ = ["Part", "children", "content", "parsed", "size_of"]

LARGEST: Final = 64 << 20
"""Bytes of a message. Gmail takes in 50 MB at most, Exchange Online 150 MB: https://support.google.com/mail/answer/6584."""

LINES: Final = 2_000_000
"""Lines of a message; the largest in base64 has half of them."""

DEEPEST: Final = 30
"""Parts within parts. A forward of a forward adds two."""

MOST: Final = 2000
"""Parts of one message, those within parts among them."""

_FIELDS: Final = frozenset(
    "from to cc bcc subject date message-id received return-path sender reply-to mime-version content-type delivered-to".split()
)


_HEADER: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")
_BREAK: Final = re.compile(rb"\r\n|\r|\n")
_LONGEST: Final = 1 << 13
_TOP: Final = 1 << 20
"""Bytes in which the headers of a message are expected to end."""


class _AsTheyStand(Compat32):
    """Headers come on one line, in characters; their encoded words and parameters stay as they are."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return unfolded(value[:_LONGEST], untold)


class _Part(Part):
    """A part that knows how deep it lies."""

    depth = 0

    def attach(self, payload: Any) -> None:
        payload.depth = self.depth + 1
        if payload.depth > DEEPEST:
            raise UnreadableMessageError(f"it has parts within parts, more than {DEEPEST} deep")
        super().attach(payload)


def parsed(raw: bytes, note: Note) -> Part:
    """The message as a tree.

    Raises:
        UnreadableMessageError: It is empty, too large, too deep, in too many parts, or has no header of a message.
    """
    if not raw.strip():
        raise UnreadableMessageError("it is empty")
    if len(raw) > LARGEST:
        raise UnreadableMessageError(f"it has {len(raw)} bytes; more than {LARGEST} are not taken in")
    if raw.count(b"\n") > LINES:
        raise UnreadableMessageError(f"it has more than {LINES} lines")
    count = 0

    def part(policy: Any) -> _Part:
        nonlocal count
        count += 1
        if count > MOST:
            raise UnreadableMessageError(f"it has more than {MOST} parts")
        return _Part(policy)

    make: Any = part
    parser: BytesFeedParser[Any] = BytesFeedParser(make, policy=_AsTheyStand())
    try:
        parser.feed(_mended(_in_lines(raw), note))
        root: Part = parser.close()
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise UnreadableMessageError(f"its parts cannot be told apart ({type(error).__name__})") from error
    if not any(name.strip().lower() in _FIELDS for name, _ in root.raw_items()):
        raise UnreadableMessageError("it has none of the headers of a message")
    return root


def children(part: Part) -> list[Part]:
    """The parts in a part."""
    payload = part.get_payload() if part.is_multipart() else []
    return [one for one in payload if isinstance(one, Part)] if isinstance(payload, list) else []


def content(part: Part, note: Note) -> bytes:
    """The bytes of a part, its transfer encoding undone as far as that goes."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, binascii.Error) as error:
        note(f"a part's transfer encoding could not be undone ({type(error).__name__})")
        return b""
    if any("Base64" in defect or "base64" in defect for defect in (type(one).__name__ for one in part.defects)):
        note("a part that is not well-formed base64 was read as far as it goes")
    return payload if isinstance(payload, bytes) else b""


def size_of(part: Part, note: Note) -> int:
    """How many bytes a part has after decoding; for a message in a message, about how many it is long."""
    inside = sum(size_of(one, note) for one in children(part))
    headers = sum(len(name) + len(value) + 4 for name, value in part.raw_items()) if inside else 0
    return inside + headers if inside else len(content(part, note))


def _in_lines(raw: bytes) -> bytes:
    """The message from its first header on; with line feeds if its lines end in nothing but carriage returns."""
    text = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    return text if b"\n" in text else text.replace(b"\r", b"\n")


def _mended(raw: bytes, note: Note) -> bytes:
    """The message with a space before lines that stand among its headers and are none: a fold that lost its indent.

    Else the headers after such a line would be taken for text. A line is among the headers if one that every message may have
    follows before the first empty line. White space before a colon (RFC 5322, 4.5) goes too.
    """
    lines = _BREAK.split(raw[:_TOP])
    try:
        end = lines.index(b"")
    except ValueError:
        return raw
    top = lines[:end]
    names = [found[1].decode("ascii").lower() if (found := _HEADER.match(line)) else "" for line in top]
    last = max((place for place, name in enumerate(names) if name in _FIELDS), default=-1)
    stray = [place for place in range(1, last) if not names[place] and top[place][:1] not in (b" ", b"\t")]
    spaced = [place for place, name in enumerate(names) if name and top[place][len(name) : len(name) + 1] != b":"]
    if not stray and not spaced:
        return raw
    for place in stray:
        top[place] = b" " + top[place]
    for place in spaced:
        top[place] = top[place][: len(names[place])] + b":" + top[place].partition(b":")[2]
    if stray:
        note("a line among the headers that is none was joined to the one before it")
    return b"\n".join(top) + raw[_after(raw, end) :]


def _after(raw: bytes, lines: int) -> int:
    """The place of the break that ends this many lines."""
    place = 0
    for count, found in enumerate(_BREAK.finditer(raw), start=1):
        place = found.start()
        if count == lines:
            break
    return place
