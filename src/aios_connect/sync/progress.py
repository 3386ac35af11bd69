"""How long work tells how far it is. The command line draws bars from it; elsewhere it is silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["Progress", "Silent", "Task"]


class Task(Protocol):
    """One piece of work under way."""

    def advance(self, steps: int = 1) -> None:
        """So many more are done."""


class Progress(Protocol):
    """Somebody who wants to know."""

    def task(self, label: str, total: int | None = None) -> AbstractContextManager[Task]:
        """A piece of work begins; ``total`` steps if that is known."""


class _Nothing:
    def advance(self, steps: int = 1) -> None:
        """Nobody listens."""


class Silent:
    """Nobody wants to know."""

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Task]:
        """A task that nobody watches."""
        yield _Nothing()
