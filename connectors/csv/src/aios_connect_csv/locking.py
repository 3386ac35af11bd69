"""Who may write a sheet just now: one process of ours at a time, and none while an editor has it open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aios_connect.errors import UnavailableError

__all__ = ["alone", "open_elsewhere"]

_TRIES = 100
_PAUSE = 0.1


@contextmanager
def alone(folder: Path, sleep: Callable[[float], None]) -> Iterator[None]:
    """Hold the folder's lock: no other process of ours writes a sheet in it. It ends with the process, however that ends.

    Raises:
        UnavailableError: Another process held it for ten seconds, or this system has no such locks.
    """
    try:
        import fcntl
    except ImportError:
        raise UnavailableError(
            "sheets can only be written on a system with POSIX file locks", hint="run this on Linux or macOS", provider="csv"
        ) from None
    handle = os.open(folder, os.O_RDONLY)
    try:
        for attempt in range(_TRIES):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == _TRIES - 1:
                    raise UnavailableError(
                        f"another run is writing sheets in {folder.name}",
                        hint="wait until it is done, then go on",
                        provider="csv",
                    ) from None
                sleep(_PAUSE)
        yield
    finally:
        os.close(handle)


def open_elsewhere(path: Path) -> str:
    """In whose editor a sheet is open, told from the lock files that LibreOffice and Excel put beside it; empty if nowhere."""
    for file in dict.fromkeys((path, path.resolve())):  # an editor knows a file by the name it was opened by, a link's or its own
        for name in (f".~lock.{file.name}#", f"~${file.name}", f"~${file.stem}.xlsx"):
            if (lock := file.with_name(name)).exists():
                return f"{_owner(lock)} ({lock.name})"
    return ""


def _owner(lock: Path) -> str:
    """LibreOffice writes ``full name,login,host,date,folder`` into its lock file; Excel the name, after its length."""
    text = lock.read_bytes()[:200].decode("utf-8", "ignore")
    if lock.name.startswith(".~lock."):
        return next((part.strip() for part in text.split(",")[:3] if part.strip()), "somebody")
    return "".join(character for character in text[1:] if character.isprintable()).strip() or "somebody"
