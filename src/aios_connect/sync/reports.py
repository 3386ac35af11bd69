"""What became of a plan, line by line counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from .plans import PlanLine

__all__ = ["ApplyReport", "LineReport"]


@dataclass(frozen=True, slots=True)
class LineReport:
    """A line that did not simply go through."""

    line: str
    action: str
    connection: str
    label: str
    outcome: str
    reason: str


@dataclass(slots=True)
class ApplyReport:
    """What became of a plan.

    Attributes:
        run: The run's id, for ``aios undo``.
        plan: The plan's id.
        written: Vendor writes that were done.
        unchanged: Writes that had nothing left to do.
        conflict: Refused, because the record changed since the plan was made.
        rejected: Refused by the vendor.
        ambiguous: Sent, outcome unknown.
        skipped: Not sent, because what they rest on was not done.
        noted: Steps in our own store.
        resumed: It went on with a run that had been stopped.
        troubles: Every line that did not go through.
    """

    run: str
    plan: str
    written: int = 0
    unchanged: int = 0
    conflict: int = 0
    rejected: int = 0
    ambiguous: int = 0
    skipped: int = 0
    noted: int = 0
    resumed: bool = False
    troubles: list[LineReport] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Everything went through."""
        return not self.troubles

    def count(self, line: PlanLine, outcome: str, reason: str) -> None:
        """One line more, with what became of it."""
        if line.local and outcome in ("written", "unchanged"):
            self.noted += 1
        else:
            setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome not in ("written", "unchanged"):
            self.troubles.append(LineReport(line.line, line.action, line.connection, line.label, outcome, reason))

    def counts(self) -> dict[str, int]:
        """The numbers, for the run's row."""
        names = ("written", "unchanged", "conflict", "rejected", "ambiguous", "skipped", "noted")
        return {name: getattr(self, name) for name in names}
