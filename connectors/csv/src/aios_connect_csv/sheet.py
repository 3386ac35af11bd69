"""One sheet as it stands at one instant: a private copy of the file, surveyed before anything is read from it.

The copy is on disk and every pass streams, so a sheet of any length takes a few megabytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Literal, Self

from aios_connect.connectors import Quarantined, Raw
from aios_connect.errors import ConfigError, NotFoundError, TruncatedError, UnavailableError

from .dialect import DELIMITERS, Encoding, detect_encoding, sniff_delimiter
from .records import Record, column_name, line_end, records

__all__ = ["PROVISIONAL", "RESERVED", "Row", "Sheet", "Spelling", "file_digest"]

RESERVED: Final = "_row"
"""Name in a raw record under which the row's own facts stand: id, key, version and line."""

PROVISIONAL: Final = "new-"
"""What the id of a row without a key begins with, until it gets one."""

_NO_TEXT = re.compile("[\ud800-\udfff]")
_BUCKETS = 256
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Spelling:
    """What the settings say about a file.

    Attributes:
        key: Name of the column with the row's identity.
        encoding: ``auto`` or the name of an encoding.
        dialect: ``auto``, ``comma``, ``semicolon`` or ``tab``.
    """

    key: str = "id"
    encoding: str = "auto"
    dialect: str = "auto"


@dataclass(slots=True)
class Row:
    """One row of the file, whatever it is.

    Attributes:
        kind: ``row``, or what stands around rows: ``header`` (with what is above it) or ``blank``.
        line: Number of its first line, from 1.
        text: Exactly as in the file.
        cells: What the cells say.
        id: The row's id: its key, or a provisional one made of its content; empty when it cannot be told.
        key: The text of the key column; empty in a row that somebody added by hand.
        version: Changes whenever a cell does.
        fault: Why it cannot be read as a record, or an empty string.
    """

    kind: Literal["header", "blank", "row"]
    line: int
    text: str
    cells: list[str]
    id: str = ""
    key: str = ""
    version: str = ""
    fault: str = ""


class Sheet:
    """A snapshot of one file. Use it in a ``with`` statement; it gives its copy back at the end.

    Args:
        path: The file.
        object: The object it holds, for errors.
        spelling: What the settings say.

    Attributes:
        digest: SHA-256 of the file, hexadecimal.
        encoding: How bytes become text.
        delimiter: What stands between cells.
        header: The header's row.
        names: Column names by position; ``None`` where a column has no name, or one that it shares with another.
        key_at: Position of the key column; -1 if there is none.
        count: Rows that are not blank, good and bad.
        ended: The last line has a line end.
        problems: What is wrong with the header.

    Raises:
        NotFoundError: There is no such file.
        UnavailableError: It cannot be opened, or is being written right now.
        TruncatedError: It is unfinished: it ends in the middle of a row, or has no header.
    """

    def __init__(self, path: Path, object: str, spelling: Spelling) -> None:
        self.path = path
        self.object = object
        self.names: list[str | None] = []
        self.key_at = -1
        self.count = 0
        self.ended = True
        self.problems: list[Quarantined] = []
        self._repeated: dict[str, list[int]] = {}
        with ExitStack() as held:
            self._file: BinaryIO = held.enter_context(tempfile.TemporaryFile())
            try:
                self.digest = self._copy()
                self._read_spelling(spelling)
                self._read_header(spelling.key)
                self._survey()
            except UnicodeDecodeError:
                raise self._unfinished("ends in the middle of a character") from None
            self._held = held.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.close()

    @property
    def columns(self) -> list[str]:
        """The columns that can be read, in the file's order."""
        return [name for name in self.names if name is not None]

    def lines(self) -> Iterator[Row]:
        """All of the file, from its first line to its last, cut into rows."""
        header = self.header.line
        for record in self._records():
            if record.line <= header:
                yield self.header if record.line == header else Row("header", record.line, record.text, record.cells)
            elif record.fault or any(map(str.strip, record.cells)):
                yield self._row(record)
            else:
                yield Row("blank", record.line, record.text, record.cells)

    def rows(self) -> Iterator[Row]:
        """The rows below the header that say anything, good and bad."""
        return (row for row in self.lines() if row.kind == "row")

    def record(self, row: Row) -> Raw:
        """A row as a raw record."""
        if self._plain:
            raw: Raw = dict(zip(self.names, row.cells, strict=False))  # type: ignore[arg-type]  # no name is None
        else:
            raw = {name: cell for name, cell in zip(self.names, row.cells, strict=False) if name is not None}
        raw[RESERVED] = {"id": row.id, "key": row.key or None, "version": row.version, "line": row.line}
        return raw

    def aside(self, row: Row) -> Quarantined:
        """A bad row as something to look at."""
        return Quarantined(f"{self.path.name}:{row.line}", row.fault, self._legible(row.text), row.id or None)

    def revised(self, line: int, text: str, cells: list[str]) -> Row:
        """A row as it will be read once it is written."""
        return self._row(Record(line, text, cells))

    def _copy(self) -> str:
        """Copy the file; all of it or nothing."""
        try:
            for _ in range(_TRIES):
                self._file.seek(0)
                self._file.truncate()
                digest = hashlib.sha256()
                with self.path.open("rb") as source:
                    before = os.fstat(source.fileno())
                    while chunk := source.read(1 << 16):
                        digest.update(chunk)
                        self._file.write(chunk)
                    after = os.fstat(source.fileno())
                self._file.flush()
                if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
                    return digest.hexdigest()
        except FileNotFoundError:
            beside = sorted(path.name for path in self.path.parent.glob("*.csv"))
            raise NotFoundError(
                f"there is no file {self.path.name} in {self.path.parent.name or self.path.parent}",
                hint=f"there are {', '.join(beside)}" if beside else "put the sheet there, or say in the settings where it is",
                provider="csv",
                object=self.object,
            ) from None
        except OSError as error:
            raise UnavailableError(
                f"{self.path.name} cannot be opened: {error.strerror}",
                hint="close it where it is open, or permit this user to read it",
                provider="csv",
                object=self.object,
            ) from error
        raise self._unfinished("is being written right now")

    def _read_spelling(self, spelling: Spelling) -> None:
        self.encoding: Encoding = detect_encoding(self._file, spelling.encoding)
        text = self._text()
        first = text.readline()
        said = re.fullmatch(r"sep=([^\"\r\n])[\r\n]*", first)  # Excel's own way to name the delimiter
        if spelling.dialect != "auto":
            self.delimiter = DELIMITERS[spelling.dialect]
        elif said:
            self.delimiter = said[1]
        else:
            sample = [first, *islice(text, 200)]
            self.delimiter = sniff_delimiter(sample if len(sample) < 2 or line_end(sample[-1]) else sample[:-1], spelling.key)
        if "\0" in first:
            raise ConfigError(
                f"{self.path.name} does not look like text",
                hint="if it is UTF-16 without a byte order mark, set encoding = utf-16; else save it as CSV UTF-8",
            )

    def _read_header(self, key: str) -> None:
        header = next(
            (record for record in self._records() if any(map(str.strip, record.cells)) and not record.text.startswith("sep=")),
            None,
        )
        if header is None:
            raise self._unfinished("is empty, it has not even a header")
        self.header = Row("header", header.line, header.text, header.cells)
        names = [column_name(cell) for cell in header.cells]
        often = Counter(names)
        bad = {name for name in often if often[name] > 1 or name in ("", RESERVED) or _NO_TEXT.search(name)}
        self.names = [None if name in bad else name for name in names]
        key = column_name(key)
        self.key_at = self.names.index(key) if key in self.names else -1
        wrong = [f"{often[name]} columns are called {name!r}" for name in often if name and often[name] > 1]
        if RESERVED in often:
            wrong.append(f"no column can be called {RESERVED!r}")
        if _NO_TEXT.search(header.text):
            wrong.append(f"a name has characters that are not {self.encoding.codec}")
        self._wrong_names = wrong
        self._plain = None not in self.names
        self._order = sorted((name, at) for at, name in enumerate(self.names) if name is not None)

    def _survey(self) -> None:
        """Go through the file once: is it whole, which ids come twice, are there cells below no name?"""
        seen = [array("q") for _ in range(_BUCKETS)]
        nameless = {at for at, cell in enumerate(self.header.cells) if not cell.strip()}
        last, cut, filled = self.header, 0, set[int]()
        for record in self._records():
            if record.line <= self.header.line or not (record.fault or any(map(str.strip, record.cells))):
                continue
            last = row = self._row(record, versioned=False)
            self.count += 1
            cut = (cut or record.line) if record.open else (cut if row.fault else 0)
            if row.id:
                mark = hash(row.id)
                seen[mark % _BUCKETS].append(mark)
            filled |= {at for at in nameless if at < len(row.cells) and row.cells[at].strip()}
        self.ended = bool(line_end(last.text))
        if cut:
            raise self._unfinished(f"ends inside a quoted cell that begins in line {cut}")
        if not self.ended and (last.fault or last is self.header):
            raise self._unfinished(f"ends in the middle of line {last.line}")
        wrong = self._wrong_names + [f"column {at + 1} has no name" for at in sorted(filled)]
        if wrong:
            reason = f"{'; '.join(wrong)}: give every column its own name (these columns were left out)"
            place = f"{self.path.name}:{self.header.line}"
            self.problems = [Quarantined(place, reason, self._legible(self.header.text), id="")]  # no row is missing for it
        self._find_repeated(seen)

    def _find_repeated(self, seen: Sequence[array[int]]) -> None:
        suspects = {mark for bucket in seen if len(set(bucket)) < len(bucket) for mark, n in Counter(bucket).items() if n > 1}
        if not suspects:
            return
        places: dict[str, list[int]] = {}
        for row in self.rows():
            if row.id and hash(row.id) in suspects:
                places.setdefault(row.id, []).append(row.line)
        self._repeated = {id: lines for id, lines in places.items() if len(lines) > 1}

    def _row(self, record: Record, versioned: bool = True) -> Row:
        cells, fault, id, key, version = record.cells, record.fault, "", "", ""
        if not fault and len(cells) != len(self.names):
            fault = self._misfit(cells)
        if not fault:
            if self.key_at >= 0:
                key = cells[self.key_at].strip()
            if versioned or not key:
                said = "\x1e".join([f"{name}\x1f{cells[at]}" for name, at in self._order if cells[at]])
                version = hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
            id = key or PROVISIONAL + version
            if not record.text.isascii() and _NO_TEXT.search(record.text):
                fault = f"it has characters that are not {self.encoding.codec}: type them again, or set the file's encoding"
                id = "" if _NO_TEXT.search(id) else id
            elif id in self._repeated:
                fault = self._repetition(id, key, record.line)
        return Row("row", record.line, record.text, cells, id, key, version, fault)

    def _misfit(self, cells: list[str]) -> str:
        if len(cells) > len(self.names) and not any(cells[len(self.names) :]):
            return ""  # delimiters too many at the end hold nothing
        return (
            f"it has {len(cells)} cells where the header has {len(self.names)}: "
            f"look for a missing or spare delimiter, or a quote, and correct the row"
        )

    def _repetition(self, id: str, key: str, line: int) -> str:
        lines = self._repeated[id]
        others = ", ".join(str(other) for other in lines[:6] if other != line)
        if key:
            return f"the key {key!r} stands in line {others}, too: give each row its own, or empty the cell of the newer one"
        if line == lines[0]:
            return ""  # of rows that are alike in all, the first stands for the rest
        return f"it is the same as line {lines[0]} and has no key: remove one of them, or give it a key"

    def _records(self) -> Iterator[Record]:
        return records(iter(self._text()), self.delimiter)

    def _text(self) -> io.TextIOWrapper:
        """The copy as text, from its beginning, line ends as they are."""
        os.lseek(self._file.fileno(), len(self.encoding.bom), os.SEEK_SET)
        return open(self._file.fileno(), encoding=self.encoding.codec, errors=self.encoding.errors, newline="", closefd=False)

    def _legible(self, text: str) -> str:
        """Text with ``\\xe9`` in place of a byte that is none."""
        return (
            text.rstrip("\r\n").encode(self.encoding.codec, self.encoding.errors).decode(self.encoding.codec, "backslashreplace")
        )

    def _unfinished(self, what: str) -> TruncatedError:
        return TruncatedError(
            f"{self.path.name} {what}",
            hint="wait until it is saved, or save it again; nothing was read from it",
            provider="csv",
            object=self.object,
        )


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; an empty text if it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
