"""The screen of a plan: counts and cost first, then each record with a line per field, and at the end what needs a person.

A person reads it in ten seconds, so it shows a few records of each sort and says how many more there are. It is printed while the
plan file is read: memory does not grow with the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from aios_connect.sync.exceptions import ExceptionItem
from aios_connect.sync.jobs import Caps
from aios_connect.sync.plans import FieldChange, Footer, Plan, PlanLine, Price
from aios_connect.sync.reading import ReadReport

from .phrases import clip, clipped, counted, near_path, paragraph, short_instant, value_text
from .screen import Lines
from .waiting import show_exceptions

__all__ = ["PlanAnswer"]

_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "link": ("=", "cyan"),
}
_SORTS = ("create", "update", "delete", "link", "restore", "note")
_DONE_HERE = {"note": "brought up to date", "restore": "put back"}


class PlanAnswer(Lines):
    """A plan that was made or loaded.

    Args:
        plan: The plan file.
        reads: What was read before it was made.
        exceptions: What waits for a person in its job.
        caps: What its job allows.
        everything: Show every record and field.

    Attributes:
        asking: The person is about to be asked, so need not be told how to apply it.
    """

    def __init__(
        self,
        plan: Plan,
        reads: Sequence[ReadReport] = (),
        exceptions: Sequence[ExceptionItem] = (),
        caps: Caps | None = None,
        *,
        everything: bool = False,
    ) -> None:
        self.plan = plan
        self.asking = False
        self.reads = list(reads)
        self.exceptions = list(exceptions)
        self._caps = caps
        self._records = None if everything else 4
        self._fields = None if everything else 8

    def lines(self) -> Iterator[Any]:
        """The lines of the plan file as they are, then where it lies and what waits for a person."""
        with open(self.plan.path, "rb") as file:
            for data in file:
                yield msgspec.Raw(data.rstrip())
        yield {"summary": {"path": str(self.plan.path), "reads": self.reads, "exceptions": self.exceptions}}

    def show(self, console: Console) -> None:
        """The plan for a person."""
        header, footer = self.plan.header, self.plan.footer
        what = f"takes back {header.undoes}" if header.undoes else f"job {header.job}"
        paragraph(console, f"{header.plan}  {what}, made {short_instant(header.at)} UTC", style="bold")
        aside = sum(report.quarantined for report in self.reads)
        if aside:
            console.print(
                f"{counted(aside, 'record')} could not be read and stay as known; aios exceptions aside lists them",
                style="yellow",
            )
        if footer.counts:
            _show_counts(footer, self._caps, console)
        for (action, connection, object), lines in groupby(
            self.plan.lines(), lambda line: (line.action, line.connection, line.object)
        ):
            self._show_group(action, connection, object, lines, console)
        for sentence in footer.skipped:
            console.print(Text(f"cannot be taken back: {sentence}", style="yellow"))
        show_exceptions(self.exceptions, console, limit=None if self._records is None else 6)
        self._show_end(footer, console)

    def _show_group(self, action: str, connection: str, object: str, lines: Iterator[PlanLine], console: Console) -> None:
        if action in _DONE_HERE:
            count = sum(1 for _ in lines)
            console.print(f"\n* {counted(count, 'record')} {_DONE_HERE[action]} in the store; no tool is written to", style="dim")
            return
        hidden = 0
        for number, line in enumerate(lines):
            if number == 0:
                console.print()
            if self._records is not None and number >= self._records:
                hidden += 1
            else:
                self._show_line(line, console)
        if hidden:
            place = f"{connection} {object}".strip()
            console.print(
                f"  ... and {hidden} more to {action}" + (f" in {place}" if place else "") + "; --all shows them", style="dim"
            )

    def _show_line(self, line: PlanLine, console: Console) -> None:
        sign, colour = _SIGNS[line.action]
        place = f"{line.connection} {line.object}".strip() + (f"/{line.id}" if line.id else "")
        head = Text.assemble(
            (sign, f"bold {colour}"), f" {line.action} ", (line.label or line.entity, "bold"), f"  {place or line.kind}"
        )
        shared = _shared(line.fields)
        reason = line.evidence or _note(*shared)
        if reason and len(head) + len(reason) + 4 <= console.width:
            console.print(head.append(f"  ({reason})", "dim"))
        else:
            console.print(clipped(head, console.width))
            if reason:
                paragraph(console, f"({reason})", indent=4, style="dim")
        fields = line.fields if self._fields is None else line.fields[: self._fields]
        width = min(max((len(field.leaf) for field in fields), default=0), 24)
        for field in fields:
            _show_field(field, shared, width, console, new=line.action == "create")
        if len(line.fields) > len(fields):
            console.print(f"    ... and {counted(len(line.fields) - len(fields), 'more field')}; --all shows them", style="dim")

    def _show_end(self, footer: Footer, console: Console) -> None:
        console.print()
        for sentence in footer.over:
            console.print(Text(f"over a cap: {sentence}; apply refuses this plan", style="bold red"))
        if footer.over or self.asking:
            return
        if footer.lines:
            console.print(Text(f"apply it: aios apply {near_path(self.plan.path)}"), soft_wrap=True)
        elif footer.conflicts or footer.reviews:
            console.print("Nothing can be written before a person decides.")
        else:
            console.print("Nothing to do: everything is in step.", style="green")


def _show_counts(footer: Footer, caps: Caps | None, console: Console) -> None:
    console.print()
    names = [*(name for name in footer.counts if name), *([""] if "" in footer.counts else [])]
    width = max((len(name or "store") for name in names), default=0)
    for name in names:
        words = {} if name else _DONE_HERE
        said = "".join(
            f"{footer.counts[name][action]:>6} {words.get(action, action)}"
            for action in _SORTS
            if footer.counts[name].get(action)
        )
        cost = f"   ({counted(footer.calls[name], 'API call')})" if footer.calls.get(name) else ""
        console.print(Text.assemble("  ", (f"{name or 'store':<{width}}", "bold"), said, (cost, "dim")))
    for price in footer.prices.values():
        _show_price(price, console)
    if caps is not None and names:
        sums = {action: sum(counts.get(action, 0) for name, counts in footer.counts.items() if name) for action in _SORTS}
        allowed = {"create": caps.creates, "update": caps.updates, "delete": caps.deletes}
        said = ", ".join(f"{sums[action]} of {most:,} {action}s" for action, most in allowed.items())
        share = f"; at most {caps.share}% of a tool's records" if caps.share < 100 else ""
        paragraph(console, f"caps: {said}{share}", indent=2, style="dim")


def _show_price(price: Price, console: Console) -> None:
    """``hubspot: 12 API calls, 0.01% of ours in a day; 640,200 of 650,000 are left today, 65,000 of them for other tools``."""
    names = " and ".join(price.connections)
    left = max(0, price.daily - price.used)
    kept = min(price.reserve, left)
    said = f"{names}: {counted(price.calls, 'API call')}, {price.share:g}% of ours in a day; {left:,} of {price.daily:,} are left today"
    paragraph(console, said + (f", {kept:,} of them for other tools" if kept else ""), indent=2, style="dim")
    if not price.enough:
        paragraph(
            console,
            "that is more than is left of ours: apply stops when they are used up, and goes on where it stopped",
            indent=2,
            style="yellow",
        )


def _shared(fields: Sequence[FieldChange]) -> tuple[str, str, str]:
    """Rule, source and instant as far as all fields have them in common: said once for the record."""
    if not fields:
        return "", "", ""
    rule, source, at = (
        value if all(getattr(field, name) == value for field in fields) else ""
        for name in ("rule", "source", "at")
        for value in [getattr(fields[0], name)]
    )
    return rule, source, at


def _note(rule: str, source: str, at: str) -> str:
    return ", ".join(part for part in (rule, source, short_instant(at)) if part)


def _show_field(field: FieldChange, shared: tuple[str, str, str], leaf_width: int, console: Console, *, new: bool) -> None:
    """``leaf  old -> new   (what is not said for the whole record)``: values are cut to one line, a reason never is."""
    rule, source, at = shared
    note = _note("" if rule else field.rule, "" if source else field.source, "" if at else field.at)
    tail = f"   ({note})" if note else ""
    name = f"    {field.leaf:<{leaf_width}}  "
    room = console.width - len(name)
    before, after = value_text(field.old), value_text(field.new)
    if new:
        change = Text(clip(after, room), "green")
    else:
        before = clip(before, max((room - 4) // 2, room - 4 - len(after)))
        change = Text.assemble((before, "red"), " -> ", (clip(after, room - 4 - len(before)), "green"))
    beside = len(change) + len(tail) <= room
    console.print(Text.assemble(name, change, (tail if beside else "", "dim")))
    if not beside:
        paragraph(console, f"({note})", indent=6, style="dim")
