"""The parts of a message: which are its text, which are attached, which are a report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message as Part
from typing import Final, Literal

from .markup import plain
from .parsing import children, content, size_of
from .shapes import Attachment, Invitation
from .texts import clean, decoded
from .words import Note, unfolded, untold, unworded

__all__ = ["Body", "body_of", "text_of"]

_TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_REPORTS: Final = frozenset(
    "message/delivery-status message/global-delivery-status message/feedback-report message/disposition-notification "
    "message/global-disposition-notification".split()
)
_RETURNED: Final = frozenset(
    "message/rfc822 message/global text/rfc822-headers text/rfc822-header message/rfc822-headers message/global-headers".split()
)
_CALENDARS: Final = frozenset({"text/calendar", "application/ics"})
_FOLDERS: Final = re.compile(r"^.*[/\\]", re.DOTALL)
_LONGEST_NAME: Final = 255


@dataclass(slots=True)
class Body:
    """What the parts of a message are.

    Attributes:
        texts: The texts, in order, each with what it was taken from.
        attachments: The other parts, in order.
        invitations: The calendar parts, in order.
        reports: Parts that machines read: what became of a message.
        returned: Messages, or their headers, that lie within this one.
    """

    texts: list[tuple[Literal["plain", "html"], str]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    reports: list[Part] = field(default_factory=list)
    returned: list[Part] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n\n".join(text for _, text in self.texts if text)

    @property
    def text_from(self) -> Literal["plain", "html"] | None:
        return self.texts[0][0] if self.texts else None


def body_of(root: Part, note: Note) -> Body:
    """Sort the parts of a message."""
    body = Body()
    _sort(root, body, note, alone=True)
    return body


def _sort(part: Part, body: Body, note: Note, *, related: bool = False, alone: bool = False) -> None:
    type = _type(part)
    inner = children(part)
    if type in _REPORTS:
        body.reports.append(part)
    elif type in _RETURNED:
        body.returned.append(part)
        if type in ("message/rfc822", "message/global"):
            _attach(part, type, body, note, inline=False)
    elif type == "multipart/alternative" and inner:
        _alternative(inner, body, note)
    elif inner and not type.startswith("message/"):
        root = _root(part, inner) if type == "multipart/related" else None
        for child in inner:
            _sort(child, body, note, related=related or (root is not None and child is not root))
        if type == "multipart/encrypted":
            note("the message is encrypted; its text cannot be read")
    elif type == "message/partial":
        note("this is one piece of a message that was sent in several (message/partial)")
        body.texts.append(("plain", text_of(part, note)))
    else:
        _leaf(part, type, body, note, related=related, alone=alone)


def _root(part: Part, among: list[Part]) -> Part:
    """The part of a ``multipart/related`` that the others belong to (RFC 2387): named by ``start``, else the first of its type."""
    start, type = (_parameter(part, "start") or "").strip(" <>"), (_parameter(part, "type") or "").lower()
    named = (one for one in among if start and str(one.get("content-id", "")).strip(" <>") == start)
    alike = (one for one in among if _type(one) == type)
    return next(named, None) or next(alike, among[0])


def _leaf(part: Part, type: str, body: Body, note: Note, *, related: bool, alone: bool) -> None:
    disposition, name = _disposition(part), _name(part)
    if type.startswith("multipart/"):
        if text_of(part, note).strip():
            note("a multipart message without parts was read as plain text")
        type = "text/plain"
    shown = disposition != "attachment" and not related and (not name or alone)
    if type in _CALENDARS:
        method = _parameter(part, "method")
        text = text_of(part, note)
        found = re.search(r"^METHOD:\s*([A-Za-z-]+)", text, re.MULTILINE)
        body.invitations.append(Invitation((method or (found[1] if found else "")).upper() or None, name, text))
        if name or disposition == "attachment":
            _attach(part, type, body, note, inline=False)
    elif type in ("text/plain", "text/html") and shown:
        body.texts.append(_as_text(part, type, note))
    elif type.startswith("text/") and shown and not body.texts:
        body.texts.append(("plain", text_of(part, note)))
    else:
        _attach(part, type, body, note, inline=disposition == "inline" or (related and disposition != "attachment"))


def _alternative(choices: list[Part], body: Body, note: Note) -> None:
    """The same in several forms: plain text counts if it says anything, HTML else. Whatever else is in there is sorted as ever."""
    forms: list[Body] = []
    for child in choices:
        form = Body()
        _sort(child, form, note)
        forms.append(form)
        body.attachments += form.attachments
        body.invitations += form.invitations
        body.reports += form.reports
        body.returned += form.returned
    said = [form for form in forms if form.text.strip()]
    best = next((form for form in said if form.text_from == "plain"), said[0] if said else None)
    if best:
        body.texts += best.texts


def _as_text(part: Part, type: str, note: Note) -> tuple[Literal["plain", "html"], str]:
    text = text_of(part, note)
    if type == "text/plain":
        return "plain", _unflowed(text, part) if (_parameter(part, "format") or "").lower() == "flowed" else text.strip("\n")
    made = plain(text)
    if made.hidden:
        note("some of the HTML is hidden from a reader and was left out")
    if made.cut:
        note("the HTML is very long; its end was left out")
    return "html", made.text


def _attach(part: Part, type: str, body: Body, note: Note, *, inline: bool) -> None:
    name = _name(part)
    tnef = type in _TNEF or (name or "").lower() == "winmail.dat"
    if tnef:
        note("winmail.dat: attachments inside it are not looked at")
    if type in ("application/pkcs7-mime", "application/x-pkcs7-mime") and (_parameter(part, "smime-type") or "") != "signed-data":
        note("the message is encrypted or wrapped (S/MIME); its text cannot be read")
    id = unfolded(str(part.get("content-id", "")), note).strip(" <>")
    size = size_of(part, note)
    if size or name:
        body.attachments.append(Attachment(name, type, size, inline, id or None, tnef))


def text_of(part: Part, note: Note) -> str:
    """The text of a part."""
    text, problem = decoded(content(part, note), _parameter(part, "charset"))
    if problem:
        note(problem)
    return text


def _type(part: Part) -> str:
    return clean(part.get_content_type())


def _disposition(part: Part) -> str:
    try:
        return part.get_content_disposition() or ""
    except (ValueError, AttributeError):
        return ""


def _parameter(part: Part, name: str, header: str = "content-type") -> str | None:
    """A parameter of a header, decoded (RFC 2231; and RFC 2047, which does not belong there and is there all the time)."""
    try:
        value = part.get_param(name, None, header)
    except (ValueError, LookupError, TypeError, IndexError, AttributeError):
        return None
    if isinstance(value, tuple):
        charset, _, encoded = value
        return decoded(encoded.encode("latin-1", "replace"), charset)[0]
    return unworded(unfolded(value.strip('"'), untold), untold) if value else None


def _name(part: Part) -> str | None:
    name = _parameter(part, "filename", "content-disposition") or _parameter(part, "name")
    return _FOLDERS.sub("", name)[:_LONGEST_NAME].strip() or None if name else None


def _unflowed(text: str, part: Part) -> str:
    """``format=flowed`` (RFC 3676): lines that end in a space go on in the next."""
    together = (_parameter(part, "delsp") or "").lower() == "yes"
    lines: list[str] = []
    depth_before, open = 0, False
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        said = line[depth:].removeprefix(" ")
        flows = said.endswith(" ") and said != "-- "
        body = said[:-1] if flows and together else said
        if open and depth == depth_before:
            lines[-1] += body
        else:
            lines.append(("> " if depth else "").rjust(depth + 1, ">") + body if depth else body)
        depth_before, open = depth, flows
    return "\n".join(line if line == "-- " else line.rstrip() for line in lines).strip("\n")
