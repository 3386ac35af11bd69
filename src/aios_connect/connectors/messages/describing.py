"""What a record of a message holds, wherever it was read: :meth:`Message.as_raw`, and the two that a connector adds to it."""

from __future__ import annotations

from typing import Final

from aios_connect.connectors.contract import FieldInfo

__all__ = ["FIELDS"]

_KINDS: Final = ("ordinary", "automatic", "delivery_report", "read_receipt", "feedback")
_AUTOMATIC: Final = ("none", "out_of_office", "acknowledgement", "bounce", "list", "notification")


def _choices(*codes: str) -> tuple[tuple[str, str], ...]:
    return tuple((code, code.replace("_", " ")) for code in codes)


FIELDS: Final = (
    FieldInfo("direction", "choice", "Direction", writable=False, choices=_choices("in", "out")),
    FieldInfo("other", "object", "From whom or for whom", writable=False),
    FieldInfo("other.email", "text", "Address of the other side", writable=False),
    FieldInfo("other.name", "text", "Name of the other side", writable=False),
    FieldInfo("message_id", "text", "Message-ID", writable=False),
    FieldInfo("in_reply_to", "text", "Message-ID it answers", writable=False),
    FieldInfo("references", "list", "Message-IDs of the conversation", writable=False),
    FieldInfo("thread", "text", "Conversation", writable=False),
    FieldInfo("from", "object", "From", writable=False),
    FieldInfo("from.email", "text", "Address of the sender", writable=False),
    FieldInfo("from.name", "text", "Name of the sender", writable=False),
    FieldInfo("authors", "list", "All authors", writable=False),
    FieldInfo("to", "list", "To", writable=False),
    FieldInfo("cc", "list", "Cc", writable=False),
    FieldInfo("bcc", "list", "Bcc", writable=False),
    FieldInfo("reply_to", "list", "Reply-To", writable=False),
    FieldInfo("subject", "text", "Subject", writable=False),
    FieldInfo("date", "instant", "Date", writable=False),
    FieldInfo("text", "text", "Text", writable=False),
    FieldInfo("reply", "text", "Text without quotation and signature", writable=False),
    FieldInfo("attachments", "list", "Attachments", writable=False),
    FieldInfo("invitations", "list", "Invitations", writable=False),
    FieldInfo("list", "object", "Mailing list", writable=False),
    FieldInfo("kind", "choice", "Kind", writable=False, choices=_choices(*_KINDS)),
    FieldInfo("automatic", "choice", "Whether a program wrote it", writable=False, choices=_choices(*_AUTOMATIC)),
    FieldInfo("evidence", "list", "Why it is automatic", writable=False),
    FieldInfo("notes", "list", "What is wrong with it", writable=False),
    FieldInfo("deliveries", "list", "What a delivery report says", writable=False),
    FieldInfo("original", "object", "What a report is about", writable=False),
    FieldInfo("feedback", "object", "A complaint", writable=False),
)
"""Of the two, ``direction`` says who wrote it, and ``other`` who is on the other side."""
