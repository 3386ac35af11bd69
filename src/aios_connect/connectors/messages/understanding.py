"""The door: bytes in, a message out."""

from __future__ import annotations

from dataclasses import replace

from .bodies import Body, body_of
from .dialects import recipients_in, spoken
from .fields import Headers, instant_of, list_of, message_ids
from .kinds import is_report, kind_of, says_delayed
from .originals import original_in, original_of, told_of
from .parsing import parsed
from .receipts import feedback_of, receipt_of
from .replies import LONGEST, reply_in
from .reports import Block, blocks_in, blocks_of, deliveries
from .shapes import Message, Original
from .words import Note

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
    body = body_of(root, notes.append)
    authors = headers.addresses("from")
    message = Message(
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
    )
    message = _sorted(message, headers, body, notes.append)
    if len(message.text) > LONGEST:
        notes.append(f"the reply was looked for in the first {LONGEST} characters of the text")
    return replace(message, reply=reply_in(message.text), notes=tuple(dict.fromkeys(notes)))


def _sorted(message: Message, headers: Headers, body: Body, note: Note) -> Message:
    """The message with its kind, and what a report says."""
    told, returned = told_of(message.text)
    original = next((one for part in body.returned if (one := original_of(part, note))), None)
    feedback = feedback_of(body, note)
    if feedback:
        message = replace(message, kind="feedback", automatic="notification", evidence=("feedback report",))
        return replace(message, feedback=feedback, original=original)
    receipt = receipt_of(body)
    if receipt:
        message = replace(message, kind="read_receipt", automatic="notification", evidence=("disposition notification",))
        return replace(message, deliveries=receipt, original=original)
    blocks = [block for part in body.reports for block in blocks_of(part, note)]
    if not blocks and not is_report(headers, told):
        sign = kind_of(headers, message.text, message.mailing_list)
        return replace(message, kind=sign.kind, automatic=sign.automatic, evidence=sign.evidence)
    return _reported(message, headers, blocks or blocks_in(told), (told, returned), original, note)


def _reported(
    message: Message, headers: Headers, blocks: list[Block], texts: tuple[str, str], original: Original | None, note: Note
) -> Message:
    """The message with what became of the one it reports on."""
    told, returned = texts
    original = original or original_in(returned, note)
    known = _known(message, original)
    named = [one.email for one in headers.addresses("x-failed-recipients")]
    delayed = says_delayed(message.subject or "", told)
    candidates = named or [address for address, _ in recipients_in(told, known)] or list(original.recipients if original else ())
    found = deliveries(blocks, told, candidates) if blocks else spoken(told, candidates, delayed=delayed)
    failed = any(one.outcome in ("hard", "soft") for one in found)
    evidence = "delivery status" if blocks else "words of a delivery report"
    return replace(
        message,
        kind="delivery_report",
        automatic="bounce" if failed else "notification",
        evidence=(evidence,),
        deliveries=tuple(found),
        original=original,
    )


def _known(message: Message, original: Original | None) -> frozenset[str]:
    """Addresses that a report names and does not mean."""
    who = [one.email for one in (*message.authors, *message.to)] + ([original.sender] if original and original.sender else [])
    return frozenset(one.lower() for one in who)
