"""Reading into a file of JSON lines: one canonical record a line, a checkpoint after every page.

The checkpoint (``<file>.checkpoint``) holds the cursor and the length of the file it belongs to. Killed anywhere, the next export cuts
the file to that length and goes on: no record is lost, none stands twice, at most one page is read again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from aios_connect.connection import Connection
from aios_connect.errors import ConfigError, CursorGoneError, TruncatedError

from .progress import Progress, Silent

__all__ = ["Export", "export"]

_encode = msgspec.json.Encoder(decimal_format="number").encode
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
    report, checkpoint = Export(), path.with_name(path.name + ".checkpoint")
    position, length = _resume(checkpoint, whose)
    report.resumed = length > 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        open(path, "r+b" if report.resumed else "wb") as file,
        open(path.with_name(path.name + ".quarantine"), "ab" if report.resumed else "wb") as aside,
        (progress or Silent()).task(f"exporting {connection.name} {kind}") as task,
    ):
        file.truncate(length)
        file.seek(length)
        get, complete = mapping.get, False
        try:
            for page in connection.connector.read(mapping.object, position):
                fits, problems = [], [_encode(q) for q in page.quarantined]
                for raw in page.records:
                    leaves, wrong = get(raw)
                    if wrong:
                        problems.append(_encode({"raw": raw, "reason": "; ".join(f"{p.leaf}: {p.reason}" for p in wrong)}))
                    else:
                        fits.append(leaves)
                file.write(_lines(fits))
                file.flush()
                if problems:
                    aside.write(b"\n".join(problems) + b"\n")
                    aside.flush()
                _save(checkpoint, {"of": whose, "cursor": page.cursor, "length": file.tell()})
                complete = page.complete
                report.records += len(fits)
                report.quarantined += len(problems)
                report.pages += 1
                task.advance(len(page.records))
        except CursorGoneError:
            checkpoint.unlink(missing_ok=True)
            raise
    if not complete:
        raise TruncatedError(
            f"{connection.name} {mapping.object}: the stream ended without its end marker",
            hint="export again; it goes on where it stopped",
        )
    checkpoint.unlink()
    return report


def _resume(checkpoint: Path, whose: str) -> tuple[dict[str, Any], int]:
    try:
        saved = msgspec.json.decode(checkpoint.read_bytes())
    except FileNotFoundError:
        return {}, 0
    if saved["of"] != whose:
        raise ConfigError(
            f"{checkpoint} belongs to another export ({saved['of']})",
            hint="choose another file, or delete the checkpoint to begin anew",
        )
    return saved["cursor"], int(saved["length"])


def _save(checkpoint: Path, state: dict[str, Any]) -> None:
    temporary = checkpoint.with_name(checkpoint.name + ".new")
    temporary.write_bytes(_encode(state))
    os.replace(temporary, checkpoint)
