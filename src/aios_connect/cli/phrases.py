"""How values, instants and counts are said to a person."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import Any

from rich.console import Console
from rich.text import Text

__all__ = ["clip", "clipped", "counted", "near_path", "paragraph", "short_instant", "value_text"]


def value_text(value: Any) -> str:
    """A canonical value on one line: ``12500 EUR``, ``vip, north``, ``(empty)``."""
    match value:
        case None | "":
            return "(empty)"
        case {"amount": amount, "currency": currency}:
            return f"{amount} {currency}"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(value_text, value)) or "(empty)"
        case dict():
            return ", ".join(f"{name}={value_text(item)}" for name, item in value.items())
    return " ".join(str(value).split())


def short_instant(instant: str | datetime | None) -> str:
    """An instant in UTC to the minute: ``2026-11-21 07:50``. What is none is said as it is."""
    if instant is None:
        return ""
    if isinstance(instant, datetime):
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"
    return f"{instant[:10]} {instant[11:16]}" if instant[10:11] == "T" else instant


def counted(count: int, thing: str, plural: str = "") -> str:
    """``1 record``, ``2 records``."""
    return f"{count:,} {thing if count == 1 else plural or thing + 's'}"


def clip(text: str, width: int) -> str:
    """At most so many characters; what was cut off is marked."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def clipped(text: Text, width: int) -> Text:
    """At most so many columns on one line; what was cut off is marked."""
    text.truncate(width, overflow="ellipsis")
    return text


def near_path(path: Path) -> str:
    """A path as one would type it here: relative, where it lies below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def paragraph(console: Console, text: str, *, indent: int = 0, style: str = "") -> None:
    """Print text in lines as wide as the screen."""
    space = " " * indent
    lines = fill(
        text, console.width, initial_indent=space, subsequent_indent=space, break_long_words=False, break_on_hyphens=False
    )
    console.print(Text(lines, style), soft_wrap=True)
