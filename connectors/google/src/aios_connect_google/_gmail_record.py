"""A message of Gmail's as a raw record: what it means, and how Gmail keeps it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aios_connect.connectors import FieldInfo, Quarantined, Raw
from aios_connect.connectors.messages import UnreadableMessageError, understand

__all__ = ["FIELDS", "is_hidden", "record"]

_HIDDEN: Final = frozenset({"DRAFT", "TRASH", "SPAM", "CHAT"})
"""Labels of what is no message for us: not sent yet, thrown away, unwanted, or a chat."""

_KINDS: Final = ("ordinary", "automatic", "delivery_report", "read_receipt", "feedback")
_AUTOMATIC: Final = ("none", "out_of_office", "acknowledgement", "bounce", "list", "notification")


def _choices(*codes: str) -> tuple[tuple[str, str], ...]:
    return tuple((code, code.replace("_", " ")) for code in codes)


FIELDS: Final = (
    FieldInfo("id", "text", "Id", writable=False),
    FieldInfo("version", "text", "Last record of the history that is about it", writable=False),
    FieldInfo("threadId", "text", "Conversation, as Gmail groups it", writable=False),
    FieldInfo("labels", "list", "Labels by their ids", writable=False),
    FieldInfo("snippet", "text", "Beginning of the text", writable=False),
    FieldInfo("received", "instant", "When Gmail got it", writable=False),
    FieldInfo("size", "integer", "Bytes, about", writable=False),
    FieldInfo("direction", "choice", "Direction", writable=False, choices=_choices("in", "out")),
    FieldInfo("other", "object", "From whom or for whom", writable=False),
    FieldInfo("other.email", "text", "Address of the other side", writable=False),
    FieldInfo("other.name", "text", "Name of the other side", writable=False),
    FieldInfo("message_id", "text", "Message-ID", writable=False),
    FieldInfo("in_reply_to", "text", "Message-ID it answers", writable=False),
    FieldInfo("references", "list", "Message-IDs of the conversation", writable=False),
    FieldInfo("thread", "text", "Conversation, by its Message-IDs", writable=False),
    FieldInfo("from", "object", "From", writable=False),
    FieldInfo("from.email", "text", "Address of the sender", writable=False),
    FieldInfo("from.name", "text", "Name of the sender", writable=False),
    *(FieldInfo(name, "list", name, writable=False) for name in ("authors", "to", "cc", "bcc", "reply_to")),
    FieldInfo("subject", "text", "Subject", writable=False),
    FieldInfo("date", "instant", "Date, as the sender says", writable=False),
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
"""What a record holds; the standards say, not Gmail."""


def is_hidden(message: Mapping[str, Any]) -> bool:
    """A message as Gmail gave it is none for us."""
    return not _HIDDEN.isdisjoint(message.get("labelIds") or ())


def record(message: Mapping[str, Any], own: str) -> Raw | Quarantined:
    """The record of a message, or why there is none.

    Args:
        message: As Gmail gives it with ``format=raw``.
        own: The address of the mailbox.
    """
    id = str(message["id"])
    try:
        content = base64.b64decode(str(message["raw"]) + "===", altchars=b"-_", validate=False)
        told = understand(content).as_raw()
    except KeyError:
        return Quarantined(f"message {id}", "Gmail gave it without its content", str(dict(message))[:1000], id)
    except (binascii.Error, ValueError) as error:
        return Quarantined(f"message {id}", f"its content is not in base64: {error}", str(message["raw"])[:1000], id)
    except UnreadableMessageError as error:
        return Quarantined(f"message {id}", error.message, content[:1000].decode("ascii", "backslashreplace"), id)
    labels = sorted(str(label) for label in message.get("labelIds") or ())
    out = "SENT" in labels
    return {
        "id": id,
        "version": str(message.get("historyId") or ""),
        "threadId": message.get("threadId"),
        "labels": labels,
        "snippet": message.get("snippet") or None,
        "received": _instant(message.get("internalDate")),
        "size": message.get("sizeEstimate"),
        "direction": "out" if out else "in",
        "other": _other(told, out, own.lower()),
        **told,
    }


def _other(told: Raw, out: bool, own: str) -> Raw | None:
    """Whom it is from or for, seen from this mailbox; of a report, whom it tells about."""
    if told["deliveries"]:
        return {"email": told["deliveries"][0]["recipient"], "name": None}
    if not out:
        sender: Raw | None = told["from"]
        return sender
    return next((one for one in (*told["to"], *told["cc"], *told["bcc"]) if str(one["email"] or "").lower() != own), None)


def _instant(value: Any) -> str | None:
    """Milliseconds since 1970 as RFC 3339, to the second: finer than that Gmail's instants are not."""
    try:
        return datetime.fromtimestamp(int(value) // 1000, UTC).isoformat().replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError, OSError):
        return None
