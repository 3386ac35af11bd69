"""Values to try a mapping with: made from the leaves it writes and the vendor's schema, the same ones for the same seed.

Every domain holds the awkward cases of its type first (mixed case, leading zeros, thousandths, leap days, separators inside
text), because those are the ones that mappings lose. Empty text (if nothing else is said) and empty lists are left out: they mean null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from aios_connect.connectors.contract import Schema
from aios_connect.model import Leaf
from aios_connect.model.canonical import JSON, LeafType, Leaves, date_text, decimal_text, instant_text, money_value

from .amounts import Money
from .compile import Field
from .transform import Single
from .values import Enum, Reference

__all__ = ["Domain", "domain", "domain_of", "record"]

_TEXTS: Final = (
    "Ann",
    "007",
    "McDonald & Søn GmbH",
    "AbC9xYz",
    "a;b,c|d",
    'say "no"',
    "two\nlines",
    " blanks around ",
    "ß ñ 東京 🙂",
    "null",
    "0",
)
_NAMES: Final = ("Ann", "McDonald", "O'Hara", "Søren", "van der Berg", "Li")
_INTEGERS: Final = (0, 1, 42, -7, 1_000_000)
_DECIMALS: Final = ("0", "1", "0.5", "12.34", "0.125", "-3.25", "1000000")
_AMOUNTS: Final = ("12500", "12.34", "0.01", "0", "-99.99")
_CURRENCIES: Final = ("EUR", "USD", "GBP", "CHF")
_DATES: Final = ("2026-11-21", "2024-02-29", "1970-01-01", "1969-12-31", "2099-12-31")
_INSTANTS: Final = (
    "2026-11-21T07:50:35Z",
    "2026-11-21T23:59:59.123456Z",
    "1969-12-31T23:59:59Z",
    "2026-10-25T00:30:00Z",  # clocks go back in Europe: the first of two hours, and the second
    "2026-10-25T01:30:00Z",
    "2026-11-01T05:30:00Z",  # the same in New York
    "2026-11-01T06:30:00Z",
)
_PHONES: Final = ("+442079460958", "+14155552671", "+33612345678", "+442079460958;ext=12", "raw:ask Joe")
_EMAILS: Final = ("ann@example.org", "Ann.OHara+crm@example.org", "a_b@sub.example.co.uk")
_IDS: Final = ("42", "AbC9xYz", "007")
_LISTS: Final[tuple[list[str], ...]] = (["vip"], ["vip", "north"], ["north", "vip"], ["Big, blue", "a;b"], ["007"])


@dataclass(frozen=True, slots=True)
class Domain:
    """The values one leaf is tried with.

    Attributes:
        leaf: The leaf.
        cases: Tried one by one, before anything random; never null.
        closed: There are no other values than the cases.
    """

    leaf: Leaf
    cases: tuple[JSON, ...]
    closed: bool

    def value(self, random: Random) -> JSON:
        """One value that is not null."""
        if self.closed or random.random() < 0.5:
            return random.choice(self.cases)
        return _value(random, self.leaf.type, self.cases)


def domain(
    leaf: Leaf,
    *,
    only: Iterable[JSON] | None = None,
    currencies: Sequence[str] = (),
    scale: int | None = None,
    max_length: int | None = None,
    empty: bool = False,
) -> Domain:
    """The values a leaf is tried with.

    Args:
        leaf: The leaf, a custom one with the type its mapping gives it.
        only: All values there are, where a table says so.
        currencies: Currencies the vendor knows; a few common ones are tried beside them.
        scale: Digits after the point that survive at the vendor; one more is tried.
        max_length: Characters that survive at the vendor; one more is tried.
        empty: Empty text is a value of its own here.
    """
    if only is not None:
        return Domain(leaf, tuple(only), closed=True)
    cases: list[JSON]
    match leaf.type:
        case "choice":
            return Domain(leaf, (*leaf.choices, "raw:Some Word"), closed=True)
        case "boolean":
            return Domain(leaf, (True, False), closed=True)
        case "reference":
            return Domain(leaf, tuple(f"object:{id}" for id in _IDS), closed=True)
        case "integer":
            cases = [*_INTEGERS]
        case "decimal":
            cases = [*_DECIMALS] if scale is None else [*_DECIMALS, decimal_text(Decimal((0, (1, 1), -scale - 1)))]
        case "money":
            known = dict.fromkeys((*currencies, *_CURRENCIES))
            cases = [money_value(Decimal(amount), currency) for currency in known for amount in _AMOUNTS]
        case "date":
            cases = [*_DATES]
        case "instant":
            cases = [*_INSTANTS]
        case "phone":
            cases = [*_PHONES]
        case "email":
            cases = [*_EMAILS]
        case "list":
            cases = [list(items) for items in _LISTS]
        case "text" | "any":
            cases = [*(_NAMES if leaf.name.startswith("names.") else _TEXTS)]
            if max_length is not None:
                cases.append("x" * (max_length + 1))
            if empty:
                cases.append("")
    return Domain(leaf, tuple(cases), closed=False)


def domain_of(field: Field, leaf: Leaf, schema: Schema | None = None) -> Domain:
    """The values a leaf of a mapping is tried with.

    Args:
        field: The entry of the mapping.
        leaf: One of its leaves.
        schema: The vendor's live schema, for its codes and limits.
    """
    transform, type = field.transform, field.type(leaf)
    info = schema.fields.get(transform.paths[0]) if schema is not None and transform.paths else None
    codes = [code for code, _ in info.choices] if info is not None else []
    if isinstance(transform, Enum):
        return domain(leaf, only=transform.values)
    if isinstance(transform, Reference):
        start = f"{transform.to}:" if transform.by is None else f"?{transform.by}="
        return domain(leaf, only=[start + id for id in _IDS])
    if codes and type == "text":
        return domain(leaf, only=codes)
    if codes and type == "list":
        return domain(leaf, only=[list(codes[:count]) for count in range(1, len(codes) + 1)])
    return domain(
        replace(leaf, type=type),
        currencies=[transform.currency] if isinstance(transform, Money) and transform.currency else (),
        scale=info.scale + 2 * getattr(transform, "percent", False) if info is not None and info.scale is not None else None,
        max_length=info.max_length if info is not None else None,
        empty=isinstance(transform, Single) and "" not in transform.nothing,
    )


def record(random: Random, domains: Mapping[str, Domain], *, nulls: float = 0.1) -> Leaves:
    """A value for every leaf.

    Args:
        random: Where chance comes from; a seeded one, or one of hypothesis.
        domains: By leaf name.
        nulls: The share of leaves that are null.
    """
    return {name: None if random.random() < nulls else one.value(random) for name, one in domains.items()}


def _value(random: Random, type: LeafType, cases: Sequence[JSON]) -> JSON:
    match type:
        case "integer":
            return random.randint(-1000, 10**6)
        case "decimal":
            return decimal_text(Decimal(random.randint(-(10**6), 10**6)).scaleb(-random.randint(0, 3)))
        case "money":
            model = random.choice(cases)
            currency = str(model["currency"]) if isinstance(model, dict) else "EUR"
            return money_value(Decimal(random.randint(-(10**7), 10**7)).scaleb(-2), currency)
        case "date":
            return date_text(date(1970, 1, 1) + timedelta(days=random.randint(-10_000, 40_000)))
        case "instant":
            return instant_text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randint(-(10**9), 4 * 10**9)))
        case "text" | "any":
            return "".join(random.choice("abcXYZ019 .-'éß") for _ in range(random.randint(1, 30))).strip() or "x"
        case _:
            return random.choice(cases)
