"""A record in the shape that mappings see: Salesforce's own fields, and what a task or an event is about by the object it points at.

Numbers with a fraction are text here, digit by digit: ``{"Amount": "27450.5"}``.

``WhatId`` points at an account, an opportunity, or a record of some fifty other objects. Here it is read as ``about``::

    {"WhatId": "0015j0000000BaSAAU", "about": {"Account": "0015j0000000BaSAAU", "Opportunity": None}}
    {"WhatId": "0065j0000000BaQAAU", "about": {"Account": "0015j0000000BaPAAU", "Opportunity": "0065j0000000BaQAAU"}}

What is about an opportunity is about that one's account, too, which Salesforce works out (``AccountId``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from aios_connect.connectors import Raw, instant

from ._ids import full_id, object_of
from ._objects import OBJECTS
from ._schema import CURRENCY, NUMBERS, Schemas

__all__ = ["same", "shaped", "what_of", "written"]


def shaped(schemas: Schemas, object: str, row: Mapping[str, Any]) -> Raw:
    """A row of an answer as a record."""
    numbers = schemas.numbers(object)
    raw: Raw = {
        name: value if value is None or name not in numbers else _digits(value)
        for name, value in row.items()
        if name != "attributes"
    }
    if CURRENCY not in raw and schemas.currency and schemas.lacks_currency(object):
        raw[CURRENCY] = schemas.currency
    if OBJECTS[object].about and "WhatId" in raw:
        what = raw["WhatId"]
        by_deal = object_of(what) == "Opportunity"
        account = raw.get("AccountId") if by_deal else what if object_of(what) == "Account" else None
        raw["about"] = {"Account": account, "Opportunity": what if by_deal else None}
    return raw


def what_of(about: Mapping[str, Any], held: Mapping[str, Any] | None) -> Any:
    """The ``WhatId`` that a patch of ``about`` asks for, of a record that is held or of a new one.

    Raises:
        ValueError: It would give an opportunity's task another account than the opportunity's.
    """
    now = held["about"] if held else {"Account": None, "Opportunity": None}
    wanted = {**now, **about}
    if wanted["Opportunity"]:
        moved = not same("reference", wanted["Opportunity"], now["Opportunity"])
        if not moved and not same("reference", wanted["Account"], now["Account"]):
            raise ValueError("it is about an opportunity, and its account is that one's")
        return wanted["Opportunity"]
    if wanted["Account"]:
        return wanted["Account"]
    what = held["WhatId"] if held else None
    return None if object_of(what) in ("Account", "Opportunity") else what


def same(type: str, one: Any, other: Any) -> bool:
    """Two values of a field mean the same to Salesforce: empty text is nothing, blanks at the ends of a text are dropped."""
    one, other = _plain(one), _plain(other)
    if one == other or one is None or other is None:
        return bool(one == other)
    try:
        if type in ("id", "reference"):
            return full_id(str(one)) == full_id(str(other))
        if type == "datetime":
            return _second(instant(one)) == _second(instant(other))
        if type in ("double", "currency", "percent", "int", "long"):
            return Decimal(str(one)) == Decimal(str(other))
    except (ValueError, ArithmeticError):
        return False
    return type == "multipicklist" and set(str(one).split(";")) == set(str(other).split(";"))


def written(type: str, value: Any) -> Any:
    """A value as it is sent: empty text clears, and the digits of a number are a number."""
    if value == "":
        return None
    if type in NUMBERS and isinstance(value, str):
        try:
            return Decimal(value) if Decimal(value).is_finite() else value
        except ArithmeticError:
            return value  # refused by Salesforce, with its own words
    return value


def _digits(value: Any) -> str:
    """A number as text: without an exponent, and without zeros behind its fraction."""
    number = Decimal(str(value))
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain(value: Any) -> Any:
    value = value.strip() if isinstance(value, str) else value
    return None if value == "" else value


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
