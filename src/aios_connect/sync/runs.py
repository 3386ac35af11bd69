"""The runs: what was done when, and how far it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import func, insert, select, update

from aios_connect.store import Store
from aios_connect.store.records import dumps, loads
from aios_connect.store.tables import cursor as cursor_table
from aios_connect.store.tables import exception as exception_table
from aios_connect.store.tables import job_state as job_table
from aios_connect.store.tables import quarantine as quarantine_table
from aios_connect.store.tables import record as record_table
from aios_connect.store.tables import run as table

__all__ = [
    "ObjectStatus",
    "RunItem",
    "Status",
    "begin_run",
    "end_run",
    "pause_job",
    "paused_by",
    "release_job",
    "runs",
    "status",
    "unfinished_run",
]


@dataclass(frozen=True, slots=True)
class RunItem:
    """One run.

    Attributes:
        id: For ``aios undo`` and ``aios runs ID``.
        job: Of which job.
        kind: ``read``, ``apply``, ``undo`` or ``reconcile``.
        plan: The plan it applied.
        state: ``running``, ``done``, ``stopped`` (apply again to go on) or ``failed``.
        counts: What it did.
        error: Why it stopped.
    """

    id: str
    job: str
    kind: str
    plan: str | None
    state: str
    started_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, int]
    error: str | None


def begin_run(
    tx: Transaction, id: str, *, job: str, kind: str, now: datetime, plan: str | None = None, again: bool = False
) -> None:
    """A run begins, or goes on."""
    if again:
        tx.execute(update(table).where(table.c.id == id).values(state="running", error=None))
    else:
        tx.execute(insert(table).values(id=id, job=job, kind=kind, plan=plan, state="running", started_at=now, counts="{}"))


def end_run(tx: Transaction, id: str, state: str, counts: Mapping[str, int], now: datetime, *, error: str | None = None) -> None:
    """A run ends."""
    tx.execute(update(table).where(table.c.id == id).values(state=state, counts=dumps(dict(counts)), ended_at=now, error=error))


def unfinished_run(tx: Transaction, plan: str) -> str | None:
    """The run that applied a plan, if there is one: a plan has one run, however often it is taken up."""
    row = tx.execute(select(table.c.id).where(table.c.plan == plan, table.c.kind.in_(["apply", "undo"]))).first()
    return None if row is None else str(row.id)


def runs(store: Store, limit: int = 20, *, id: str | None = None) -> list[RunItem]:
    """The latest runs, the newest first; or the one named."""
    query = select(table).order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit)
    if id is not None:
        query = query.where(table.c.id == id)
    with store.read() as tx:
        return [
            RunItem(r.id, r.job, r.kind, r.plan, r.state, r.started_at, r.ended_at, loads(r.counts), r.error)
            for r in tx.execute(query)
        ]


def pause_job(tx: Transaction, job: str, run: str) -> None:
    """After an undo a job does not run unattended: the next plan is for a person, or the undone would come back by itself."""
    tx.execute(job_table.delete().where(job_table.c.name == job))
    tx.execute(insert(job_table).values(name=job, state=dumps({"paused_by": run})))


def release_job(tx: Transaction, job: str) -> None:
    """A person applied a plan again."""
    tx.execute(job_table.delete().where(job_table.c.name == job))


def paused_by(store: Store, job: str) -> str | None:
    """The undo that paused a job, if one did."""
    with store.read() as tx:
        row = tx.execute(select(job_table.c.state).where(job_table.c.name == job)).first()
    found = None if row is None else loads(row.state).get("paused_by")
    return None if found is None else str(found)


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """One object of one connection, as far as the store knows.

    Attributes:
        records: Living records.
        linked: Of these, linked to an entity.
        quarantined: Set aside with a reason.
        finished_at: When a read last came to its end; ``None`` while one is under way or was stopped.
    """

    connection: str
    object: str
    records: int
    linked: int
    quarantined: int
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """What needs attention."""

    objects: list[ObjectStatus]
    exceptions: dict[str, int]
    runs: list[RunItem]
    paused: dict[str, str]


def status(store: Store) -> Status:
    """The state of everything the store knows."""

    def grouped(tx: Transaction, query: Any) -> dict[tuple[str, str], int]:
        return {(row[0], row[1]): int(row[2]) for row in tx.execute(query)}

    record, aside = record_table.c, quarantine_table.c
    living = (
        select(record.connection, record.object, func.count())
        .where(record.gone.is_(None))
        .group_by(record.connection, record.object)
    )
    with store.read() as tx:
        known = grouped(tx, living)
        linked = grouped(tx, living.where(record.linked))
        set_aside = grouped(tx, select(aside.connection, aside.object, func.count()).group_by(aside.connection, aside.object))
        cursors = {(row.connection, row.object): row.finished_at for row in tx.execute(select(cursor_table))}
        open_ = (
            select(exception_table.c.code, func.count()).where(exception_table.c.state == "open").group_by(exception_table.c.code)
        )
        exceptions = {row[0]: int(row[1]) for row in tx.execute(open_)}
        paused = {row.name: str(loads(row.state)["paused_by"]) for row in tx.execute(select(job_table))}
    objects = [
        ObjectStatus(name, object, known.get(at, 0), linked.get(at, 0), set_aside.get(at, 0), cursors.get(at))
        for at in sorted({*known, *cursors, *set_aside})
        for name, object in [at]
    ]
    return Status(objects, exceptions, runs(store, 5), paused)
