"""The commands that keep tools in step: plan, apply, run, undo, reconcile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aios_connect.connection import Connection
from aios_connect.errors import ConfigError, NotFoundError
from aios_connect.project import Project
from aios_connect.store import Store
from aios_connect.sync import (
    Job,
    PlanSummary,
    ReadReport,
    apply_plan,
    load_plan,
    make_plan,
    make_undo,
    open_exceptions,
    read_job,
    runs,
)
from aios_connect.sync import reconcile as reconcile_job
from aios_connect.sync.catching_up import catch_up
from aios_connect.sync.history import set_aside
from aios_connect.sync.planning import new_id

from .done import AppliedAnswer, DriftAnswer
from .filing import file_away, unfinished
from .phrases import near_path
from .planned import PlanAnswer
from .screen import Answer, Screen
from .words import All, Common, OnScreen, Switch

__all__ = ["apply", "plan", "reconcile", "run", "undo"]


@dataclass(frozen=True, slots=True)
class _Work:
    """One job with all that it needs."""

    project: Project
    job: Job
    connections: Mapping[str, Connection]
    store: Store
    screen: Screen

    def read(self, *, everything: bool = False) -> list[ReadReport]:
        """Read what changed in the tools, or all there is."""
        id = new_id("run", self.project.now(), f"read {self.job.job}")
        return read_job(
            self.job, self.connections, self.store, run=id, now=self.project.now, progress=self.screen, everything=everything
        )

    def plan(self, out: Path | None = None) -> PlanSummary:
        """Make a plan of what the store knows."""
        path = out or self.project.plans / f"{self.job.job}.jsonl"
        made = make_plan(self.job, self.connections, self.store, path, now=self.project.now, progress=self.screen)
        return made if out else file_away(made, self.store)

    def undo(self, run: str, out: Path | None = None) -> PlanSummary:
        """Make the plan that takes a run back."""
        path = out or self.project.plans / f"undo-{self.job.job}.jsonl"
        made = make_undo(run, self.job, self.connections, self.store, path, now=self.project.now, progress=self.screen)
        return made if out else file_away(made, self.store)

    @property
    def unfinished(self) -> Path | None:
        """The plan file of an apply that was stopped half-way."""
        return unfinished(self.project.plans, self.job.job, self.store)

    def shown(self, summary: PlanSummary, reads: list[ReadReport], *, everything: bool = False) -> PlanAnswer:
        """A plan as the person sees it."""
        waiting = open_exceptions(self.store, job=self.job.job)
        return PlanAnswer(load_plan(summary.path), reads, waiting, self.job.caps, everything=everything)

    def apply(self, path: Path, reads: Sequence[ReadReport] = (), *, unattended: bool = False) -> AppliedAnswer:
        """Do what a plan says; a plan that says nothing leaves no run behind."""
        plan, report = load_plan(path), None
        if plan.footer.lines:
            report = apply_plan(
                path, self.job, self.connections, self.store, now=self.project.now, progress=self.screen, unattended=unattended
            )
        aside = sum(item.connection in self.job.connections for item in set_aside(self.store))
        waiting = open_exceptions(self.store, job=self.job.job)
        return AppliedAnswer(plan.header.plan, report, reads, waiting, aside, unattended=unattended)


def _work(project: Project, name: str, screen: Screen) -> _Work:
    job = project.job(name)
    return _Work(project, job, project.connections_of(job), project.store(), screen)


def plan(
    job: str,
    /,
    *,
    out: Path | None = None,
    read: bool = True,
    everything: All = False,
    common: Common = Common(),
    screen: OnScreen,
) -> Answer:
    """Read, compare, and show what would be written where, and why.

    Nothing is written to any tool. The plan lies in a file, and aios apply
    does exactly what stands in it.

    Args:
        job: Name of a job, as in sync/jobs/JOB.yaml.
        out: Where the plan file goes; .aios/plans in the project, if not given, which keeps the last 20 of a job.
        read: Read what changed first; --no-read plans from what the store knows.
        everything: Show every record and every field.
        common: What every command takes.
        screen: Handed in.
    """
    with Project.find(common.project) as project:
        work = _work(project, job, screen)
        reads = work.read() if read else []
        return work.shown(work.plan(out), reads, everything=everything)


def apply(
    plan: str,
    /,
    *,
    yes: Switch = False,
    everything: All = False,
    common: Common = Common(),
    screen: OnScreen,
) -> Answer:
    """Write exactly what a plan shows.

    With the file of a plan: that plan; one that was stopped half-way goes on
    where it stopped. With the name of a job: read and plan first. The plan is
    shown and you are asked; where nobody can be asked, --yes is needed.

    Args:
        plan: A plan file, or the name of a job.
        yes: Go ahead without asking.
        everything: Show every record and every field of the plan.
        common: What every command takes.
        screen: Handed in.
    """
    path = Path(plan)
    with Project.find(common.project) as project:
        if plan not in project.jobs and (path.suffix == ".jsonl" or path.exists()):
            made = load_plan(path)
            work = _work(project, made.header.job, screen)
            _agree(PlanAnswer(made, caps=work.job.caps, everything=everything), screen, yes=yes)
            return work.apply(path)
        work = _work(project, plan, screen)
        if (stopped := work.unfinished) is not None:
            raise ConfigError(
                "an apply of this job was stopped half-way", hint=f"finish it first: aios apply {near_path(stopped)}"
            )
        reads = work.read()
        summary = work.plan()
        if not summary.empty:
            _agree(work.shown(summary, reads, everything=everything), screen, yes=yes)
        return work.apply(summary.path, reads)


def run(job: str, /, *, common: Common = Common(), screen: OnScreen) -> Answer:
    """Read, plan and apply within the job's caps; for a scheduler.

    Nobody is asked. A run that was stopped half-way is finished first. A plan
    over a cap is left for a person. It ends with 3 while anything of the job
    waits for a person.

    Args:
        job: Name of a job.
        common: What every command takes.
        screen: Handed in.
    """
    with Project.find(common.project) as project:
        work = _work(project, job, screen)
        if (stopped := work.unfinished) is not None:
            screen.say(f"finishing {stopped.name}, which was stopped half-way")
            work.apply(stopped, unattended=True)
        reads = work.read()
        return work.apply(work.plan().path, reads, unattended=True)


def undo(
    run: str,
    /,
    *,
    out: Path | None = None,
    apply: Switch = False,
    yes: Switch = False,
    everything: All = False,
    common: Common = Common(),
    screen: OnScreen,
) -> Answer:
    """Plan the way back from a run.

    What people changed since stays as they made it. The way back is itself a
    plan: look at it, then apply it, or give --apply at once.

    Args:
        run: Id of the run, as aios runs shows it.
        out: Where the plan file goes.
        apply: Apply the plan.
        yes: Go ahead without asking.
        everything: Show every record and every field.
        common: What every command takes.
        screen: Handed in.
    """
    with Project.find(common.project) as project:
        found = runs(project.store(), id=run)
        if not found:
            raise NotFoundError(f"there is no run {run}", hint="aios runs lists the runs")
        work = _work(project, found[0].job, screen)
        reads = work.read()
        summary = work.undo(run, out)
        shown = PlanAnswer(load_plan(summary.path), reads, caps=work.job.caps, everything=everything)
        if not apply:
            return shown
        _agree(shown, screen, yes=yes)
        return work.apply(summary.path, reads)


def reconcile(
    job: str,
    /,
    *,
    read_again: Switch = False,
    read_all: Switch = False,
    common: Common = Common(),
    screen: OnScreen,
) -> Answer:
    """Compare the store with the tools and show the drift.

    In percent and by id. No tool is changed.

    Args:
        job: Name of a job.
        read_again: Ask for what is apart by its id and store it: also what no read finds, because no change was announced.
        read_all: Read everything from the beginning first: some changes leave no trace in the listing that is compared, such as
            another company of a HubSpot contact. Takes as many calls as the first read.
        common: What every command takes.
        screen: Handed in.
    """
    with Project.find(common.project) as project:
        work = _work(project, job, screen)
        if read_all:
            work.read(everything=True)
        drifts = reconcile_job(work.job, work.connections, work.store, now=project.now, progress=screen)
        count = catch_up(drifts, work.connections, work.store, now=project.now) if read_again else None
        return DriftAnswer(job, drifts, count)


def _agree(shown: PlanAnswer, screen: Screen, *, yes: bool) -> None:
    """Show what is about to be done and ask. A plan over a cap is not asked about: apply refuses it."""
    shown.asking = True
    if not screen.json:
        shown.show(screen.talk)
    if shown.plan.header.undoes or not shown.plan.footer.over:
        screen.confirm("Write this?", yes=yes)
