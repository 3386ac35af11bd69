"""What must be true of two plain servers that are kept in step, judged from their own history and never from our store.

Records are known across both servers by what people never edit: a company's domain, a person's e-mail address, a deal's name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from .plain_vendor import FIELDS, PlainVendor

__all__ = ["TAGS", "Oracle", "ViolationError"]

TAGS: Mapping[str, str] = {"companies": "domain", "people": "email", "deals": "name"}
"""Object -> the field by which a record is the same on both servers."""

Tag: TypeAlias = tuple[str, str]
"""Object and name."""


class ViolationError(AssertionError):
    """Something that must never happen has happened."""


@dataclass(slots=True)
class _Cell:
    """One field of one record on both sides, while its history is followed.

    Attributes:
        now: Side -> the value there.
        fresh: Sides whose value a person wrote since both last agreed.
        since: Side -> values people wrote there since one was last brought from one side to the other.
        agreed: Both sides had the same value once. Before that, nothing is not a statement but an empty field.
        last: The values they had: the one that was brought from one side to the other, and those that people gave both since, which a
            run may or may not have seen. Who puts such a value back has said nothing that can be seen for sure: servers tell what
            is, not what was meanwhile.
        gone: Side -> what it said when the record went away there, and whether that was a person's word nobody had heard. A merge that
            gives the record a new id, or a restore, brings it back: who finds the same value there has said nothing by that.
        cleared: Side -> what a reference pointed at there until that was deleted: the server took it away, and nobody said so.
        vague: People gave it the same value on both sides before the first run ended; whether the run saw that, nobody can tell.
    """

    now: dict[str, Any] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    since: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    agreed: bool = False
    last: list[Any] = field(default_factory=lambda: [None])
    gone: dict[str, tuple[Any, bool]] = field(default_factory=dict)
    cleared: dict[str, Any] = field(default_factory=dict)
    vague: bool = False

    def forget(self, side: str) -> None:
        """The record went away there. What it said may still be on its way to the other side."""
        if side in self.now:
            self.gone[side] = (self.now.pop(side), side in self.fresh)
        self.fresh.discard(side)

    def is_news(self, value: Any, gone: tuple[Any, bool] | None) -> bool:
        """A person's value says something that was not said before; ``gone`` is what was there when the record went."""
        if gone is not None and _same(value, gone[0]):
            return gone[1]
        return (value is not None or self.agreed) and not any(_same(value, known) for known in self.last)


class Oracle:
    """Reads the servers' truth.

    Args:
        sides: The servers by connection name; two of them.
        authority: The connection whose word counts where both sides changed a field; empty if a person is asked.
        settled: True once a person has settled conflicts: then either side's word may win.
        activated: When the first run had gone well.
    """

    def __init__(self, sides: Mapping[str, PlainVendor], authority: str) -> None:
        self.sides = sides
        self.authority = authority
        self.settled = False
        self.activated: datetime | None = None

    def living(self, side: str, object: str) -> dict[str, list[str]]:
        """Name -> ids of the living records that have it."""
        found: dict[str, list[str]] = defaultdict(list)
        for item in self.sides[side].shelves[object]:
            found[item.values[TAGS[object]]].append(item.id)
        return found

    def nothing_is_doubled(self) -> None:
        """No record is there twice on one side."""
        for side in self.sides:
            for object in FIELDS:
                for name, ids in self.living(side, object).items():
                    if len(ids) > 1:
                        raise ViolationError(f"{side} has {object} {name!r} {len(ids)} times: {', '.join(ids)}")

    def nothing_is_missing(self, before: datetime) -> None:
        """What people made before an instant and never deleted is on both sides."""
        for object in FIELDS:
            here = {side: self.living(side, object) for side in self.sides}
            for side, shelf in self._shelves(object):
                dropped = self._dropped(object)
                for edit in shelf.history:
                    made = edit.by != "api" and edit.values is not None and TAGS[object] in edit.values and edit.at < before
                    if made and (name := str((edit.values or {})[TAGS[object]])) not in dropped:
                        for other in self.sides:
                            if name not in here[other]:
                                raise ViolationError(
                                    f"{object} {name!r}, made in {side} at {edit.at:%H:%M:%S}, is missing in {other}"
                                )

    def nothing_is_deleted_by_itself(self) -> None:
        """Only what a person deleted somewhere is deleted elsewhere."""
        for object in FIELDS:
            dropped = self._dropped(object)
            for side, shelf in self._shelves(object):
                names = self._names(side, object)
                for edit in shelf.history:
                    if edit.values is None and edit.by == "api" and names[edit.id] not in dropped:
                        raise ViolationError(
                            f"{object} {names[edit.id]!r} was deleted in {side}, and no person deleted it anywhere"
                        )

    def nothing_a_person_wrote_is_overwritten(self) -> None:
        """A value of a person goes only by a person's newer one, or by the word of the side that decides."""
        cells: dict[tuple[str, str, str], _Cell] = defaultdict(_Cell)
        other = dict(zip(self.sides, reversed(list(self.sides)), strict=True))
        for at, side, object, name, by, values in self._timeline():
            for leaf in FIELDS[object]:
                if values is None:
                    cells[object, name, leaf].forget(side)
                    continue
                if leaf not in values or leaf == "key":
                    continue
                cell, value = cells[object, name, leaf], values[leaf]
                old = cell.now.get(side)
                if by == "api" and value != old and not self._is_merged(other[side], FIELDS[object][leaf], old, value, at):
                    said = [*cell.since[other[side]], *self._said_by_heirs(cells, other[side], object, name, leaf, at)]
                    said = [value if self._is_merged(side, FIELDS[object][leaf], known, value, at) else known for known in said]
                    self._judge(cell, side, other[side], f"{object} {name!r} {leaf} in {side}: {old!r} -> {value!r}", value, said)
                if by != "api" and side in cell.now and _same(value, old):
                    continue  # nobody can tell that from nothing
                gone = cell.gone.pop(side, None)
                cell.cleared.pop(side, None)
                taken = by == "the server" and value is None
                if taken:
                    cell.cleared[side] = old
                cell.now[side] = value
                cell.fresh.discard(side)
                if by != "api":
                    cell.since[side].append(value)
                    if cell.is_news(value, gone) and not taken:
                        cell.fresh.add(side)
                theirs = cell.now.get(other[side])
                follows = by == "api" and self._is_merged(side, FIELDS[object][leaf], theirs, value, at)
                if len(cell.now) == 2 and (value == theirs or follows):
                    cell.vague = by != "api" and (self.activated is None or at < self.activated)
                    cell.agreed = cell.agreed or not cell.vague
                    cell.last = [value, theirs] if by == "api" else [*cell.last, value]
                    cell.fresh.clear()
                    if by == "api":
                        cell.since.clear()

    def both_sides_agree(self) -> None:
        """The same records with the same values everywhere."""
        left, right = self.sides
        for object in FIELDS:
            one, two = self._snapshot(left, object), self._snapshot(right, object)
            if one.keys() != two.keys():
                raise ViolationError(
                    f"{object}: only in {left} {sorted(one.keys() - two.keys())}, only in {right} {sorted(two.keys() - one.keys())}"
                )
            for name, values in one.items():
                differ = {leaf: (values[leaf], two[name][leaf]) for leaf in values if not _agree(values[leaf], two[name][leaf])}
                if differ:
                    raise ViolationError(f"{object} {name!r} differs: {differ}")

    def _judge(self, cell: _Cell, side: str, other: str, what: str, value: Any, said: Sequence[Any]) -> None:
        if cell.vague or (self.settled and _same(value, cell.now.get(other))):
            return
        if value is not None and _same(value, cell.cleared.get(side)):
            return  # what it pointed at is there again
        if side in cell.now and side in cell.fresh:
            decides = self.settled or self.authority == other
            if not decides or not any(_same(value, known) for known in said):
                raise ViolationError(f"{what}: a person wrote the old value, and nobody with a say wrote the new one")
        elif side in cell.now and not any(_same(value, known) for known in said):
            raise ViolationError(f"{what}: nobody in {other} wrote that since both agreed")

    def _said_by_heirs(
        self, cells: Mapping[tuple[str, str, str], _Cell], side: str, object: str, name: str, leaf: str, at: datetime
    ) -> Iterator[Any]:
        """What the records say into which this one was merged there: who asks for its id is told that."""
        for heir in self._heirs(side, object, name, at):
            yield cells[object, heir, leaf].now.get(side)

    def _is_merged(self, side: str, object: str, old: Any, new: Any, at: datetime) -> bool:
        """The record that the old value names was merged there into the one that the new value names: what points at it follows."""
        return object in FIELDS and bool(old) and new in self._heirs(side, object, old, at)

    def _heirs(self, side: str, object: str, name: str, at: datetime) -> list[str]:
        """The record into which one was merged there by then, the one into which that was, and so on."""
        names, history = self._names(side, object), self.sides[side].shelves[object].history
        gone = {edit.id for edit in history if edit.values is None and edit.at <= at}
        into = {names[one]: names[heir] for what, one, heir in self.sides[side].merges if what == object and one in gone}
        found: list[str] = []
        while (heir := into.get(found[-1] if found else name)) is not None and heir not in (name, *found):
            found.append(heir)
        return found

    def _timeline(self) -> Iterator[tuple[datetime, str, str, str, str, dict[str, Any] | None]]:
        """Every write and delete on both sides in the order of time, references as names."""
        events = []
        for object in FIELDS:
            for side, shelf in self._shelves(object):
                names = self._names(side, object)
                for number, edit in enumerate(shelf.history):
                    values = None if edit.values is None else self._named(side, object, edit.values)
                    events.append((edit.at, number, side, object, names[edit.id], edit.by, values))
        events.sort(key=lambda event: (event[0], event[1]))
        return ((at, side, object, name, by, values) for at, _, side, object, name, by, values in events)

    def _snapshot(self, side: str, object: str) -> dict[str, dict[str, Any]]:
        found = {}
        for item in self.sides[side].shelves[object]:
            values = {leaf: item.values.get(leaf) for leaf in FIELDS[object] if leaf != "key"}
            found[item.values[TAGS[object]]] = {leaf: _plain(value) for leaf, value in self._named(side, object, values).items()}
        return found

    def _named(self, side: str, object: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with ids of other records turned into their names."""
        kinds = FIELDS[object]

        def named(leaf: str, value: Any) -> Any:
            if kinds.get(leaf) not in FIELDS or not value:
                return value
            names = self._names(side, kinds[leaf])
            return frozenset(names.get(id, id) for id in value) if isinstance(value, frozenset) else names.get(value, value)

        return {leaf: named(leaf, value) for leaf, value in values.items()}

    def _names(self, side: str, object: str) -> dict[str, str]:
        """Id -> name of every record there has ever been."""
        names: dict[str, str] = {}
        for edit in self.sides[side].shelves[object].history:
            if edit.values is not None and TAGS[object] in edit.values:
                names.setdefault(edit.id, str(edit.values[TAGS[object]]))
        return names

    def _dropped(self, object: str) -> set[str]:
        """Names of records that a person deleted or merged away on some side."""
        return {
            self._names(side, object)[edit.id]
            for side, shelf in self._shelves(object)
            for edit in shelf.history
            if edit.values is None and edit.by != "api"
        }

    def _shelves(self, object: str) -> Iterator[tuple[str, Any]]:
        return ((side, vendor.shelves[object]) for side, vendor in self.sides.items())


def _agree(one: Any, other: Any) -> bool:
    """The same value; or one side points at several: which of them is meant nobody can tell, and nothing of that is carried over."""
    return bool(one == other) or isinstance(one, frozenset) or isinstance(other, frozenset)


def _plain(value: Any) -> Any:
    """Nothing is nothing, however a server spells it."""
    return value or None


def _same(one: Any, other: Any) -> bool:
    return bool(_plain(one) == _plain(other))
