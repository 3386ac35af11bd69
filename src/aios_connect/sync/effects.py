"""What was sent to a vendor and what became of it: one row a plan line, ``intended`` before the call and ``settled`` after it.

Everything here takes an open transaction and calls nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import Select, and_, bindparam, delete, insert, or_, select, update

from aios_connect.connectors.contract import Change
from aios_connect.store.records import dumps, loads
from aios_connect.store.tables import effect as table
from aios_connect.store.tables import entity as entity_table
from aios_connect.store.tables import exception as exception_table
from aios_connect.store.tables import record as record_table
from aios_connect.store.tables import run as run_table

from .merging import Leaves
from .plans import PlanLine

if TYPE_CHECKING:
    from aios_connect.mappings import CompiledMapping

__all__ = [
    "Creation",
    "Update",
    "creations_sent",
    "effects_of",
    "forget_creations",
    "forget_intentions",
    "has_loose_ends",
    "intend",
    "sent_leaves",
    "settle_effects",
    "unfound_creations",
    "unintend",
    "updates_sent",
]

Creation = tuple[str, str, str]
"""Connection, object and entity of a create that was sent and never answered."""

Update = tuple[list[str], str]
"""The leaves of an update that was sent and never answered, and the version of the record it was sent over."""


def effects_of(tx: Transaction, plan: str, lines: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Line -> (state, outcome), for the lines that were begun."""
    query = select(table.c.line, table.c.state, table.c.outcome).where(table.c.plan == plan, table.c.line.in_(lines))
    return {row.line: (row.state, row.outcome) for row in tx.execute(query)}


def sent_leaves(change: Change, mapping: CompiledMapping) -> Leaves:
    """What a create says, as its record shows it as long as nobody says otherwise."""
    leaves, _ = mapping.get(change.patch)
    return leaves


def intend(
    tx: Transaction, plan: str, run: str, steps: Iterable[tuple[PlanLine, Change]], mapping: CompiledMapping, now: datetime
) -> None:
    """Write down what is about to be sent, and of what, to tell it from what people say there later."""
    rows = [
        {
            "plan": plan,
            "line": line.line,
            "run": run,
            "state": "intended",
            "at": now,
            "connection": line.connection,
            "object": line.object,
            "entity": line.entity,
            **_message(line, change, mapping),
        }
        for line, change in steps
    ]
    if rows:
        tx.execute(insert(table), rows)


def _message(line: PlanLine, change: Change, mapping: CompiledMapping) -> dict[str, str | None]:
    if change.action == "update":
        return {"sent": dumps([field.leaf for field in line.fields]), "over": change.version or ""}
    return {"sent": dumps(sent_leaves(change, mapping)) if change.key else None, "over": None}


def unintend(tx: Transaction, plan: str, lines: Sequence[str]) -> None:
    """Nothing was sent after all."""
    tx.execute(delete(table).where(table.c.plan == plan, table.c.line.in_(lines), table.c.state == "intended"))


def settle_effects(
    tx: Transaction, plan: str, run: str, outcomes: Mapping[str, tuple[str, str | None, str]], now: datetime
) -> None:
    """Write down what became of lines: line -> (outcome, vendor id, reason)."""
    begun = effects_of(tx, plan, list(outcomes))
    known: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    for line, (outcome, id, reason) in outcomes.items():
        settled = {"run": run, "state": "settled", "outcome": outcome, "id": id, "reason": reason, "at": now}
        if line in begun:
            known.append({"of": line, **settled})
        else:
            new.append({"plan": plan, "line": line, **settled})
    if known:
        columns: dict[str, Any] = {name: bindparam(name) for name in known[0] if name != "of"}
        tx.execute(update(table).where(table.c.plan == plan, table.c.line == bindparam("of")).values(**columns), known)
    if new:
        tx.execute(insert(table), new)


def has_loose_ends(tx: Transaction, job: str, plan: str) -> bool:
    """True if an earlier plan of the job sent something and never learned what became of it."""
    intended = select(table.c.line).where(table.c.state == "intended", *_earlier(job, plan))
    unknown = select(exception_table.c.id).where(
        exception_table.c.job == job, exception_table.c.code == "ambiguous", exception_table.c.state == "open"
    )
    return tx.execute(intended.limit(1)).first() is not None or tx.execute(unknown.limit(1)).first() is not None


def creations_sent(tx: Transaction, connection: str, object: str, entities: Iterable[str], but: str = "") -> dict[str, Leaves]:
    """Entity -> what a create said that was sent and never answered; of several the last, of the plan ``but`` none."""
    wanted = list(dict.fromkeys(entities))
    found: dict[str, Leaves] = {}
    for start in range(0, len(wanted), 400):
        query = select(table.c.entity, table.c.sent).where(
            _unanswered(),
            table.c.over.is_(None),
            table.c.plan != but,
            table.c.connection == connection,
            table.c.object == object,
            table.c.entity.in_(wanted[start : start + 400]),
        )
        found.update({row.entity: loads(row.sent) for row in tx.execute(query.order_by(table.c.at, table.c.line))})
    return found


def updates_sent(tx: Transaction, entities: Iterable[str]) -> dict[tuple[str, str], list[Update]]:
    """(Connection, entity) -> the updates that were sent there and never answered."""
    wanted = list(dict.fromkeys(entities))
    found: dict[tuple[str, str], list[Update]] = {}
    for start in range(0, len(wanted), 400):
        query = select(table.c.connection, table.c.entity, table.c.sent, table.c.over).where(
            _unanswered(), table.c.over.is_not(None), table.c.entity.in_(wanted[start : start + 400])
        )
        for row in tx.execute(query):
            found.setdefault((row.connection, row.entity), []).append((loads(row.sent), row.over))
    return found


def unfound_creations(tx: Transaction, job: str, plan: str) -> list[Creation]:
    """Creates of earlier plans that were never answered and whose record nobody has seen."""
    seen = select(record_table.c.id).where(
        record_table.c.connection == table.c.connection, record_table.c.entity == table.c.entity, record_table.c.linked
    )
    query = select(table.c.connection, table.c.object, table.c.entity).where(
        _unanswered(), table.c.over.is_(None), ~seen.exists(), *_earlier(job, plan)
    )
    return [(row.connection, row.object, row.entity) for row in tx.execute(query.distinct())]


def forget_creations(tx: Transaction, creations: Iterable[Creation]) -> None:
    """These were not made: the vendor says so."""
    for connection, object, entity in creations:
        tx.execute(
            delete(table).where(
                _unanswered(),
                table.c.over.is_(None),
                table.c.connection == connection,
                table.c.object == object,
                table.c.entity == entity,
            )
        )


def forget_intentions(tx: Transaction, job: str, plan: str) -> None:
    """A later plan went through: what an earlier one may have sent was seen by the read before it, or looked up.

    A create is remembered until its record was seen: a lagging index may show it any time later. An update is remembered until its
    record is in step: as long as it is not, its values may be ours or a person's.
    """
    there = (record_table.c.connection == table.c.connection, record_table.c.entity == table.c.entity, record_table.c.linked)
    seen = select(record_table.c.id).where(*there)
    behind = select(record_table.c.id).where(
        *there,
        record_table.c.gone.is_(None),
        entity_table.c.id == table.c.entity,
        entity_table.c.gone.is_(None),
        record_table.c.given.is_distinct_from(entity_table.c.version),
    )
    done = or_(
        table.c.sent.is_(None), and_(table.c.over.is_(None), seen.exists()), and_(table.c.over.is_not(None), ~behind.exists())
    )
    tx.execute(delete(table).where(or_(table.c.state == "intended", table.c.outcome == "ambiguous"), done, *_earlier(job, plan)))


def _unanswered() -> Any:
    return and_(table.c.sent.is_not(None), or_(table.c.state == "intended", table.c.outcome == "ambiguous"))


def _earlier(job: str, plan: str) -> tuple[Any, Any]:
    runs: Select[Any] = select(run_table.c.id).where(run_table.c.job == job)
    return table.c.plan != plan, table.c.run.in_(runs)
