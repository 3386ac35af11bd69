"""Reading into a file of JSON lines: one canonical record a line, a checkpoint after every page.

The checkpoint (``<file>.checkpoint``) gets a line a page: the cursor after it, and how long the files were then. Killed anywhere, the
next export cuts the files to the lengths of the last whole line and goes on: no record is lost, none stands twice, at most one page
is read again.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from aios_connect.connection import Connection
from aios_connect.errors import ConfigError, CursorGoneError, TruncatedError

from .progress import Progress, Silent

__all__ = ["Export", "export"]

_lines = msgspec.json.Encoder(decimal_format="number").encode_lines


@dataclass(slots=True)
class Export:
    """What an export brought.

    Attributes:
        records: Records written by this call.
        quarantined: Records that did not fit their mapping; they stand in ``<file>.quarantine``, one JSON object a line.
        pages: Pages read.
        resumed: It went on with one that had been stopped.
    """

    records: int = 0
    quarantined: int = 0
    pages: int = 0
    resumed: bool = False


def export(connection: Connection, kind: str, path: Path, *, progress: Progress | None = None) -> Export:
    """Read all records of a kind into a file of JSON lines; leaves as in :mod:`aios_connect.model`.

    Args:
        connection: Where to read.
        kind: What to read.
        path: The file. With a checkpoint beside it, the export goes on; a finished one is made anew.
        progress: Who wants to know.

    Raises:
        ConfigError: The checkpoint belongs to something else.
        TruncatedError: The stream ended without its end marker. What came is in the file; run it again to go on.
    """
    mapping = connection.mapping(kind)
    whose = f"{connection.name}/{mapping.object}/{mapping.digest}"
    quarantine, checkpoint = (path.with_name(f"{path.name}.{end}") for end in ("quarantine", "checkpoint"))
    position, lengths = _resume(whose, path, quarantine, checkpoint)
    report, get, complete = Export(resumed=lengths != (0, 0, 0)), mapping.get, False
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            task = stack.enter_context((progress or Silent()).task(f"exporting {connection.name} {kind}"))
            file, aside, places = (
                stack.enter_context(_cut(of, length)) for of, length in zip((path, quarantine, checkpoint), lengths, strict=True)
            )
            for page in connection.connector.read(mapping.object, position):
                fits: list[Any] = []
                problems: list[Any] = list(page.quarantined)
                for raw in page.records:
                    leaves, wrong = get(raw)
                    if wrong:
                        problems.append({"raw": raw, "reason": "; ".join(f"{p.leaf}: {p.reason}" for p in wrong)})
                    else:
                        fits.append(leaves)
                _add(file, fits)
                _add(aside, problems)
                _add(places, [{"of": whose, "cursor": page.cursor, "lengths": (file.tell(), aside.tell())}])
                complete = page.complete
                report.records += len(fits)
                report.quarantined += len(problems)
                report.pages += 1
                task.advance(len(page.records))
    except CursorGoneError:
        checkpoint.unlink()
        raise
    if not complete:
        raise TruncatedError(
            f"{connection.name} {mapping.object}: the stream ended without its end marker",
            hint="export again; it goes on where it stopped",
        )
    checkpoint.unlink()
    return report


def _resume(whose: str, path: Path, quarantine: Path, checkpoint: Path) -> tuple[dict[str, Any], tuple[int, int, int]]:
    """The cursor after the last page that was noted, and the lengths of the three files then; nothing without such a page."""
    last, whole = b"", 0
    if checkpoint.exists():
        with open(checkpoint, "rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    last, whole = line, whole + len(line)
    if not last:
        return {}, (0, 0, 0)
    saved = msgspec.json.decode(last)
    if saved["of"] != whose:
        raise ConfigError(
            f"{checkpoint} belongs to another export ({saved['of']})",
            hint="choose another file, or delete the checkpoint to begin anew",
        )
    kept, aside = saved["lengths"]
    if any(not of.exists() or of.stat().st_size < length for of, length in ((path, kept), (quarantine, aside))):
        return {}, (0, 0, 0)  # somebody took the file away
    return saved["cursor"], (kept, aside, whole)


def _cut(path: Path, length: int) -> IO[bytes]:
    """The file, open at its end, with so many bytes of what it had."""
    file = open(path, "r+b" if length else "wb")
    file.truncate(length)
    file.seek(length)
    return file


def _add(file: IO[bytes], items: list[Any]) -> None:
    if items:
        file.write(_lines(items))
        file.flush()
