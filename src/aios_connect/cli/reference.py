"""The reference pages that are written from the code: ``python -m aios_connect.cli.reference docs/reference [--check]``.

With ``--check`` nothing is written; it is only said which pages do not fit the code any more.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

from aios_connect import errors
from aios_connect.errors import AiosError
from aios_connect.mappings.describing import transforms_page

from . import main
from .index import GROUPS, page

__all__ = ["PAGES", "cli_page", "exit_codes_page", "write"]

_SUBCOMMANDS = {"exceptions": ("show", "settle", "aside")}

_CODES = {
    0: "Everything is fine. A plan that has something to do is fine too.",
    1: "Something unexpected happened. `AIOS_DEBUG=1` shows where.",
    2: "A file, a setting or the command line is wrong, or nobody was there to confirm.",
    3: "A run stopped, or there is something for a person: a write that did not go through, drift, a record that could not be read.",
    4: "The tool said no, did not answer, or has not what was asked for.",
    5: "Somebody else is at work; try later.",
    130: "Stopped by hand. What was done stays done; the same command goes on from there.",
}


def cli_page() -> str:
    """The page of all commands."""
    parts = [
        "# The command line",
        "Written from the code by `make docs`.",
        "stdout is data, stderr is talk (progress, questions, errors). With `--json` a command prints one JSON document, or JSON lines "
        'where the answer is long (`plan`, `read`); stderr then carries JSON lines too: `{"progress": ...}`, `{"error": ..., '
        '"hint": ..., "exit_code": ...}`. Tables fit 80 columns, `COLUMNS` says otherwise; `NO_COLOR` takes the colours away; without '
        "a terminal there are neither colours nor bars. The [exit codes](exit-codes.md) are the same for all commands.",
        _block(page()),
    ]
    for heading, entries in GROUPS.items():
        parts.append(f"## {heading}")
        for entry in entries:
            parts += [f"### aios {entry.name}", _block(_help(entry.name))]
            parts += [_block(_help(entry.name, one)) for one in _SUBCOMMANDS.get(entry.name, ())]
    return "\n\n".join(parts) + "\n"


def exit_codes_page() -> str:
    """The page of exit codes, and which error ends with which."""
    rows = [f"| {code} | {meaning} | {', '.join(_errors_of(code)) or '-'} |" for code, meaning in _CODES.items()]
    parts = [
        "# Exit codes",
        "Written from the code by `make docs`. The names are those of `aios_connect.errors`.",
        "\n".join(["| code | meaning | errors |", "|---|---|---|", *rows]),
        "`aios apply`, `aios run` and `aios undo --apply` end with 3 when any line did not go through, `aios run` also while anything "
        "of its job waits for a person, `aios reconcile` when there is drift, `aios read` when a record could not be read. "
        "`aios check` ends with the highest code of what it found.",
    ]
    return "\n\n".join(parts) + "\n"


def _errors_of(code: int) -> Iterator[str]:
    for name in errors.__all__:
        error = getattr(errors, name)
        assert issubclass(error, AiosError)
        assert error.exit_code in _CODES, f"{name} ends with {error.exit_code}, which is explained nowhere"
        if error.exit_code == code:
            yield f"`{name}`"


def _help(*words: str) -> str:
    shown = io.StringIO()
    with redirect_stdout(shown):
        code = main([*words, "--help"])
    assert code == 0, f"aios {' '.join(words)} --help ended with {code}"
    return "\n".join(line.rstrip() for line in shown.getvalue().strip().splitlines())


def _block(text: str) -> str:
    return f"```text\n{text}\n```"


PAGES = {"cli.md": cli_page, "exit-codes.md": exit_codes_page, "mapping-transforms.md": transforms_page}
"""File -> what is to stand in it."""


def write(folder: Path, *, check: bool) -> int:
    """Write the pages, or only compare them.

    Returns:
        1 if a page that was compared does not fit the code.
    """
    os.environ |= {"COLUMNS": "80", "NO_COLOR": "1"}
    stale = 0
    for name, page_of in PAGES.items():
        path, text = folder / name, page_of()
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"error: {path} does not fit the code\nhint: make docs", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(write(Path(sys.argv[1]), check="--check" in sys.argv[2:]))
