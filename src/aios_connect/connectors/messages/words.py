"""Header values: raw bytes and encoded words (RFC 2047) to text."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Final

from .texts import clean, decoded, one_line

__all__ = ["Note", "unfolded", "untold", "unworded"]

Note = Callable[[str], None]
"""Takes what was wrong and what was done about it."""

_WORD: Final = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?\r\n]*)\?=")
_BETWEEN: Final = re.compile(r"(?<=\?=)\s+(?==\?[^?\s]{1,80}\?[bBqQ]\?)")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")


def untold(problem: str) -> None:
    """The note of who does not want to be told: what was wrong is told elsewhere, or to nobody."""


def unfolded(value: str, note: Note) -> str:
    """A header as it stands in the message (bytes beyond ASCII as half characters) on one line; encoded words stay."""
    text = value
    if not value.isascii():
        data = value.encode("utf-8", "surrogateescape")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text, _ = decoded(data, "windows-1252")
            note("a header with bytes that are not UTF-8 was read as windows-1252")
    return clean(text.replace("\r\n", "").replace("\n", "").replace("\t", " ")).strip()


def unworded(text: str, note: Note) -> str:
    """The text with its encoded words decoded. Neighbours in one character set are joined before they are decoded."""
    if "=?" not in text:
        return one_line(text)
    text = _BETWEEN.sub("", text)
    pieces: list[str] = []
    run, charset, end = b"", "", 0
    for word in _WORD.finditer(text):
        name = word[1].partition("*")[0].lower()
        if run and (word.start() != end or name != charset):
            pieces.append(_said(run, charset, note))
            run = b""
        pieces.append(text[end : word.start()])
        run, charset, end = run + _bytes(word[2], word[3], note), name, word.end()
    if run:
        pieces.append(_said(run, charset, note))
    pieces.append(text[end:])
    return one_line("".join(pieces))


def _said(data: bytes, charset: str, note: Note) -> str:
    text, problem = decoded(data, charset)
    if problem:
        note(f"header: {problem}")
    return text


def _bytes(encoding: str, text: str, note: Note) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return _HEX.sub(lambda found: bytes([int(found[1], 16)]), raw.replace(b"_", b" "))
    try:
        return b64decode(raw + b"=" * (-len(raw) % 4))
    except (binascii.Error, ValueError):
        note("an encoded word that is not base64 was kept as it stands")
        return raw
