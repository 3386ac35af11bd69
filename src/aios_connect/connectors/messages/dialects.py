"""Delivery reports in words: who is meant and why, read from a text that was written for people.

No vendor is known here. Reports of all makes name the failed address at the beginning of a line, or after a word like ``to`` or
``RCPT TO``, and the reason beside or below it. Whose report it is and whose message it was are left out of the candidates.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from .reports import ADDRESS
from .shapes import Delivery
from .texts import one_line
from .verdicts import is_late, is_telling, reply_in, status_in, verdict

__all__ = ["recipients_in", "spoken"]

_FIRST: Final = re.compile(rf"^\W{{0,12}}?(?:>>>\s*)?(?:user\s+)?<?({ADDRESS.pattern})(?:>|<mailto:|\b)(.*)$", re.IGNORECASE)
_NAMED: Final = re.compile(
    rf"(?:rcpt to|recipient\(?s?\)?|address(?:es)?|deliver(?:y|ed|ing)? (?:your )?(?:mail|message)? ?to|delivered to|addressed to|attempts"
    rf"|\bto|\bfor|user)"
    rf"\W{{0,6}}({ADDRESS.pattern})",
    re.IGNORECASE,
)
_OURS: Final = re.compile(
    r"^\W*(from|sender|reply-to|mail from|return-path|postmaster|contact|e-?mail us)\b|mail from:|from:\s*<|envelope-from",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(r"^\W*(to|sent|date|subject|cc):\s", re.IGNORECASE)
_LONGEST: Final = 1000


def recipients_in(told: str, known: Collection[str]) -> list[tuple[str, int]]:
    """The addresses that failed, each with the number of the line that names it.

    Args:
        told: What the report says itself.
        known: Addresses that are not meant, in small letters: who reports, and whose message it was.
    """
    grades: list[dict[str, int]] = [{}, {}, {}]
    for place, line in enumerate(told.split("\n")):
        if len(line) > 2 * _LONGEST or "@" not in line:
            continue
        first = _FIRST.match(line)
        named = _NAMED.search(line)
        found = ADDRESS.search(line)
        for grade, match in ((0, first), (1, named), (2, found)):
            if match is None or (grade and _OURS.search(line)):
                continue
            address = (match[1] if grade < 2 else match[0]).rstrip(".,")
            if address.lower() in known:
                continue
            grades[2 if _ASIDE.match(line) else grade].setdefault(address, place)
    best = next((grade for grade in grades if grade), {})
    alone: dict[str, tuple[str, int]] = {}
    for address, place in best.items():
        alone.setdefault(address.lower(), (address, place))
    return list(alone.values())


def spoken(told: str, recipients: Sequence[str], *, delayed: bool = False) -> list[Delivery]:
    """What a report in words says of each recipient.

    Args:
        told: What the report says itself.
        recipients: Who is meant. If nobody is known, there is one delivery to nobody.
        delayed: The report says that nothing is decided yet.
    """
    lines = told.split("\n")
    places = {one.lower(): _place(lines, one.lower()) for one in recipients}
    found: list[Delivery] = []
    for address in recipients or (None,):
        own = _said_of(lines, places, address.lower()) if address else ""
        telling = is_telling(own)
        words = own if telling and len(recipients) > 1 else told
        diagnostic = own if telling else _telling(lines)
        status, reply = status_in(own) or status_in(words), reply_in(own) or reply_in(words)
        judged = verdict(diagnostic or words, status, reply, delayed=delayed, late=is_late(words))
        found.append(Delivery(address, judged.outcome, judged.cause, status, diagnostic[:_LONGEST] or None, reply))
    return found


def _place(lines: list[str], address: str) -> int | None:
    """The line that begins with an address, else the first that names it."""
    naming = [place for place, line in enumerate(lines) if address in line.lower()]
    return next(
        (place for place in naming if lines[place].lower().strip(" \t<>*-").startswith(address)), next(iter(naming), None)
    )


def _said_of(lines: list[str], places: dict[str, int | None], address: str) -> str:
    """The line that names an address and what follows it, to the next address or empty line; one empty line at once is passed."""
    start = places[address]
    if start is None:
        return ""
    others = {place for place in places.values() if place != start}
    said = [lines[start]]
    for place in range(start + 1, min(start + 12, len(lines))):
        if place in others or (not lines[place].strip() and (len(said) > 1 or is_telling(said[0]))):
            break
        said.append(lines[place])
    return one_line(" ".join(said))


def _telling(lines: list[str]) -> str:
    """The lines that say why, joined."""
    return one_line(" ".join(line for line in lines if is_telling(line)))
