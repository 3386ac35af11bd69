"""Records, entities and their keys: what the sync steps ask of the store, each question one statement.

Streams go by key in chunks, so that memory stays flat however many records there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, delete, false, func, insert, or_, select, true, update

from .tables import entity as _entity
from .tables import key as _key
from .tables import record as _record

__all__ = [
    "EntityRow",
    "RecordRow",
    "clear_proposals",
    "count_known",
    "dumps",
    "entities_after",
    "entities_by_id",
    "entities_by_key",
    "entities_of",
    "knows_any",
    "loads",
    "record_at",
    "records_by_id",
    "records_of",
    "replace_keys",
    "unlinked_after",
]

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder()


def dumps(value: Any) -> str:
    """JSON text in the one form the store uses."""
    return _encoder.encode(value).decode()


def loads(text: str) -> Any:
    """The value of a JSON text of the store."""
    return _decoder.decode(text)


@dataclass(slots=True)
class RecordRow:
    """One vendor record as the store has it. JSON columns are still text: most are never looked into."""

    connection: str
    object: str
    id: str
    kind: str
    entity: str | None
    linked: bool
    evidence: str | None
    raw: str
    seen: str
    base: str | None
    given: int | None
    version: str
    modified: datetime | None
    gone: str | None
    survivor: str | None
    absences: int
    mapping: str
    read_run: str

    @property
    def place(self) -> str:
        """The record, for a person."""
        return f"{self.connection} {self.object}/{self.id}"


@dataclass(slots=True)
class EntityRow:
    """One entity: the company's own view."""

    id: str
    kind: str
    leaves: str
    provenance: str
    version: int
    proposed: bool
    gone: str | None


_RECORD_COLUMNS = [_record.c[name] for name in RecordRow.__slots__]
_ENTITY_COLUMNS = [_entity.c[name] for name in EntityRow.__slots__]


def _records(rows: Iterable[Row[Any]]) -> list[RecordRow]:
    return [RecordRow(*tuple(row)) for row in rows]


def entities_after(tx: Connection, kind: str, last: str, size: int = 500) -> list[EntityRow]:
    """The next entities of a kind that live, or of which a record lives, in order of id."""
    record = select(_record.c.id).where(_record.c.entity == _entity.c.id, _record.c.gone.is_(None))
    alive = or_(_entity.c.gone.is_(None), record.exists())
    query = select(*_ENTITY_COLUMNS).where(_entity.c.kind == kind, _entity.c.id > last, alive)
    return [EntityRow(*row) for row in tx.execute(query.order_by(_entity.c.id).limit(size))]


def entities_by_id(tx: Connection, ids: Iterable[str]) -> dict[str, EntityRow]:
    """The entities with these ids."""
    found = {}
    for part in _parts(ids):
        for row in tx.execute(select(*_ENTITY_COLUMNS).where(_entity.c.id.in_(part))):
            found[row.id] = EntityRow(*row)
    return found


def records_of(tx: Connection, entities: Iterable[str]) -> dict[str, list[RecordRow]]:
    """All records of these entities, by entity."""
    found: dict[str, list[RecordRow]] = {}
    for part in _parts(entities):
        for row in _records(tx.execute(select(*_RECORD_COLUMNS).where(_record.c.entity.in_(part)))):
            assert row.entity is not None
            found.setdefault(row.entity, []).append(row)
    return found


def records_by_id(tx: Connection, connection: str, object: str, ids: Iterable[str]) -> dict[str, RecordRow]:
    """The records with these vendor ids."""
    found = {}
    for part in _parts(ids):
        query = select(*_RECORD_COLUMNS).where(_at(connection, object), _record.c.id.in_(part))
        found.update({row.id: row for row in _records(tx.execute(query))})
    return found


def merged_records(tx: Connection, connection: str, object: str) -> list[RecordRow]:
    """The records that were merged into others."""
    return _records(tx.execute(select(*_RECORD_COLUMNS).where(_at(connection, object), _record.c.gone == "merged")))


def record_at(tx: Connection, connection: str, object: str, id: str) -> RecordRow | None:
    """One record, if it is known."""
    return records_by_id(tx, connection, object, [id]).get(id)


def entities_of(
    tx: Connection, references: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str, str], tuple[str, str | None, bool]]:
    """(connection, object, id) -> entity, how the record went if it is gone, and if the entity is; for those that have one."""
    objects: dict[tuple[str, str], list[str]] = {}
    for connection, object, id in references:
        objects.setdefault((connection, object), []).append(id)
    found = {}
    for (connection, object), ids in objects.items():
        for part in _parts(ids):  # one object a statement: SQLite has no index for a list of triples
            query = select(_record.c.id, _record.c.entity, _record.c.gone, _entity.c.gone.is_not(None))
            query = query.outerjoin(_entity, _entity.c.id == _record.c.entity).where(_record.c.entity.is_not(None))
            rows = tx.execute(query.where(_at(connection, object), _record.c.id.in_(part)))
            found.update({(connection, object, id): (entity, gone, bool(lost)) for id, entity, gone, lost in rows})
    return found


def entities_by_key(tx: Connection, kind: str, keys: Iterable[str]) -> dict[str, set[str]]:
    """Key -> the living entities that have it."""
    found: dict[str, set[str]] = {}
    for part in _parts(keys):
        gone = select(_entity.c.id).where(_entity.c.id == _key.c.entity, _entity.c.gone.is_not(None))
        query = select(_key.c.key, _key.c.entity).where(_key.c.kind == kind, _key.c.key.in_(part), ~gone.exists())
        for name, owner in tx.execute(query):
            found.setdefault(name, set()).add(owner)
    return found


def replace_keys(tx: Connection, kind: str, keys: Mapping[str, Iterable[str]]) -> None:
    """Set the keys of these entities (entity -> keys)."""
    for part in _parts(keys):
        tx.execute(delete(_key).where(_key.c.entity.in_(part)))
    rows = [{"kind": kind, "key": name, "entity": owner} for owner, names in keys.items() for name in dict.fromkeys(names)]
    if rows:
        tx.execute(insert(_key), rows)


def unlinked_after(tx: Connection, connection: str, object: str, last: str, size: int = 500) -> list[RecordRow]:
    """The next living records without a link, in order of id."""
    query = select(*_RECORD_COLUMNS).where(
        _at(connection, object), _record.c.linked == false(), _record.c.gone.is_(None), _record.c.id > last
    )
    return _records(tx.execute(query.order_by(_record.c.id).limit(size)))


def clear_proposals(tx: Connection, connections: Sequence[str], kinds: Sequence[str]) -> None:
    """Forget what an earlier, never applied plan proposed, and what it would have been agreed with."""
    tx.execute(
        update(_record)
        .where(_record.c.linked == false(), _record.c.connection.in_(connections), _record.c.kind.in_(kinds))
        .values(entity=None, evidence=None, base=None, given=None)
    )
    orphan = and_(
        _entity.c.proposed == true(),
        _entity.c.kind.in_(kinds),
        ~select(_record.c.id).where(_record.c.entity == _entity.c.id).exists(),
    )
    tx.execute(delete(_key).where(_key.c.entity.in_(select(_entity.c.id).where(orphan))))
    tx.execute(delete(_entity).where(orphan))


def count_known(tx: Connection, connection: str, object: str) -> int:
    """How many living records of an object the store has."""
    query = select(func.count()).select_from(_record).where(_at(connection, object), _record.c.gone.is_(None))
    return int(tx.execute(query).scalar_one())


def knows_any(tx: Connection, connection: str, object: str) -> bool:
    """True if the store has any record of an object, living or gone."""
    return tx.execute(select(_record.c.id).where(_at(connection, object)).limit(1)).first() is not None


def _at(connection: str, object: str) -> Any:
    return and_(_record.c.connection == connection, _record.c.object == object)


def _parts(values: Iterable[Any], size: int = 400) -> Iterator[list[Any]]:
    """Unique values in parts small enough for one statement."""
    unique = list(dict.fromkeys(values))
    for start in range(0, len(unique), size):
        yield unique[start : start + size]
