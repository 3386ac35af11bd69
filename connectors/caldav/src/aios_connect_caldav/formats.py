"""What the two kinds of collections have in common: one resource, one text, one record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

__all__ = ["Format", "NotOursError", "Unreadable", "UnreadableError", "plain"]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")


class UnreadableError(ValueError):
    """A text is no record; the message says why, for a person."""


class NotOursError(ValueError):
    """A text is whole and well, and something else than what was asked for: a task among events."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a file that is no record.

    Attributes:
        place: Where it stands, ``"event 3"``.
        reason: Why it could not be read.
        id: Its ``UID``, when that much could be read.
    """

    place: str
    reason: str
    id: str | None = None


class Format(Protocol):
    """How a record is written down."""

    @property
    def type(self) -> str:
        """Media type of a resource."""

    @property
    def suffix(self) -> str:
        """End of a resource's name."""

    @property
    def writable(self) -> frozenset[str]:
        """Dotted paths of a record that can be written."""

    def read(self, text: str) -> dict[str, Any]:
        """The record in a resource, without its address and revision.

        Raises:
            NotOursError: It holds something else.
            UnreadableError: It cannot be read.
        """

    def made(self, uid: str, patch: Mapping[str, Any], now: datetime) -> str:
        """The text of a new record.

        Raises:
            ValueError: A value does not fit; the message says which and why.
        """

    def changed(self, text: str, patch: Mapping[str, Any], now: datetime) -> str:
        """The text with a patch laid over it; what the patch does not name stays as it is.

        Raises:
            ValueError: A value does not fit; the message says which and why.
        """


def plain(value: Any, name: str) -> str:
    """A text that can stand in a line: breaks are line feeds, and nothing in it could begin a line of its own.

    Raises:
        ValueError: It is no text, or holds control characters.
    """
    if not isinstance(value, str):
        raise ValueError(f"{name}: {value!r} is no text")
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    if found := _CONTROL.search(text):
        raise ValueError(f"{name}: it holds the control character {found[0]!r}")
    return text
