"""What an e-mail message means, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from aios_connect.errors import AiosError

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
]

Kind: TypeAlias = Literal["ordinary", "automatic", "delivery_report", "read_receipt", "feedback"]
"""``ordinary``: a person wrote it, or it went to many. ``automatic``: a machine answered or notified. ``delivery_report``: what
became of a message that was sent (RFC 3464 and its many dialects). ``read_receipt``: it was shown or deleted (RFC 8098).
``feedback``: a complaint or another report about a message (RFC 5965)."""

Automatic: TypeAlias = Literal["none", "out_of_office", "acknowledgement", "bounce", "list", "notification"]
"""The canonical words of an activity's ``automatic``."""

Outcome: TypeAlias = Literal["hard", "soft", "delayed", "delivered", "relayed", "expanded"]
"""``hard``: the address is bad, and writing to it again is of no use. ``soft``: it failed, and the address may well be good (full,
unreachable, refused by policy or for its content). ``delayed``: nothing is decided, they go on trying. The others succeeded."""

Cause: TypeAlias = Literal["address", "full", "network", "content", "policy", "unknown"]
"""``address``: no such mailbox or domain, or it takes no mail. ``full``: the mailbox is. ``network``: a server or the way to it
failed. ``content``: too big, or in a form they do not take. ``policy``: blocked, spam, reputation, not authenticated."""


class UnreadableMessageError(AiosError):
    """Bytes are no message that could be taken in; the text says why, for a person."""

    way_out = "it is set aside; look at it in the mailbox itself"


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox.

    Attributes:
        email: ``local@domain`` as written; not checked and not lowered.
        name: The name shown with it, decoded; empty if there is none.
    """

    email: str
    name: str = ""

    def as_raw(self) -> dict[str, Any]:
        return {"email": self.email, "name": self.name or None}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the text.

    Attributes:
        name: Its file name, decoded; no folders in it. ``None`` if it has none.
        type: Its media type, in small letters: ``application/pdf``.
        size: Bytes after decoding.
        inline: True if it is shown inside the text (a picture of a signature).
        content_id: The name the text calls it by, without brackets.
        tnef: True for a ``winmail.dat``: Outlook's own envelope, in which attachments are hidden that are not looked at here.
    """

    name: str | None
    type: str
    size: int
    inline: bool = False
    content_id: str | None = None
    tnef: bool = False

    def as_raw(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "size": self.size, "inline": self.inline, "tnef": self.tnef}


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar part (RFC 6047).

    Attributes:
        method: ``REQUEST``, ``REPLY``, ``CANCEL`` and so on, in capitals; ``None`` if it does not say.
        name: Its file name, if it has one.
        text: The calendar itself, decoded.
    """

    method: str | None
    name: str | None
    text: str = field(repr=False)

    def as_raw(self) -> dict[str, Any]:
        return {"method": self.method, "name": self.name, "size": len(self.text.encode("utf-8", "replace"))}


@dataclass(frozen=True, slots=True)
class MailingList:
    """What the headers say of a list (RFC 2369, 2919, 8058).

    Attributes:
        id: ``List-Id`` without brackets and description.
        unsubscribe: Addresses (``mailto:`` or ``https:``) to leave it by. Never opened here.
        one_click: True if a POST to the ``https:`` one leaves the list.
        post: Address to write to the list.
    """

    id: str | None
    unsubscribe: tuple[str, ...] = ()
    one_click: bool = False
    post: str | None = None

    def as_raw(self) -> dict[str, Any]:
        return {"id": self.id, "unsubscribe": list(self.unsubscribe), "one_click": self.one_click, "post": self.post}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message at one recipient.

    Attributes:
        recipient: The address it was for; ``None`` if the report does not name it.
        outcome: See :data:`Outcome`.
        cause: See :data:`Cause`; ``unknown`` also for what succeeded.
        status: Enhanced status code (RFC 3463), ``"5.1.1"``, or ``None``. Each part has up to three digits.
        diagnostic: What the server said, on one line.
        reply: SMTP reply code, ``550``, or ``None``.
        server: The server that said it.
    """

    recipient: str | None
    outcome: Outcome
    cause: Cause = "unknown"
    status: str | None = None
    diagnostic: str | None = None
    reply: int | None = None
    server: str | None = None

    def as_raw(self) -> dict[str, Any]:
        return {
            "recipient": self.recipient,
            "outcome": self.outcome,
            "cause": self.cause,
            "status": self.status,
            "diagnostic": self.diagnostic,
            "reply": self.reply,
            "server": self.server,
        }


@dataclass(frozen=True, slots=True)
class Original:
    """The message a report is about, as far as the report shows it.

    Attributes:
        message_id: Its Message-ID with brackets: the way to tell our own messages from backscatter.
        subject: Its subject.
        sender: The address in its From.
        recipients: The addresses in its To.
        headers: All its headers, names in small letters.
    """

    message_id: str | None = None
    subject: str | None = None
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def as_raw(self) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "subject": self.subject,
            "sender": self.sender,
            "recipients": list(self.recipients),
        }


@dataclass(frozen=True, slots=True)
class Feedback:
    """A report about a message in the Abuse Reporting Format (RFC 5965).

    Attributes:
        type: ``abuse``, ``fraud``, ``virus``, ``not-spam``, ``opt-out``, ``auth-failure``, or what else it says, in small letters.
        recipients: The addresses that complain, as far as they were left in.
        agent: The program that made the report.
        at: When the message it is about arrived.
    """

    type: str
    recipients: tuple[str, ...] = ()
    agent: str | None = None
    at: datetime | None = None

    def as_raw(self) -> dict[str, Any]:
        return {"type": self.type, "recipients": list(self.recipients), "agent": self.agent, "at": _instant(self.at)}


@dataclass(frozen=True, slots=True)
class Message:
    """One message, understood.

    Attributes:
        message_id: With brackets, ``"<a@b>"``; ``None`` if there is none.
        in_reply_to: The Message-ID it answers.
        references: The Message-IDs of its conversation, the oldest first.
        sender: The first address in From; ``None`` if there is none.
        authors: All addresses in From.
        to, cc, bcc, reply_to: The addresses there, in order; the members of groups among them.
        subject: Decoded; ``None`` if there is none.
        date: The instant in ``Date``, UTC; ``None`` if there is none or it is none (then a note says so). Never made up.
        text: The whole text as plain text, line feeds only; empty if there is none.
        text_from: What it was taken from: ``plain``, ``html``, or ``None``.
        reply: The text without what it quotes and without the signature.
        attachments: All other parts, in order.
        invitations: The calendar parts, in order. They are among the attachments too when they have a name.
        mailing_list: Set if it came over a mailing list or went to many.
        kind: See :data:`Kind`.
        automatic: See :data:`Automatic`.
        evidence: The headers or words that made it so, for a person.
        deliveries: For a delivery report or a read receipt, one per recipient.
        original: For a report, the message it is about.
        feedback: For feedback, what it says.
        headers: All headers of the message, decoded; names in small letters.
        notes: What was wrong with it and what was done about that, for a person.
    """

    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    sender: Address | None = None
    authors: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str | None = None
    date: datetime | None = None
    text: str = field(default="", repr=False)
    text_from: Literal["plain", "html"] | None = None
    reply: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    mailing_list: MailingList | None = None
    kind: Kind = "ordinary"
    automatic: Automatic = "none"
    evidence: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    original: Original | None = None
    feedback: Feedback | None = None
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def thread(self) -> str | None:
        """Message-ID of the first message of its conversation: the same for all that name it."""
        return next(iter(self.references), None) or self.in_reply_to or self.message_id

    def header(self, name: str) -> str | None:
        """The first header of this name, decoded, or ``None``."""
        return next(iter(self.headers.get(name.lower(), ())), None)

    def as_raw(self) -> dict[str, Any]:
        """The message as JSON, every name always there; ``None`` where it has nothing. Headers are left out."""
        return {
            "message_id": self.message_id,
            "in_reply_to": self.in_reply_to,
            "references": list(self.references),
            "thread": self.thread,
            "from": self.sender.as_raw() if self.sender else None,
            "authors": [one.as_raw() for one in self.authors],
            "to": [one.as_raw() for one in self.to],
            "cc": [one.as_raw() for one in self.cc],
            "bcc": [one.as_raw() for one in self.bcc],
            "reply_to": [one.as_raw() for one in self.reply_to],
            "subject": self.subject,
            "date": _instant(self.date),
            "text": self.text,
            "reply": self.reply,
            "attachments": [one.as_raw() for one in self.attachments],
            "invitations": [one.as_raw() for one in self.invitations],
            "list": self.mailing_list.as_raw() if self.mailing_list else None,
            "kind": self.kind,
            "automatic": self.automatic,
            "evidence": list(self.evidence),
            "deliveries": [one.as_raw() for one in self.deliveries],
            "original": self.original.as_raw() if self.original else None,
            "feedback": self.feedback.as_raw() if self.feedback else None,
            "notes": list(self.notes),
        }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
