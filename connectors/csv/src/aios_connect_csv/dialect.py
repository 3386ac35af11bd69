"""How a sheet is spelled: its encoding and its delimiter, told from the file itself.

Text is decoded so that encoding it again gives the very same bytes, also where bytes make no sense: what is not touched can be
written back as it was.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from .records import column_name, records

__all__ = ["DELIMITERS", "Encoding", "detect_encoding", "known_encoding", "sniff_delimiter"]

DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t"}

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes become text and back.

    Attributes:
        codec: Python's name of the codec, byte order included.
        bom: The byte order mark the file begins with, or nothing.
    """

    codec: str
    bom: bytes = b""

    @property
    def errors(self) -> str:
        """How bytes that are no text travel through text, so that they come out as they went in (PEP 383)."""
        return "surrogatepass" if self.codec.startswith("utf-16") else "surrogateescape"

    def holds(self, text: str) -> bool:
        """Whether the encoding has all characters of a text."""
        try:
            text.encode(self.codec)
        except UnicodeEncodeError:
            return False
        return True


def known_encoding(name: str) -> bool:
    """Whether an encoding can be set: ``auto``, UTF-8, UTF-16, or a codec with one byte for each character."""
    if name in ("auto", "utf-8", "utf-8-sig", "utf-16"):
        return True
    try:
        every = bytes(range(256))
        text = every.decode(name, "surrogateescape")
        return len(text) == len(every) and text.encode(name, "surrogateescape") == every
    except (LookupError, UnicodeError):
        return False


def detect_encoding(file: BinaryIO, wanted: str = "auto") -> Encoding:
    """The encoding of a sheet: by its byte order mark, else as set, else UTF-8 if that explains more lines than Windows-1252.

    Args:
        file: The sheet, at any position; left at any position.
        wanted: ``auto`` or the name of an encoding.
    """
    file.seek(0)
    head = file.read(4)
    for bom, codec in _BOMS:
        if head.startswith(bom):
            return Encoding(codec, bom)
    if wanted == "auto":
        return Encoding(_utf8_or_cp1252(file))
    return Encoding({"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(wanted, wanted))


def _utf8_or_cp1252(file: BinaryIO) -> str:
    """Windows-1252 text is hardly ever UTF-8 by accident: a single line of UTF-8 outweighs a damaged one."""
    utf8 = other = 0
    file.seek(0)
    for line in file:
        if not line.isascii():
            try:
                line.decode("utf-8")
                utf8 += 1
            except UnicodeDecodeError:
                other += 1
    return "utf-8" if utf8 >= other else "cp1252"


def sniff_delimiter(lines: Sequence[str], key: str) -> str:
    """The delimiter under which a sheet makes most sense.

    One that shows the key column beats one that does not; then counts the share of rows with as many cells as the header, then
    the number of columns. A decimal comma in a sheet with semicolons is therefore no delimiter.

    Args:
        lines: The first lines, whole.
        key: Name of the key column.
    """

    def sense(delimiter: str) -> tuple[bool, bool, float, int]:
        rows = [record.cells for record in records(iter(lines), delimiter) if any(record.cells) or record.fault]
        if not rows:
            return (False, False, 0.0, 0)
        header, *body = rows
        fitting = sum(len(cells) == len(header) for cells in body) / len(body) if body else 1.0
        return (column_name(key) in map(column_name, header), len(header) > 1, fitting, len(header))

    return max(DELIMITERS.values(), key=sense)
