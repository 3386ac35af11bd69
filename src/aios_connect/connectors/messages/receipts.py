"""Reports that say something else than what became of a delivery: complaints (RFC 5965) and read receipts (RFC 8098)."""

from __future__ import annotations

import re
from typing import Final

from .bodies import Body
from .fields import Headers, instant_of
from .parsing import Part, children, content
from .reports import ADDRESS
from .shapes import Delivery, Feedback
from .words import Note, untold

__all__ = ["feedback_of", "receipt_of"]

_FIELD: Final = re.compile(r"^([A-Za-z][\w-]{0,60}):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_LONGEST: Final = 1 << 16


def feedback_of(body: Body, note: Note) -> Feedback | None:
    """What a feedback report in the message says; ``None`` if there is none in it."""
    part = next((one for one in body.reports if one.get_content_type() == "message/feedback-report"), None)
    if part is None:
        return _hotmail(body, note)
    headers = _fields(part, note)
    who = (ADDRESS.search(one) for name in ("original-rcpt-to", "removal-recipient") for one in headers.all().get(name, ()))
    return Feedback(
        type=(headers.text("feedback-type") or "abuse").lower(),
        recipients=tuple(dict.fromkeys(found[0] for found in who if found)),
        agent=headers.text("user-agent"),
        at=instant_of(headers.line("arrival-date") or headers.line("received-date"), note),
    )


def _hotmail(body: Body, note: Note) -> Feedback | None:
    """A complaint of Outlook.com's: no report, only the message, with who complains in a header of its own."""
    for part in body.returned:
        for inner in children(part):
            found = ADDRESS.search(Headers(inner.raw_items(), note).line("x-hmxmroriginalrecipient"))
            if found:
                return Feedback("abuse", (found[0],))
    return None


def receipt_of(body: Body) -> tuple[Delivery, ...]:
    """Who was shown a message, or deleted it; nothing if it is no read receipt."""
    found: list[Delivery] = []
    for part in body.reports:
        if part.get_content_type().endswith("disposition-notification"):
            headers = _fields(part, untold)
            address = ADDRESS.search(headers.line("original-recipient")) or ADDRESS.search(headers.line("final-recipient"))
            found.append(Delivery(address[0] if address else None, "delivered", diagnostic=headers.text("disposition")))
    return tuple(found)


def _fields(part: Part, note: Note) -> Headers:
    """The fields in a report, however the part was split."""
    pairs: list[tuple[str, str]] = []
    for one in (*children(part), part):
        pairs += one.raw_items() if one is not part else ()
        pairs += _FIELD.findall(content(one, note).decode("utf-8", "replace")[:_LONGEST])
    return Headers(pairs, note)
