"""The headers of a message: ids, dates, lists, and how often each was said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_tz
from typing import Final

from .addresses import addresses
from .shapes import Address, MailingList
from .words import Note, unfolded, untold, unworded

__all__ = ["Headers", "instant_of", "list_of", "message_ids"]

_LONGEST: Final = 1 << 18
"""Characters of one header that are looked at."""

_ID: Final = re.compile(r"<([^<>]{1,998})>")
_BARE_ID: Final = re.compile(r"[^\s<>,;\"()]{1,500}@[^\s<>,;\"()]{1,500}")
_URI: Final = re.compile(r"<\s*((?:mailto|https?):[^<>]+?)\s*>", re.IGNORECASE)
_DAY: Final = 86400
_COMMENT: Final = re.compile(r"\([^()]*\)")
_ZONE: Final = re.compile(r"(?:[+-]\d{4}|\b(?:UTC?|GMT|Z|[ECMP][SD]T))\s*$", re.IGNORECASE)


class Headers:
    """The headers of one message or part.

    Args:
        pairs: Names and values as they stand in the message, bytes beyond ASCII as half characters.
        note: Told what was wrong.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], note: Note) -> None:
        self._note = note
        self._lines: dict[str, list[str]] = {}
        for name, value in pairs:
            if len(value) > _LONGEST:
                note(f"header {name[:60]} is longer than {_LONGEST} characters and was cut there")
            self._lines.setdefault(name.strip().lower(), []).append(unfolded(value[:_LONGEST], note))

    def __contains__(self, name: str) -> bool:
        return name in self._lines

    def line(self, name: str) -> str:
        """The first header of this name, its encoded words as they stand; empty if there is none."""
        return next(iter(self._lines.get(name, ())), "")

    def text(self, name: str) -> str | None:
        """The first header of this name as text; ``None`` if there is none or it is empty."""
        if len(self._lines.get(name, ())) > 1:
            self._note(f"there is more than one {name.title()} header; the first counts")
        return unworded(self.line(name), self._note) or None

    def addresses(self, name: str) -> tuple[Address, ...]:
        """The mailboxes in all headers of this name."""
        return tuple(one for line in self._lines.get(name, ()) for one in addresses(line, self._note))

    def all(self) -> Mapping[str, tuple[str, ...]]:
        """Every header as text."""
        return {name: tuple(unworded(line, untold) for line in lines) for name, lines in self._lines.items()}


def message_ids(value: str) -> tuple[str, ...]:
    """The Message-IDs in a header, each once, with brackets. An id that was folded in the middle is put together again."""
    found = ["<" + "".join(one.split()) + ">" for one in _ID.findall(value)]
    if not found and "@" in value:
        found = [f"<{one}>" for one in _BARE_ID.findall(value[:4000])]
    return tuple(dict.fromkeys(one for one in found if one != "<>"))


def instant_of(value: str, note: Note) -> datetime | None:
    """The instant in a ``Date`` header, UTC.

    A date without a zone, or in a zone by a name that RFC 5322 does not define, is no instant: the RFC (4.3) lets it be read as UTC,
    which would be hours off as often as not. It is told and left out.
    """
    if not value.strip():
        return None
    bare = _COMMENT.sub(" ", value).strip()
    try:
        parts = parsedate_tz(bare)
        if parts is None:
            raise ValueError("it cannot be read")
        if not _ZONE.search(bare):
            raise ValueError("its time zone is missing or unknown")
        if abs(parts[9] or 0) >= _DAY:
            raise ValueError("its time zone is more than a day off")
        at = datetime(*parts[:6], tzinfo=UTC).timestamp() - (parts[9] or 0)
        return datetime.fromtimestamp(at, UTC)
    except (ValueError, TypeError, IndexError, OverflowError, OSError) as error:
        note(f"Date {value[:100]!r} is no instant: {error}")
        return None


def list_of(headers: Headers) -> MailingList | None:
    """What the headers say of a mailing list; ``None`` if they say nothing of one."""
    line = headers.line("list-id")
    ids = re.findall(r"<([^<>]*)>", line)
    id = (ids[-1] if ids else line).strip() or None
    leave = tuple(dict.fromkeys(one.strip() for one in _URI.findall(headers.line("list-unsubscribe"))))
    post = next(iter(_URI.findall(headers.line("list-post"))), None)
    if not (id or leave or post):
        return None
    one_click = "one-click" in headers.line("list-unsubscribe-post").lower() and any(
        one.lower().startswith("https:") for one in leave
    )
    return MailingList(id, leave, one_click, post)
