"""Planning: the store in, a plan file out. No vendor is called.

Entities stream by in chunks, each with its records. What the sides say is merged; what a side lacks becomes a line; what only a
person can decide becomes an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from aios_connect.connection import Connection
from aios_connect.model.canonical import instant_text
from aios_connect.store import Store
from aios_connect.store.records import count_known, entities_after, records_of

from .effects import updates_sent
from .exceptions import count_open, exception_id, raise_exception, resolve_others, settled_deletes, settlements
from .jobs import Job, KindRule
from .matching import Held, match_job
from .plans import Header, PlanLine, PlanSummary, PlanWriter
from .prices import Bill, prices_of
from .progress import Progress, Silent
from .proposing import Question, lines_of
from .reading import taking_part
from .references import References
from .remapping import remap_job
from .restless import written_of_late
from .subjects import Subject, in_step

__all__ = ["make_plan", "mapping_digests", "new_id"]

_CODES = ("conflict", "deleted_elsewhere", "echo_loop", "unresolved_reference", "unwritable")


def new_id(prefix: str, now: datetime, salt: str = "") -> str:
    """A short id that sorts by time: ``plan_20261121T075000_1a2b3c``."""
    stamp = now.astimezone(UTC)
    tail = sha256(f"{stamp.isoformat()}|{salt}".encode()).hexdigest()[:6]
    return f"{prefix}_{stamp:%Y%m%dT%H%M%S}_{tail}"


def mapping_digests(job: Job, connections: Mapping[str, Connection]) -> dict[str, str]:
    """``connection/kind`` -> digest, for everything a job's plan rests on."""
    return {
        f"{connection.name}/{kind}": connection.mapping(kind).digest
        for kind in job.ordered_kinds()
        for connection in taking_part(job, kind, connections)
    }


def make_plan(
    job: Job,
    connections: Mapping[str, Connection],
    store: Store,
    path: Path,
    *,
    now: Callable[[], datetime],
    progress: Progress | None = None,
) -> PlanSummary:
    """Make the plan of a job from what the store knows.

    Args:
        job: The job.
        connections: Its connections by name.
        store: What was read.
        path: Where the plan file goes.
        now: The clock.
        progress: Who wants to know.
    """
    remap_job(job, connections, store, progress=progress)
    held = match_job(job, connections, store, now=now, progress=progress)
    at = now()
    header = Header(new_id("plan", at, job.job), job.job, instant_text(at), job.digest, mapping_digests(job, connections))
    with PlanWriter(path, header) as writer:
        planner = _Planner(job, connections, store, writer, at, held)
        for order, kind in enumerate(job.ordered_kinds()):
            with (progress or Silent()).task(f"planning {kind}") as task:
                last = ""
                while ids := planner.chunk(kind, order, last):
                    last = ids[-1]
                    task.advance(len(ids))
        with store.read() as tx:
            reviews = count_open(tx, job.job, "duplicate_review")
        calls = planner.bill.calls()
        return writer.finish(
            calls=calls,
            prices=prices_of(calls, connections),
            conflicts=planner.conflicts,
            reviews=reviews,
            over=planner.over_caps(),
        )


class _Planner:
    def __init__(
        self,
        job: Job,
        connections: Mapping[str, Connection],
        store: Store,
        writer: PlanWriter,
        at: datetime,
        held: Collection[Held],
    ) -> None:
        self._job = job
        self._held = held
        self._connections = connections
        self._store = store
        self._writer = writer
        self._now = at
        self._at = instant_text(at)
        self.conflicts = 0
        self.writes: dict[tuple[str, str, str], int] = {}
        self.bill = Bill(connections)

    def chunk(self, kind: str, order: int, last: str) -> list[str]:
        """Plan the next entities of a kind; returns their ids, none at the end."""
        rule = self._job.kinds[kind]
        parts = taking_part(self._job, kind, self._connections)
        names = {connection.name for connection in parts}
        creating = [name for name in rule.create if name in names]
        questions: list[Question] = []
        with self._store.read() as tx:
            rows = entities_after(tx, kind, last)
            if not rows:
                return []
            records = records_of(tx, [row.id for row in rows])
            busy = [
                Subject.load(row, of, names)
                for row in rows
                if (of := records.get(row.id, [])) and not in_step(row, [r for r in of if r.connection in names], creating)
            ]
            self._plan(tx, busy, parts, kind, rule, order, questions)
        self._ask([row.id for row in rows], questions)
        return [row.id for row in rows]

    def _plan(
        self,
        tx: Any,
        subjects: Sequence[Subject],
        parts: Sequence[Connection],
        kind: str,
        rule: KindRule,
        order: int,
        questions: list[Question],
    ) -> None:
        if not subjects:
            return
        by_id = {subject.entity.id: subject for subject in subjects}
        ids = list(by_id)
        references = References(tx, kind, self._makes)
        references.learn(pair for subject in subjects for pair in subject.sayings())
        settled, deletes = settlements(tx, self._job.job, ids), settled_deletes(tx, self._job.job, ids)
        for (name, entity), updates in updates_sent(tx, ids).items():
            by_id[entity].unanswered[name] = updates
        for (name, entity), written in written_of_late(tx, ids, self._now).items():
            by_id[entity].written[name] = written
        for subject in subjects:
            subject.combine(parts, rule, references, settled.get(subject.entity.id, {}), self._at)
        references.fetch(references.pointed_at(subject.merged.leaves for subject in subjects))
        for subject in subjects:
            for item in lines_of(subject, parts, self._job, references, deletes.get(subject.entity.id), self._held):
                if isinstance(item, Question):
                    questions.append(item)
                else:
                    self._add(item, order)

    def _makes(self, connection: str, kind: str) -> bool:
        return kind in self._job.kinds and connection in self._job.kinds[kind].create

    def _add(self, line: PlanLine, order: int) -> None:
        line.line = self._writer.next_line()
        self._writer.add(line, order)
        self.bill.add(line)
        if not line.local:
            group = (line.connection, line.object, line.action)
            self.writes[group] = self.writes.get(group, 0) + 1

    def _ask(self, ids: Sequence[str], questions: Sequence[Question]) -> None:
        with self._store.begin() as tx:
            for question in questions:
                raise_exception(tx, job=self._job.job, now=self._now, **question.as_exception(self._job.job))
            still = {exception_id(question.dedupe(self._job.job)) for question in questions}
            resolve_others(tx, self._job.job, _CODES, ids, still, self._now)
        self.conflicts += sum(question.code == "conflict" for question in questions)

    def over_caps(self) -> list[str]:
        """Caps that the plan would break."""
        caps, over = self._job.caps, []
        for action, cap in (("create", caps.creates), ("update", caps.updates), ("delete", caps.deletes)):
            count = sum(n for (_, _, what), n in self.writes.items() if what == action)
            if count > cap:
                over.append(f"{count} {action}s, the cap is {cap}")
        with self._store.read() as tx:
            for (name, object, action), count in self.writes.items():
                known = count_known(tx, name, object)
                if action != "create" and count >= 20 and count * 100 > caps.share * known:
                    over.append(f"{count} of {known} {object} in {name} would change, the cap is {caps.share} %")
        return over
