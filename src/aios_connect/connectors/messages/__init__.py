"""What an e-mail message means: raw bytes (RFC 5322) in, one :class:`Message` out.

::

    from aios_connect.connectors.messages import UnreadableMessageError, understand

    try:
        message = understand(raw)
    except UnreadableMessageError as error:
        ...  # quarantine it: str(error) is the reason
    record = {"id": uid, **message.as_raw(), "direction": ...}

The direction is the connector's to say: it knows whose mailbox it is. So is the id. Nothing is fetched, no link is opened, no
attachment is unpacked. What is broken in a small way is taken as far as it goes, and ``notes`` say what was done.
"""

from __future__ import annotations

from .shapes import (
    Address,
    Attachment,
    Automatic,
    Cause,
    Delivery,
    Feedback,
    Invitation,
    Kind,
    MailingList,
    Message,
    Original,
    Outcome,
    UnreadableMessageError,
)
from .understanding import understand

__all__ = [
    "Address",
    "Attachment",
    "Automatic",
    "Cause",
    "Delivery",
    "Feedback",
    "Invitation",
    "Kind",
    "MailingList",
    "Message",
    "Original",
    "Outcome",
    "UnreadableMessageError",
    "understand",
]
