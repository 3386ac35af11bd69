"""What needs a person: conflicts, doubtful matches, deletes on one side, refused writes. And how a person settles it."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import func, select, update

from aios_connect.errors import ConfigError, NotFoundError
from aios_connect.store import Store
from aios_connect.store.records import dumps, loads
from aios_connect.store.tables import exception as table

from .merging import Settlement

__all__ = [
    "ExceptionItem",
    "count_open",
    "exception_id",
    "open_exceptions",
    "raise_exception",
    "resolve_exception",
    "resolve_exceptions",
    "resolve_others",
    "settle",
    "settled_deletes",
    "settled_matches",
    "settlements",
]

_LONGEST = 300  # characters of a name that are kept


@dataclass(frozen=True, slots=True)
class ExceptionItem:
    """One thing a person must look at.

    Attributes:
        id: Short name to settle it by.
        code: ``conflict``, ``duplicate_review``, ``deleted_elsewhere``, ``suspicious_listing``, ``rejected``, ``ambiguous``...
        severity: ``info``, ``warn``, ``high`` or ``critical``.
        summary: One sentence.
        choices: What can be taken: connection (or word) -> value.
        entity: The record it is about.
        leaf: The field it is about.
        state: ``open``, ``settled``, ``dismissed`` or ``closed``.
        occurrences: How often it was met.
        opened_at: When first.
        resolution: What was decided.
        resolved_by: By whom.
    """

    id: str
    job: str
    code: str
    severity: str
    summary: str
    choices: Mapping[str, Any]
    entity: str | None
    leaf: str | None
    state: str
    occurrences: int
    opened_at: datetime
    resolution: Any = None
    resolved_by: str | None = None


def exception_id(dedupe: str) -> str:
    """The short id of an exception: the same thing met again has the same one."""
    return "x" + b32encode(sha256(dedupe.encode()).digest()).decode()[:7].lower()


def raise_exception(
    tx: Transaction,
    *,
    job: str,
    code: str,
    severity: str,
    dedupe: str,
    summary: str,
    choices: Mapping[str, Any],
    now: datetime,
    entity: str | None = None,
    leaf: str | None = None,
) -> str:
    """Open an exception, or count it again if it is open. One that was settled about something else opens anew."""
    id, text = exception_id(dedupe), dumps(choices)
    row = tx.execute(select(table).where(table.c.id == id)).one_or_none()
    fresh = {"summary": summary, "choices": text, "severity": severity, "seen_at": now, "entity": entity, "leaf": leaf}
    if row is None:
        tx.execute(
            table.insert().values(
                id=id, job=job, code=code, state="open", dedupe=dedupe[:_LONGEST], occurrences=1, opened_at=now, **fresh
            )
        )
    elif row.state == "open":
        tx.execute(update(table).where(table.c.id == id).values(occurrences=row.occurrences + 1, **fresh))
    elif row.state == "closed" or row.choices != text:
        again = {"resolution": None, "resolved_by": None, "resolved_at": None, "opened_at": now}
        tx.execute(update(table).where(table.c.id == id).values(state="open", occurrences=row.occurrences + 1, **fresh, **again))
    return id


def resolve_exception(tx: Transaction, dedupe: str, now: datetime) -> None:
    """Close an exception whose cause is gone."""
    resolve_exceptions(tx, [dedupe], now)


def resolve_exceptions(tx: Transaction, dedupes: Sequence[str], now: datetime) -> None:
    """Close those of many exceptions that are open; one look-up if none is."""
    rows = tx.execute(select(table.c.id, table.c.state).where(_named(dedupes)))
    found = [row.id for row in rows if row.state == "open"]
    if found:
        tx.execute(update(table).where(table.c.id.in_(found)).values(state="closed", resolved_at=now))


def count_open(tx: Transaction, job: str, code: str) -> int:
    """How many exceptions of a kind wait in a job."""
    query = select(func.count()).select_from(table)
    return int(tx.execute(query.where(table.c.job == job, table.c.code == code, table.c.state == "open")).scalar_one())


def resolve_others(
    tx: Transaction, job: str, codes: Sequence[str], entities: Sequence[str], still: set[str], now: datetime
) -> None:
    """Close the open exceptions of these entities that were not met again (``still`` holds the ids that were).

    Those that leave nothing to choose are states of affairs: one that was dismissed ends with it, and opens anew if it comes again.
    """
    of_them = _about(tx, job, entities, codes, ["open", "dismissed"])
    gone = [row.id for row in of_them if row.id not in still and (row.state == "open" or row.choices == "{}")]
    if gone:
        tx.execute(update(table).where(table.c.id.in_(gone)).values(state="closed", resolved_at=now))


def open_exceptions(store: Store, *, job: str | None = None, everything: bool = False) -> list[ExceptionItem]:
    """Exceptions, the oldest first; with ``everything`` the closed ones too."""
    query = select(table).order_by(table.c.opened_at, table.c.id)
    if not everything:
        query = query.where(table.c.state == "open")
    if job:
        query = query.where(table.c.job == job)
    with store.read() as tx:
        return [_item(row) for row in tx.execute(query)]


def settle(
    store: Store, id: str, *, by: str, now: datetime, take: str | None = None, value: Any = None, dismiss: bool = False
) -> ExceptionItem:
    """Decide an exception. The decision takes effect with the next plan.

    Args:
        store: The store.
        id: The exception's id.
        by: Who decides; stands in the history.
        now: When.
        take: One of its choices: a connection whose value is right, or a word such as ``same`` or ``different``.
        value: A value of one's own, in canonical form, for a conflict.
        dismiss: It needs nothing.

    Raises:
        NotFoundError: There is no such exception.
        ConfigError: It offers no such choice.
    """
    with store.begin() as tx:
        row = tx.execute(select(table).where(table.c.id == id)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no exception {id}", hint="aios exceptions lists the open ones")
        choices = loads(row.choices)
        if not dismiss and take is None and value is None:
            raise ConfigError(
                "nothing was decided", hint=f"give --take {'|'.join(choices) or 'CONNECTION'}, --value, or --dismiss"
            )
        if take is not None and take not in choices:
            raise ConfigError(f"{id} does not offer {take!r}", hint=f"it offers {', '.join(choices) or 'only --dismiss'}")
        if value is not None and row.code != "conflict":
            raise ConfigError(f"{id} takes no value of its own", hint=f"it offers {', '.join(choices) or 'only --dismiss'}")
        decision = {"dismissed": True} if dismiss else {"take": take, "value": choices[take] if take is not None else value}
        tx.execute(
            update(table)
            .where(table.c.id == id)
            .values(state="dismissed" if dismiss else "settled", resolution=dumps(decision), resolved_by=by, resolved_at=now)
        )
        return _item(tx.execute(select(table).where(table.c.id == id)).one())


def settlements(tx: Transaction, job: str, entities: Sequence[str]) -> dict[str, dict[str, Settlement]]:
    """Entity -> leaf -> what a person decided about its conflicts."""
    found: dict[str, dict[str, Settlement]] = {}
    for row in _about(tx, job, entities, ["conflict"], ["settled"]):
        value = loads(row.resolution)["value"]
        found.setdefault(row.entity, {})[row.leaf] = Settlement(value, loads(row.choices), row.resolved_by)
    return found


def settled_deletes(tx: Transaction, job: str, entities: Sequence[str]) -> dict[str, str]:
    """Entity -> ``delete``, ``keep`` or ``recreate``: what a person decided about its delete on one side."""
    rows = _about(tx, job, entities, ["deleted_elsewhere"], ["settled", "dismissed"])
    return {row.entity: "keep" if row.state == "dismissed" else loads(row.resolution)["take"] for row in rows}


def settled_matches(tx: Transaction, dedupes: Sequence[str]) -> dict[str, tuple[str, str | None, str, frozenset[str]]]:
    """Dedupe name of a doubtful match -> (``same`` or ``different``, entity, who decided, the entities that were offered)."""
    names = {name[:_LONGEST]: name for name in dedupes}
    found = {}
    for row in tx.execute(select(table).where(_named(dedupes))):
        if row.state not in ("settled", "dismissed"):
            continue
        decision = loads(row.resolution)
        take = "different" if row.state == "dismissed" else decision["take"]
        offered = frozenset(entity for entity in loads(row.choices).values() if entity)
        found[names[row.dedupe]] = (take, decision.get("value"), row.resolved_by, offered)
    return found


def _named(dedupes: Sequence[str]) -> Any:
    """By whole name, not by id: among many records two names may well share a short id."""
    return table.c.dedupe.in_([dedupe[:_LONGEST] for dedupe in dedupes])


def _about(tx: Transaction, job: str, entities: Sequence[str], codes: Sequence[str], states: Sequence[str]) -> list[Any]:
    """The exceptions about some entities. Asked by entity alone: SQLite would rather go through all that are in a state."""
    rows = tx.execute(select(table).where(table.c.entity.in_(entities)))
    return [row for row in rows if row.job == job and row.code in codes and row.state in states]


def _item(row: Any) -> ExceptionItem:
    return ExceptionItem(
        row.id,
        row.job,
        row.code,
        row.severity,
        row.summary,
        loads(row.choices),
        row.entity,
        row.leaf,
        row.state,
        row.occurrences,
        row.opened_at,
        loads(row.resolution) if row.resolution else None,
        row.resolved_by,
    )
