"""One entity with its records while it is planned: what it knows, what each side says, what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from aios_connect.connection import Connection
from aios_connect.model.canonical import instant_text
from aios_connect.store.records import EntityRow, RecordRow, loads

from .effects import Update
from .jobs import KindRule
from .keys import label_of
from .merging import Decision, Leaves, Merged, Settlement, Side, merge
from .references import References
from .restless import Written

__all__ = ["Subject", "in_step", "seen_digest"]


def seen_digest(seen: str) -> str:
    """Digest of a record's leaves as the store has them."""
    return sha256(seen.encode()).hexdigest()[:16]


def in_step(entity: EntityRow, records: Sequence[RecordRow], creating: Sequence[str]) -> bool:
    """True if nothing can come of an entity: every record as agreed, none missing, none gone."""
    if entity.proposed:
        return False
    for record in records:
        if record.gone is not None or not record.linked or record.given != entity.version or record.seen != record.base:
            return False
    here = {record.connection for record in records}
    return all(name in here for name in creating)


@dataclass(slots=True)
class Subject:
    """One entity while it is planned.

    Attributes:
        entity: Its row.
        agreed: Its leaves so far.
        provenance: Leaf -> where its value came from.
        living: Connection -> its record there.
        dead: Connection -> its record there that is gone.
        seen: Connection -> leaves in that connection's words.
        resolved: The same with references turned into entities.
        merged: What comes of it.
        decided: Leaf -> what the merge decided.
        changed: Connection -> leaves it has something to say about.
        cleared: Connection -> leaves that point at nothing there since what they pointed at was deleted, with the entity that it was.
        unclear: Connection -> leaves that may point at several there, with the entity that was agreed.
        unanswered: Connection -> updates that were sent there and never answered.
        written: Connection -> what was written there of late.
    """

    entity: EntityRow
    agreed: Leaves
    provenance: dict[str, dict[str, str]]
    living: dict[str, RecordRow] = field(default_factory=dict)
    dead: dict[str, RecordRow] = field(default_factory=dict)
    seen: dict[str, Leaves] = field(default_factory=dict)
    resolved: dict[str, Leaves] = field(default_factory=dict)
    merged: Merged = field(default_factory=lambda: Merged({}))
    decided: dict[str, Decision] = field(default_factory=dict)
    changed: dict[str, set[str]] = field(default_factory=dict)
    cleared: dict[str, Mapping[str, str]] = field(default_factory=dict)
    unclear: dict[str, Mapping[str, str]] = field(default_factory=dict)
    unanswered: dict[str, list[Update]] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)

    @classmethod
    def load(cls, entity: EntityRow, records: Sequence[RecordRow], names: set[str]) -> Subject:
        """Put an entity together with its records in the connections that take part."""
        subject = cls(entity, loads(entity.leaves), loads(entity.provenance))
        for record in records:
            if record.connection not in names:
                continue
            if record.gone is not None:
                subject.dead[record.connection] = record
            else:
                subject.living[record.connection] = record
                subject.seen[record.connection] = loads(record.seen)
        for name in subject.living:  # a record that came back outweighs the one that went
            subject.dead.pop(name, None)
        return subject

    def sayings(self) -> Iterator[tuple[str, Leaves]]:
        """Everything its connections say, or said when all agreed, in their own words."""
        for name, seen in self.seen.items():
            yield name, seen
            base = self.living[name].base
            if base is not None:
                yield name, loads(base)

    @property
    def label(self) -> str:
        """What a person calls it."""
        return label_of(self.entity.kind, self.merged.leaves or self.agreed)

    @property
    def open_leaves(self) -> set[str]:
        """Leaves that wait for a person."""
        return {conflict.leaf for conflict in self.merged.conflicts}

    @property
    def version_after(self) -> int:
        """The entity's version once the store has taken note."""
        return self.entity.version + bool(self.merged.decisions or self.entity.proposed)

    def combine(
        self, parts: Sequence[Connection], rule: KindRule, references: References, settled: Mapping[str, Settlement], read_at: str
    ) -> None:
        """Merge what the sides say."""
        kind = self.entity.kind
        sides = []
        for connection in parts:
            record = self.living.get(connection.name)
            if record is None:
                continue
            seen = self.seen[connection.name]
            resolved = self.resolved[connection.name] = references.resolved(connection.name, seen)
            base: Leaves = {} if record.base is None else loads(record.base)
            cleared = self.cleared[connection.name] = references.cleared(connection.name, seen, base, self.agreed)
            points = connection.mapping(kind).references
            self.unclear[connection.name] = references.unclear(connection.name, seen, base, points)
            silent = cleared.keys() | references.renamed(connection.name, seen, base)
            self.changed[connection.name] = _changed(seen, base) - silent
            changed = frozenset(self.changed[connection.name] & resolved.keys())
            fresh = frozenset(leaf for leaf in changed if leaf not in base)
            unheard = self._unheard(record, base, changed, references)
            writes = allowed_writes(connection, kind, rule)
            at = instant_text(record.modified) if record.modified else read_at
            doubtful = self._doubtful(record, resolved)
            sides.append(Side(connection.name, resolved, changed, fresh, unheard, doubtful, writes, record.place, at))
        sides = [replace(side, doubtful=side.doubtful | self._taken_along(side, sides)) for side in sides]
        self.merged = merge(self.agreed, sides, rule.who_decides, settled, rule.leaves_alone)
        self.decided = {decision.leaf: decision for decision in self.merged.decisions}

    def _taken_along(self, side: Side, sides: Sequence[Side]) -> frozenset[str]:
        """Leaves that a delete may have emptied on one side, or a person before it, while another side says something else."""
        others = [other for other in sides if other is not side]
        return frozenset(
            leaf
            for leaf in self.cleared[side.connection]
            if any(leaf in other.changed | other.doubtful and other.seen[leaf] != self.agreed.get(leaf) for other in others)
        )

    def told_by(self, leaf: str) -> tuple[str, str, str]:
        """Why a leaf has its value, who said so and when: for the lines that pass it on."""
        if (decision := self.decided.get(leaf)) is not None:
            return decision.rule, decision.source, decision.at
        entry = self.provenance.get(leaf, {})
        return entry.get("rule", ""), entry.get("source", ""), entry.get("at", "")

    def _unheard(self, record: RecordRow, base: Leaves, changed: frozenset[str], references: References) -> frozenset[str]:
        """Changed leaves whose agreed value never reached the record: whoever changed them did not know it."""
        if record.given == self.entity.version:
            return frozenset()
        told = references.resolved(record.connection, base)
        return frozenset(leaf for leaf in changed if leaf in base and leaf in self.agreed and told.get(leaf) != self.agreed[leaf])

    def _doubtful(self, record: RecordRow, resolved: Leaves) -> frozenset[str]:
        """Leaves sent to the record without an answer, that differ now although or because the record changed."""
        return frozenset(
            leaf
            for told, over in self.unanswered.get(record.connection, ())
            for leaf in told
            if record.version != over and leaf in resolved and resolved[leaf] != self.agreed.get(leaf)
        )

    def edited(self, name: str) -> bool:
        """True if a side changed anything since all agreed."""
        return self.living[name].base is not None and bool(self.changed[name])

    def still(self, said: Mapping[str, str]) -> set[str]:
        """Of these leaves (leaf -> entity) the ones that still point at that entity."""
        return {leaf for leaf, entity in said.items() if self.merged.leaves.get(leaf) == entity}


def allowed_writes(connection: Connection, kind: str, rule: KindRule) -> frozenset[str]:
    """Leaves that a job may write to a connection."""
    if rule.write is not None and connection.name not in rule.write:
        return frozenset()
    mapping = connection.mapping(kind)
    if "update" not in connection.connector.spec.objects[mapping.object].verbs:
        return frozenset()
    return frozenset(leaf for leaf in mapping.writes if not rule.leaves_alone(leaf))


def _changed(seen: Leaves, base: Leaves) -> set[str]:
    """Leaves a side has something to say about. Nothing is no statement where nothing was agreed."""
    return {leaf for leaf, value in seen.items() if (base[leaf] != value if leaf in base else value is not None)}
