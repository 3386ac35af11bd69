"""From fields to Python source that reads a record, compiled once.

Nothing of a mapping file gets into the source but as the ``repr`` of a text or of a plain JSON value, so no file can say more than
data. Reading one record is one straight run over its fields, from a copy of leaves that are all null; an error costs only where it
happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from string import Template
from typing import Any, Final, Protocol

from aios_connect.connectors.contract import Raw
from aios_connect.errors import ConfigError, MappingError
from aios_connect.expressions import Expression
from aios_connect.model import Leaf
from aios_connect.model.canonical import JSON, LeafType, Leaves, is_canonical

from .amounts import Money
from .computed import Constant, Custom, Expr, Function
from .contacts import PersonName
from .documents import Place, Steps
from .transform import Fallible, Shortcut, Single, Transform, named, shown

__all__ = ["ABSENT", "Field", "Getter", "Problem", "compile_getter"]

ABSENT: Final[Any] = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()
"""Stands for a value that is not there, which is another thing than null."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A value of a record that could not be read.

    Attributes:
        leaf: The leaf it was for; the path, where it was for several.
        path: Where the vendor has it.
        value: Its beginning, for a person.
        reason: Why it could not be read.
    """

    leaf: str
    path: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of a mapping.

    Attributes:
        name: The name at the left: a leaf, or what its leaves have in common.
        leaves: The leaves it stands for; none for ``custom``, whose leaves depend on the record.
        transform: How they are translated.
        place: Where it stands in its file.
        parts: Where its options stand, by the way to them: ``("from", 1)``, ``("values", "won")``.
    """

    name: str
    leaves: tuple[Leaf, ...]
    transform: Transform
    place: Place
    parts: Mapping[Steps, Place] = field(default_factory=dict)

    @property
    def line(self) -> int:
        """1-based line of the entry in its file."""
        return self.place.line

    @property
    def column(self) -> int:
        """1-based column of the entry in its file."""
        return self.place.column

    def error(self, message: str, *steps: str | int, hint: str = "") -> MappingError:
        """An error that points at one of its options, or at the nearest thing around it that the file says."""
        while steps and steps not in self.parts:
            steps = steps[:-1]
        at = self.parts[steps] if steps else self.place
        return MappingError(message, hint=hint, file=at.file, line=at.line, column=at.column, excerpt=at.excerpt)

    def type(self, leaf: Leaf) -> LeafType:
        """The type of a leaf's values: the leaf's own, or what its transform gives."""
        return leaf.type if leaf.type != "any" else self.transform.gives


class Getter(Protocol):
    """Reads one raw record."""

    def __call__(self, raw: Raw) -> tuple[Leaves, list[Problem]]:
        """Its leaves, and what could not be read. A leaf with a problem is absent."""


def compile_getter(
    fields: Sequence[Field], *, missing: str, expressions: Mapping[str, Expression], name: str
) -> tuple[Getter, str]:
    """The compiled reader of these fields, and its source.

    Args:
        fields: The fields; their order is the order of the leaves, expressions last.
        missing: ``absent`` or ``null``: what a path that is not in a record means.
        expressions: Field -> compiled expression.
        name: What tracebacks call it.
    """
    reading = [one for one in fields if one.transform.reading]
    prefixes = [one.transform.prefix for one in reading if isinstance(one.transform, Custom)]
    named_leaves = {leaf.name for one in fields for leaf in one.leaves}
    writer = _Writer(missing == "null")
    writer.take([path for one in reading for path in one.transform.paths], prefixes)
    for one in reading:
        if not isinstance(one.transform, Expr):
            writer.field(one, named_leaves)
    for one in reading:
        if isinstance(one.transform, Expr):
            writer.expression(one, expressions[one.name])
    source = writer.source()
    exec(compile(source, name, "exec"), writer.names)  # noqa: S102 - made of repr only, see the module's docstring
    return writer.names["get"], source


class _Writer:
    """Writes the source, line by line, and keeps the objects it names.

    The source first takes all values out of the record, those of one object at once, then translates one after the other.
    """

    def __init__(self, missing_is_null: bool) -> None:
        self._absent = "" if missing_is_null else ", A"
        self._lines: list[str] = []
        self._nulls: list[str] = []
        self._objects: dict[tuple[str, ...], str] = {(): "raw"}
        self._values: dict[str, str] = {}
        self.names: dict[str, Any] = {
            "A": ABSENT,
            "object_at": _object_at,
            "failed": _failed,
            "lacks": _lacks,
            "Error": ConfigError,
        }

    def source(self) -> str:
        body = "\n".join(f"    {line}" for line in self._lines)
        self.names["nulls"] = dict.fromkeys(self._nulls).copy
        return f"def get(raw):\n    out = nulls()\n    problems = []\n{body}\n    return out, problems\n"

    def take(self, paths: Sequence[str], prefixes: Sequence[str]) -> None:
        """Name the value at every path, and the object that every prefix is in."""
        wanted: dict[tuple[str, ...], dict[str, str]] = {tuple(prefix.split(".")[:-1]): {} for prefix in prefixes}
        for path in dict.fromkeys(paths):
            *above, last = path.split(".")
            self._values[path] = wanted.setdefault(tuple(above), {})[last] = f"v{len(self._values)}"
        for steps, values in wanted.items():
            holder = self._object(steps)
            one_by_one = [f"{name} = {holder}.get({key!r}{self._absent})" for key, name in values.items()]
            if len(values) > 1:
                at_once = self._name("take", itemgetter(*values))
                self._write(f"try: {', '.join(values.values())} = {at_once}({holder})", "except KeyError:")
                self._write(*(f"    {line}" for line in one_by_one))
            else:
                self._write(*one_by_one)

    def _object(self, steps: tuple[str, ...]) -> str:
        """The variable that holds an object of the record, written where it is first needed."""
        known = self._objects.get(steps)
        if known is None:
            above = self._object(steps[:-1])
            known = self._objects[steps] = f"p{len(self._objects)}"
            self._write(f"{known} = {above}.get({steps[-1]!r}{self._absent})")
            self._write(f"if {known}.__class__ is not dict: {known} = object_at({known}, problems, {'.'.join(steps)!r})")
        return known

    def field(self, field: Field, named_leaves: set[str]) -> None:
        match field.transform:
            case Constant(const=value):
                self._nulls.append(field.name)
                self._write(f"out[{field.name!r}] = {value!r}")
            case Custom() as custom:
                holder = self._object(tuple(custom.prefix.split("."))[:-1])
                get, known = self._name("t", custom.get), self._name("k", frozenset(named_leaves))
                self._write(f"for k, v in {get}({holder}):", f"    if k not in {known}: out[k] = v")
            case Money() as money:
                v, w = (*(self._values[path] for path in money.paths), "None")[:2]
                self._branches(field, [f"{v} is None", f"{v} == ''"], [v, w], self._shortcut(money.shortcut(), v, w), money.get)
            case PersonName() as name:
                v = self._values[name.source]
                self._branches(field, [f"{v} is None", f"{v} == ''"], [v], None, name.get)
            case Single() as single:
                self._single(field, single)

    def expression(self, field: Field, expression: Expression) -> None:
        wanted = " and ".join(f"{leaf!r} in out" for leaf in sorted(expression.leaves)) or "True"
        get, place = self._name("t", _checked(expression, field.leaves[0])), self._name("f", field)
        self._write(f"if {wanted}:", f"    try: out[{field.name!r}] = {get}(out)")
        self._write(f"    except (ValueError, Error) as e: failed(out, problems, {place}, None, e)")

    def _single(self, field: Field, transform: Single) -> None:
        def empty(name: str) -> list[str]:
            return [f"{name} is None", *(f"{name} == {value!r}" for value in transform.nothing)]

        first, *others = (self._values[path] for path in transform.sources)
        v = first
        if others:
            v = "v"
            self._write(f"v = {first}")
            for other in others:
                self._write(f"if {' or '.join(['v is A', *empty('v')])}:")
                self._write(f"    if v is A or not ({' or '.join([f'{other} is A', *empty(other)])}): v = {other}")
        get = _checked(transform.get, field.leaves[0]) if isinstance(transform, Function) else transform.get
        self._branches(field, empty(v), [v], self._shortcut(transform.shortcut(), v), get)

    def _shortcut(self, shortcut: Shortcut | None, v: str, w: str = "") -> tuple[str, str] | None:
        if shortcut is None:
            return None
        names = {"v": v, "w": w, **{name: self._name("s", value) for name, value in shortcut.names.items()}}
        return Template(shortcut.test).substitute(names), Template(shortcut.result).substitute(names)

    def _branches(
        self, field: Field, empty: Sequence[str], values: Sequence[str], shortcut: tuple[str, str] | None, get: Callable[..., Any]
    ) -> None:
        """What becomes of values: null stays as it is, an absent one takes the leaf away, any other is translated."""
        place = self._name("f", field)
        targets = ", ".join(f"out[{leaf.name!r}]" for leaf in field.leaves)
        self._nulls += [leaf.name for leaf in field.leaves]
        if shortcut:
            self._write(f"if {shortcut[0]}: {targets} = {shortcut[1]}")
        nothing = f"lacks(out, problems, {place})" if field.transform.required else "pass"
        self._write(f"{'elif' if shortcut else 'if'} {' or '.join(empty)}: {nothing}")
        if self._absent:
            self._write(f"elif {' or '.join(f'{value} is A' for value in values)}: del {targets}")
        self._write("else:", f"    try: {targets} = {self._name('t', get)}({', '.join(values)})")
        self._write(f"    except ValueError as e: failed(out, problems, {place}, {values[0]}, e)")

    def _name(self, letter: str, value: Any) -> str:
        name = f"{letter}_{len(self.names)}"
        self.names[name] = value
        return name

    def _write(self, *lines: str) -> None:
        self._lines += lines


class _Nulls(dict[str, Any]):
    """An object that is null: so is everything in it."""

    def get(self, key: str, default: Any = None) -> Any:
        return None


_NULLS: Final = _Nulls()


def _object_at(value: Any, problems: list[Problem], path: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    if value is None:
        return _NULLS
    if value is not ABSENT:
        problems.append(Problem(path, path, shown(value), f"{named(value)} is not an object"))
    return {}


def _failed(out: Leaves, problems: list[Problem], field: Field, value: Any, error: Exception) -> None:
    transform = field.transform
    assert isinstance(transform, Fallible)
    if transform.fails(value):
        path = transform.paths[0] if transform.paths else ""
        problems.append(Problem(field.name, path, shown(value), error.args[0] if error.args else str(error)))
    for leaf in field.leaves:
        if transform.fails(value):
            out.pop(leaf.name, None)
        else:
            out[leaf.name] = transform.failed(value)


def _lacks(out: Leaves, problems: list[Problem], field: Field) -> None:
    problems.append(Problem(field.name, field.transform.paths[0], "", "it is required, and empty"))
    for leaf in field.leaves:
        del out[leaf.name]


def _checked(function: Callable[[Any], JSON], leaf: Leaf) -> Callable[[Any], JSON]:
    """A function of somebody else's whose results are held to the leaf's type."""

    def get(value: Any) -> JSON:
        result = function(value)
        if not is_canonical(leaf.type, result, leaf.choices):
            raise ValueError(f"it gives {shown(result)}, which is no canonical {leaf.type}")
        return result

    return get
