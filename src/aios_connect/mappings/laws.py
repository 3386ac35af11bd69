"""The laws a mapping keeps, tried when it is loaded: a mapping that breaks one is a liar and is refused.

| law | says |
|---|---|
| put-get | what was written is read back |
| get-put | writing back what was read changes nothing |
| put-put | of two writes the second counts |
| untouched | a write changes its own leaves, and nothing else in the vendor's record |
| absent | a leaf that is not given is never cleared |
| null | a leaf that is null is cleared |
| settles | a leaf that is allowed to lose (`lossy: allow`) loses once: what was read back can be written and read again |

A mapping may refuse a value (:class:`~aios_connect.errors.MappingError`): refusing is honest. It is tried on a simulated vendor
that keeps a record as patches come, with the limits its schema states: digits after the point and characters that survive, codes
that exist. The laws are those of lenses (Foster et al. 2007, https://doi.org/10.1145/1232420.1232424), with absent and null told
apart.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any, Final, Literal, Protocol, TypeAlias

from aios_connect.connectors.contract import FieldInfo, Raw, Schema
from aios_connect.errors import MappingError
from aios_connect.model import Leaf
from aios_connect.model.canonical import JSON, Leaves

from .compile import Field
from .generate import Domain, domain_of, record
from .mapping import CompiledMapping

__all__ = ["Law", "Lens", "Vendor", "Violation", "check_laws", "violations", "violations_of"]

Law: TypeAlias = Literal["put-get", "get-put", "put-put", "untouched", "absent", "null", "settles"]

_STRANGER: Final = "x_not_mapped"


class Lens(Protocol):
    """What the laws need of a mapping."""

    @property
    def reads(self) -> frozenset[str]:
        """The leaves ``get`` may give."""

    @property
    def writes(self) -> frozenset[str]:
        """The leaves ``put`` writes."""

    def get(self, raw: Raw) -> tuple[Leaves, Any]:
        """The leaves of a raw record, and what could not be read."""

    def put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        """The patch that turns ``old`` into ``new``; ``raw`` is ``None`` for a create."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One law broken by one leaf.

    Attributes:
        law: The law.
        leaf: The leaf that shows it.
        example: What was tried and what came of it, one sentence.
        unwritable: No value that was tried could be written, so that nothing is known.
    """

    law: Law
    leaf: str
    example: str
    unwritable: bool = False


class _RefusedError(Exception):
    """The mapping or the vendor refused a value, which is honest."""


class Vendor:
    """A vendor as its schema describes it: keeps what it is sent, as far as it says it can.

    Args:
        schema: The live schema; ``None`` for a vendor that keeps everything.
    """

    def __init__(self, schema: Schema | None = None) -> None:
        fields = schema.fields if schema is not None else {}
        self._limits = [
            (path.split("."), field)
            for path, field in fields.items()
            if field.max_length is not None or field.scale is not None or (field.type == "choice" and field.choices)
        ]

    def write(self, raw: Raw, patch: Raw) -> Raw:
        """The record after a patch. Neither of the two is changed.

        Raises:
            MappingError: The vendor knows no such code.
        """
        after = _merged(raw, patch)
        for steps, field in self._limits:
            value: Any = after
            for step in steps:
                value = value.get(step) if isinstance(value, dict) else None
            if (kept := _kept(value, field)) != value:
                for step in reversed(steps):
                    kept = {step: kept}
                after = _merged(after, kept)
        return after


def check_laws(mapping: CompiledMapping, schema: Schema | None = None) -> None:
    """Refuse a mapping that breaks a law.

    Args:
        mapping: The mapping.
        schema: The vendor's live schema, if it was asked for: its limits are tried, and custom fields by prefix.

    Raises:
        MappingError: A law is broken; at the line of the field that breaks it, with the example that shows it.
    """
    if schema is not None:
        mapping = mapping.expanded(schema)
    if broken := violations_of(mapping, schema):
        raise _refusal(mapping, broken[0])


def violations_of(mapping: CompiledMapping, schema: Schema | None = None, random: Random | None = None) -> list[Violation]:
    """Every law a mapping was seen to break; see :func:`violations`."""
    owners = _owners(mapping)
    domains = {name: domain_of(field, leaf, schema) for name, (field, leaf) in owners.items() if name in mapping.writes}
    lossy = [name for name, (field, _) in owners.items() if field.transform.lossy == "allow"]
    guessed = [name for name in lossy if len(owners[name][0].leaves) > 1]
    return violations(mapping, domains, schema=schema, lossy=lossy, guessed=guessed, random=random)


def violations(
    lens: Lens,
    domains: Mapping[str, Domain],
    *,
    schema: Schema | None = None,
    lossy: Collection[str] = (),
    guessed: Collection[str] = (),
    random: Random | None = None,
    rounds: int = 4,
) -> list[Violation]:
    """Every law that was seen to be broken, at most one example per law and leaf, the plainest ones first.

    Args:
        lens: The mapping.
        domains: The values to try, for every leaf it writes.
        schema: The vendor's limits.
        lossy: Leaves that may lose.
        guessed: Lossy leaves that are told from each other by guessing; of them no more is asked than to settle.
        random: Where chance comes from; a fixed seed if not given.
        rounds: How many random records are tried.
    """
    trial = _Trial(lens, domains, Vendor(schema), frozenset(lossy), frozenset(guessed))
    found: dict[tuple[Law, str], Violation] = {}
    for violation in trial.alone():
        found.setdefault((violation.law, violation.leaf), violation)
    suspects = {leaf for _, leaf in found}
    random = random or Random(0)  # noqa: S311 - trying values, not making secrets
    for _ in range(rounds):
        for violation in trial.together(random):
            if violation.leaf not in suspects:
                found.setdefault((violation.law, violation.leaf), violation)
    return list(found.values())


def _owners(mapping: CompiledMapping) -> dict[str, tuple[Field, Leaf]]:
    return {leaf.name: (field, leaf) for field in mapping.fields.values() for leaf in field.leaves}


def _refusal(mapping: CompiledMapping, violation: Violation) -> MappingError:
    field, _ = _owners(mapping)[violation.leaf]
    may_lose = violation.law == "put-get" and not violation.unwritable
    return MappingError(
        f"{violation.leaf} breaks the law of {violation.law}: {violation.example}",
        hint=f"write access: read{'; or lossy: allow, if that does not matter' if may_lose else ', or mend the transform'}",
        file=field.place.file,
        line=field.line,
        column=field.column,
        excerpt=field.place.excerpt,
    )


class _Trial:
    """One mapping before the laws."""

    def __init__(
        self, lens: Lens, domains: Mapping[str, Domain], vendor: Vendor, lossy: frozenset[str], guessed: frozenset[str]
    ) -> None:
        self._lens = lens
        self._domains = {name: domain for name, domain in domains.items() if name in lens.writes}
        self._vendor = vendor
        self._lossy = lossy
        self._guessed = guessed
        self._both = lens.writes & lens.reads

    def alone(self) -> Iterator[Violation]:
        """Each leaf by itself, case by case: the plainest examples."""
        for name, domain in self._domains.items():
            refused = 0
            for value in domain.cases:
                try:
                    yield from self._written(name, value)
                except _RefusedError as error:
                    refused += 1
                    reason = str(error)
            if refused == len(domain.cases):
                yield Violation("put-get", name, f"none of {refused} values tried can be written: {reason}", unwritable=True)

    def together(self, random: Random) -> Iterator[Violation]:
        """One whole record, then changes to it: how leaves get in each other's way."""
        start = self._accepted(record(random, self._domains))
        raw = _with_strangers(self._created(start))
        seen = self._get(raw)
        yield from self._read_back(start, seen, "in one record with the others")
        yield from self._unchanged(seen, raw)
        for name in self._domains:
            if name in self._guessed:
                continue
            if seen.get(name) is not None:
                yield from self._absent(name, seen, raw)
                yield from self._null(name, seen, raw)
            yield from self._changed(name, random, seen, raw)

    def _written(self, name: str, value: JSON) -> Iterator[Violation]:
        raw = self._write({}, {name: value}, {}, {})
        if name not in self._both:
            return
        back = self._get(raw).get(name)
        if name in self._lossy:
            yield from self._settled(name, value, back)
        elif back != value:
            yield Violation("put-get", name, f"{_shown(value)} is written and {_shown(back)} is read back")

    def _settled(self, name: str, value: JSON, back: JSON) -> Iterator[Violation]:
        if back is None:
            return
        try:
            again = self._get(self._write({}, {name: back}, {}, {})).get(name)
        except _RefusedError:
            yield Violation("settles", name, f"{_shown(value)} is read back as {_shown(back)}, which cannot be written")
            return
        if again != back:
            yield Violation(
                "settles", name, f"{_shown(value)} is read back as {_shown(back)}, and that, written again, as {_shown(again)}"
            )

    def _read_back(self, written: Leaves, seen: Leaves, where: str) -> Iterator[Violation]:
        for name in sorted(written.keys() & self._both - self._lossy):
            if seen.get(name) != written[name]:
                example = f"{_shown(written[name])}, written {where}, is read back as {_shown(seen.get(name))}"
                yield Violation("put-get", name, example)

    def _unchanged(self, seen: Leaves, raw: Raw) -> Iterator[Violation]:
        mine = {name: value for name, value in seen.items() if name in self._domains}
        for name, value in mine.items():
            rest = {leaf: other for leaf, other in mine.items() if leaf != name}
            try:
                if (patch := self._put(mine, mine, raw)) and patch != self._put(rest, rest, raw):
                    yield Violation("get-put", name, f"{_shown(value)} was not changed, and yet {_shown(patch)} is sent")
            except _RefusedError as error:
                yield Violation("get-put", name, f"{_shown(value)} was not changed, and yet it is refused: {error}")
        try:
            over = self._write(raw, mine, {}, raw)
        except _RefusedError:
            return
        yield from self._differences("get-put", seen, self._get(over), "all that was read was written back", self._lens.reads)

    def _absent(self, name: str, seen: Leaves, raw: Raw) -> Iterator[Violation]:
        rest = {leaf: value for leaf, value in seen.items() if leaf != name}
        try:
            after = self._get(self._write(raw, rest, seen, raw)).get(name)
        except _RefusedError as error:
            yield Violation("absent", name, f"it held {_shown(seen[name])}, was not given, and that is refused: {error}")
            return
        if after != seen[name]:
            yield Violation("absent", name, f"it held {_shown(seen[name])}, was not given, and then held {_shown(after)}")

    def _null(self, name: str, seen: Leaves, raw: Raw) -> Iterator[Violation]:
        try:
            after = self._get(self._write(raw, {**seen, name: None}, seen, raw))
        except _RefusedError:
            return
        if after.get(name) is not None and name in self._both:
            yield Violation("null", name, f"it held {_shown(seen[name])}, was cleared, and still holds {_shown(after[name])}")
        yield from self._differences("untouched", seen, after, f"{name} was cleared", self._both - {name})

    def _changed(self, name: str, random: Random, seen: Leaves, raw: Raw) -> Iterator[Violation]:
        first, second = self._domains[name].value(random), self._domains[name].value(random)
        try:
            once = self._write(raw, {**seen, name: first}, seen, raw)
            was = self._get(once)
            twice = self._get(self._write(once, {**was, name: second}, was, once))
            directly = self._get(self._write(raw, {**seen, name: second}, seen, raw))
        except _RefusedError:
            return
        yield from self._differences("untouched", seen, was, f"{name} was set to {_shown(first)}", self._both - {name})
        if name in self._both - self._lossy and was.get(name) != first:
            yield Violation(
                "put-get",
                name,
                f"{_shown(first)}, written over {_shown(seen.get(name))}, is read back as {_shown(was.get(name))}",
            )
        if _strangers(once) < _strangers(raw):
            yield Violation(
                "untouched", name, f"setting it to {_shown(first)} loses fields of the vendor's record that are not mapped"
            )
        if twice.get(name) != directly.get(name):
            found, wanted = _shown(twice.get(name)), _shown(directly.get(name))
            yield Violation("put-put", name, f"after {_shown(first)} and then {_shown(second)} it holds {found}, not {wanted}")

    def _differences(self, law: Law, before: Leaves, after: Leaves, why: str, among: frozenset[str]) -> Iterator[Violation]:
        for name in sorted(among - self._guessed):
            if before.get(name) != after.get(name):
                example = f"{why}, and it went from {_shown(before.get(name))} to {_shown(after.get(name))}"
                yield Violation(law, name, example)

    def _accepted(self, leaves: Leaves) -> Leaves:
        """What of a record the mapping accepts, leaf by leaf."""
        accepted: Leaves = {}
        for name, value in leaves.items():
            try:
                self._write({}, {**accepted, name: value}, {}, {})
            except _RefusedError:
                continue
            accepted[name] = value
        return accepted

    def _created(self, leaves: Leaves) -> Raw:
        """A new record; where creating is refused (a required leaf is null, say), one that was there and is filled."""
        try:
            return self._write({}, leaves, {}, None)
        except _RefusedError:
            return self._write({}, leaves, {}, {})

    def _get(self, raw: Raw) -> Leaves:
        return self._lens.get(raw)[0]

    def _put(self, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        try:
            return self._lens.put(new, old, raw)
        except MappingError as error:
            raise _RefusedError(error.message) from error

    def _write(self, kept: Raw, new: Leaves, old: Leaves, raw: Raw | None) -> Raw:
        patch = self._put(new, old, raw)
        try:
            return self._vendor.write(kept, patch)
        except MappingError as error:
            raise _RefusedError(error.message) from error


def _merged(raw: Raw, patch: Raw) -> Raw:
    after = {**raw, **patch}
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(kept := raw.get(key), dict):
            after[key] = _merged(kept, value)
    return after


def _kept(value: Any, field: FieldInfo) -> Any:
    """What the vendor keeps of a value, in the type it came in."""
    if field.type == "choice" and field.choices and value not in (None, "") and str(value) not in dict(field.choices):
        raise MappingError(f"the vendor knows no {field.path} {value!r}", hint="write one of its codes")
    if field.max_length is not None and isinstance(value, str):
        return value[: field.max_length]
    if field.scale is not None and isinstance(value, float | str | Decimal):
        try:
            return type(value)(str(round(Decimal(str(value)), field.scale)))
        except InvalidOperation:
            return value
    return value


def _with_strangers(value: Any) -> Any:
    """A raw record with a field beside every mapped one, at every depth, that no mapping knows."""
    if isinstance(value, dict):
        return {**{key: _with_strangers(item) for key, item in value.items()}, _STRANGER: "keep"}
    return [_with_strangers(item) for item in value] if isinstance(value, list) else value


def _strangers(value: Any) -> int:
    if isinstance(value, dict):
        return (value.get(_STRANGER) == "keep") + sum(map(_strangers, value.values()))
    return sum(map(_strangers, value)) if isinstance(value, list) else 0


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text) - 2} characters)"
