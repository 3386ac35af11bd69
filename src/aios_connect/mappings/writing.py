"""From changed leaves to a patch in the vendor's shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aios_connect.connectors.contract import Raw
from aios_connect.model.canonical import Leaves

from .amounts import Money, amount_of
from .compile import ABSENT, Field
from .contacts import PersonName
from .transform import Single

__all__ = ["Putter", "putter_of", "set_at"]


class Putter(Protocol):
    """Puts what one field has to say into a patch."""

    def __call__(self, patch: Raw, new: Leaves, raw: Raw | None) -> None:
        """Called when one of the field's leaves changed.

        Raises:
            ValueError: The value cannot be written here.
        """


def putter_of(field: Field, *, missing: str) -> Putter | None:
    """The putter of a field; ``None`` if its transform has no way back.

    Args:
        field: The field.
        missing: ``absent`` or ``null``: what a path that is not in a record means.
    """
    default = None if missing == "null" else ABSENT
    match field.transform:
        case Single() as single:
            return _single(field, single, default)
        case Money() as money:
            return _money(field, money, default)
        case PersonName() as name:
            return _person_name(field, name, default)
    return None


def set_at(patch: Raw, path: str, value: Any) -> None:
    """Put a value into a patch at a dotted path."""
    *above, last = path.split(".")
    for step in above:
        patch = patch.setdefault(step, {})
    patch[last] = value


def _single(field: Field, transform: Single, default: Any) -> Putter:
    paths, leaf = transform.sources, field.name
    takers = [_taker(path, default) for path in paths]

    def put(patch: Raw, new: Leaves, raw: Raw | None) -> None:
        value = new[leaf] or None if isinstance(new[leaf], list) else new[leaf]
        if value is None:
            _refuse_empty(field)
            for path in [] if raw is None else to_clear(raw):
                set_at(patch, path, transform.clear)
            return
        wanted = transform.put(value)
        path, held = (paths[0], ABSENT) if raw is None else to_write(raw)
        if not _same(held, wanted):
            set_at(patch, path, wanted)

    def to_clear(raw: Raw) -> list[str]:
        """Every path that is filled; the first one if nothing was fetched, for then it may be."""
        held = [take(raw) for take in takers]
        filled = [path for path, item in zip(paths, held, strict=True) if item is not ABSENT and transform.filled(item)]
        return filled or [path for path in paths[:1] if all(item is ABSENT for item in held)]

    def to_write(raw: Raw) -> tuple[str, Any]:
        """The path that is read: the first filled one, else the first that is there; and what it holds."""
        best, there = (paths[0], ABSENT), False
        for path, take in zip(paths, takers, strict=True):
            held = take(raw)
            if held is not ABSENT and transform.filled(held):
                return path, held
            if held is not ABSENT and not there:
                best, there = (path, held), True
        return best

    return put


def _money(field: Field, transform: Money, default: Any) -> Putter:
    paths, leaf = transform.sources, field.name
    take_amount, *rest = (_taker(path, default) for path in paths)

    def put(patch: Raw, new: Leaves, raw: Raw | None) -> None:
        value = new[leaf]
        held = ABSENT if raw is None else take_amount(raw)
        if value is None:
            _refuse_empty(field)
            if raw is not None and held is not None and held != "":
                set_at(patch, paths[0], transform.clear)
            return
        amount, currency = transform.put(value)
        if not _is_amount(held, amount):
            set_at(patch, paths[0], amount)
        for take in rest:
            if raw is None or not _is_currency(take(raw), currency):
                set_at(patch, paths[1], currency)

    def _is_amount(held: Any, amount: Any) -> bool:
        try:
            return _amount(held) == _amount(amount)
        except ValueError:
            return False

    def _amount(value: Any) -> str:
        return amount_of(value, transform.point, transform.group)

    def _is_currency(held: Any, currency: str) -> bool:
        try:
            return held is not ABSENT and transform.currency_of(held) == currency
        except ValueError:
            return False

    return put


def _person_name(field: Field, transform: PersonName, default: Any) -> Putter:
    path = transform.source
    take = _taker(path, default)
    names = [leaf.name for leaf in field.leaves]

    def put(patch: Raw, new: Leaves, raw: Raw | None) -> None:
        held = ABSENT if raw is None else take(raw)
        read = transform.get(held) if isinstance(held, str) else (None, None)
        given, family = (new.get(name, was) for name, was in zip(names, read, strict=True))
        text = transform.put(given, family)
        if text is None:
            _refuse_empty(field)
            if raw is not None and held is not None and held != "":
                set_at(patch, path, transform.clear)
        elif held != text:
            set_at(patch, path, text)

    return put


def _refuse_empty(field: Field) -> None:
    if field.transform.required:
        raise ValueError("it is required and cannot be cleared")


def _taker(path: str, default: Any) -> Callable[[Raw], Any]:
    *above, last = path.split(".")

    def take(raw: Raw) -> Any:
        holder: Any = raw
        for step in above:
            holder = holder.get(step, default) if isinstance(holder, Mapping) else default
            if holder is None:
                return None
        return holder.get(last, default) if isinstance(holder, Mapping) else default

    return take


def _same(held: Any, wanted: Any) -> bool:
    """Whether the vendor has this JSON value already; true is not 1."""
    return bool(held == wanted) and isinstance(held, bool) == isinstance(wanted, bool)
