"""Bytes to text: character sets as they are named, and as they are meant.

Names are read as the WHATWG Encoding Standard reads them (https://encoding.spec.whatwg.org/#names-and-labels): ``iso-8859-1`` is
in truth windows-1252, ``gb2312`` is GB 18030, and so on. Senders mean the wider set, and the wider set reads the narrow one alike.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

__all__ = ["clean", "decoded", "one_line"]

_MEANT: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "hz",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
}
"""Python's name of a codec -> the one that is meant."""

_ALSO: Final = {
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "cp-850": "cp850",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "x-gbk": "gb18030",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-euc-jp": "euc_jp",
    "x-big5": "big5hkscs",
    "windows-874": "cp874",
    "dos-874": "cp874",
    "iso-8859-1-windows-3.1-latin-1": "cp1252",
    "ansi_x3.110-1983": "cp1252",
    "iso-2022-jp-ms": "iso2022_jp_ext",
}
"""Names that mail uses and Python does not know."""

_NOT_FOR_TEXT: Final = set(
    "base64 bz2 hex quopri rot13 uu zlib idna punycode unicode-escape raw-unicode-escape undefined mbcs oem".split()
)
"""Codecs of Python's that are no character sets."""
_HARMFUL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")


def decoded(data: bytes, charset: str | None) -> tuple[str, str]:
    """The text in some bytes.

    Args:
        data: The bytes, after the transfer encoding was undone.
        charset: What the message calls their character set, or ``None``.

    Returns:
        The text, and a note: empty, or what had to be done to get one.
    """
    name = (charset or "").strip().strip("\"'").lower()
    codec = _codec(name or "ascii")
    if codec:
        try:
            if codec == "cp1252":
                return _western(data, name)
            return clean(data.decode(codec)), ""
        except (UnicodeError, LookupError):
            pass
    try:
        return clean(data.decode("utf-8")), f"text said to be in {name[:40]!r} was read as UTF-8"
    except UnicodeDecodeError:
        pass
    read = codec or "cp1252"
    return clean(data.decode(read, "replace")), f"characters that are none in {(name or read)[:40]!r} were replaced"


def _western(data: bytes, name: str) -> tuple[str, str]:
    """ASCII and Latin-1: what is UTF-8 beyond doubt is UTF-8, whatever it is called."""
    if data.isascii():
        return clean(data.decode("ascii")), ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
        if "\ufffd" in text:
            return clean(text), f"characters that are none in {(name or 'windows-1252')[:40]!r} were replaced"
        return clean(text), "" if "8859" in name or "latin" in name else "bytes beyond ASCII were read as windows-1252"
    return clean(text), f"text said to be in {name[:40]!r} was read as UTF-8" if name else ""


def _codec(name: str) -> str | None:
    known = _ALSO.get(name, name)
    try:
        codec = codecs.lookup(known).name
    except (LookupError, ValueError):
        return None
    return None if codec in _NOT_FOR_TEXT else _MEANT.get(codec, codec)


def clean(text: str) -> str:
    """A text that every database and file can keep: line feeds only, no half characters, no control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _HARMFUL.sub(lambda found: "\ufffd" if found[0] >= "\ud800" else "", text)


def one_line(text: str) -> str:
    """A text with every run of white space as one space."""
    return " ".join(text.split())
