"""A connection: one account at one provider, spoken to in canonical records through its mappings.

This is the integrator's door. Without a project and without a store::

    with aios_connect.connect("tryton", url="https://crm.example.com", database="acme", user="api", password=secret) as crm:
        people = crm.read("person")
        for person in people:
            print(person.names.full, person.phones.mobile)
        print(people.problems)  # what could not be read, with its place and reason
        receipt = crm.update(person, {"phones.mobile": "+442079460958"})

With a project the same connection comes from ``Project.find().connection("crm")``.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, overload

from aios_connect.connectors.contract import Change, Connector, Cursor, Quarantined, Raw, Receipt, Tombstone
from aios_connect.connectors.spec import ObjectSpec
from aios_connect.errors import ConfigError, MappingError, NotFoundError, TruncatedError
from aios_connect.model import (
    JSON,
    Activity,
    Company,
    Deal,
    Event,
    ExternalRef,
    Intake,
    Leaves,
    Person,
    Record,
    Task,
    User,
    record_type,
)

if TYPE_CHECKING:
    from aios_connect.connectors.budget import Allowance
    from aios_connect.mappings import CompiledMapping, Problem

__all__ = ["Connection", "Reading"]

R_co = TypeVar("R_co", bound=Record, covariant=True)

_log = logging.getLogger("aios_connect")


class Connection:
    """One account at one provider.

    Args:
        name: What the project calls it, ``"crm"``.
        connector: The provider's connector for this account.
        mappings: One per kind of record.
        on_close: What else to give back when it is closed.
        allowance: Tells what the vendor allows the account in a day, if it says.
    """

    def __init__(
        self,
        name: str,
        connector: Connector,
        mappings: Iterable[CompiledMapping],
        *,
        on_close: Callable[[], None] = lambda: None,
        allowance: Callable[[], Allowance | None] = lambda: None,
    ) -> None:
        self.name = name
        self.connector = connector
        self.allowance = allowance
        self._mappings: dict[str, CompiledMapping] = {}
        self._on_close = on_close
        for mapping in mappings:
            if (other := self._mappings.setdefault(mapping.kind, mapping)) is not mapping:
                raise ConfigError(
                    f"connection {name!r} has two mappings for {mapping.kind}: {other.object} and {mapping.object}",
                    hint="keep one of the two files",
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of record it has a mapping for."""
        return tuple(self._mappings)

    def mapping(self, kind: str) -> CompiledMapping:
        """The mapping of a kind. One with a prefix for custom fields asks the vendor, the first time, which there are.

        Raises:
            ConfigError: There is none.
        """
        found = self._mappings.get(kind)
        if found is None:
            provider = self.connector.spec.provider
            raise ConfigError(
                f"connection {self.name!r} has no mapping for {kind!r}",
                hint=f"it maps {', '.join(self._mappings) or 'nothing'}; write mappings/{provider}/<object>.yaml for more",
            )
        if "custom" in found.fields:  # which fields a prefix stands for, only the live schema knows
            found = self._mappings[kind] = found.expanded(self.connector.describe(found.object))
        return found

    def object(self, kind: str) -> ObjectSpec:
        """What the connector declares about the object that a kind is mapped to."""
        return self.connector.spec.objects[self.mapping(kind).object]

    @overload
    def read(self, kind: Literal["person"], since: Cursor | None = None) -> Reading[Person]: ...
    @overload
    def read(self, kind: Literal["company"], since: Cursor | None = None) -> Reading[Company]: ...
    @overload
    def read(self, kind: Literal["deal"], since: Cursor | None = None) -> Reading[Deal]: ...
    @overload
    def read(self, kind: Literal["user"], since: Cursor | None = None) -> Reading[User]: ...
    @overload
    def read(self, kind: Literal["activity"], since: Cursor | None = None) -> Reading[Activity]: ...
    @overload
    def read(self, kind: Literal["task"], since: Cursor | None = None) -> Reading[Task]: ...
    @overload
    def read(self, kind: Literal["event"], since: Cursor | None = None) -> Reading[Event]: ...
    @overload
    def read(self, kind: Literal["intake"], since: Cursor | None = None) -> Reading[Intake]: ...
    @overload
    def read(self, kind: str, since: Cursor | None = None) -> Reading[Record]: ...
    def read(self, kind: str, since: Cursor | None = None) -> Reading[Any]:
        """Read the records of a kind, page by page as they are asked for.

        Args:
            kind: ``"person"``, ``"company"``, ...
            since: The ``cursor`` of an earlier reading, to get what changed after it; everything, if not given.
        """
        return Reading(self, kind, since)

    @overload
    def get(self, kind: Literal["person"], id: str) -> Person: ...
    @overload
    def get(self, kind: Literal["company"], id: str) -> Company: ...
    @overload
    def get(self, kind: Literal["deal"], id: str) -> Deal: ...
    @overload
    def get(self, kind: Literal["user"], id: str) -> User: ...
    @overload
    def get(self, kind: str, id: str) -> Record: ...
    def get(self, kind: str, id: str) -> Record:
        """One record as it is now.

        Args:
            kind: Its kind.
            id: The vendor's id.

        Raises:
            NotFoundError: It is not there.
            MappingError: It does not fit its mapping.
        """
        mapping = self.mapping(kind)
        return self._record(mapping, self._current(mapping, id))

    def update(self, record: Record, changes: Mapping[str, JSON] | Record) -> Receipt:
        """Write changes of one record, and only if they replace what was seen.

        The record is read again first. If one of the changed leaves is not what ``record`` says any more, somebody else changed it:
        nothing is written and the receipt says ``conflict``.

        Args:
            record: The record as it was read here.
            changes: Leaf -> canonical value (``None`` clears); or the record with its changes, as ``model_copy`` makes it.

        Returns:
            What became of it: ``written``, ``unchanged``, ``conflict``, ``rejected`` or ``ambiguous``.

        Raises:
            ConfigError: The record was not read here, or the mapping does not write one of the leaves.
        """
        mapping = self.mapping(record.kind)
        seen = record.leaves()
        told = _changed(seen, changes.leaves()) if isinstance(changes, Record) else type(record).from_leaves(changes).leaves()
        self._refuse_unwritable(mapping, told)
        id = self._id_here(record, mapping)
        raw = self._current(mapping, id)
        now = self._leaves(mapping, raw)
        moved = [leaf for leaf in told if now.get(leaf) != seen.get(leaf) and now.get(leaf) != told[leaf]]
        if moved:
            return Receipt("conflict", id=id, current=raw, reason=f"changed since it was read: {', '.join(moved)}")
        patch = mapping.put({leaf: value for leaf, value in told.items() if now.get(leaf) != value}, now, raw)
        if not patch:
            return Receipt("unchanged", id=id, record=raw)
        version = _at(raw, self.object(record.kind).version)
        change = Change("update", _line(), id, patch, _expected(raw, patch), None if version is None else str(version))
        return self.connector.write(mapping.object, [change])[0]

    def create(self, kind: str, values: Mapping[str, JSON] | Record, *, key: str | None = None) -> Receipt:
        """Make a new record.

        Args:
            kind: Its kind.
            values: Leaf -> canonical value, or a record made in code.
            key: Our unique key for it, kept at the vendor where it has a place for one; a random one, if not given.

        Returns:
            What became of it: ``written`` with the vendor's ``id``, ``rejected`` or ``ambiguous``.

        Raises:
            ConfigError: The mapping does not write one of the leaves.
        """
        mapping = self.mapping(kind)
        told = values.leaves() if isinstance(values, Record) else record_type(kind).from_leaves(values).leaves()
        told = {leaf: value for leaf, value in told.items() if value is not None}
        self._refuse_unwritable(mapping, told)
        patch = mapping.put(told, {}, None)
        own = (key or f"{kind}_{secrets.token_hex(12)}") if self.object(kind).key else None
        return self.connector.write(mapping.object, [Change("create", _line(), None, patch, key=own)])[0]

    def close(self) -> None:
        """Give back what it holds. Safe to call twice."""
        self.connector.close()
        self._on_close()

    def _current(self, mapping: CompiledMapping, id: str) -> Raw:
        found = self.connector.lookup(mapping.object, [id])
        if not found:
            raise NotFoundError(
                f"{self.name} has no {mapping.object}/{id}", provider=self.connector.spec.provider, object=mapping.object
            )
        return found[0]

    def _leaves(self, mapping: CompiledMapping, raw: Raw) -> Leaves:
        leaves, problems = mapping.get(raw)
        if problems:
            id = _at(raw, self.connector.spec.objects[mapping.object].id)
            raise MappingError(
                f"{self.name} {mapping.object}/{id} does not fit its mapping: {_reasons(problems)}",
                hint="correct the record, or let the mapping take such values",
            )
        return leaves

    def _record(self, mapping: CompiledMapping, raw: Raw) -> Record:
        return self._typed(mapping, raw, self._leaves(mapping, raw))

    def _typed(self, mapping: CompiledMapping, raw: Raw, leaves: Leaves) -> Record:
        spec = self.connector.spec.objects[mapping.object]
        version = _at(raw, spec.version)
        here = ExternalRef(
            connector=self.name,
            object=mapping.object,
            id=str(_at(raw, spec.id)),
            version=None if version is None else str(version),
        )
        return record_type(mapping.kind).from_leaves(leaves).model_copy(update={"external_refs": (here,)})

    def _id_here(self, record: Record, mapping: CompiledMapping) -> str:
        for ref in record.external_refs:
            if ref.connector == self.name and ref.object == mapping.object:
                return ref.id
        raise ConfigError(
            f"this {record.kind} was not read from connection {self.name!r}", hint="read it there first, or create it"
        )

    def _refuse_unwritable(self, mapping: CompiledMapping, told: Leaves) -> None:
        for leaf in told:
            if leaf not in mapping.writes:
                raise ConfigError(
                    f"the mapping of {self.name} {mapping.object} does not write {leaf!r}",
                    hint=f"it writes {', '.join(sorted(mapping.writes)) or 'nothing'}",
                )


class Reading(Generic[R_co]):
    """One read of one kind: iterate over it to get the records.

    Attributes:
        problems: What could not be read as a record, with its place and reason. Complete once the iteration has ended; a warning is
            logged then if there are any.
        gone: Records that went away since, as the vendor itself says.
        cursor: The position after the last page that was read; give it to the next ``read`` to get what changed.
        complete: The stream ended on its positive end marker.
    """

    def __init__(self, connection: Connection, kind: str, since: Cursor | None) -> None:
        self._connection = connection
        self._mapping = connection.mapping(kind)
        self._since = since
        self.problems: list[Quarantined] = []
        self.gone: list[Tombstone] = []
        self.cursor: Cursor = since or {}
        self.complete = False

    def __iter__(self) -> Iterator[R_co]:
        self.problems, self.gone, self.complete = [], [], False
        for raw, leaves in self.leaves():
            yield self._connection._typed(self._mapping, raw, leaves)  # type: ignore[misc]
        if self.problems:
            first = self.problems[0]
            _log.warning(
                "%s: %d of %s could not be read, the first %s: %s",
                self._connection.name,
                len(self.problems),
                self._mapping.object,
                first.place,
                first.reason,
            )

    def leaves(self) -> Iterator[tuple[Raw, Leaves]]:
        """The vendor's records and their leaves, without the typed edge.

        Raises:
            TruncatedError: The stream ended without its end marker.
        """
        mapping = self._mapping
        spec = self._connection.object(mapping.kind)
        for page in self._connection.connector.read(mapping.object, self._since):
            self.problems += page.quarantined
            self.gone += page.tombstones
            for raw in page.records:
                leaves, problems = mapping.get(raw)
                if problems:
                    id = str(_at(raw, spec.id))
                    self.problems.append(Quarantined(f"{mapping.object}/{id}", _reasons(problems), repr(raw), id))
                else:
                    yield raw, leaves
            self.cursor, self.complete = page.cursor, page.complete
        if not self.complete:
            raise TruncatedError(
                f"{self._connection.name} {mapping.object}: the stream ended without its end marker",
                hint="read again from the cursor",
                provider=self._connection.connector.spec.provider,
                object=mapping.object,
            )


def _reasons(problems: Iterable[Problem]) -> str:
    return "; ".join(f"{problem.leaf}: {problem.reason}" for problem in problems)


def _changed(seen: Leaves, new: Leaves) -> Leaves:
    """What a changed copy says otherwise; what it leaves out is not touched."""
    return {leaf: value for leaf, value in new.items() if leaf not in seen or seen[leaf] != value}


def _at(raw: Raw, path: str) -> Any:
    value: Any = raw if path else None
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _expected(raw: Raw, patch: Raw) -> Raw:
    """What the patched places hold now, in the shape of the patch."""
    expected: Raw = {}
    for name, value in patch.items():
        below = raw.get(name)
        nested = isinstance(value, dict) and value and (below is None or isinstance(below, dict))
        expected[name] = _expected(below or {}, value) if nested else below
    return expected


def _line() -> str:
    return f"direct-{secrets.token_hex(6)}"
