"""Bytes to a tree of parts, within bounds."""

from __future__ import annotations

from email.errors import MessageError
from email.message import Message as Part
from email.parser import BytesFeedParser
from email.policy import compat32
from typing import Any, Final

from .shapes import UnreadableMessageError

__all__ = ["Part", "parsed"]

LARGEST: Final = 64 << 20
"""Bytes of a message. Gmail takes in 50 MB at most, Exchange Online 150 MB: https://support.google.com/mail/answer/6584."""

DEEPEST: Final = 30
"""Parts within parts. A forward of a forward adds two."""

MOST: Final = 2000
"""Parts of one message, those within parts among them."""

_FIELDS: Final = frozenset(
    "from to cc bcc subject date message-id received return-path sender reply-to mime-version content-type delivered-to".split()
)


class _Part(Part):
    """A part that knows how deep it lies."""

    depth = 0

    def attach(self, payload: Any) -> None:
        payload.depth = self.depth + 1
        if payload.depth > DEEPEST:
            raise UnreadableMessageError(f"it has parts within parts, more than {DEEPEST} deep")
        super().attach(payload)


def parsed(raw: bytes) -> Part:
    """The message as a tree.

    Raises:
        UnreadableMessageError: It is empty, too large, too deep, in too many parts, or has no header of a message.
    """
    if not raw.strip():
        raise UnreadableMessageError("it is empty")
    if len(raw) > LARGEST:
        raise UnreadableMessageError(f"it has {len(raw)} bytes; more than {LARGEST} are not taken in")
    count = 0

    def part(policy: Any = compat32) -> _Part:
        nonlocal count
        count += 1
        if count > MOST:
            raise UnreadableMessageError(f"it has more than {MOST} parts")
        return _Part(policy)

    parser: BytesFeedParser[Any] = BytesFeedParser(part, policy=compat32)
    try:
        parser.feed(raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
        root: Part = parser.close()
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise UnreadableMessageError(f"its parts cannot be told apart ({type(error).__name__})") from error
    if not any(name.lower() in _FIELDS for name, _ in root.raw_items()):
        raise UnreadableMessageError("it has none of the headers of a message")
    return root
