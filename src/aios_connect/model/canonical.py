"""The one form each kind of value travels in, so that equal values are equal as JSON.

| leaf type | JSON | example |
|---|---|---|
| text | string | `"Ann"` |
| integer | number without a fraction | `12` |
| boolean | `true`, `false` | `true` |
| decimal | string, no exponent, no trailing zeros, no `-0` | `"12500"`, `"0.5"` |
| money | amount (a decimal) and ISO 4217 currency | `{"amount": "12500", "currency": "EUR"}` |
| date | string | `"2026-11-21"` |
| instant | string in UTC; no fraction, or six digits when it is not zero | `"2026-11-21T07:50:35Z"` |
| list | array of strings | `["vip", "north"]` |
| phone | E.164, an extension behind `;ext=` | `"+442079460958;ext=12"` |
| email | address with its domain in lower case | `"Ann@example.org"` |
| choice | one of the leaf's codes | `"won"` |
| reference | `object:id` or `?leaf=value` as read; an entity id once merged | `"party.party:42"` |
| any | any of these (custom fields) | |

Phone, email and choice have one more form: what has no canonical one is kept as it was written, behind `raw:`. Nothing is
lost, and the mapping it came through can write it back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, Literal, TypeAlias

__all__ = [
    "JSON",
    "LEAF_TYPES",
    "RAW_PREFIX",
    "LeafType",
    "Leaves",
    "date_text",
    "decimal_text",
    "instant_text",
    "is_canonical",
    "money_value",
    "parse_date",
    "parse_decimal",
    "parse_instant",
]

JSON: TypeAlias = "str | int | bool | list[JSON] | dict[str, JSON] | None"
"""A canonical JSON value. Never a float: numbers with a fraction travel as text."""

Leaves: TypeAlias = dict[str, JSON]
"""A canonical record in its travelling form: a missing key is absent, ``None`` is null, anything else is the value."""

LeafType: TypeAlias = Literal[
    "text",
    "integer",
    "decimal",
    "boolean",
    "date",
    "instant",
    "money",
    "choice",
    "phone",
    "email",
    "reference",
    "list",
    "any",
]

LEAF_TYPES: Final[frozenset[LeafType]] = frozenset(
    (
        "text",
        "integer",
        "decimal",
        "boolean",
        "date",
        "instant",
        "money",
        "choice",
        "phone",
        "email",
        "reference",
        "list",
        "any",
    )
)

RAW_PREFIX: Final = "raw:"

_MOST_DIGITS = 100
_DECIMAL = re.compile(r"(?!-0\Z)-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?!\.000000)(\.[0-9]{6})?Z\Z")
_PHONE = re.compile(r"\+[1-9][0-9]{5,14}(;ext=[0-9]{1,11})?\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")
_REFERENCE = re.compile(r"(\?[^=]+=.+|[^:?][^:]*:.+|[a-z]+_[0-9A-Za-z]+)\Z", re.DOTALL)


def decimal_text(value: Decimal) -> str:
    """The canonical text of a decimal, every digit kept.

    Raises:
        ValueError: It is not finite, or its exponent is beyond 100 digits.
    """
    if not value.is_finite() or not -_MOST_DIGITS < value.adjusted() < _MOST_DIGITS:
        raise ValueError(f"{value} is not a finite number of at most {_MOST_DIGITS} digits")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" or not value else text


def parse_decimal(text: str) -> Decimal:
    """The decimal a canonical text stands for.

    Raises:
        ValueError: The text is not a number.
    """
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None


def money_value(amount: Decimal, currency: str) -> dict[str, JSON]:
    """The canonical value of an amount of money.

    Raises:
        ValueError: The currency is not three capital letters, or the amount is not a finite number.
    """
    if not _CURRENCY.match(currency):
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code such as EUR")
    return {"amount": decimal_text(amount), "currency": currency}


def date_text(value: date) -> str:
    """The canonical text of a calendar date."""
    return value.isoformat()[:10]


def parse_date(text: str) -> date:
    """The date a canonical text stands for.

    Raises:
        ValueError: The text is not a date of the form 2026-11-21.
    """
    if not _DATE.match(text):
        raise ValueError(f"{text!r} is not a date of the form 2026-11-21")
    return date.fromisoformat(text)


def instant_text(value: datetime) -> str:
    """The canonical text of an instant, in UTC.

    Raises:
        ValueError: It has no time zone, or lies outside the years 1 to 9999 in UTC.
    """
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        try:
            value = value.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{value.isoformat()} lies outside the years 1 to 9999 in UTC") from None
    return value.isoformat()[:-6] + "Z"


def parse_instant(text: str) -> datetime:
    """The instant a canonical text stands for, aware and in UTC.

    Raises:
        ValueError: The text is not an instant of the form 2026-11-21T07:50:35Z.
    """
    if not _INSTANT.match(text):
        raise ValueError(f"{text!r} is not an instant of the form 2026-11-21T07:50:35Z")
    return datetime.fromisoformat(text)


def is_canonical(type: LeafType, value: object, choices: Sequence[str] = ()) -> bool:
    """Whether a value is in the canonical form of a leaf type. Null always is.

    Args:
        type: The leaf's type.
        value: What would travel as the leaf.
        choices: The codes of a ``choice`` leaf; empty to allow any code.
    """
    if value is None:
        return True
    if type == "any":
        return any(is_canonical(other, value) for other in ("text", "integer", "boolean", "list", "money"))
    if type == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if type == "boolean":
        return isinstance(value, bool)
    if type == "list":
        return isinstance(value, list) and all(_is_text(item) for item in value)
    if type == "money":
        return (
            isinstance(value, dict)
            and value.keys() == {"amount", "currency"}
            and is_canonical("decimal", value["amount"])
            and isinstance(value["currency"], str)
            and isinstance(value["amount"], str)
            and _CURRENCY.match(value["currency"]) is not None
        )
    return _is_text(value) and isinstance(value, str) and _is_canonical_text(type, value, choices)


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_canonical_text(type: LeafType, text: str, choices: Sequence[str]) -> bool:
    match type:
        case "text":
            return True
        case "decimal":
            return _DECIMAL.match(text) is not None
        case "date" | "instant":
            try:
                parse_date(text) if type == "date" else parse_instant(text)
            except ValueError:
                return False
            return True
        case "phone":
            return text.startswith(RAW_PREFIX) or _PHONE.match(text) is not None
        case "email":
            return text.startswith(RAW_PREFIX) or (
                _EMAIL.match(text) is not None and (domain := text.rpartition("@")[2]) == domain.lower()
            )
        case "choice":
            return text.startswith(RAW_PREFIX) or (text in choices if choices else bool(text))
        case "reference":
            return _REFERENCE.match(text) is not None
        case _:
            return False
