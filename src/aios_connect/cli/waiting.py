"""The screen of what waits for a person, each with the command that settles it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from aios_connect.sync.exceptions import ExceptionItem
from aios_connect.sync.history import Aside

from .phrases import clip, counted, paragraph, short_instant, value_text
from .screen import Answer

__all__ = ["AsideAnswer", "ExceptionsAnswer", "show_exceptions"]

_COLOURS = {"info": "", "warn": "yellow", "high": "red", "critical": "bold red"}


class ExceptionsAnswer(Answer):
    """What waits for a person; or, with the closed ones, what ever did."""

    def __init__(self, items: Sequence[ExceptionItem], *, in_full: bool = False) -> None:
        self.items = list(items)
        self._in_full = in_full

    def document(self) -> Any:
        """The exceptions as they are."""
        return self.items

    def show(self, console: Console) -> None:
        """The exceptions for a person."""
        if not self.items:
            console.print("Nothing waits for a person.", style="green")
        show_exceptions(self.items, console, apart=False)
        if self._in_full:
            for item in self.items:
                _show_details(item, console)


def show_exceptions(items: Sequence[ExceptionItem], console: Console, *, limit: int | None = None, apart: bool = True) -> None:
    """Print open exceptions, the first ``limit`` of them, and how to settle each; ``apart`` from what stands above."""
    for number, item in enumerate(items[:limit]):
        if apart or number:
            console.print()
        head = Text.assemble(
            ("! ", f"bold {_COLOURS[item.severity]}".strip()), (item.id, "bold"), f"  {item.code.replace('_', ' ')}"
        )
        if item.state != "open":
            head.append(f"  {item.state.replace('_', ' ')}", "dim")
        console.print(head)
        paragraph(console, item.summary, indent=4)
        if item.state == "open":
            paragraph(console, _way_out(item), indent=4, style="dim")
    if limit is not None and len(items) > limit:
        console.print(f"\n... and {counted(len(items) - limit, 'more exception')}; aios exceptions lists them", style="dim")


def _way_out(item: ExceptionItem) -> str:
    takes = "|".join(item.choices)
    options = [f"--take {takes}" if takes else "", "--value V" if item.code == "conflict" else "", "--dismiss"]
    *first, last = [option for option in options if option]
    return f"aios exceptions settle {item.id} " + (f"{', '.join(first)} or {last}" if first else last)


def _show_details(item: ExceptionItem, console: Console) -> None:
    facts = {
        "job": item.job,
        "record": item.entity or "",
        "field": item.leaf or "",
        "met": f"{counted(item.occurrences, 'time')}, first {short_instant(item.opened_at)} UTC",
        "decided": f"{_decision(item)}, by {item.resolved_by}" if item.resolution is not None else "",
    }
    facts |= {f"{name} says": value_text(value) for name, value in item.choices.items()}
    width = max(map(len, facts))
    for name, fact in facts.items():
        if fact:
            console.print(f"    {name:<{width}}  {clip(fact, max(console.width - width - 6, 20))}")


def _decision(item: ExceptionItem) -> str:
    """``Director, as office says``; ``Robert``; of a question ``same``; ``dismissed``."""
    take, value = item.resolution.get("take"), item.resolution.get("value")
    if item.state == "dismissed":
        return "dismissed"
    if item.code != "conflict":
        return str(take)
    return f"{value_text(value)}, as {take} says" if take else value_text(value)


class AsideAnswer(Answer):
    """What could not be read as a record."""

    def __init__(self, items: Sequence[Aside]) -> None:
        self.items = list(items)

    def document(self) -> Any:
        """The items as they are."""
        return self.items

    def show(self, console: Console) -> None:
        """Place and reason of each."""
        if not self.items:
            console.print("Everything that was read fits.", style="green")
        for item in self.items:
            console.print(
                Text.assemble((f"{item.connection} {item.place}", "bold"), (f"  met {short_instant(item.at)} UTC", "dim"))
            )
            paragraph(console, item.reason, indent=4)
