"""The leaves of a record, derived from its annotations: names, types, and the way there and back.

A field is a leaf; a field whose type is a :class:`~aios_connect.model.values.Part` is a group of leaves (``names.given``).
A collection of models (``stage_log``) or a mapping (``seats``) is no leaf: those are records of their own at the vendors, or
ours alone.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from .canonical import (
    JSON,
    RAW_PREFIX,
    LeafType,
    Leaves,
    date_text,
    decimal_text,
    instant_text,
    money_value,
    parse_date,
    parse_decimal,
    parse_instant,
)
from .values import Money, OfType, Part

__all__ = ["Leaf", "derive", "from_leaves", "to_leaves"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One place in a canonical record.

    Attributes:
        name: Dotted name: ``"emails.work"``.
        type: The form its values have, see :mod:`aios_connect.model.canonical`.
        choices: The codes of a ``choice``, ``unknown`` among them.
        to: The kind a ``reference`` points at.
        meaning: What it says, one sentence, with the unit of a number.
    """

    name: str
    type: LeafType
    choices: tuple[str, ...] = ()
    to: str = ""
    meaning: str = ""


_TYPES: Final[Mapping[Any, LeafType]] = {
    str: "text",
    int: "integer",
    Decimal: "decimal",
    bool: "boolean",
    date: "date",
    Money: "money",
}

_OUT: Final[Mapping[LeafType, Callable[[Any], JSON]]] = {
    "decimal": decimal_text,
    "date": date_text,
    "instant": instant_text,
    "money": lambda money: money_value(money.amount, money.currency),
    "choice": lambda choice: choice.value,
    "list": list,
}

_IN: Final[Mapping[LeafType, Callable[[Any], Any]]] = {
    "decimal": parse_decimal,
    "date": parse_date,
    "instant": parse_instant,
    "list": tuple,
}


@cache
def derive(model: type[BaseModel], ours: frozenset[str] = frozenset()) -> Mapping[str, Leaf]:
    """The leaves of a model by name, in the order of its fields.

    Args:
        model: A record or a part of one.
        ours: Fields that belong to us and do not travel.
    """
    return types.MappingProxyType({leaf.name: leaf for leaf in _walk(model, "", "", ours)})


def _walk(model: type[BaseModel], prefix: str, around: str, ours: frozenset[str]) -> Iterator[Leaf]:
    for name, field in model.model_fields.items():
        if name in ours:
            continue
        inner, marks = _unwrap(field.annotation)
        marks = (*marks, *field.metadata)
        said = field.description or ""
        if isinstance(inner, type) and issubclass(inner, Part):
            yield from _walk(inner, f"{prefix}{name}.", f"{said}: " if said else "", frozenset())
        elif (leaf := _leaf(prefix + name, inner, marks, around + said)) is not None:
            yield leaf


def _unwrap(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type inside ``X | None`` and ``Annotated[X, ...]``, and the marks found on the way."""
    marks: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) in (Union, types.UnionType):
            (annotation,) = (arm for arm in get_args(annotation) if arm is not type(None))
        elif get_origin(annotation) is Annotated:
            annotation, *found = get_args(annotation)
            marks += tuple(found)
        else:
            return annotation, marks


def _leaf(name: str, inner: Any, marks: tuple[Any, ...], meaning: str) -> Leaf | None:
    for mark in marks:
        if isinstance(mark, OfType):
            return Leaf(name, mark.type, to=mark.to, meaning=meaning)
    if inner in _TYPES:
        return Leaf(name, _TYPES[inner], meaning=meaning)
    if inner == tuple[str, ...]:
        return Leaf(name, "list", meaning=meaning)
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        said = meaning or " ".join((inner.__doc__ or "").split())
        return Leaf(name, "choice", choices=tuple(choice.value for choice in inner), meaning=said)
    return None


def to_leaves(record: BaseModel, layout: Mapping[str, Leaf], raw: Mapping[str, str]) -> Leaves:
    """The set leaves of a record.

    Args:
        record: The record.
        layout: Its leaves, from :func:`derive`.
        raw: The vendor's own words for choices that are ``unknown``, by leaf.
    """
    found: Leaves = {}
    for name, leaf in layout.items():
        *groups, last = name.split(".")
        holder = record
        for group in groups:
            holder = getattr(holder, group)
        if last not in holder.model_fields_set:
            continue
        value = getattr(holder, last)
        if name in raw:
            found[name] = RAW_PREFIX + raw[name]
        elif value is None or leaf.type not in _OUT:
            found[name] = value
        else:
            found[name] = _OUT[leaf.type](value)
    return found


def from_leaves(leaves: Mapping[str, JSON], layout: Mapping[str, Leaf]) -> tuple[dict[str, Any], dict[str, str]]:
    """What a record is made from: nested fields, and the vendor's own words for choices that are ``unknown``.

    Args:
        leaves: Canonical values, all of them named in the layout.
        layout: The leaves of the record, from :func:`derive`.
    """
    fields: dict[str, Any] = {}
    raw: dict[str, str] = {}
    for name, value in leaves.items():
        leaf = layout[name]
        *groups, last = name.split(".")
        holder = fields
        for group in groups:
            holder = holder.setdefault(group, {})
        if leaf.type == "choice" and isinstance(value, str) and value.startswith(RAW_PREFIX):
            raw[name] = value.removeprefix(RAW_PREFIX)
            value = "unknown"
        holder[last] = value if value is None or leaf.type not in _IN else _IN[leaf.type](value)
    return fields, raw
