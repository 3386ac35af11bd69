"""Apply: exactly the plan, and nothing else.

Work is cut into short transitions: *intend* (committed), one vendor call, *settle* (committed). Killed between two of them, the
next apply of the same plan looks up what it finds intended and goes on. A record that changed since the plan was made is refused,
here before it is sent and by the connector before it is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection as Transaction

from aios_connect.connection import Connection
from aios_connect.connectors.contract import Change, Receipt
from aios_connect.errors import AiosError, AmbiguousWriteError, PlanStaleError, ProviderError, SyncError
from aios_connect.model.canonical import instant_text
from aios_connect.store import Store
from aios_connect.store.records import entities_by_id, loads, records_by_id, records_of

from .catching_up import read_again
from .effects import (
    creations_sent,
    effects_of,
    forget_creations,
    forget_intentions,
    has_loose_ends,
    intend,
    sent_leaves,
    settle_effects,
    unfound_creations,
    unintend,
)
from .exceptions import raise_exception, resolve_exceptions
from .holding import Hold
from .jobs import Job
from .lookups import look_up
from .merging import Leaves
from .noting import Entry, journal, settle_links, settle_notes
from .paths import overlaid
from .planning import mapping_digests, new_id
from .plans import Plan, PlanLine, load_plan
from .progress import Progress, Silent, Task
from .proposing import expected
from .reports import ApplyReport
from .restoring import settle_restore
from .runs import begin_run, end_run, pause_job, paused_by, release_job, unfinished_run
from .settling import judged, settle_write
from .subjects import seen_digest

__all__ = ["apply_plan"]

_LOCAL_CHUNK = 500
_LOCAL_REASON = {
    "link": "the record changed since the plan was made",
    "note": "the store knows more than the plan did",
    "restore": "a part of it could not be taken back, so the store keeps its story",
}


def apply_plan(
    path: Path,
    job: Job,
    connections: Mapping[str, Connection],
    store: Store,
    *,
    now: Callable[[], datetime],
    progress: Progress | None = None,
    unattended: bool = False,
) -> ApplyReport:
    """Do what a plan says; go on with it if it was begun.

    Args:
        path: The plan file.
        job: The job it belongs to.
        connections: The job's connections.
        store: The store the plan was made from.
        now: The clock.
        progress: Who wants to know.
        unattended: No person has seen the plan; refused while the job is paused by an undo.

    Raises:
        PlanStaleError: Job or mappings changed since it was made, or the file was.
        SyncError: It breaks a cap; the job is paused; or a vendor failed half-way (``run`` names the run; applying again goes on).
    """
    plan = load_plan(path)
    _guard_plan(plan, job, connections)
    paused = paused_by(store, job.job)
    if unattended and paused:
        raise SyncError(
            f"the job {job.job} is paused: {paused} took a run back, and running would do the same again",
            hint=f"look at aios plan {job.job}; applying that plan by hand lets the job run again",
        )
    with Hold(store, job.job, job.connections, now) as hold:
        return _apply(plan, job, connections, store, now, progress, hold)


def _apply(
    plan: Plan,
    job: Job,
    connections: Mapping[str, Connection],
    store: Store,
    now: Callable[[], datetime],
    progress: Progress | None,
    hold: Hold,
) -> ApplyReport:
    with store.begin() as tx:
        earlier = unfinished_run(tx, plan.header.plan)
        run = earlier or new_id("run", now(), plan.header.plan)
        kind = "undo" if plan.header.undoes else "apply"
        begin_run(tx, run, job=job.job, kind=kind, plan=plan.header.plan, now=now(), again=earlier is not None)
    report = ApplyReport(run, plan.header.plan, resumed=earlier is not None)
    applier = _Applier(plan, job, connections, store, now, report)
    try:
        with (progress or Silent()).task(f"applying {plan.header.plan}", plan.footer.lines) as task:
            for lines in _batches(plan.lines(), connections):
                applier.batch(lines, task)
                hold.beat()
        applier.tie_up()
    except ProviderError as error:
        _stop(store, run, report, now(), error.message)
        raise SyncError(
            f"the run stopped: {error.message}",
            hint=f"{error.hint + '; ' if error.hint else ''}then apply the same plan again, it goes on where it stopped",
            run=run,
        ) from error
    except (AiosError, KeyboardInterrupt) as error:
        _stop(store, run, report, now(), str(error) or "interrupted")
        raise
    with store.begin() as tx:
        end_run(tx, run, "done", report.counts(), now())
        forget_intentions(tx, job.job, plan.header.plan)
        if plan.header.undoes:
            pause_job(tx, job.job, run)
        else:
            release_job(tx, job.job)
    return report


def _stop(store: Store, run: str, report: ApplyReport, now: datetime, why: str) -> None:
    with store.begin() as tx:
        end_run(tx, run, "stopped", report.counts(), now, error=why)


def _guard_plan(plan: Plan, job: Job, connections: Mapping[str, Connection]) -> None:
    again = f"aios plan {job.job} makes a new one"
    if plan.header.job != job.job:
        raise PlanStaleError(
            f"the plan belongs to the job {plan.header.job}, not {job.job}", hint=f"apply it with {plan.header.job}"
        )
    if plan.header.job_digest != job.digest:
        raise PlanStaleError(f"the job {job.job} was changed after the plan was made", hint=again)
    if plan.header.mappings != mapping_digests(job, connections):
        raise PlanStaleError("a mapping was changed after the plan was made", hint=again)
    if plan.footer.over and not plan.header.undoes:
        raise SyncError(
            f"the plan breaks a cap of the job: {'; '.join(plan.footer.over)}",
            hint=f"look at the plan; if it is right, raise the cap in sync/jobs/{job.job}.yaml and plan again",
        )


def _batches(lines: Iterator[PlanLine], connections: Mapping[str, Connection]) -> Iterator[list[PlanLine]]:
    """Lines in the plan's order, as many at a time as one step takes."""

    def step(line: PlanLine) -> tuple[str, ...]:
        return ("", "", "local") if line.local else (line.connection, line.object, line.action)

    for (name, object, action), group in groupby(lines, step):
        size = _LOCAL_CHUNK if action == "local" else connections[name].connector.spec.objects[object].batch_size
        batch: list[PlanLine] = []
        for line in group:
            batch.append(line)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch


def _alike(lines: Sequence[PlanLine]) -> Iterator[list[PlanLine]]:
    """Lines in their order, those of one action together."""
    return (list(group) for _, group in groupby(lines, attrgetter("action")))


class _Applier:
    def __init__(
        self,
        plan: Plan,
        job: Job,
        connections: Mapping[str, Connection],
        store: Store,
        now: Callable[[], datetime],
        report: ApplyReport,
    ) -> None:
        self._plan = plan.header.plan
        self._job = job
        self._connections = connections
        self._store = store
        self._now = now
        self._report = report
        self._stale: dict[tuple[str, str], list[str]] = {}  # connection and kind -> records that are not as the store has them
        with store.read() as tx:
            self._wary = has_loose_ends(tx, job.job, self._plan)

    def batch(self, lines: list[PlanLine], task: Task) -> None:
        """One step: some lines of one action on one object."""
        with self._store.read() as tx:
            begun = effects_of(tx, self._plan, [line.line for line in lines])
        for line in lines:
            state, outcome = begun.get(line.line, ("", None))
            if state == "settled" and outcome is not None:
                self._report.count(line, outcome, "")
        doubtful = [line for line in lines if begun.get(line.line, ("",))[0] == "intended"]
        fresh = [line for line in lines if line.line not in begun]
        if lines[0].local:
            self._note(fresh)
        else:
            if doubtful:
                fresh = self._recover(doubtful) + fresh
            if fresh:
                self._write(fresh)
            self._read_stale()
        task.advance(len(lines))

    def _read_stale(self) -> None:
        """Read again what the vendor refused because it changed: not every change moves the instant that a read goes by."""
        while self._stale:
            (name, kind), ids = self._stale.popitem()
            read_again(ids, kind, self._connections[name], self._store, self._report.run)

    def _note(self, lines: Sequence[PlanLine]) -> None:
        if not lines:
            return
        with self._store.begin() as tx:
            noted = [
                (line, *result) for group in _alike(lines) for line, result in zip(group, self._noted(tx, group), strict=True)
            ]
            outcomes = {
                line.line: (outcome, line.id, _LOCAL_REASON.get(line.action, "") if outcome == "conflict" else "")
                for line, outcome, _ in noted
            }
            done = [
                (line, line.id, before, {"agreements": line.agreements})
                for line, outcome, before in noted
                if outcome == "written"
            ]
            journal(tx, self._plan, self._report.run, done, self._now())
            settle_effects(tx, self._plan, self._report.run, outcomes, self._now())
        for line in lines:
            self._report.count(line, outcomes[line.line][0], outcomes[line.line][2])

    def _noted(self, tx: Transaction, lines: Sequence[PlanLine]) -> list[tuple[str, Any]]:
        """Outcomes of lines of one action, and what was there before."""
        action = lines[0].action
        if action == "link":
            return [(outcome, {"linked": False}) for outcome in settle_links(tx, lines)]
        if action == "restore":
            return [(settle_restore(tx, self._plan, self._report.run, line), None) for line in lines]
        return settle_notes(tx, self._report.run, lines, instant_text(self._now()))

    def _write(self, lines: Sequence[PlanLine]) -> None:
        name, object = lines[0].connection, lines[0].object
        with self._store.begin() as tx:
            ready, refused = self._guard(tx, lines)
            intend(tx, self._plan, self._report.run, ready, self._connections[name].mapping(lines[0].kind), self._now())
        if refused:
            self._settle([(line, None, Receipt(outcome, line.id, reason=reason)) for line, outcome, reason in refused])
        if ready and self._wary and ready[0][1].action == "create":
            ready = self._not_made_yet(ready)
        if not ready:
            return
        changes = [change for _, change in ready]
        try:
            receipts = self._connections[name].connector.write(object, changes)
        except AmbiguousWriteError as error:
            receipts = [Receipt("ambiguous", change.id, reason=error.message) for change in changes]
        except ProviderError:
            with self._store.begin() as tx:
                unintend(tx, self._plan, [line.line for line, _ in ready])
            raise
        if len(receipts) != len(changes):
            raise AssertionError(f"{name} returned {len(receipts)} receipts for {len(changes)} changes")
        unsure = [pair for pair, receipt in zip(ready, receipts, strict=True) if receipt.outcome == "ambiguous"]
        self._settle(
            [
                (line, change, receipt)
                for (line, change), receipt in zip(ready, receipts, strict=True)
                if receipt.outcome != "ambiguous"
            ]
        )
        if unsure:
            self._settle_unsure(unsure)

    def _not_made_yet(self, ready: list[tuple[PlanLine, Change]]) -> list[tuple[PlanLine, Change]]:
        """Leave out what an earlier plan made without learning of it: a create is never sent where its key already is."""
        found = look_up(self._connections[ready[0][0].connection], ready[0][0].object, [change for _, change in ready])
        there = [(pair, receipt) for pair, receipt in zip(ready, found, strict=True) if receipt and receipt.outcome == "written"]
        with self._store.read() as tx:
            entities = [line.entity for (line, _), _ in there]
            sent = creations_sent(tx, ready[0][0].connection, ready[0][0].object, entities, but=self._plan)
        self._settle(
            [(line, change, receipt) for (line, change), receipt in there],
            {line.line: sent.get(line.entity, {}) for (line, _), _ in there},
        )
        made = {line.line for (line, _), _ in there}
        return [pair for pair in ready if pair[0].line not in made]

    def _settle_unsure(self, pairs: Sequence[tuple[PlanLine, Change]]) -> None:
        """Sent, outcome unknown: look it up. What is certainly not there is left to the next plan, never sent again here."""
        found = look_up(self._connections[pairs[0][0].connection], pairs[0][0].object, [change for _, change in pairs])
        results = []
        for (line, change), receipt in zip(pairs, found, strict=True):
            if receipt is None:
                receipt = Receipt("ambiguous", line.id, reason="it was sent, and it is not there yet; the next plan looks again")
            results.append((line, change, receipt))
        self._settle(results, self._said(pairs))

    def _recover(self, lines: Sequence[PlanLine]) -> list[PlanLine]:
        """Lines that an earlier, killed run may have sent: settled if they were done; returned if they certainly were not."""
        with self._store.read() as tx:
            ready, _ = self._guard(tx, lines, settled=True)
        known = {line.line: change for line, change in ready}
        checked = [line for line in lines if line.line in known]
        found = look_up(self._connections[lines[0].connection], lines[0].object, [known[line.line] for line in checked])
        done, again = [], []
        for line, receipt in zip(checked, found, strict=True):
            if receipt is None:
                again.append(line)
            else:
                done.append((line, known[line.line], receipt))
        self._settle(done, self._said((line, change) for line, change, _ in done))
        lost = [line for line in lines if line.line not in known]
        self._settle([(line, None, Receipt("skipped", line.id, reason="what it rests on is gone")) for line in lost])  # type: ignore[arg-type]
        with self._store.begin() as tx:
            unintend(tx, self._plan, [line.line for line in again])
        return again

    def _guard(
        self, tx: Transaction, lines: Sequence[PlanLine], *, settled: bool = False
    ) -> tuple[list[tuple[PlanLine, Change]], list[tuple[PlanLine, Any, str]]]:
        """Check that everything is as the plan saw it, and put references to records made meanwhile into the changes."""
        connection, object = self._connections[lines[0].connection], lines[0].object
        mapping = connection.mapping(lines[0].kind)
        entities = entities_by_id(tx, [line.entity for line in lines])
        records = records_by_id(tx, connection.name, object, [line.id for line in lines if line.id])
        parents = records_of(tx, [entity for line in lines for entity in line.later.values()])
        ready: list[tuple[PlanLine, Change]] = []
        refused: list[tuple[PlanLine, Any, str]] = []
        for line in lines:
            entity, record = entities.get(line.entity), records.get(line.id or "")
            if line.undoes is None and (entity is None or entity.version != line.entity_version):
                refused.append((line, "conflict", "the store knows more than the plan did"))
                continue
            if line.id is not None and not settled and (record is None or seen_digest(record.seen) != line.seen):
                refused.append((line, "conflict", "it changed since the plan was made"))
                continue
            patch, expect, missing = line.patch, line.expect, ""
            for leaf, parent in line.later.items():
                to, _ = mapping.references[leaf]
                there = [
                    r for r in parents.get(parent, []) if r.connection == connection.name and r.object == to and r.gone is None
                ]
                if not there:
                    missing = leaf
                    break
                raw = loads(record.raw) if record else None
                place = mapping.put({leaf: f"{to}:{there[0].id}"}, {}, raw)
                patch = overlaid(patch, place)
                expect = expect if raw is None else overlaid(expect, expected(raw, place))
            if missing:
                refused.append((line, "skipped", f"the {missing} it points at was not made"))
                continue
            ready.append(
                (
                    line,
                    Change(line.action, line.line, line.id, patch, expect, line.version or None, line.key),  # type: ignore[arg-type]
                )
            )
        return ready, refused

    def tie_up(self) -> None:
        """Ask for the creates of earlier plans that nobody has seen since: what the vendor does not have was not made."""
        if not self._wary:
            return
        with self._store.read() as tx:
            open_ = [found for found in unfound_creations(tx, self._job.job, self._plan) if found[0] in self._connections]
        for (name, object), group in groupby(sorted(open_), lambda creation: creation[:2]):
            creations = list(group)
            changes = [Change("create", "", key=entity) for _, _, entity in creations]
            found = look_up(self._connections[name], object, changes)
            with self._store.begin() as tx:
                forget_creations(tx, [c for c, receipt in zip(creations, found, strict=True) if receipt is None])

    def _said(self, pairs: Iterable[tuple[PlanLine, Change]]) -> dict[str, Leaves]:
        """Line -> what it says, for creates that are looked up after they were sent."""
        return {
            line.line: sent_leaves(change, self._connections[line.connection].mapping(line.kind))
            for line, change in pairs
            if change.action == "create"
        }

    def _settle(
        self, results: Sequence[tuple[PlanLine, Change | None, Receipt]], sent: Mapping[str, Leaves] = MappingProxyType({})
    ) -> None:
        if not results:
            return
        first = results[0][0]
        connection = self._connections[first.connection]
        mapping, spec = connection.mapping(first.kind), connection.connector.spec.objects[first.object]
        with self._store.begin() as tx:
            outcomes: dict[str, tuple[str, str | None, str]] = {}
            done: list[Entry] = []
            told: list[tuple[PlanLine, Receipt]] = []
            for line, change, receipt in results:
                receipt = receipt if change is None else judged(tx, line, change, receipt, spec)
                told.append((line, receipt))
                if receipt.outcome == "conflict" and change is not None and line.id is not None:
                    self._stale.setdefault((line.connection, line.kind), []).append(line.id)
                outcomes[line.line] = (receipt.outcome, receipt.id or line.id, receipt.reason)
                if receipt.outcome in ("written", "unchanged") and change is not None:
                    run, said = self._report.run, sent.get(line.line)
                    if said is None and receipt.found:
                        said = sent_leaves(change, mapping)
                    before, after = settle_write(tx, line, change, receipt, spec, mapping, run, said)
                    if receipt.outcome == "written":
                        id = after.get("id") or receipt.id or line.id
                        done.append((line, id, before, after))
            self._tell(tx, told)
            journal(tx, self._plan, self._report.run, done, self._now())
            settle_effects(tx, self._plan, self._report.run, outcomes, self._now())
        for line, receipt in told:
            self._report.count(line, receipt.outcome, receipt.reason)

    def _tell(self, tx: Transaction, results: Iterable[tuple[PlanLine, Receipt]]) -> None:
        """Refused and unknown writes are for a person; what went through closes them again."""
        through: list[str] = []
        for line, receipt in results:
            where = f"{self._job.job}:{line.connection}:{line.object}:{line.entity}"
            if receipt.outcome in ("written", "unchanged"):
                through += [f"rejected:{where}", f"ambiguous:{where}"]
            elif receipt.outcome in ("rejected", "ambiguous"):
                raise_exception(
                    tx,
                    job=self._job.job,
                    code=receipt.outcome,
                    severity="high" if receipt.outcome == "ambiguous" else "warn",
                    dedupe=f"{receipt.outcome}:{where}",
                    summary=f"{line.action} {line.label} in {line.connection}: {receipt.reason or receipt.outcome}",
                    choices={},
                    now=self._now(),
                    entity=line.entity,
                )
        resolve_exceptions(tx, through, self._now())
