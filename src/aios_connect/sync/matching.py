"""Matching: which entity is a record that nobody has linked yet?

Nothing is linked here. What evidence proves becomes a proposal, shown by the plan and made true by apply; what it only suggests
becomes a question to a person, and the record waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, insert, update

from aios_connect.connection import Connection
from aios_connect.store import Store
from aios_connect.store.records import (
    RecordRow,
    clear_proposals,
    dumps,
    entities_by_id,
    entities_by_key,
    loads,
    records_of,
    replace_keys,
    unlinked_after,
)
from aios_connect.store.tables import entity as entity_table
from aios_connect.store.tables import record as record_table

from .effects import creations_sent
from .exceptions import raise_exception, resolve_exceptions, settled_matches
from .heirs import ancestors_of, inherit, ranked
from .jobs import Job
from .keys import compatible_names, full_name, keys_of, label_of, normal_company
from .paths import at_path
from .progress import Progress, Silent
from .reading import taking_part
from .references import References

__all__ = ["Held", "entity_id", "match_job"]

Held: TypeAlias = tuple[str, str]
"""An entity and a connection."""


def entity_id(kind: str, connection: str, object: str, id: str) -> str:
    """The id of the entity that a record founds: the same record always founds the same one."""
    return f"{kind}_{sha256(f'{connection}|{object}|{id}'.encode()).hexdigest()[:24]}"


@dataclass(slots=True)
class _Candidate:
    entity: str
    proof: str  # sure | review
    evidence: str


@dataclass(slots=True)
class _Chunk:
    """What is known while one chunk of records is matched."""

    keys: dict[str, set[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)  # entities that have a record in this connection


def match_job(
    job: Job,
    connections: Mapping[str, Connection],
    store: Store,
    *,
    now: Callable[[], datetime],
    progress: Progress | None = None,
) -> set[Held]:
    """Propose an entity for every record of the job that has none; parents first, so that references can be told apart.

    Returns:
        Entities that a person must first tell from a record there; nothing is made of them there meanwhile.
    """
    kinds = job.ordered_kinds()
    held: set[Held] = set()
    with store.begin() as tx:
        clear_proposals(tx, job.connections, kinds)
    for kind in kinds:
        for connection in taking_part(job, kind, connections):
            with (progress or Silent()).task(f"matching {connection.name} {kind}") as task:
                last = ""
                with store.read() as view:
                    ancestors = ancestors_of(view, connection.name, connection.mapping(kind).object)
                while True:
                    with store.begin() as tx:
                        rows = unlinked_after(tx, connection.name, connection.mapping(kind).object, last)
                        if not rows:
                            break
                        held |= _match_chunk(tx, job, kind, connection, rows, ancestors, now())
                    last = rows[-1].id
                    task.advance(len(rows))
    return held


def _match_chunk(
    tx: Transaction,
    job: Job,
    kind: str,
    connection: Connection,
    rows: list[RecordRow],
    ancestors: Mapping[str, Sequence[RecordRow]],
    now: datetime,
) -> set[Held]:
    references = References(tx, kind)
    seen = {row.id: loads(row.seen) for row in rows}
    references.learn((row.connection, seen[row.id]) for row in rows)
    leaves = {id: references.resolved(connection.name, value) for id, value in seen.items()}
    keys = {id: keys_of(kind, value, job.kinds[kind].match) for id, value in leaves.items()}
    own = _own_keys(tx, kind, connection, [row for row in rows if row.id not in ancestors])
    older = {row.id: {old.entity: old for old in ancestors[row.id] if old.entity} for row in rows if row.id in ancestors}
    chunk = _learn(tx, kind, connection.name, keys, {*own.values(), *(entity for of in older.values() for entity in of)})
    questions = {row.id: f"match:{job.job}:{row.connection}:{row.object}:{row.id}" for row in rows}
    answers = settled_matches(tx, list(questions.values()))
    founded: list[dict[str, Any]] = []
    founded_keys: dict[str, list[str]] = {}
    proposals: list[dict[str, Any]] = []
    sure: list[str] = []
    held: set[Held] = set()
    heirs: dict[str, RecordRow] = {}
    for row in rows:
        label = label_of(kind, leaves[row.id])
        candidates = _candidates(kind, leaves[row.id], keys[row.id], own.get(row.id), chunk)
        if row.id in older:
            candidates = _of_merged(kind, candidates, seen[row.id], ancestors[row.id])
        answer = answers.get(questions[row.id])
        chosen = _choose(candidates, chunk, answer)
        if isinstance(chosen, str):
            raise_exception(
                tx,
                job=job.job,
                code="duplicate_review",
                severity="warn",
                dedupe=questions[row.id],
                summary=f"{row.place} ({label or 'no name'}): {chosen}",
                choices={
                    **{
                        ("same" if n == 0 else f"same-{n + 1}"): c.entity
                        for n, c in enumerate(candidates)
                        if c.entity not in chunk.taken
                    },
                    "different": None,
                },
                now=now,
                entity=None,
            )
            held |= {(candidate.entity, connection.name) for candidate in candidates}
            continue
        if answer is None:
            sure.append(questions[row.id])
        if chosen is None:
            chosen = _Candidate(entity_id(kind, row.connection, row.object, row.id), "sure", "first seen here")
            founded.append(
                {"id": chosen.entity, "kind": kind, "leaves": "{}", "provenance": "{}", "version": 0, "proposed": True}
            )
            founded_keys[chosen.entity] = list(keys[row.id])
            chunk.names[chosen.entity] = label
            for key in keys[row.id]:
                chunk.keys.setdefault(key, set()).add(chosen.entity)
        if chosen.entity in older.get(row.id, {}):
            heirs[row.id] = older[row.id][chosen.entity]
        chunk.taken.add(chosen.entity)
        proposals.append({"of": row.id, "to": chosen.entity, "why": chosen.evidence})
    resolve_exceptions(tx, sure, now)
    if proposals:
        of_row = (record_table.c.connection == connection.name, record_table.c.object == rows[0].object)
        propose = update(record_table).where(*of_row, record_table.c.id == bindparam("of"))
        tx.execute(propose.values(entity=bindparam("to"), evidence=bindparam("why")), proposals)
        _remember_what_was_sent(tx, rows, own)
        inherit(tx, heirs)
    if founded:
        tx.execute(insert(entity_table), founded)
        replace_keys(tx, kind, founded_keys)
    return held


def _remember_what_was_sent(tx: Transaction, rows: list[RecordRow], own: Mapping[str, str]) -> None:
    """A record of ours that comes to light only now agrees with what we sent; beyond that, people have said something since."""
    late = {row.id: own[row.id] for row in rows if row.id in own and row.base is None}
    sent = creations_sent(tx, rows[0].connection, rows[0].object, late.values())
    agreed = [{"of": id, "said": dumps(sent[entity])} for id, entity in late.items() if entity in sent]
    if agreed:
        of_row = (record_table.c.connection == rows[0].connection, record_table.c.object == rows[0].object)
        tx.execute(
            update(record_table).where(*of_row, record_table.c.id == bindparam("of")).values(base=bindparam("said")), agreed
        )


def _of_merged(
    kind: str, candidates: list[_Candidate], said: Mapping[str, Any], ancestors: Sequence[RecordRow]
) -> list[_Candidate]:
    """Who a record is into which others were merged: whom its evidence proves, else the one whose values it kept."""
    if any(candidate.proof == "sure" for candidate in candidates):
        return candidates
    alike, alone = ranked(kind, said, ancestors)
    return [
        _Candidate(old.entity or "", "sure" if alone and old is alike[0] else "review", f"{old.place} was merged into it")
        for old in alike
    ] or candidates


def _own_keys(tx: Transaction, kind: str, connection: Connection, rows: list[RecordRow]) -> dict[str, str]:
    """Record id -> entity, for records that carry our own key: made by us, perhaps in a run that never learned of it."""
    path = connection.connector.spec.objects[rows[0].object].key if rows else ""
    if not path:
        return {}
    take = at_path(path)
    found = {row.id: take(loads(row.raw)) for row in rows}
    ours = {id: key for id, key in found.items() if isinstance(key, str) and key.startswith(f"{kind}_")}
    known = entities_by_id(tx, ours.values())
    return {id: key for id, key in ours.items() if key in known}


def _learn(tx: Transaction, kind: str, connection: str, keys: Mapping[str, Mapping[str, str]], others: Collection[str]) -> _Chunk:
    chunk = _Chunk()
    owners = entities_by_key(tx, kind, [key for found in keys.values() for key in found])
    entities = {entity for found in owners.values() for entity in found} | set(others)
    rows = entities_by_id(tx, entities)
    living: set[str] = set()
    for entity, records in records_of(tx, entities).items():
        here = [record for record in records if record.gone is None]
        if here:
            living.add(entity)
        if any(record.connection == connection for record in here):
            chunk.taken.add(entity)
        known = loads(rows[entity].leaves) or loads(records[0].seen)
        chunk.names[entity] = label_of(kind, known)
    # Whoever is gone everywhere is nobody new: the same name again is another one.
    chunk.keys = {key: found & living for key, found in owners.items()}
    return chunk


def _candidates(
    kind: str, leaves: Mapping[str, Any], keys: Mapping[str, str], own: str | None, chunk: _Chunk
) -> list[_Candidate]:
    """Everyone it could be, the surest first, one entry an entity."""
    if own is not None:
        return [_Candidate(own, "sure", "it carries our key")]
    found: dict[str, _Candidate] = {}
    for key, proof in keys.items():
        for entity in sorted(chunk.keys.get(key, ())):
            sure = proof == "sure" or (proof == "name" and _same_name(kind, leaves, chunk.names.get(entity, "")))
            candidate = _Candidate(
                entity, "sure" if sure else "review", f"same {key.partition(':')[0]} {key.partition(':')[2]}".rstrip("| ")
            )
            if entity not in found or (sure and found[entity].proof != "sure"):
                found[entity] = candidate
    return sorted(found.values(), key=lambda c: (c.proof != "sure", c.entity))


def _same_name(kind: str, leaves: Mapping[str, Any], other: str) -> bool:
    if kind == "company":
        name = leaves.get("name") or ""
        return bool(name) and normal_company(name) == normal_company(other)
    return compatible_names(full_name(leaves), other)


def _choose(
    candidates: list[_Candidate], chunk: _Chunk, answer: tuple[str, str | None, str, frozenset[str]] | None
) -> _Candidate | str | None:
    """The entity it is, ``None`` if it is a new one, or the question to ask a person."""
    if answer is not None:
        take, entity, by, offered = answer
        if take == "different" or entity is None:  # none of those, which says nothing of who has come to light since
            candidates = [candidate for candidate in candidates if candidate.entity not in offered | chunk.taken]
        elif entity not in chunk.taken:
            return _Candidate(entity, "sure", f"settled by {by}")
    sure = [candidate for candidate in candidates if candidate.proof == "sure"]
    if len(sure) == 1 and sure[0].entity not in chunk.taken:
        return sure[0]
    if len(sure) > 1:
        return f"{len(sure)} different records match it ({'; '.join(c.evidence for c in sure[:3])})"
    if sure:
        return f"another record here already is that one ({sure[0].evidence}): a duplicate?"
    open_ = [candidate for candidate in candidates if candidate.entity not in chunk.taken]
    if open_:
        return f"it may be {chunk.names.get(open_[0].entity) or open_[0].entity} ({open_[0].evidence})"
    return None
