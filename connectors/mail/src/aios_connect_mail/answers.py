"""What IMAP answers look like on the wire, taken apart: lists of words and literals, and names of folders (RFC 3501, 5.1.3 and 9)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

__all__ = ["Part", "atoms", "from_wire", "number", "quoted", "to_wire"]

Part: TypeAlias = "bytes | tuple[bytes, bytes]"
"""A piece of an answer as ``imaplib`` gives it: text, or text with the literal that follows it."""

_WORD: Final = re.compile(rb'\s*(\(|\)|"(?:[^"\\]|\\.)*"|[^\s()"\[]*\[[^\]]*\](?:<\d+>)?|[^\s()"]+)', re.DOTALL)
_LITERAL: Final = re.compile(rb"\{\d+\+?\}$")
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_SHIFTED: Final = re.compile(r"&([^-]*)-")
_NOT_PLAIN: Final = re.compile(r"[^\x20-\x7e]+")


def atoms(parts: Iterable[Part | None]) -> Iterator[list[Any]]:
    """The answers among the pieces, each as a list: words and literals as bytes, ``NIL`` as ``None``, what is in parentheses as a list.

    Raises:
        ValueError: A piece is no answer.
    """
    stack: list[list[Any]] = [[]]
    for part in parts:
        if part is None:
            continue
        text, literal = (_LITERAL.sub(b"", part[0]), part[1]) if isinstance(part, tuple) else (part, None)
        place = 0
        while match := _WORD.match(text, place):
            place = match.end()
            word = match[1]
            if word == b"(":
                stack.append([])
            elif word == b")":
                if len(stack) == 1:
                    raise ValueError(f"a parenthesis too many: {text[:80]!r}")
                inner = stack.pop()
                stack[-1].append(inner)
            elif word.startswith(b'"'):
                stack[-1].append(_ESCAPE.sub(rb"\1", word[1:-1]))
            else:
                stack[-1].append(None if word.upper() == b"NIL" else word)
        if text[place:].strip():
            raise ValueError(f"not an answer: {text[place : place + 80]!r}")
        if literal is not None:
            stack[-1].append(literal)
        elif len(stack) == 1 and stack[0]:
            yield stack[0]
            stack = [[]]
    if len(stack) > 1 or stack[0]:
        raise ValueError("an answer ended within a list")


def number(value: Any) -> int:
    """A number.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, list) and len(value) == 1:  # MODSEQ (12)
        value = value[0]
    if not isinstance(value, bytes) or not value.isdigit():
        raise ValueError(f"not a number: {value!r}")
    return int(value)


def to_wire(name: str) -> str:
    """The name of a folder as IMAP writes it, quoted: ``Entwürfe`` as ``"Entw&APw-rfe"``."""
    return quoted(_NOT_PLAIN.sub(_shift, name.replace("&", "&-")).encode("ascii")).decode("ascii")


def quoted(name: bytes) -> bytes:
    """A name as it came, quoted."""
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def from_wire(name: bytes) -> str:
    """The name of a folder as people see it; one that is written wrongly stays as it is."""
    text = name.decode("utf-8", "surrogateescape")
    try:
        return _SHIFTED.sub(_unshift, text).encode("utf-8").decode("utf-8")
    except ValueError:
        return name.decode("utf-8", "backslashreplace")


def _shift(match: re.Match[str]) -> str:
    coded = binascii.b2a_base64(match[0].encode("utf-16-be"), newline=False).rstrip(b"=").replace(b"/", b",").decode()
    return f"&{coded}-"


def _unshift(match: re.Match[str]) -> str:
    if not match[1]:
        return "&"
    coded = match[1].replace(",", "/")
    return binascii.a2b_base64(coded + "=" * (-len(coded) % 4), strict_mode=True).decode("utf-16-be")
