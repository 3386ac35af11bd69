"""The two functions that the page names."""

from __future__ import annotations


def read(value: object) -> str | None:
    """The language as we write it."""
    return str(value) if value else None


def write(value: object) -> str | None:
    """The language as the tool writes it."""
    return str(value) if value else None
