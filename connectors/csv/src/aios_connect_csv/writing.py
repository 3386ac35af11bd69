"""Putting a new file in the place of an old one, at once.

The new file is made beside the old one, brought to the disk, and takes its place by a rename. A process that is killed leaves the
old file or the new one, never half of either; what it left beside them goes at the next write.
"""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from aios_connect.errors import UnavailableError

from .sheet import Sheet, file_digest

__all__ = ["Draft"]


class Draft:
    """A new version of a sheet in the making; it goes away unless it is put in place. Needs the folder's lock.

    Args:
        sheet: The sheet as it is now.

    Raises:
        UnavailableError: The folder cannot be written to, or the disk is full.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._target = sheet.path.resolve()  # a link stays a link
        self._text: io.TextIOWrapper | None = None

    def __enter__(self) -> Self:
        target, encoding = self._target, self._sheet.encoding
        try:
            for left in target.parent.glob(f".{target.name}.*.draft"):
                left.unlink()
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".draft", dir=target.parent)
        except OSError as error:
            raise self._refused(error) from error
        self._path = Path(name)
        os.write(handle, encoding.bom)
        self._text = os.fdopen(handle, "w", encoding=encoding.codec, errors=encoding.errors, newline="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._path.unlink(missing_ok=True)
        try:
            if self._text is not None:
                self._text.close()
        except OSError as full:
            raise self._refused(full) from full
        if isinstance(error, OSError):
            raise self._refused(error) from error

    def write(self, text: str) -> None:
        """Add text, line ends as they are."""
        assert self._text is not None
        self._text.write(text)

    def put_in_place(self) -> bool:
        """Take the old file's place, with its permissions; if both are the same, nothing needs to be done.

        Returns:
            False, and nothing is done, if the file is not any more what the sheet was read from.
        """
        assert self._text is not None
        self._text.flush()
        if file_digest(self._path) == self._sheet.digest:
            return True
        handle, old = self._text.fileno(), self._target.stat()
        os.fchmod(handle, old.st_mode & 0o7777)
        new = os.fstat(handle)
        if os.geteuid() == 0:
            os.fchown(handle, old.st_uid, old.st_gid)
        elif new.st_gid != old.st_gid and old.st_gid in os.getgroups():
            os.fchown(handle, -1, old.st_gid)
        os.fsync(handle)
        if file_digest(self._target) != self._sheet.digest:
            return False
        self._path.replace(self._target)
        with suppress(OSError):  # it is in place, whatever becomes of this: not every disk can bring a folder to rest
            folder = os.open(self._target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return True

    def _refused(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            f"{self._target.name} cannot be written: {error.strerror}",
            hint="permit this user to write in its folder, and see that the disk has room; the sheet is as it was",
            provider="csv",
            object=self._sheet.object,
        )
