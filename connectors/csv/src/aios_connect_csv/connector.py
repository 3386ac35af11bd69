"""Sheets as a provider: every CSV file of a folder is an object, every row a record."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from aios_connect.connectors import (
    Auth,
    Change,
    Connector,
    ConnectorSpec,
    Context,
    Cursor,
    FieldInfo,
    Identity,
    ObjectSpec,
    Page,
    Raw,
    Receipt,
    ScanPage,
    Schema,
    Setting,
)
from aios_connect.errors import ConfigError, CursorGoneError, RejectedError, TruncatedError, UnavailableError

from .dialect import DELIMITERS, known_encoding
from .editing import NUMBERED, Edit, missing_columns, widened
from .locking import alone, open_elsewhere
from .records import column_name
from .sheet import PROVISIONAL, RESERVED, Row, Sheet, Spelling
from .writing import Draft

__all__ = ["CSV"]

_TITLES: Final = {"people": "People", "companies": "Companies", "deals": "Deals", "users": "Team"}
_TRIES: Final = 3
_CURSORS: Final = ({"digest", "row"}, {"columns", "rows", "ended"})
"""What the cursor of an unfinished read holds, and that of a finished one."""


class _Objects(Mapping[str, ObjectSpec]):
    """Four objects by name, and any other word as the name of its file: ``suppliers`` is ``suppliers.csv``."""

    def __getitem__(self, name: str) -> ObjectSpec:
        if not name.replace("-", "_").isidentifier() or name.startswith("_"):
            raise KeyError(name)
        return ObjectSpec(
            title=_TITLES.get(name, name.replace("_", " ").replace("-", " ").capitalize()),
            verbs=frozenset({"read", "create", "update", "delete"}),
            id=f"{RESERVED}.id",
            version=f"{RESERVED}.version",
            key=f"{RESERVED}.key",
            conditional="read-compare-write",
            deletes="file",
            page_size=500,
            batch_size=2000,
            lookup_size=2000,
            scan_size=5000,
        )

    def __iter__(self) -> Iterator[str]:
        return iter(_TITLES)

    def __len__(self) -> int:
        return len(_TITLES)


class CSV(Connector):
    """Sheets that people edit. Needs no network and no credentials."""

    spec = ConnectorSpec(
        provider="csv",
        title="CSV",
        docs="https://www.rfc-editor.org/rfc/rfc4180",
        auth=(Auth("none", "Files need no sign-in; the user who runs this must be allowed to read and write them."),),
        settings=(
            Setting("folder", "Folder with the sheets, relative to the project.", required=True),
            *(Setting(name, f"File with the {name}.", default=f"{name}.csv") for name in _TITLES),
            Setting("key", "Column with the id of each row.", default="id"),
            *(Setting(f"{name}_key", f"The same for {name} alone.") for name in _TITLES),
            Setting("encoding", "auto, utf-8, utf-16, cp1252 or another codec of one byte for each character.", default="auto"),
            Setting("dialect", f"auto, {', '.join(DELIMITERS)}.", default="auto"),
            Setting("add_columns", "yes: a column that a change names and the sheet lacks is added.", default="no"),
        ),
        objects=_Objects(),
        proof="real files: property tests over dialects and encodings, kills at every step of a write",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings = context.settings
        self._folder = context.folder / settings.get("folder", ".")
        self._encoding = settings.get("encoding") or "auto"
        self._dialect = settings.get("dialect") or "auto"
        self._add_columns = _yes("add_columns", settings.get("add_columns") or "no")
        if not known_encoding(self._encoding):
            raise ConfigError(f"encoding: {self._encoding!r} is not known", hint="use auto, utf-8, utf-16 or cp1252")
        if self._dialect not in ("auto", *DELIMITERS):
            raise ConfigError(f"dialect: {self._dialect!r} is not known", hint=f"use auto, {', '.join(DELIMITERS)}")

    def check(self) -> Identity:
        """Look at every sheet of the folder; say what cannot be read or written and why."""
        if not self._folder.is_dir():
            raise UnavailableError(
                f"there is no folder {self._folder}", hint="make it, mount it, or correct folder in the settings", provider="csv"
            )
        details, missing = {}, {}
        for object in self._present():
            with self._open(object) as sheet:
                spelled = f"{sheet.encoding.codec}, {_word(sheet.delimiter)}"
                details[sheet.path.name] = f"{_counted(sheet.count)}, {spelled}"
                if sheet.key_at < 0:
                    missing[f"read {object}"] = f"a column {self._key(object)!r} in {sheet.path.name}; aios connect adds it"
                if not os.access(sheet.path, os.W_OK) or not os.access(sheet.path.parent, os.W_OK):
                    missing[f"write {object}"] = f"permission to write {sheet.path.name} and in its folder"
        return Identity(account=str(self._folder), user="this machine", details=details, missing=missing)

    def describe(self, object: str) -> Schema:
        """The columns of a sheet, all of them text."""
        with self._keyed(object) as sheet:
            key = sheet.names[sheet.key_at]
            fields = {name: FieldInfo(name, "text", name, writable=name != key, custom=True) for name in sheet.columns}
            lacking = f"add the column to {sheet.path.name}, or set add_columns = yes"
        for fact, type in {"id": "text", "key": "text", "version": "text", "line": "integer"}.items():
            path = f"{RESERVED}.{fact}"
            fields[path] = FieldInfo(path, "integer" if type == "integer" else "text", f"The row's {fact}", writable=False)
        return Schema(object, fields, open=self._add_columns, lacking=lacking)

    def read(self, object: str, since: Cursor | None = None) -> Iterator[Page]:
        """All rows of one state of the file, in the file's order.

        The cursor of an unfinished read goes on in that same state, and is gone once the file is another. The cursor of a
        finished read starts over, and remembers the sheet's shape: one that lost all rows, a column or its last line end since
        then is not believed.
        """
        since = since or {}
        if since and since.keys() not in _CURSORS:
            raise CursorGoneError("this cursor is not one of this connector", provider="csv", object=object)
        with self._keyed(object) as sheet:
            start = 0
            if "digest" in since:
                if since["digest"] != sheet.digest:
                    raise CursorGoneError(f"{sheet.path.name} was changed while it was read", provider="csv", object=object)
                start = int(since["row"])
            elif since:
                _compare(sheet, since)
            yield from self._pages(sheet, start)

    def lookup(self, object: str, ids: Sequence[str]) -> list[Raw]:
        """Rows by id. A provisional id also finds its row after it was given a key made of that id."""
        wanted = {*ids, *(NUMBERED + id.removeprefix(PROVISIONAL) for id in ids if id.startswith(PROVISIONAL))}
        with self._keyed(object) as sheet:
            return [sheet.record(row) for row in sheet.rows() if not row.fault and row.id in wanted]

    def find(self, object: str, keys: Sequence[str]) -> dict[str, Raw]:
        """Rows by what stands in their key column."""
        wanted = set(keys)
        with self._keyed(object) as sheet:
            return {row.key: sheet.record(row) for row in sheet.rows() if not row.fault and row.key in wanted}

    def scan(self, object: str) -> Iterator[ScanPage]:
        """Every id with its version; a row that is there but cannot be read has no version."""
        size = self.spec.objects[object].scan_size
        with self._keyed(object) as sheet:
            items = ((row.id, "" if row.fault else row.version) for row in sheet.rows() if row.id)
            page = list(islice(items, size))
            while following := list(islice(items, size)):
                yield ScanPage(page, complete=False)
                page = following
            yield ScanPage(page, complete=True)

    def write(self, object: str, changes: Sequence[Change]) -> list[Receipt]:
        """Make the changes in the file as it is now, all of them with one rename.

        Raises:
            UnavailableError: The sheet is open in somebody's editor, or the file keeps changing; nothing was written.
        """
        with self._writing(object):
            for _ in range(_TRIES):
                with self._keyed(object) as sheet:
                    if self._add_columns and (names := missing_columns(sheet, changes)):
                        _replace(sheet, widened(sheet, names))
                        continue
                    edit = Edit(sheet, changes)
                    if _replace(sheet, edit.lines()):
                        return edit.receipts
        raise self._restless(object)

    def calls(self, object: str, changes: Sequence[Change]) -> int:
        """None: a sheet is a file."""
        return 0

    def provision(self) -> list[str]:
        """Give every sheet its key column and every row its key."""
        done = []
        for object in self._present():
            key, name = self._key(object), self._path(object).name
            with self._writing(object), self._open(object) as sheet:
                if sheet.key_at < 0 and key not in map(column_name, sheet.header.cells):
                    if not _replace(sheet, widened(sheet, [key])):
                        raise self._restless(object)
                    done.append(f"{name}: added the column {key!r}")
            with self._keyed(object) as sheet:
                bare = [Change("update", line="", id=row.id) for row in sheet.rows() if not row.key and not row.fault]
            receipts = self.write(object, bare) if bare else []
            if count := sum(receipt.outcome == "written" for receipt in receipts):
                done.append(f"{name}: gave {_counted(count)} a key")
        return done

    @contextmanager
    def _writing(self, object: str) -> Iterator[None]:
        """Nobody else writes the sheet meanwhile, as far as can be known."""
        path = self._path(object)
        with alone(path.resolve().parent, self.context.sleep):
            if editor := open_elsewhere(path):
                raise UnavailableError(
                    f"{path.name} is open in the editor of {editor}; what we write now would be lost when it is saved there",
                    hint="save and close it, then go on; if nobody has it open, remove that lock file",
                    provider="csv",
                    object=object,
                )
            yield

    def _restless(self, object: str) -> UnavailableError:
        return UnavailableError(
            f"{self._path(object).name} is being changed by somebody else again and again",
            hint="try again later; nothing was written",
            provider="csv",
            object=object,
        )

    def _pages(self, sheet: Sheet, start: int) -> Iterator[Page]:
        size, at = self.spec.objects[sheet.object].page_size, start
        problems = [] if start else list(sheet.problems)
        rows = islice(sheet.rows(), start, None)
        while True:
            part: list[Row] = list(islice(rows, size))
            at += len(part)
            complete = at >= sheet.count
            yield Page(
                records=[sheet.record(row) for row in part if not row.fault],
                cursor=_shape(sheet) if complete else {"digest": sheet.digest, "row": at},
                complete=complete,
                quarantined=[*problems, *(sheet.aside(row) for row in part if row.fault)],
                total=sheet.count,
            )
            if complete:
                return
            problems = []

    def _path(self, object: str) -> Path:
        return self._folder / (self.context.settings.get(object) or f"{object}.csv")

    def _key(self, object: str) -> str:
        settings = self.context.settings
        return settings.get(f"{object}_key") or settings.get("key") or "id"

    def _present(self) -> list[str]:
        return [object for object in self.spec.objects if self._path(object).exists()]

    def _open(self, object: str) -> Sheet:
        if object not in self.spec.objects:
            raise ConfigError(f"{object!r} cannot be the name of a sheet", hint="use letters, digits, - and _")
        return Sheet(self._path(object), object, Spelling(self._key(object), self._encoding, self._dialect))

    def _keyed(self, object: str) -> Sheet:
        """The sheet, if its rows can be told apart."""
        sheet = self._open(object)
        if sheet.key_at < 0:
            with sheet:
                key = self._key(object)
                raise RejectedError(
                    f"{sheet.path.name} has no column {key!r} of its own to tell its rows apart; "
                    f"it has {', '.join(map(repr, sheet.columns)) or 'none'}",
                    hint=f"name the column with {object}_key in the settings, or run aios connect to have it added",
                    provider="csv",
                    object=object,
                )
        return sheet


def _replace(sheet: Sheet, lines: Iterator[str]) -> bool:
    """Put new text in the sheet's place; False if the file is another one by now."""
    with Draft(sheet) as draft:
        for text in lines:
            draft.write(text)
        return draft.put_in_place()


def _shape(sheet: Sheet) -> dict[str, Any]:
    return {"columns": sheet.columns, "rows": sheet.count, "ended": sheet.ended}


def _compare(sheet: Sheet, before: Cursor) -> None:
    """Refuse a sheet that lost what a sheet does not lose by being edited."""
    lost = [name for name in before["columns"] if name not in sheet.columns]
    if before["rows"] and not sheet.count:
        what = f"has no rows; it had {before['rows']}"
    elif lost:
        what = f"has no column {', '.join(map(repr, lost))} any more"
    elif before["ended"] and not sheet.ended:
        what = "ends without a line end, which it had before: it may be cut off"
    else:
        return
    raise TruncatedError(
        f"{sheet.path.name} {what}",
        hint="restore it or save it again; if it is meant so, read it from the beginning",
        provider="csv",
        object=sheet.object,
    )


def _counted(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def _word(delimiter: str) -> str:
    return next((word for word, character in DELIMITERS.items() if character == delimiter), repr(delimiter))


def _yes(name: str, value: str) -> bool:
    if value.strip().lower() not in ("yes", "no", "true", "false"):
        raise ConfigError(f"{name}: {value!r} is neither yes nor no", hint=f"write {name} = yes, or leave it out")
    return value.strip().lower() in ("yes", "true")
