"""The reference pages that are written from the code: ``python -m aios_connect.cli.reference docs/reference [--check]``.

With ``--check`` nothing is written; it is only said which pages do not fit the code any more.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import get_args

from aios_connect import errors
from aios_connect.connection import shipped_mappings
from aios_connect.connectors.registry import available
from aios_connect.connectors.registry import load as find
from aios_connect.errors import AiosError
from aios_connect.mappings.describing import transforms_page
from aios_connect.model import KINDS, Leaf, LeafType, leaves

from . import main
from .connector_page import connector_page
from .index import GROUPS, page

__all__ = ["PAGES", "cli_page", "exit_codes_page", "model_page", "write"]

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

_FORMS: Mapping[LeafType, str] = {
    "text": '`"Ann"`',
    "integer": "`12`",
    "boolean": "`true`, `false`",
    "decimal": '`"12500"`, `"0.5"`: text, no exponent, no trailing zeros',
    "money": '`{"amount": "12500", "currency": "EUR"}`: an exact amount, and its currency (ISO 4217)',
    "date": '`"2026-11-21"`: a calendar day, without a time zone',
    "instant": '`"2026-11-21T07:50:35Z"`: UTC; six fractional digits when they are not zero',
    "list": '`["vip", "north"]`: texts',
    "phone": '`"+442079460958;ext=12"`: E.164; `"raw:..."` for what is no number',
    "email": '`"Ann@example.org"`: the domain in lower case; `"raw:..."` for what is no address',
    "choice": 'one of the codes; `"raw:..."` for a word that no table translates',
    "reference": '`"party.party:42"` or `"?name=Acme"` as read; the id of our own entity once it is matched',
    "any": "any of these forms",
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
        "`aios check` ends with the highest code of what it found, `aios connect` with 4 while a right is missing, `aios map` with 2 when "
        "the record does not fit.",
    ]
    return "\n\n".join(parts) + "\n"


def model_page() -> str:
    """The page of the canonical model: every kind with its leaves, their types and meanings."""
    forms = [f"| {name} | {_FORMS[name]} |" for name in get_args(LeafType)]
    parts = [
        "# The canonical model",
        "Written from the code by `make docs`. A mapping names these leaves at its left; `custom.<name>` is there on every kind, of "
        "type `any`. Of every leaf, absent means not known and never written, null means empty.",
        "\n".join(["| type | form |", "|---|---|", *forms]),
    ]
    for kind, record in KINDS.items():
        rows = [
            f"| `{leaf.name}` | {leaf.type}{f' to {leaf.to}' if leaf.to else ''} | {_meaning(leaf)} |"
            for leaf in leaves(kind).values()
        ]
        about = (record.__doc__ or "").strip().splitlines()[0]
        parts += [f"## {kind}", about, "\n".join(["| leaf | type | meaning |", "|---|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


def _meaning(leaf: Leaf) -> str:
    codes = ", ".join(f"`{code}`" for code in leaf.choices)
    return leaf.meaning + (f" One of {codes}." if codes else "")


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


def _page_of(provider: str) -> str:
    return connector_page(find(provider).spec)


def _block(text: str) -> str:
    return f"```text\n{text}\n```"


PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "exit-codes.md": exit_codes_page,
    "mapping-transforms.md": transforms_page,
    "model.md": model_page,
    **{
        f"connectors/{provider}.md": partial(_page_of, provider)
        for provider in available()
        if shipped_mappings(provider).is_dir()
    },
}
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
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"error: {path} does not fit the code\nhint: make docs", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(write(Path(sys.argv[1]), check="--check" in sys.argv[2:]))
