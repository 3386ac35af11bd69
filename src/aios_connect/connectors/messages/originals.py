"""The message that a report is about, and where it begins in the report's text."""

from __future__ import annotations

import re
from email.parser import HeaderParser
from email.policy import compat32
from typing import Final

from .fields import Headers, message_ids
from .parsing import Part, children, content
from .shapes import Original
from .words import Note

__all__ = ["original_in", "original_of", "told_of"]

_RULED: Final = re.compile(
    r"^\W{0,8}[-=_*#]{2,}\W{0,4}(original|returned|enclosed|undelivered|below this line|this is a copy|the header|the body|copy of|message header"
    r"|included is|unsent message|header of|start of returned)",
    re.IGNORECASE,
)
_SAID: Final = re.compile(
    r"^\W{0,8}((the )?(original|returned) message( headers?)?( follows?\b|:)|(original )?message headers?( follow|:)"
    r"|(below|enclosed|included|attached|following) is (a|the) (copy|header|original)|here is (a|the) (copy|original)|message text follows"
    r"|(the )?(first|text|headers?) .{0,40}(of )?(the )?(original|returned|your) message( follows?\b|:|$))",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(
    r"^(received|return-path|message-id|date|from|to|subject|mime-version|content-type|dkim-signature|reply-to|sender|delivered-to"
    r"|content-transfer-encoding|in-reply-to|references|x-[\w-]{1,60}|arc-[\w-]{1,40}|authentication-results|user-agent)\s?:",
    re.IGNORECASE,
)
_LONGEST: Final = 1 << 16
_MOST: Final = 1000
"""Characters and lines of a report that are looked at."""


def told_of(text: str) -> tuple[str, str]:
    """What a report says itself, and what it returns: the text before and from the place where the returned message begins."""
    lines = text[:_LONGEST].split("\n")[:_MOST]
    for place, line in enumerate(lines):
        if place and (_RULED.match(line) or _SAID.match(line)):
            return "\n".join(lines[:place]), "\n".join(lines[place + 1 :])
        if _HEADER.match(line) and sum(1 for other in lines[place : place + 12] if _HEADER.match(other)) >= 3:
            return "\n".join(lines[:place]), "\n".join(lines[place:])
    return "\n".join(lines), ""


def original_of(part: Part, note: Note) -> Original | None:
    """The original in a part that holds it, or its headers."""
    for inner in children(part):
        return _original(Headers(inner.raw_items(), note))
    return original_in(content(part, note).decode("utf-8", "replace"), note)


def original_in(text: str, note: Note) -> Original | None:
    """The original whose headers stand in a text."""
    lines = text.lstrip("\n").split("\n")
    start = next((place for place, line in enumerate(lines[:20]) if _HEADER.match(line)), None)
    if start is None:
        return None
    return _original(Headers(HeaderParser(policy=compat32).parsestr("\n".join(lines[start:])).raw_items(), note))


def _original(headers: Headers) -> Original | None:
    ids, authors, to = message_ids(headers.line("message-id")), headers.addresses("from"), headers.addresses("to")
    subject = headers.text("subject")
    if not (ids or authors or to or subject):
        return None
    return Original(
        message_id=next(iter(ids), None),
        subject=subject,
        sender=authors[0].email if authors else None,
        recipients=tuple(dict.fromkeys(one.email for one in to)),
        headers=headers.all(),
    )
