"""Sending mail as a verb of its own: what is sent, what became of it, and the protocol of a connector that can.

A letter belongs to one line of a plan. The line gives it its Message-ID (RFC 5322, 3.6.4), so that it can be looked for, and the same line
sent again is the same letter. When nobody can tell whether a letter went out, a person decides: it is never sent again blindly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, Protocol, runtime_checkable

__all__ = ["Enclosure", "Letter", "Sends", "Sent", "message_id"]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes along.

    Attributes:
        name: Its name, ``"offer.pdf"``.
        type: Its media type, ``"application/pdf"``.
        content: Its bytes.
    """

    name: str
    type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to send. Addresses are plain (``nora@example.com``) or with a name (``Nora Lindqvist <nora@example.com>``).

    Attributes:
        to: Whom it is for.
        subject: Its subject.
        text: Its text, plain.
        html: The same as HTML, if any.
        cc: Who gets a copy.
        bcc: Who gets a copy without the others knowing.
        reply_to: Where answers go, if not to the sender.
        in_reply_to: Message-ID of the message it answers, ``"<a@example.com>"``.
        references: Message-IDs of the conversation, oldest first; the answered one is added if it is not there.
        enclosures: Files that go along.
        unsubscribe: Where a reader unsubscribes: ``https:`` and ``mailto:`` addresses (RFC 2369).
        one_click: One POST to the ``https:`` address is enough (RFC 8058).
        automatic: No person wrote it; it says so, and nobody's absence note answers it (RFC 3834).
        notify: When the receiving side is asked to report, where the server can ask for it (RFC 3461).
    """

    to: Sequence[str]
    subject: str
    text: str
    html: str = ""
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: Sequence[str] = ()
    in_reply_to: str = ""
    references: Sequence[str] = ()
    enclosures: Sequence[Enclosure] = ()
    unsubscribe: Sequence[str] = ()
    one_click: bool = False
    automatic: bool = False
    notify: frozenset[Literal["failure", "delay", "success"]] = frozenset({"failure", "delay"})


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a letter.

    Attributes:
        outcome: ``sent``; ``unchanged`` (this line was sent before, nothing was sent now); ``rejected`` (nothing was sent, and it will
            not go as it is); ``ambiguous`` (it may have gone out, and nobody can tell); ``unsent`` (it was never sent).
        message_id: Its Message-ID.
        refused: Recipient -> the server's words, for those that were refused.
        reason: For a person: why it is not ``sent``.
    """

    outcome: Literal["sent", "unchanged", "rejected", "ambiguous", "unsent"]
    message_id: str
    refused: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@runtime_checkable
class Sends(Protocol):
    """A connector that sends mail."""

    def send(self, letter: Letter, line: str) -> Sent:
        """Send a letter, once: to all of its recipients or to none.

        Args:
            letter: What to send.
            line: Id of the plan line.

        Raises:
            ProviderError: Nothing was sent, and it can be tried again: nobody answers, the sign-in is refused, try later.
        """

    def sent(self, line: str) -> Sent:
        """What became of the letter of a line, without sending anything.

        Raises:
            ProviderError: It cannot be looked up now.
        """


def message_id(line: str, connection: str, address: str) -> str:
    """The Message-ID of the letter of a plan line.

    Args:
        line: Id of the plan line.
        connection: Name of the connection.
        address: The sender; its domain is the right side.
    """
    left = sha256(f"{connection}\0{line}".encode()).hexdigest()[:32]
    return f"<aios.{left}@{address.rpartition('@')[2]}>"
