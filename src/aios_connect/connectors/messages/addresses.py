"""Address headers (RFC 5322, 3.4), taken as far as they go: what is no address is named in a note, not kept as one."""

from __future__ import annotations

import re
from typing import Final

from .shapes import Address
from .words import Note, unworded

__all__ = ["addresses"]

_ROUTE: Final = re.compile(r"^(?:@[^:,@]+,?)+:")
_MAILBOX: Final = re.compile(r'^(?:[^\s@<>()",;:\\]+|"(?:[^"\\]|\\.)*")@(?:[^\s@<>()",;:\\\[\]]+|\[[^\[\]\s]+\])$')
_LOOSE: Final = re.compile(r" ?([@.]) ?")
_AT: Final = re.compile(r"[^\s@<>()\",;:\\]+@[^\s@<>()\",;:\\\[\]]+")
_RUN: Final = re.compile(r'[^"(<,;:]+')
_LONGEST: Final = 2000
"""Characters of one mailbox with its name; what is longer is none (an address has at most 254, RFC 5321, 4.5.3.1.3)."""


class _Mailbox:
    """What was read of one mailbox so far."""

    def __init__(self) -> None:
        self.bare: list[str] = []
        self.angle: str | None = None
        self.comments: list[str] = []
        self.at = False

    def add(self, text: str) -> None:
        self.bare.append(text)
        self.at = self.at or "@" in text

    def address(self, note: Note) -> Address | None:
        bare = "".join(self.bare)
        if len(bare) + len(self.angle or "") + sum(map(len, self.comments)) > _LONGEST:
            note(f"{bare.strip()[:60]!r} and so on is too long for an address")
            return None
        text, comment = " ".join(bare.split()), unworded(" ".join(self.comments), note)
        if self.angle is not None:
            return _bracketed(" ".join(self.angle.split()), unworded(text, note).strip(" \"'") or comment, note)
        text = _LOOSE.sub(r"\1", text).strip(" '")
        if not text or _MAILBOX.match(text):
            return Address(text, comment) if text else None
        found = _AT.search(text)
        if found is None:
            note(f"{text[:200]!r} is no address")
            return None
        note(f"an address was picked out of {text[:200]!r}")
        rest = f"{text[: found.start()]} {text[found.end() :]}"
        return Address(found[0], unworded(rest.strip(" <>\"'"), note))


def _bracketed(angle: str, shown: str, note: Note) -> Address | None:
    email = _LOOSE.sub(r"\1", _ROUTE.sub("", angle).strip()).removeprefix("mailto:").strip(" '")
    if not _MAILBOX.match(email):
        found = _AT.search(email)
        if found is None:
            if email or shown:
                note(f"{f'{shown} <{email}>'.strip()[:200]!r} is no address")
            return None
        email = found[0]
    return Address(email, "" if shown == email else shown)


def addresses(value: str, note: Note) -> tuple[Address, ...]:
    """The mailboxes in a header, in order; the members of a group among them.

    Args:
        value: The header on one line, encoded words as they stand.
        note: Told what is no address.
    """
    found: list[Address] = []
    box, at, end = _Mailbox(), 0, len(value)
    while at < end:
        char = value[at]
        if char == '"':
            text, after = _quoted(value, at + 1)
            box.add(value[at:after] if value[after : after + 1] == "@" else f" {text} ")
            at = after
        elif char == "(":
            comment, at = _comment(value, at + 1)
            box.comments.append(comment)
        elif char == "<":
            close = value.find(">", at)
            stop = close if close >= 0 else end
            box.angle, at = value[at + 1 : stop], stop + 1
        elif char in ",;":
            address = box.address(note)
            found += [address] if address else []
            box, at = _Mailbox(), at + 1
        elif char == ":" and not box.at:  # the name of a group
            box, at = _Mailbox(), at + 1
        else:
            run = _RUN.match(value, at)
            box.add(run[0] if run else char)
            at = run.end() if run else at + 1
    address = box.address(note)
    return (*found, address) if address else tuple(found)


def _quoted(value: str, at: int) -> tuple[str, int]:
    """The inside of a quoted string, without its backslashes, and the place after it."""
    text: list[str] = []
    while at < len(value):
        char = value[at]
        if char == '"':
            return "".join(text), at + 1
        if char == "\\" and at + 1 < len(value):
            at += 1
            char = value[at]
        text.append(char)
        at += 1
    return "".join(text), at


def _comment(value: str, at: int) -> tuple[str, int]:
    """The inside of a comment, comments within it and all, and the place after it."""
    depth, start = 1, at
    while at < len(value):
        if value[at] == "\\":
            at += 1
        elif value[at] == "(":
            depth += 1
        elif value[at] == ")":
            depth -= 1
            if not depth:
                return value[start:at], at + 1
        at += 1
    return value[start:], len(value)
