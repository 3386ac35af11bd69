"""The command ``aios``: parse -> call -> view.

A command parses its words, calls the project, and returns an answer; :mod:`~aios_connect.cli.program` shows the answer to a person
or prints it as JSON. The page of ``aios --help`` is plain text made from the table of commands, so that it needs no library.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from .index import page

__all__ = ["main"]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code (``docs/reference/exit-codes.md``).

    Args:
        words: The command line without the program's name; that of this process, if not given.
    """
    words = list(sys.argv[1:] if words is None else words)
    if words in ([], ["--help"], ["-h"]):
        print(page())
        return 0
    gc.disable()  # to start is to load modules, many objects and no garbage; the program collects once it has its command
    try:
        from .program import run

        return run(words)
    except ModuleNotFoundError as missing:
        if missing.name not in ("cyclopts", "rich"):
            raise
        print(
            f"error: the command line needs the package {missing.name}\nhint: pip install 'aios-connect[engine]'", file=sys.stderr
        )
        return 2
    finally:
        gc.enable()
