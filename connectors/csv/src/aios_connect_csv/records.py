"""A sheet's text cut into records: each with its exact text, its line number and its cells (RFC 4180).

A record is one row; it may span several lines when a quoted cell does. What cannot be cut is set aside line by line, so that one
stray quote does not swallow the rest of the sheet.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["LONGEST", "Record", "column_name", "line_end", "quoted", "records", "spans"]

LONGEST = csv.field_size_limit()
"""Characters a cell can have: Python's limit for a field."""

_TOO_LONG = f"a cell here has more than {LONGEST} characters, or its quote is not closed"


@dataclass(slots=True)
class Record:
    """One row as it stands in the file.

    Attributes:
        line: Number of its first line, from 1.
        text: Exactly as in the file, its line end included.
        cells: What the cells say; empty where they cannot be told apart.
        fault: Why the cells cannot be told apart, or an empty string.
        open: A quote opened here is not closed anywhere below.
    """

    line: int
    text: str
    cells: list[str]
    fault: str = ""
    open: bool = False


class _Feed:
    """Lines for :mod:`csv`, which remember what was taken and can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.ended = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            try:
                line = next(self._lines)
            except StopIteration:
                self.ended = True
                raise
        self.taken.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))


def records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    """Cut lines into records.

    Args:
        lines: Lines with their ends, as a file opened with ``newline=""`` gives them.
        delimiter: What stands between cells.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    number, doubtful = 1, 0
    while True:
        feed.taken = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            first, *rest = feed.taken
            feed.give_back(rest)
            doubtful = max(doubtful, number + len(feed.taken))
            why = _TOO_LONG if "limit" in str(error) else "a quote here is not closed, or goes on after it closed"
            yield Record(number, first, [], why, feed.ended)
            number += 1
            continue
        text = feed.taken[0] if len(feed.taken) == 1 else "".join(feed.taken)
        record = Record(number, text, cells)
        if number < doubtful and _stray_quote(text, delimiter):
            record.fault = "it may belong to the row above it, which has a quote too many or too few"
        yield record
        number += len(feed.taken)


def spans(text: str, delimiter: str) -> list[tuple[int, int]]:
    """Where the cells of one record stand in its text, quotes included."""
    pattern, found, at = _cell(delimiter), [], 0
    while True:
        match = pattern.match(text, at)
        assert match is not None  # the pattern matches nothing, too
        found.append(match.span())
        at = match.end()
        if text[at : at + 1] != delimiter:
            return found
        at += 1


def quoted(value: str, delimiter: str, always: bool = False) -> str:
    """A cell's text for a value: in quotes where it must be, or always."""
    if always or any(character in value for character in (delimiter, '"', "\r", "\n")):
        return '"' + value.replace('"', '""') + '"'
    return value


def column_name(cell: str) -> str:
    """A column's name as mappings spell it: a dot in a path leads into a record, so ``Tel.`` is ``Tel``; blanks are single."""
    return " ".join(cell.replace(".", " ").split())


def line_end(text: str) -> str:
    """The line end a text ends with, or nothing."""
    return next((end for end in ("\r\n", "\n", "\r") if text.endswith(end)), "")


def _stray_quote(text: str, delimiter: str) -> bool:
    return any('"' in text[start:end] and text[start] != '"' for start, end in spans(text, delimiter))


@lru_cache
def _cell(delimiter: str) -> re.Pattern[str]:
    end = re.escape(delimiter)
    return re.compile(rf'"[^"]*(?:""[^"]*)*"|[^"\r\n{end}][^\r\n{end}]*|')
