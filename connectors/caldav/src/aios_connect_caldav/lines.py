"""The lines of a vCard: folded and unfolded, encoded and decoded, each kept as it was written.

A line is ``group.NAME;PARAM=value:value`` (RFC 6350, 3.3). vCard 2.1 also writes parameters without a name (``TEL;CELL:...``), values in
quoted-printable that go over several lines, and base64 that ends with an empty line.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

__all__ = ["Line", "escaped", "joined", "lines_of", "parts_of", "unescaped"]

_LINE: Final = re.compile(
    r'(?:(?P<group>[\w-]+)\.)?(?P<name>[\w-]+)(?P<params>(?:;(?:"[^"]*"|[^":;])*)*):(?P<value>.*)', re.DOTALL
)
_PARAM: Final = re.compile(r';((?:"[^"]*"|[^";])*)')
_LONGEST: Final = 75
_ENCODINGS: Final = frozenset({"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        text: As it was written, its folds and breaks among it, without the last break.
        name: Its property, in capitals; empty for what is no line.
        params: Its parameters as written, ``TYPE=CELL``.
        value: Its value as written, unfolded.
        head: All before the value.
    """

    text: str
    name: str = ""
    params: tuple[str, ...] = ()
    value: str = ""
    head: str = ""

    @classmethod
    def parsed(cls, text: str, whole: str) -> Self:
        """A line from its text and its unfolded text; what has not the form of a line is kept and means nothing."""
        found = _LINE.fullmatch(whole)
        if found is None:
            return cls(text)
        params = tuple(_PARAM.findall(found["params"]))
        return cls(text, found["name"].upper(), params, found["value"], whole[: found.start("value")])

    @classmethod
    def of(cls, name: str, value: str, kind: str = "") -> Self:
        """A new line, of vCard 3.0 or 4.0."""
        head = f"{name};TYPE={kind}:" if kind else f"{name}:"
        return cls.parsed(_folded(head + value), head + value)

    @classmethod
    def opaque(cls, text: str) -> Self:
        """A line that is kept and means nothing."""
        return cls(text)

    def with_value(self, value: str) -> Self:
        """The same line with another value, as text: its group and parameters stay, what they say of its form does not."""
        head = "".join(f";{param}" for param in self.params if not _forms(param))
        group = f"{self.head.partition('.')[0]}." if re.match(r"[\w-]+\.", self.head) else ""
        whole = f"{group}{self.name}{head}:{value}"
        return type(self).parsed(_folded(whole), whole)

    @property
    def types(self) -> set[str]:
        """The types it names, in small letters: ``TYPE=work,voice``, or as 2.1 has them, ``;WORK;VOICE``."""
        found: set[str] = set()
        for param in self.params:
            name, equals, value = param.partition("=")
            if not equals:
                found.add(name.strip().lower())
            elif name.strip().upper() == "TYPE":
                found |= {kind.strip().strip('"').lower() for kind in value.strip('"').split(",")}
        return found

    @property
    def decoded(self) -> str:
        """The value with its transfer encoding undone."""
        told = {param.strip().upper() for param in self.params}
        if not told & {"QUOTED-PRINTABLE", "ENCODING=QUOTED-PRINTABLE"}:
            return self.value
        charset = next(
            (param.partition("=")[2].strip() for param in self.params if param.upper().startswith("CHARSET=")), "utf-8"
        )
        raw = quopri.decodestring(self.value.encode("utf-8", "replace"))
        try:
            return raw.decode(charset, "replace")
        except LookupError:
            return raw.decode("utf-8", "replace")


def lines_of(text: str | bytes) -> Iterator[Line]:
    """The lines of a file, folded ones put together. Bytes are UTF-8, or else what Western Europe used before."""
    whole = _decoded(text) if isinstance(text, bytes) else text
    pending: list[str] = []
    for row in re.split(r"\r\n|\n|\r", whole.removeprefix("\ufeff")):
        if pending and _goes_on(pending, row):
            pending.append(row)
            continue
        if pending:
            yield _line(pending)
        pending = [row] if row.strip() else []
    if pending:
        yield _line(pending)


def joined(lines: Iterable[Line]) -> str:
    """Lines as a file."""
    return "".join(f"{line.text}\r\n" for line in lines)


def parts_of(value: str, separator: str) -> list[str]:
    """The parts of a value of several, unescaped: an escaped separator separates nothing."""
    if not value:
        return []
    parts = re.findall(rf"((?:\\.|[^\\{separator}])*)(?:{separator}|$)", value + separator, re.DOTALL)
    return [unescaped(part).strip() for part in parts[:-1]]


def unescaped(value: str) -> str:
    """Text as people see it."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value, flags=re.DOTALL)


def escaped(value: str) -> str:
    """Text as it stands in a line."""
    return re.sub(r"([\\;,])", r"\\\1", value).replace("\n", "\\n")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _goes_on(pending: list[str], row: str) -> bool:
    if row[:1] in (" ", "\t"):
        return True
    return pending[-1].endswith("=") and _is_quoted_printable(pending[0])


def _is_quoted_printable(first: str) -> bool:
    head = first.partition(":")[0].upper()
    return "QUOTED-PRINTABLE" in head


def _line(rows: list[str]) -> Line:
    whole = rows[0]
    for row in rows[1:]:
        if whole.endswith("=") and _is_quoted_printable(rows[0]):
            whole = whole[:-1] + row.lstrip(" \t")
        else:
            whole += row[1:]
    return Line.parsed("\r\n".join(rows), whole)


def _forms(param: str) -> bool:
    """It says how the value is written: encoded, in another character set, or as ``tel:`` and a number (RFC 6350, 6.4.1)."""
    name, equals, value = param.partition("=")
    named = name.strip().upper()
    a_uri = named == "VALUE" and value.strip().strip('"').upper() == "URI"
    return a_uri or named in ("ENCODING", "CHARSET") or (not equals and named in _ENCODINGS)


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets, none of which ends within a character (RFC 6350, 3.2)."""
    pieces, piece, size = [], "", 0
    for character in line:
        width = len(character.encode("utf-8"))
        if size + width > _LONGEST:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += width
    return "\r\n".join([*pieces, piece])
