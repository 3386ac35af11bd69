"""Which mappings were seen to keep the laws, so that a command need not try them anew each time it starts.

A verdict holds for one mapping, one state of this program, and one set of installed packages. It is kept as a digest of all three,
so whatever changes makes it another one, and the laws are tried again. Only a pass is kept. A mapping with Python functions has no
verdict: nobody can tell when their code changes. ``aios check`` asks for no verdict, and tries everything.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from .computed import Function
from .mapping import CompiledMapping

__all__ = ["Verdicts"]

_PACKAGE: Final = Path(__file__).parents[1]
_OURS: Final = ("", "connectors", "mappings", "model")
_REMEMBERED: Final = 256


class Verdicts:
    """The mappings that passed, in a file: one digest a line, the newest last.

    Args:
        file: The file; it is made when the first mapping passes. Where it cannot be read or written, nothing is remembered.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def passed(self, mapping: CompiledMapping) -> bool:
        """Whether this very mapping was seen to keep the laws, by this very program."""
        return _digest(mapping) in self._digests()

    def remember(self, mapping: CompiledMapping) -> None:
        """Keep that a mapping passed. Of two processes that do so at once one may be forgotten, and tries again next time."""
        if (digest := _digest(mapping)) is None:
            return
        digests = [*self._digests(), digest][-_REMEMBERED:]
        being_written = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):
            being_written.write_text("".join(f"{one}\n" for one in digests), encoding="ascii")
            being_written.replace(self._file)

    def _digests(self) -> list[str]:
        try:
            return self._file.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            return []


def _digest(mapping: CompiledMapping) -> str | None:
    if any(isinstance(field.transform, Function) for field in mapping.fields.values()):
        return None
    return sha256(f"{mapping.digest} {_surroundings()}".encode()).hexdigest()


@cache
def _surroundings() -> str:
    """A digest of what else the laws depend on: our own code that takes part, the interpreter, all packages that are installed."""
    found = sha256(sys.version.encode())
    for file in (file for folder in _OURS for file in sorted(Path(_PACKAGE, folder).glob("*.py"))):
        found.update(f"{file.relative_to(_PACKAGE)}\n".encode())
        found.update(file.read_bytes())
    packages = {place.name for folder in sys.path for place in Path(folder).glob("*.dist-info")}
    found.update("\n".join(sorted(packages)).encode())
    return found.hexdigest()
