"""The three-way merge of one record, leaf by leaf. Pure: no store, no clock, no vendor.

Each side shows what it has now (``seen``) and what it had when all agreed (``base``). A side *speaks* for a leaf when the two
differ. One speaker, or several that say the same, and the value is theirs; several that differ, and the declared authority
decides, or else a person does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .jobs import Authority

__all__ = ["NOT_MERGED", "Conflict", "Decision", "Leaves", "Merged", "Settlement", "Side", "merge"]

Leaves: TypeAlias = dict[str, Any]

NOT_MERGED = frozenset({"id", "tenant", "version", "created_at", "updated_at", "deleted_at", "merged_into"})
"""Leaves that each system has for itself."""

_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Side:
    """One connection's record of the entity.

    Attributes:
        connection: The connection.
        seen: Its leaves now, references resolved to entities.
        changed: Leaves that differ from the base.
        fresh: Changed leaves that were never agreed with this side: all of a new link, later those that were in conflict.
        unheard: Changed leaves whose agreed value never reached this side: whoever changed them did not know it.
        doubtful: Leaves that were sent there without an answer, and that differ now: ours may have arrived, and a person may have
            written over it; or it never did.
        writes: Leaves the connection's mapping can write and the job lets it.
        source: The record, for a person: ``"sheet people/P-007"``.
        at: When the record changed, as its vendor says; else when it was read.
    """

    connection: str
    seen: Leaves
    changed: frozenset[str]
    fresh: frozenset[str]
    unheard: frozenset[str]
    doubtful: frozenset[str]
    writes: frozenset[str]
    source: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a person decided about a conflict: this value, as long as the sides still say ``values``."""

    value: Any
    values: Mapping[str, Any]
    by: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One leaf of the entity changes.

    Attributes:
        leaf: Which.
        old: The entity's value before; ``None`` if there was none.
        new: The value from now on.
        rule: Why, for a person.
        source: The record the value comes from.
        at: When that record changed.
    """

    leaf: str
    old: Any
    new: Any
    rule: str
    source: str
    at: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sides differ and nobody declared who wins.

    Attributes:
        leaf: Which.
        values: What each connection says.
        agreed: The entity's value, which stays for now.
    """

    leaf: str
    values: Mapping[str, Any]
    agreed: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome: the entity's leaves from now on, what changed in it, and what a person must decide."""

    leaves: Leaves
    decisions: list[Decision] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


def merge(
    agreed: Leaves,
    sides: Sequence[Side],
    authority: Callable[[str], Authority],
    settled: Mapping[str, Settlement] | None = None,
    skip: Callable[[str], bool] = lambda leaf: False,
) -> Merged:
    """Merge what the sides say into the entity.

    Args:
        agreed: The entity's leaves so far; empty for a new one.
        sides: Its records, in the job's order.
        authority: Leaf -> who decides an overlap.
        settled: Leaf -> what a person decided.
        skip: Leaves to leave alone.
    """
    merged = Merged(dict(agreed))
    writable: frozenset[str] = frozenset().union(*(side.writes for side in sides)) if sides else frozenset()
    for leaf in dict.fromkeys(leaf for side in sides for leaf in side.seen if leaf in side.changed or leaf in side.doubtful):
        if leaf in NOT_MERGED or skip(leaf):
            continue
        _merge_leaf(leaf, merged, sides, authority(leaf), (settled or {}).get(leaf), leaf in writable)
    return merged


def _merge_leaf(
    leaf: str, merged: Merged, sides: Sequence[Side], who: Authority, settlement: Settlement | None, writable: bool
) -> None:
    old = merged.leaves.get(leaf, _ABSENT)
    speakers = [side for side in sides if (leaf in side.changed or leaf in side.doubtful) and side.seen[leaf] != old]
    if old is _ABSENT:
        speakers = [side for side in speakers if side.seen[leaf] is not None] or speakers[:1]
    if who.only and old is not _ABSENT and any(side.connection == who.connection for side in sides):
        speakers = [side for side in speakers if side.connection == who.connection]
    if not speakers:
        return
    holders, echoes = _holders(leaf, old, sides, speakers), _echoes(leaf, old, sides)
    unclear = bool(echoes) or any(leaf in side.doubtful for side in speakers)
    values = {_hashable(side.seen[leaf]) for side in speakers}
    if len(values) == 1 and not holders and not echoes:
        _decide(leaf, old, speakers[0], _reason(speakers, old), merged)
        return
    winner = None if unclear else next((side for side in [*speakers, *holders] if side.connection == who.connection), None)
    if winner is None and not writable:  # nobody can be told, so nobody needs to be asked
        winner = speakers[0]
    if winner is not None:
        if winner in speakers:
            rule = f"only {who.connection} decides" if who.only else f"{winner.connection} has authority"
            _decide(leaf, old, winner, rule, merged)
        return
    said = {side.connection: side.seen[leaf] for side in [*holders, *echoes, *speakers]}
    if settlement is not None and dict(settlement.values) == said:
        side = next((side for side in speakers if side.seen[leaf] == settlement.value), speakers[0])
        if settlement.value != old:
            merged.decisions.append(
                Decision(
                    leaf, None if old is _ABSENT else old, settlement.value, f"settled by {settlement.by}", side.source, side.at
                )
            )
            merged.leaves[leaf] = settlement.value
        return
    merged.conflicts.append(Conflict(leaf, said, None if old is _ABSENT else old))


def _holders(leaf: str, old: Any, sides: Sequence[Side], speakers: Sequence[Side]) -> list[Side]:
    """Sides that hold the agreed value against a side that did not agree to it: its difference is no change of that value.

    Nothing is an empty field against a side that was never asked, and a statement against one that has not heard of it yet.
    """
    own = [side for side in sides if leaf in side.fresh and old is not None and side.seen[leaf] == old]  # said by itself
    against = any(leaf in side.unheard | side.doubtful or (leaf in side.fresh and old is not None) for side in speakers)
    if old is _ABSENT or not against:
        return own
    return own + [
        side
        for side in sides
        if side not in speakers and leaf not in side.fresh | side.unheard and leaf in side.seen and side.seen[leaf] == old
    ]


def _echoes(leaf: str, old: Any, sides: Sequence[Side]) -> list[Side]:
    """Sides that came to the agreed value without our knowledge: an answer of theirs that was lost, or a person's own word.

    Nobody can tell the two apart, so whoever differs is asked about, whatever authority says.
    """
    return [side for side in sides if leaf in side.unheard and leaf in side.seen and side.seen[leaf] == old]


def _reason(speakers: Sequence[Side], old: Any) -> str:
    names = " and ".join(side.connection for side in speakers)
    return f"first seen in {names}" if old is _ABSENT else f"changed in {names}"


def _decide(leaf: str, old: Any, side: Side, rule: str, merged: Merged) -> None:
    new = side.seen[leaf]
    merged.leaves[leaf] = new
    merged.decisions.append(Decision(leaf, None if old is _ABSENT else old, new, rule, side.source, side.at))


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((key, _hashable(item)) for key, item in value.items()))
    return tuple(map(_hashable, value)) if isinstance(value, list) else (type(value).__name__, value)
