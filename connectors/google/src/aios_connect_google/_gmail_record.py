"""A message of Gmail's as a raw record: what it means, and how Gmail keeps it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aios_connect.connectors import FieldInfo, Quarantined, Raw
from aios_connect.connectors.messages import UnreadableMessageError, describing, understand

__all__ = ["FIELDS", "is_hidden", "record"]

_HIDDEN: Final = frozenset({"DRAFT", "TRASH", "SPAM", "CHAT"})
"""Labels of what is no message for us: not sent yet, thrown away, unwanted, or a chat."""

FIELDS: Final = (
    FieldInfo("id", "text", "Id", writable=False),
    FieldInfo("version", "text", "Last record of the history that is about it", writable=False),
    FieldInfo("threadId", "text", "Conversation, as Gmail groups it", writable=False),
    FieldInfo("labels", "list", "Labels by their ids", writable=False),
    FieldInfo("snippet", "text", "Beginning of the text", writable=False),
    FieldInfo("received", "instant", "When Gmail got it", writable=False),
    FieldInfo("size", "integer", "Bytes, about", writable=False),
    *describing.FIELDS,
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
