"""Who holds something: a name for this process, and whether a process so named has ended."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

__all__ = ["has_ended", "this_process"]


def this_process() -> str:
    """A name for one holder in this process, for a person to read. Two calls give two names."""
    return f"{_place()} process {os.getpid()} {secrets.token_hex(4)}"


def has_ended(owner: str) -> bool:
    """True if the owner was a process of this machine that is no more. Of other machines nothing is known."""
    place, _, rest = owner.partition(" process ")
    number = rest.partition(" ")[0]
    if place != _place() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _place() -> str:
    """The machine; containers may share its name and still number their processes on their own."""
    host = socket.gethostname()[:40]
    try:
        return f"{host} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return host
