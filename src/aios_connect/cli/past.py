"""The screens of the past: the runs, what one run wrote, and why a value is what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from aios_connect.sync import RunItem, Why
from aios_connect.sync.history import Done, Undone

from .phrases import clip, clipped, counted, short_instant, value_text
from .screen import Answer
from .tables import print_table

__all__ = ["RunAnswer", "RunsAnswer", "WhyAnswer"]

_COLOURS = {"done": "green", "running": "cyan", "stopped": "yellow", "failed": "red"}


class RunsAnswer(Answer):
    """The latest runs."""

    def __init__(self, items: Sequence[RunItem]) -> None:
        self.items = list(items)

    def document(self) -> Any:
        """The runs as they are."""
        return self.items

    def show(self, console: Console) -> None:
        """One line a run."""
        if not self.items:
            console.print("Nothing has run yet.")
            return
        rows = [
            (item.id, item.job, item.kind, Text(item.state, _COLOURS.get(item.state, "")), _counts(item)) for item in self.items
        ]
        print_table(console, ("run", "job", "kind", "state", "what it did"), rows, wrap="what it did")


class RunAnswer(Answer):
    """Everything that one run did.

    Args:
        item: The run.
        done: What was done, in order.
        undone: What was not.
        everything: Show all of it.
    """

    def __init__(self, item: RunItem, done: Sequence[Done], undone: Sequence[Undone], *, everything: bool) -> None:
        self.item = item
        self.done = list(done)
        self.undone = list(undone)
        self._shown = None if everything else 20

    def document(self) -> Any:
        """The run, what it did, and what it did not."""
        return {"run": self.item, "done": self.done, "undone": self.undone}

    def show(self, console: Console) -> None:
        """One line a field that was written."""
        item = self.item
        head = Text.assemble((item.id, "bold"), f"  {item.kind} of {item.job}  ", (item.state, _COLOURS.get(item.state, "")))
        console.print(head.append(f"  {short_instant(item.started_at)} UTC"))
        if item.error:
            console.print(Text(f"  {item.error}", "red"))
        console.print(f"  {_counts(item) or 'wrote nothing'}")
        written = [line for line in self.done if line.connection and line.action in ("create", "update", "delete")]
        for line in written[: self._shown]:
            again = f"  taken back by {line.undone_by}" if line.undone_by else ""
            head = Text.assemble(
                f"{line.action} ", (f"{line.kind} {line.connection} {line.object}/{line.id}", "bold"), (again, "dim")
            )
            console.print(clipped(head, console.width))
            for field in line.fields:
                change = f"{value_text(field.get('old'))} -> {value_text(field.get('new'))}"
                console.print(Text(clip(f"    {field['leaf']}  {change}   ({field.get('rule', '')})", console.width)))
        if self._shown is not None and len(written) > self._shown:
            console.print(f"  ... and {counted(len(written) - self._shown, 'more write')}; --all shows them", style="dim")
        for problem in self.undone[: self._shown]:
            console.print(Text.assemble(("! ", "bold red"), f"{problem.line} {problem.outcome}: {problem.reason}"))


class WhyAnswer(Answer):
    """Why one value is what it is."""

    def __init__(self, why: Why) -> None:
        self.why = why

    def document(self) -> Any:
        """All that is known."""
        return self.why

    def show(self, console: Console) -> None:
        """The value, then what each tool says, then its history, the newest first."""
        why = self.why
        console.print(Text.assemble((f"{why.label} {why.leaf}", "bold"), f"  {value_text(why.value)}"))
        origin = ", ".join(part for part in (why.rule, why.source, f"{short_instant(why.at)} UTC" if why.at else "") if part)
        console.print(Text(f"  {origin or 'not agreed yet'}"))
        if why.run:
            console.print(Text(f"  taken over in {why.run}", "dim"))
        if why.sides:
            console.print("\nWhat the tools say")
            width = max(map(len, why.sides))
            for place, value in why.sides.items():
                console.print(Text(clip(f"  {place:<{width}}  {value_text(value)}", console.width)))
        if why.history:
            console.print("\nWhat was done, the newest first")
        for change in why.history:
            line = f"  {short_instant(change.at)}  {change.connection or 'store'}  {value_text(change.old)} -> {value_text(change.new)}"
            back = f"; taken back by {change.undone_by}" if change.undone_by else ""
            console.print(clipped(Text.assemble(line, (f"   ({change.rule or change.action}{back})", "dim")), console.width))


def _counts(item: RunItem) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in item.counts.items() if count)
