"""One command line from its words to its exit code: parse, call, view, and every error as a sentence with a way out."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from cyclopts import App, CycloptsError

from aios_connect.errors import AiosError, ConfigError

from .index import COMMANDS, Entry
from .screen import Screen

__all__ = ["parser", "run"]


def parser(entry: Entry) -> App:
    """The parser of one command; the modules of the others stay unloaded."""
    app = App(name="aios", help_format="plaintext", version_flags=[], result_action="return_value")
    app.command(entry.place, name=entry.name)
    return app


def run(words: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit code: see ``docs/reference/exit-codes.md``.
    """
    screen = Screen(json="--json" in words)
    warnings = _Warnings(screen)
    logging.getLogger("aios_connect").addHandler(warnings)
    try:
        return _call(words, screen)
    except AiosError as error:
        if os.environ.get("AIOS_DEBUG"):
            raise
        screen.fail(error)
        return error.exit_code
    except KeyboardInterrupt:
        screen.fail(AiosError("stopped", hint="what was done stays done; the same command goes on from there"))
        return 130
    except BrokenPipeError:  # the reader of our output left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("AIOS_DEBUG"):
            raise
        screen.fail(_unexpected(error))
        return AiosError.exit_code
    finally:
        logging.getLogger("aios_connect").removeHandler(warnings)


class _Warnings(logging.Handler):
    """Says what the library warns of on the screen's own way: as a JSON line, where JSON is asked for."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.say(f"warning: {record.getMessage()}")


def _call(words: Sequence[str], screen: Screen) -> int:
    entry = _entry(words[0])
    try:
        command, bound, given = parser(entry).parse_args(list(words), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise _wrong_words(error, entry) from error
    if not gc.get_freeze_count():
        gc.freeze()  # what is loaded stays
    gc.enable()
    handed: dict[str, Any] = dict.fromkeys(given, screen)
    answer = command(*bound.args, **bound.kwargs, **handed)
    if answer is None:  # a page of help, printed by the parser
        return 0
    screen.answer(answer)
    return int(answer.exit_code)


def _entry(word: str) -> Entry:
    names = {entry.name: entry for entry in COMMANDS}
    if word in names:
        return names[word]
    near = get_close_matches(word, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "aios --help lists them; options come after the command"
    raise ConfigError(f"there is no command {word!r}", hint=hint)


def _wrong_words(error: CycloptsError, entry: Entry) -> ConfigError:
    message, _, way_out = " ".join(str(error).split()).partition(" Did you mean ")
    hint = f"did you mean {way_out.partition('?')[0]}?" if way_out else f"aios {entry.name} --help explains it"
    return ConfigError(message, hint=hint)


def _unexpected(error: Exception) -> AiosError:
    from aios_connect.connectors.redaction import redact

    return AiosError(
        redact(f"something unexpected happened: {type(error).__name__}: {error}"),
        hint="AIOS_DEBUG=1 shows where; please report it with the steps that lead to it",
    )
