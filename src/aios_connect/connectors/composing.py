"""A letter as bytes (RFC 5322), and the envelope it goes in. Nothing that a letter says can become a header of its own.

Lists of Message-IDs and addresses of the web are written here and not by the standard library, which breaks long ones into encoded words
that nobody reads as ids (https://github.com/python/cpython/issues/79986).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from aios_connect.connectors.sending import Letter

__all__ = ["Composed", "UnsendableError", "compose", "mailbox"]

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_MAILBOX: Final = re.compile(r"\s*(?:(?P<name>[^<>]*)<(?P<inner>[^<>\s]+)>|(?P<plain>[^<>\s]+))\s*")
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,900}>")
_WEB: Final = re.compile(r"(?:https://|mailto:)[!#-;=?-~]{1,900}")
_MOST: Final = 20
"""Message-IDs in References: the first and the last of them, when a conversation has more."""


class UnsendableError(ValueError):
    """A letter that cannot be sent as it is."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter ready to go.

    Attributes:
        sender: Who gets the reports, plain.
        recipients: Everybody, those of ``bcc`` too, plain and each once.
        content: The message, with ``CRLF``.
        utf8: An address has letters that only SMTPUTF8 (RFC 6531) can carry.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    utf8: bool


def compose(letter: Letter, sender: str, message_id: str, now: datetime) -> Composed:
    """The message and its envelope.

    Args:
        letter: What to send.
        sender: Who sends it, with or without a name.
        message_id: Its Message-ID.
        now: When it is sent.

    Raises:
        UnsendableError: Something in it cannot be sent; says what.
    """
    groups = {name: [mailbox(one) for one in getattr(letter, name)] for name in ("to", "cc", "bcc", "reply_to")}
    author = mailbox(sender)
    recipients = dict.fromkeys(one.addr_spec for name in ("to", "cc", "bcc") for one in groups[name])
    if not recipients:
        raise UnsendableError("it has no recipient")
    utf8 = not all(one.addr_spec.isascii() for one in (author, *(one for group in groups.values() for one in group)))
    message = EmailMessage(policy.SMTP.clone(cte_type="8bit" if utf8 else "7bit", utf8=utf8))
    message["From"] = author
    for field, name in (("To", "to"), ("Cc", "cc"), ("Reply-To", "reply_to")):
        if groups[name]:
            message[field] = groups[name]
    message["Subject"] = _line("subject", letter.subject)
    message["Date"] = format_datetime(now)
    if letter.automatic:
        message["Auto-Submitted"] = "auto-generated"
    try:
        _fill(message, letter)
        content = b"".join(_own_lines(letter, message_id)) + message.as_bytes()
    except (UnicodeError, LookupError) as error:
        raise UnsendableError(f"it has a character that no mail can carry: {error}") from None
    return Composed(author.addr_spec, tuple(recipients), content, utf8)


def mailbox(told: str) -> Address:
    """An address with or without a name; its domain as the name servers know it.

    Raises:
        UnsendableError: It is none.
    """
    from email_validator import EmailNotValidError, validate_email

    match = _MAILBOX.fullmatch(_line("address", told))
    if match is None:
        raise UnsendableError(f"{told!r} is no address")
    name, plain = (match["name"] or "").strip(), match["plain"] or match["inner"]
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    try:
        valid = validate_email(plain, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError as error:
        raise UnsendableError(f"{told!r} is no address: {error}") from None
    return Address(display_name=name, username=valid.local_part, domain=valid.ascii_domain)


def _fill(message: EmailMessage, letter: Letter) -> None:
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    for file in letter.enclosures:
        main, slash, sub = _line("type of a file", file.type).partition("/")
        if not slash or not main.isalnum() or not re.fullmatch(r"[\w.+-]+", sub) or main == "multipart":
            raise UnsendableError(f"{file.type!r} is no media type")
        message.add_attachment(file.content, maintype=main, subtype=sub, filename=_line("name of a file", file.name))


def _own_lines(letter: Letter, message_id: str) -> Iterable[bytes]:
    """The headers that are made of ids and addresses."""
    yield _header("Message-ID", [message_id])
    if letter.in_reply_to:
        yield _header("In-Reply-To", [_id(letter.in_reply_to)])
    references = [_id(one) for one in dict.fromkeys([*letter.references, *([letter.in_reply_to] if letter.in_reply_to else [])])]
    if references:
        yield _header("References", references if len(references) <= _MOST else [references[0], *references[1 - _MOST :]])
    for one in letter.unsubscribe:
        if not _WEB.fullmatch(one):
            raise UnsendableError(f"{one!r} is nothing to unsubscribe at; it takes https: and mailto: addresses")
    if letter.unsubscribe:
        yield _header("List-Unsubscribe", [f"<{one}>" for one in letter.unsubscribe], ",")
    if letter.one_click:
        if not any(one.startswith("https:") for one in letter.unsubscribe):
            raise UnsendableError("one_click takes an https: address in unsubscribe (RFC 8058)")
        yield _header("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"])


def _header(name: str, values: Sequence[str], between: str = "") -> bytes:
    return (name + ": " + (between + "\r\n ").join(values) + "\r\n").encode("ascii")


def _id(told: str) -> str:
    if not _MESSAGE_ID.fullmatch(told):
        raise UnsendableError(f"{told!r} is no Message-ID")
    return told


def _line(what: str, text: str) -> str:
    """A text that stays on one line."""
    if match := _CONTROL.search(text):
        raise UnsendableError(f"the {what} has a control character ({match[0]!r}), which could become a header of its own")
    return text
