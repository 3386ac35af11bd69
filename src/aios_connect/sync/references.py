"""References between records: what one connection calls ``companies:7`` or ``?name=Acme`` is one entity of ours, and back.

The store keeps references as their connection says them; the merge compares entities; a write says them in the target's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection as Transaction

from aios_connect.model import leaves as model_leaves
from aios_connect.store.records import EntityRow, RecordRow, entities_by_id, entities_by_key, entities_of, loads, records_of

from .keys import keys_of, label_of

if TYPE_CHECKING:
    from aios_connect.mappings import CompiledMapping

__all__ = ["Pending", "References", "reference_leaves"]

_Leaves = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pending:
    """A reference to a record that the target does not have; the same plan makes it first, or else nobody does.

    Attributes:
        entity: What it points at.
        made: The job makes records of its kind there.
    """

    entity: str
    made: bool = True


def reference_leaves(kind: str) -> Mapping[str, str]:
    """Leaf -> the kind it points at, for the reference leaves of a kind."""
    return {name: leaf.to for name, leaf in model_leaves(kind).items() if leaf.type == "reference" and leaf.to}


class References:
    """Resolves references of one kind, a chunk at a time; reads from one transaction.

    Args:
        tx: An open transaction or view.
        kind: The kind whose records hold the references.
        makes: Whether records of a kind are made in a connection: a reference to one that will never be there waits for nothing.
    """

    def __init__(self, tx: Transaction, kind: str, makes: Callable[[str, str], bool] = lambda connection, kind: True) -> None:
        self._tx = tx
        self._makes = makes
        self._leaves = reference_leaves(kind)
        self._known: dict[tuple[str, str, str], str] = {}
        self._deleted: dict[tuple[str, str, str], bool] = {}  # a record that was deleted there, and if it is gone everywhere
        self._records: dict[str, list[RecordRow]] = {}
        self._entities: dict[str, EntityRow] = {}

    def learn(self, seen: Iterable[tuple[str, _Leaves]]) -> None:
        """Look up all references of these (connection, leaves) with few statements."""
        by_id: set[tuple[str, str, str]] = set()
        by_value: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
        for connection, leaves in seen:
            for leaf, kind in self._leaves.items():
                value = leaves.get(leaf)
                if not isinstance(value, str) or not value:
                    continue
                spelled = (connection, kind, value)
                if value.startswith("?"):
                    for key in _keys_of_value(kind, value):
                        by_value.setdefault((kind, key), []).append(spelled)
                else:
                    object, _, id = value.partition(":")
                    by_id.add((connection, object, id))
        found = entities_of(self._tx, by_id)
        self._known = {key: entity for key, (entity, _, _) in found.items()}
        self._deleted = {key: lost for key, (_, gone, lost) in found.items() if gone not in (None, "merged")}
        for kind in {kind for kind, _ in by_value}:
            owners = entities_by_key(self._tx, kind, [key for of, key in by_value if of == kind])
            for key, entities in owners.items():
                if len(entities) == 1:  # two that answer to one name are no answer
                    for spelled in by_value[(kind, key)]:
                        self._known[spelled] = next(iter(entities))

    def resolved(self, connection: str, leaves: _Leaves) -> _Leaves:
        """The leaves with entities in place of the connection's own references; those nobody knows are left out (absent)."""
        result = dict(leaves)
        for leaf, kind in self._leaves.items():
            value = result.get(leaf)
            if isinstance(value, str) and value:
                entity = self.entity(connection, kind, value)
                if entity is None:
                    del result[leaf]
                else:
                    result[leaf] = entity
        return result

    def unresolved(self, connection: str, leaves: _Leaves) -> list[str]:
        """Reference leaves whose value points at nothing we know."""
        return [
            leaf
            for leaf, kind in self._leaves.items()
            if isinstance(leaves.get(leaf), str) and leaves[leaf] and self.entity(connection, kind, leaves[leaf]) is None
        ]

    def cleared(self, connection: str, seen: _Leaves, base: _Leaves, agreed: _Leaves) -> dict[str, str]:
        """Reference leaf -> entity, where a record points at nothing since that entity was deleted there.

        Nobody said that of this record: whether the other side keeps what was deleted is a question about that, not about this.
        Of one that is gone everywhere it is no question any more, unless the record was to point at another by now.
        """
        found = {}
        for leaf, kind in self._leaves.items():
            value = base.get(leaf)
            if leaf in seen and seen[leaf] is None and isinstance(value, str) and value:
                entity = self.entity(connection, kind, value)
                object, _, id = value.partition(":")
                everywhere = self._deleted.get((connection, object, id))
                if entity is not None and everywhere is not None and not (everywhere and agreed.get(leaf) == entity):
                    found[leaf] = entity
        return found

    def renamed(self, connection: str, seen: _Leaves, base: _Leaves) -> set[str]:
        """Reference leaves that say something else and mean the same: what they point at was merged, and bears another id now."""
        moved = [leaf for leaf in self._leaves if leaf in seen and leaf in base and seen[leaf] != base[leaf]]
        if not moved:
            return set()
        now, then = self.resolved(connection, seen), self.resolved(connection, base)
        return {leaf for leaf in moved if now.get(leaf) is not None and now.get(leaf) == then.get(leaf)}

    def unclear(self, connection: str, seen: _Leaves, base: _Leaves, leaves: Iterable[str]) -> dict[str, str]:
        """Reference leaf -> entity agreed on, of those leaves about which a record says nothing any more: not even that it has none.

        It may point at several now, with no telling which is meant.
        """
        silent = (leaf for leaf in leaves if leaf not in seen and isinstance(base.get(leaf), str) and base[leaf])
        found = {leaf: self.entity(connection, self._leaves[leaf], base[leaf]) for leaf in silent if leaf in self._leaves}
        return {leaf: entity for leaf, entity in found.items() if entity is not None}

    def is_at(self, connection: str, entity: str) -> bool:
        """True if a connection has a living record of an entity that :meth:`fetch` loaded."""
        return any(record.connection == connection and record.gone is None for record in self._records.get(entity, ()))

    def kind_of(self, leaf: str) -> str:
        """The kind that a reference leaf points at."""
        return self._leaves[leaf]

    def entity(self, connection: str, kind: str, value: str) -> str | None:
        """The entity that a connection means by a reference, if :meth:`learn` found it."""
        if value.startswith("?"):
            return self._known.get((connection, kind, value))
        object, _, id = value.partition(":")
        return self._known.get((connection, object, id))

    def fetch(self, entities: Iterable[str]) -> None:
        """Load what :meth:`spelled` needs to know about these entities."""
        wanted = [entity for entity in dict.fromkeys(entities) if entity not in self._records]
        if wanted:
            found = records_of(self._tx, wanted)
            self._records.update({entity: found.get(entity, []) for entity in wanted})
            self._entities.update(entities_by_id(self._tx, wanted))

    def spelled(
        self, mapping: CompiledMapping, connection: str, leaves: _Leaves
    ) -> tuple[_Leaves, dict[str, Pending], list[str]]:
        """Leaves in the words of a connection.

        Returns:
            The leaves it can be told now; references to records it does not have yet; references to records that are not made there.
        """
        result, pending, lacking = dict(leaves), {}, []
        for leaf in self._leaves:
            entity = result.get(leaf)
            if not isinstance(entity, str) or not entity or leaf not in mapping.writes:
                continue
            value = self._spell(mapping, leaf, connection, entity)
            if isinstance(value, str):
                result[leaf] = value
                continue
            del result[leaf]
            if value is not None and value.made:
                pending[leaf] = value
            elif value is not None:
                lacking.append(leaf)
        return result, pending, lacking

    def pointed_at(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """The entities that these merged leaves point at."""
        return [value for leaves in records for leaf in self._leaves if isinstance(value := leaves.get(leaf), str) and value]

    def named(self, leaf: str, value: Any) -> Any:
        """A value as a person reads it: a reference by the name of what it points at, anything else as it is."""
        return self.label(value) if leaf in self._leaves and isinstance(value, str) and value else value

    def label(self, entity: str) -> str:
        """What a person calls the entity."""
        row = self._entities.get(entity)
        leaves = loads(row.leaves) if row else {}
        if not leaves and self._records.get(entity):
            leaves = loads(self._records[entity][0].seen)
        return label_of(row.kind if row else "", leaves) or entity

    def _spell(self, mapping: CompiledMapping, leaf: str, connection: str, entity: str) -> str | Pending | None:
        to, by = mapping.references[leaf]
        if by:
            row = self._entities.get(entity)
            known = loads(row.leaves) if row else {}
            if by not in known:  # not adopted yet: what its records say
                for record in self._records.get(entity, ()):
                    known = {**loads(record.seen), **known}
            value = known.get(by)
            return f"?{by}={value}" if isinstance(value, str) and value else None
        for record in self._records.get(entity, ()):
            if record.connection == connection and record.object == to and record.gone is None:
                return f"{to}:{record.id}"
        if all(record.gone is not None for record in self._records.get(entity, ())):
            return None  # it is gone everywhere: nobody will make it
        return Pending(entity, self._makes(connection, self._leaves[leaf]))


def _keys_of_value(kind: str, value: str) -> Sequence[str]:
    leaf, _, text = value[1:].partition("=")
    return list(keys_of(kind, {leaf: text}, extra=[leaf] if not keys_of(kind, {leaf: text}) else []))
