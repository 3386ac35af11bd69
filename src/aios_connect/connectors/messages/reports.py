"""Delivery reports in their standard form (RFC 3464), and as servers write it: fields in blocks, one block per recipient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .parsing import Part, children, content
from .shapes import Delivery, Outcome
from .texts import clean, one_line
from .verdicts import is_late, reply_in, status_in, verdict
from .words import Note, unfolded, untold

__all__ = ["ADDRESS", "Block", "blocks_in", "blocks_of", "deliveries"]

ADDRESS: Final = re.compile(r"[^\s<>()\[\]\"':;,|@\\]{1,320}@[^\s<>()\[\]\"':;,|@\\]{1,254}")

_NAMES: Final = (
    "final-recipient original-recipient action status diagnostic-code remote-mta reporting-mta received-from-mta arrival-date "
    "last-attempt-date will-retry-until final-log-id original-envelope-id x-actual-recipient x-original-message-id dsn-gateway "
    "x-postfix-queue-id x-postfix-sender x-display-name x-supplementary-info"
)
_FIELD: Final = re.compile(rf"^\s{{0,8}}({'|'.join(_NAMES.split())})\s*:[ \t]*(.*)$", re.IGNORECASE)
_DONE: Final[dict[str, Outcome]] = {"delivered": "delivered", "relayed": "relayed", "expanded": "expanded"}
_LONGEST: Final = 1000
_MOST: Final = 1 << 18
_REJECTED: Final = re.compile(r"was automatically rejected:\s*(.+)")
"""How Dovecot's delivery agent tells its reason: https://doc.dovecot.org/main/core/summaries/settings.html (``rejection_reason``)."""


@dataclass(frozen=True, slots=True)
class Block:
    """The fields about one recipient; names in small letters."""

    fields: dict[str, str]

    def value(self, name: str) -> str:
        """A field without its type: ``rfc822; a@b`` is ``a@b``."""
        kind, semicolon, value = self.fields.get(name, "").partition(";")
        return one_line(value if semicolon and " " not in kind.strip() else self.fields.get(name, ""))

    def address(self) -> str | None:
        """The address it was sent to, as its sender wrote it where the report says so."""
        for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
            found = ADDRESS.search(self.value(name))
            if found:
                return found[0].rstrip(".")
        return None


def blocks_of(part: Part, note: Note) -> list[Block]:
    """The blocks of a ``message/delivery-status`` part."""
    found: list[Block] = []
    for one in children(part):
        found += _grouped((name.strip().lower(), value) for name, value in one.raw_items())
        found += blocks_in(content(one, note).decode("utf-8", "replace"))
    return found or blocks_in(content(part, note).decode("utf-8", "replace"))


def blocks_in(text: str) -> list[Block]:
    """The blocks that stand in a text for people."""
    found: list[Block] = []
    for paragraph in re.split(r"\n[ \t]*\n", clean(text[:_MOST])):
        found += _grouped(_fields(paragraph))
    return found


def _fields(paragraph: str) -> Iterator[tuple[str, str]]:
    name, value = "", ""
    for line in paragraph.split("\n"):
        field = _FIELD.match(line)
        if field:
            if name:
                yield name, value
            name, value = field[1].lower(), field[2]
        elif name and line[:1] in " \t":
            value += " " + line.strip()
        elif name:
            yield name, value
            name = ""
    if name:
        yield name, value


def _grouped(fields: Iterable[tuple[str, str]]) -> list[Block]:
    """One block per recipient. A block without a recipient and an action is about the message; a second recipient begins another."""
    groups: list[dict[str, str]] = [{}]
    for name, value in fields:
        if name == "final-recipient" and name in groups[-1]:
            groups.append({})
        groups[-1].setdefault(name, one_line(unfolded(value[: 4 * _LONGEST], untold))[:_LONGEST])
    return [Block(group) for group in groups if {"final-recipient", "original-recipient", "action"} & group.keys()]


def deliveries(blocks: list[Block], told: str, candidates: Sequence[str]) -> list[Delivery]:
    """What became of the message at each recipient.

    Args:
        blocks: The blocks of all reports in the message.
        told: What the report says to people, without the message that is returned.
        candidates: Who can be meant by a block without an address.
    """
    found = [_delivery(block, told if len(blocks) == 1 else _about(block.address(), told)) for block in blocks]
    alone = candidates[0] if len(candidates) == 1 == len(found) else None
    return [replace(one, recipient=one.recipient or alone) for one in found]


def _about(address: str | None, told: str) -> str:
    """The paragraphs that name an address."""
    return "\n\n".join(one for one in re.split(r"\n[ \t]*\n", told) if address and address in one)


def _delivery(block: Block, told: str) -> Delivery:
    recipient, server = block.address(), block.value("remote-mta") or None
    diagnostic, status = block.value("diagnostic-code"), status_in(block.value("status"))
    action = next(iter(re.findall(r"[a-z]+", block.value("action").lower())), "")
    rejected = _REJECTED.search(told)
    words = rejected[1] if rejected else diagnostic or told
    code = status_in(diagnostic)
    if code and (not status or status.endswith(".0.0") or status[0] == code[0]):
        status = code
    reply = reply_in(diagnostic)
    done = _DONE.get(action) or ("delivered" if not action and status and status[0] == "2" else None)
    if done:
        return Delivery(recipient, done, status=status, diagnostic=diagnostic or None, reply=reply, server=server)
    judged = verdict(words, status, reply, delayed=action == "delayed", late=is_late(told))
    return Delivery(recipient, judged.outcome, judged.cause, status, diagnostic or None, reply, server)
