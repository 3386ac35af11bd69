"""Changes to a sheet: which row each one means, whether it may be made, and the text that comes of it.

Only the cells that change are spelled anew; every other character stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from aios_connect.connectors import Change, Receipt
from aios_connect.errors import RejectedError

from .records import LONGEST, column_name, line_end, quoted, spans
from .sheet import PROVISIONAL, RESERVED, Row, Sheet

__all__ = ["NUMBERED", "Edit", "missing_columns", "widened"]

NUMBERED: Final = "row-"
"""What a key begins with that we gave to a row which had none; the rest is that of its provisional id."""


def missing_columns(sheet: Sheet, changes: Iterable[Change]) -> list[str]:
    """Columns that the changes name and the sheet's header does not."""
    there = {column_name(cell) for cell in sheet.header.cells}
    return list(dict.fromkeys(name for change in changes for name in change.patch if name not in there))


def widened(sheet: Sheet, names: Sequence[str]) -> Iterator[str]:
    """The sheet's text with more columns behind its last one, empty.

    Raises:
        RejectedError: A row does not fit the header; with a column more it might seem to.
    """
    more = "".join(sheet.delimiter + quoted(name, sheet.delimiter) for name in names)
    for row in sheet.lines():
        if row is sheet.header:
            yield _before_line_end(row.text, more)
        elif row.kind == "row":
            if len(row.cells) != len(sheet.names):
                raise RejectedError(
                    f"{sheet.path.name}:{row.line}: {row.fault or 'it ends with a spare delimiter'}",
                    hint="correct the row; then the sheet can have another column",
                    provider="csv",
                    object=sheet.object,
                )
            yield _before_line_end(row.text, sheet.delimiter * len(names))
        else:
            yield row.text


class Edit:
    """Changes to one sheet, and what becomes of them.

    Args:
        sheet: The sheet as it is now.
        changes: What to do.
    """

    def __init__(self, sheet: Sheet, changes: Sequence[Change]) -> None:
        self.sheet = sheet
        self._changes = changes
        self._receipts: dict[int, Receipt] = {}
        self._at = {name: at for at, name in enumerate(sheet.names) if name is not None}
        self._targets: dict[str, list[int]] = {}
        self._keys: dict[str, int] = {}
        self._new: dict[int, Row] = {}
        for at, change in enumerate(changes):
            if change.action == "create":
                self._prepare(at, change)
            else:
                self._targets.setdefault(change.id or "", []).append(at)
        self._taken, self._renamed = self._look_for_numbers()
        self._always = self._columns_in_quotes()

    @property
    def receipts(self) -> list[Receipt]:
        """One receipt per change, in their order, once :meth:`lines` is read to its end."""
        return [self._receipts[at] for at in range(len(self._changes))]

    def lines(self) -> Iterator[str]:
        """The new text of the sheet, row by row."""
        shift, line, last = 0, 1, ""
        for row in self.sheet.lines():
            text = row.text
            if row.kind == "row":
                if row.key in self._keys:
                    self._already_there(self._keys[row.key], row)
                target = self._renamed.get(row.id, row.id)
                if target in self._targets:
                    text = self._changed(target, row, shift)
                    shift += _line_ends(text) - _line_ends(row.text)
            if text:
                line, last = row.line + shift + _line_ends(text), text
                yield text
        for id, waiting in self._targets.items():
            for at in waiting:
                self._receipts.setdefault(at, self._gone(self._changes[at], id))
        yield from self._appended(line, last)

    def _prepare(self, at: int, change: Change) -> None:
        values, why = self._values(change.patch, change.key or "")
        if not why and change.key in self._keys:
            why = f"another change of this batch has the key {change.key!r}, too"
        if why:
            self._receipts[at] = Receipt("rejected", reason=why)
            return
        if change.key:
            self._keys[change.key] = at
        cells = [""] * len(self.sheet.names)
        for column, value in {**values, self.sheet.key_at: change.key or ""}.items():
            cells[column] = value
        self._new[at] = self.sheet.revised(0, "", cells)

    def _changed(self, target: str, row: Row, shift: int) -> str:
        """The row's text after the changes that name it; empty if it goes."""
        text, now = row.text, row
        for at in self._targets[target]:
            change = self._changes[at]
            if not text:
                self._receipts[at] = self._gone(change, row.id)
            elif row.fault:
                place = f"{self.sheet.path.name}:{row.line}"
                self._receipts[at] = Receipt("rejected", row.id, reason=f"{place}: {row.fault}")
            elif self._moved_on(change, now):
                self._receipts[at] = self._unchanged_or_conflict(change, now)
            elif change.action == "delete":
                self._receipts[at] = Receipt("written", row.id)
                text = ""
            else:
                now = self._updated(at, change, now, row.line + shift)
                text = now.text
        return text

    def _updated(self, at: int, change: Change, row: Row, line: int) -> Row:
        values, why = self._values(change.patch, row.key)
        if why:
            self._receipts[at] = Receipt("rejected", row.id, row.version, reason=why)
            return row
        values = {column: value for column, value in values.items() if row.cells[column] != value}
        if not row.key:
            values[self.sheet.key_at] = change.key or self._number(row.version)
        if not values:
            self._receipts[at] = Receipt("unchanged", row.id, row.version, self.sheet.record(row))
            return row
        cells = [values.get(column, cell) for column, cell in enumerate(row.cells)]
        fresh = self.sheet.revised(line, self._spelled(row.text, values), cells)
        self._receipts[at] = Receipt("written", fresh.id, fresh.version, self.sheet.record(fresh))
        return fresh

    def _appended(self, line: int, last: str) -> Iterator[str]:
        """The new rows, behind everything that is there; the last line keeps its line end, or its lack of one."""
        end, ended = line_end(self.sheet.header.text) or "\n", bool(line_end(last))
        for at, row in self._new.items():
            if at in self._receipts:
                continue
            cells = row.cells
            if not row.key:
                cells[self.sheet.key_at] = self._number(row.version)
            body = self.sheet.delimiter.join(
                quoted(cell, self.sheet.delimiter, column in self._always) for column, cell in enumerate(cells)
            )
            text = body + end if ended else end + body
            fresh = self.sheet.revised(line if ended else line + 1, text, cells)
            line += _line_ends(text)
            self._receipts[at] = Receipt("written", fresh.id, fresh.version, self.sheet.record(fresh))
            yield text

    def _values(self, patch: Mapping[str, Any], key: str) -> tuple[dict[int, str], str]:
        """Texts by column; or why the patch cannot be written."""
        values, name = {}, self.sheet.path.name
        for column, value in patch.items():
            at = self._at.get(column)
            if at is None:
                return {}, f"{name} has no column {column!r} of its own: add it to the header, or set add_columns = yes"
            text = "" if value is None else str(value)
            if not isinstance(value, str | int | None) or isinstance(value, bool):
                return {}, f"{column}: a cell holds text, not {type(value).__name__}: let the mapping make text of it"
            if at == self.sheet.key_at and text != key:
                return {}, f"{column} holds the keys of the rows, which never change: make it read-only in the mapping"
            if len(text) > LONGEST:
                return {}, f"{column}: a cell holds {LONGEST} characters, not {len(text)}"
            if not self.sheet.encoding.holds(text):
                return (
                    {},
                    f"{column}: {name} is {self.sheet.encoding.codec}, which has not all of these characters: save it as UTF-8",
                )
            values[at] = text
        return values, ""

    def _moved_on(self, change: Change, row: Row) -> bool:
        """Whether the row is not any more as the change expects it."""
        if change.version and change.version != row.version:
            return True
        record = self.sheet.record(row)
        expected = {column: value for column, value in change.expect.items() if column != RESERVED}  # where it stands may change
        return any((record.get(column) or "") != ("" if value is None else str(value)) for column, value in expected.items())

    def _unchanged_or_conflict(self, change: Change, row: Row) -> Receipt:
        """Somebody was there before us; if it was to the same end, all is well."""
        record = self.sheet.record(row)
        if change.action == "update" and row.key:
            values, why = self._values(change.patch, row.key)
            if not why and all(row.cells[column] == value for column, value in values.items()):
                return Receipt("unchanged", row.id, row.version, record)
        return Receipt("conflict", row.id, row.version, current=record, reason="the row was changed since it was read")

    def _already_there(self, at: int, row: Row) -> None:
        """A row with the key of a create: an earlier try made it."""
        new = self._new[at]
        if row.fault:
            self._receipts[at] = Receipt("rejected", row.id, reason=f"{self.sheet.path.name}:{row.line}: {row.fault}")
        elif all(cell == row.cells[column] for column, cell in enumerate(new.cells) if cell):
            self._receipts[at] = Receipt("unchanged", row.id, row.version, self.sheet.record(row))
        else:
            reason = "a row with this key is there already, and says something else"
            self._receipts[at] = Receipt("conflict", row.id, row.version, current=self.sheet.record(row), reason=reason)

    def _gone(self, change: Change, id: str) -> Receipt:
        if change.action == "delete":
            return Receipt("unchanged", id or None, reason="the row was gone already")
        return Receipt("conflict", id or None, reason=f"there is no row {id!r} in {self.sheet.path.name} any more")

    def _spelled(self, text: str, values: Mapping[int, str]) -> str:
        """A row's text with some cells anew, each in quotes if it was, or if its column is."""
        delimiter, places = self.sheet.delimiter, spans(text, self.sheet.delimiter)
        for column in sorted(values, reverse=True):
            start, end = places[column]
            always = text[start:end].startswith('"') or column in self._always
            text = text[:start] + quoted(values[column], delimiter, always) + text[end:]
        return text

    def _columns_in_quotes(self) -> set[int]:
        """Columns whose cells are all in quotes, as far as the first rows tell."""
        seen, bare = set[int](), set[int]()
        for row in islice(self.sheet.rows(), 200):
            if not row.fault:
                for column, (start, end) in enumerate(spans(row.text, self.sheet.delimiter)):
                    if start < end:
                        (seen if row.text[start] == '"' else bare).add(column)
        return seen - bare

    def _look_for_numbers(self) -> tuple[set[str], dict[str, str]]:
        """Keys like those we may have to give; and rows we gave one since they were read: key -> the id they are asked for by."""
        bare = {id.removeprefix(PROVISIONAL) for id in self._targets if id.startswith(PROVISIONAL)}
        wanted = bare | {row.version for row in self._new.values() if not row.key}
        taken = set[str]()
        if wanted:
            for row in self.sheet.rows():
                if not row.key:
                    bare.discard(row.version)
                if row.key.startswith(NUMBERED) and row.key.split("-")[1] in wanted:
                    taken.add(row.key)
        return taken, {NUMBERED + version: PROVISIONAL + version for version in bare}

    def _number(self, version: str) -> str:
        """A key that no row has, for a row with this version."""
        key, count = NUMBERED + version, 1
        while key in self._taken:
            count += 1
            key = f"{NUMBERED}{version}-{count}"
        self._taken.add(key)
        return key


def _before_line_end(text: str, more: str) -> str:
    end = line_end(text)
    return text[: len(text) - len(end)] + more + end


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
