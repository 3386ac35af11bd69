"""The screens of what was done: an apply, and the drift a reconcile found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from aios_connect.sync import ApplyReport, Drift, ExceptionItem, ReadReport

from .phrases import clip, clipped, counted, paragraph
from .screen import Answer
from .waiting import show_exceptions

__all__ = ["AppliedAnswer", "DriftAnswer"]

_SHOWN = 12


class AppliedAnswer(Answer):
    """What became of a plan.

    Args:
        plan: Id of the plan.
        report: What apply says; ``None`` if the plan had nothing to do.
        reads: What was read before.
        exceptions: What waits for a person in its job now.
        aside: Records of its connections that cannot be read.
        unattended: Nobody was there: then what waits for a person shows in the exit code, too.
    """

    def __init__(
        self,
        plan: str,
        report: ApplyReport | None,
        reads: Sequence[ReadReport],
        exceptions: Sequence[ExceptionItem],
        aside: int,
        *,
        unattended: bool,
    ) -> None:
        self.plan = plan
        self.report = report
        self.reads = list(reads)
        self.exceptions = list(exceptions)
        self.aside = aside
        done = report is None or report.clean
        self.exit_code = 0 if done and not (unattended and (exceptions or aside)) else 3

    def document(self) -> Any:
        """The report with its counts, and what waits for a person."""
        report = self.report or ApplyReport("", self.plan)
        return {
            "run": report.run or None,
            "plan": self.plan,
            "resumed": report.resumed,
            **report.counts(),
            "troubles": report.troubles,
            "reads": self.reads,
            "exceptions": self.exceptions,
            "set_aside": self.aside,
        }

    def show(self, console: Console) -> None:
        """The report for a person."""
        if self.report is not None:
            _show_report(self.report, console)
        elif self.exceptions:
            console.print("Nothing can be written before a person decides.")
        else:
            console.print("Nothing to do: everything is in step.", style="green")
        if self.aside:
            console.print(f"{counted(self.aside, 'record')} cannot be read; aios exceptions aside lists them", style="yellow")
        show_exceptions(self.exceptions, console, limit=6)
        if self.report is not None and self.report.written:
            console.print(f"\ntake it back: aios undo {self.report.run}", style="dim", soft_wrap=True)


def _show_report(report: ApplyReport, console: Console) -> None:
    again = "  went on where it stopped" if report.resumed else ""
    paragraph(console, f"{report.run}  applied {report.plan}{again}", style="bold")
    counts = {name: count for name, count in report.counts().items() if count and name != "noted"}
    said = "   ".join(f"{count:,} {name}" for name, count in counts.items()) or "nothing to write"
    console.print(f"  {said}", style="green" if report.clean else "")
    if report.noted:
        console.print(f"  {counted(report.noted, 'record')} brought up to date in the store", style="dim")
    for trouble in report.troubles[:_SHOWN]:
        head = Text.assemble(("! ", "bold red"), f"{trouble.outcome} ", (trouble.label, "bold"))
        console.print(clipped(head.append(f"  {trouble.connection}" if trouble.connection else ""), console.width))
        paragraph(console, trouble.reason, indent=4)
    if len(report.troubles) > _SHOWN:
        console.print(f"  ... and {len(report.troubles) - _SHOWN} more; aios runs {report.run} shows them", style="dim")


class DriftAnswer(Answer):
    """How far store and tools are apart.

    Args:
        job: The job.
        drifts: What was found.
        read_again: How many records were read again since, if any were to be.
    """

    def __init__(self, job: str, drifts: Sequence[Drift], read_again: int | None = None) -> None:
        self.job = job
        self.drifts = list(drifts)
        self.read_again = read_again
        self.exit_code = 0 if all(drift.clean for drift in drifts) else 3

    def document(self) -> Any:
        """The drifts with their percentages."""
        return {
            "job": self.job,
            "drifts": [
                {name: getattr(drift, name) for name in Drift.__slots__}
                | {"agreement": round(drift.agreement, 3), "clean": drift.clean}
                for drift in self.drifts
            ],
            **({} if self.read_again is None else {"read_again": self.read_again}),
        }

    def show(self, console: Console) -> None:
        """One line an object; the ids below those that are apart."""
        width = max((len(f"{drift.connection} {drift.object}") for drift in self.drifts), default=0)
        for drift in self.drifts:
            place = f"{drift.connection} {drift.object}"
            listed = f"{drift.agreement:.1f}% agree" if drift.agreement < 100 else "all there"
            agreed = "in step" if drift.clean else f"{listed}, {drift.apart:,} of {drift.compared:,} apart"
            line = f"{place:<{width}}  {drift.there:>7,} there  {drift.here:>7,} here  "
            console.print(Text.assemble(line, (agreed, "green" if drift.clean else "yellow")))
            _ids("not read yet", drift.unknown, console)
            _ids("gone there", drift.vanished, console)
            _ids("changed there", drift.stale, console)
            if drift.apart:
                console.print(f"    {counted(drift.apart, 'linked record')} not as agreed:")
                for id, leaves in list(drift.differing.items())[:_SHOWN]:
                    console.print(Text(clip(f"      {id}: {', '.join(leaves)}", console.width)))
        if self.read_again:
            console.print(f"\n{counted(self.read_again, 'record')} read again, by id")
        if self.exit_code:
            console.print(f"\naios plan {self.job} reads what changed and shows what would bring them in step", style="dim")


def _ids(what: str, ids: Sequence[str], console: Console) -> None:
    if ids:
        more = f" and {len(ids) - _SHOWN:,} more" if len(ids) > _SHOWN else ""
        console.print(Text(f"    {what}: {len(ids):,}: {', '.join(ids[:_SHOWN])}{more}"))
