"""The door: bytes in, a message out."""

from __future__ import annotations

from .bodies import body_of
from .fields import Headers, instant_of, list_of, message_ids
from .parsing import parsed
from .shapes import Message

__all__ = ["understand"]


def understand(raw: bytes) -> Message:
    """Say what a message means.

    Args:
        raw: The whole message as it came (RFC 5322), line ends of any kind.

    Raises:
        UnreadableMessageError: It is no message, or larger, deeper or in more parts than is taken in.
    """
    notes: list[str] = []
    root = parsed(raw, notes.append)
    headers = Headers(root.raw_items(), notes.append)
    authors = headers.addresses("from")
    body = body_of(root, notes.append)
    return Message(
        message_id=next(iter(message_ids(headers.line("message-id"))), None),
        in_reply_to=next(iter(message_ids(headers.line("in-reply-to"))), None),
        references=message_ids(headers.line("references")),
        sender=next(iter(authors), None),
        authors=authors,
        to=headers.addresses("to"),
        cc=headers.addresses("cc"),
        bcc=headers.addresses("bcc"),
        reply_to=headers.addresses("reply-to"),
        subject=headers.text("subject"),
        date=instant_of(headers.line("date"), notes.append),
        text=body.text,
        text_from=body.text_from,
        attachments=tuple(body.attachments),
        invitations=tuple(body.invitations),
        mailing_list=list_of(headers),
        headers=headers.all(),
        notes=tuple(dict.fromkeys(notes)),
    )
