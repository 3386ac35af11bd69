"""Where a command talks: answers on stdout, everything else (progress, questions, errors) on stderr.

stdout is data. With ``--json`` stderr carries JSON lines too, so that a program can follow both.
"""

from __future__ import annotations

import getpass
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console

from aios_connect.errors import AiosError, ConfigError

if TYPE_CHECKING:
    from rich.progress import Progress

from .phrases import paragraph

__all__ = ["Answer", "Lines", "Screen", "as_json"]


class Answer(ABC):
    """What a command found or did: shown to a person, or printed as JSON.

    Attributes:
        exit_code: 0 when all is well; else as ``docs/reference/exit-codes.md`` says.
    """

    exit_code: int = 0

    @abstractmethod
    def document(self) -> Any:
        """The answer as JSON values; of an answer that is :class:`Lines`, all of them."""

    @abstractmethod
    def show(self, console: Console) -> None:
        """The answer for a person."""


class Lines(Answer):
    """An answer that is as long as it likes: with ``--json`` it is printed as JSON lines, one at a time."""

    @abstractmethod
    def lines(self) -> Iterator[Any]:
        """The JSON values, one a line."""

    def document(self) -> Any:
        """All lines."""
        return list(self.lines())


class Screen:
    """The two consoles of one command.

    Args:
        json: Print JSON instead of text.
    """

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self.out = _console(stderr=False)
        self.talk = _console(stderr=True)

    @property
    def interactive(self) -> bool:
        """Somebody sits there who can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.json

    def answer(self, answer: Answer) -> None:
        """Print the answer of a command on stdout."""
        if not self.json:
            answer.show(self.out)
        elif isinstance(answer, Lines):
            for line in answer.lines():
                sys.stdout.write(as_json(line) + "\n")
        else:
            sys.stdout.write(as_json(answer.document()) + "\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Tell the person something on the side."""
        if self.json:
            self._line({"note": text})
        else:
            self._sentence(text)

    def fail(self, error: AiosError) -> None:
        """Say what went wrong, and then the way out."""
        if self.json:
            kind = type(error).__name__
            self._line({"error": str(error), "hint": error.hint, "type": kind, "exit_code": error.exit_code})
            return
        self._sentence(f"error: {error}", style="bold red")
        if error.hint:
            self._sentence(f"hint: {error.hint}")

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on only if the person agrees.

        Args:
            question: What is about to be done.
            yes: It was agreed to on the command line.

        Raises:
            ConfigError: Nobody can be asked, or the person said no.
        """
        if yes:
            return
        if not self.interactive:
            raise ConfigError("nobody is here to confirm this", hint="give --yes to go ahead without a question")
        self.talk.print(f"{question} [y/N] ", end="", style="bold")
        if input().strip().lower() not in ("y", "yes"):
            raise ConfigError("nothing was done", hint="answer y, or give --yes, to go ahead")

    def ask(self, question: str, *, secret: bool = False, default: str = "") -> str:
        """Ask for a line of text; a secret one is not echoed. An empty answer is the default."""
        label = f"{question} [{default}]: " if default else f"{question}: "
        if secret:
            return getpass.getpass(label, stream=sys.stderr)
        self.talk.print(label, end="")
        return input().strip() or default

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[_Bar]:
        """A piece of long work: a bar on a terminal, else a line when it is done."""
        if self.json or not self.talk.is_terminal:
            count = _Bar()
            yield count
            if self.json:
                self._line({"progress": label, "done": count.done, "total": total})
            elif count.done:
                self.talk.print(f"{label}: {count.done:,}")
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.talk, transient=True) as bars:
            yield _Bar(bars, bars.add_task(label, total=total))

    def _sentence(self, text: str, *, style: str = "") -> None:
        """A terminal gets lines that break between words; a pipe the whole sentence, and lines of a file stay as they are."""
        if self.talk.is_terminal and "\n" not in text:
            paragraph(self.talk, text, style=style)
        else:
            self.talk.print(text, style=style, soft_wrap=True)

    def _line(self, value: Any) -> None:
        sys.stderr.write(as_json(value) + "\n")
        sys.stderr.flush()


class _Bar:
    """Counts steps, and moves a bar if there is one."""

    def __init__(self, bars: Progress | None = None, id: Any = None) -> None:
        self.done = 0
        self._bars = bars
        self._id = id

    def advance(self, steps: int = 1) -> None:
        """So many more are done."""
        self.done += steps
        if self._bars is not None:
            self._bars.advance(self._id, steps)


def as_json(value: Any) -> str:
    """One line of JSON. Records, paths and other values know how to become it."""
    return _encoder.encode(value).decode()


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Exception):
        return str(value)
    return str(value) if hasattr(value, "__fspath__") else dict(value)


def _console(*, stderr: bool) -> Console:
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


_encoder = msgspec.json.Encoder(enc_hook=_plain, decimal_format="string")
