"""Transforms of numbers and money, exact to the last digit."""

from __future__ import annotations

import re
from decimal import Context
from decimal import Decimal as Number
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from aios_connect.model.canonical import JSON, LeafType, decimal_text, money_value

from .transform import Fallible, Form, Path, Shortcut, Single, named, shown

__all__ = ["Currency", "Decimal", "Integer", "Money", "amount_of"]

Currency = Annotated[str, Form("[A-Z]{3}", "an ISO 4217 currency code such as EUR")]
"""ISO 4217 code of a currency."""

_WHOLE = re.compile(r"[+-]?\d{1,100}\Z")
_NUMBER = re.compile(r"[+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,2})?\Z")
_PLAIN = re.compile(r"(?!-0\Z)-?(0|[1-9][0-9]{0,98})(\.[0-9]{0,98}[1-9])?\Z")
_CODE = re.compile(r"[A-Z]{3}\Z")
_HUNDRED: Final = Number(100)
_EXACT: Final = Context(prec=250)


class Integer(Single):
    """A whole number.

    Attributes:
        quoted: This vendor writes numbers as text: ``"42"``. Both forms are read.

    Example:
        employees: {from: properties.numberofemployees, as: integer}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("integer", "any"))
    gives: ClassVar[LeafType] = "integer"

    as_: Literal["integer"] = Field("integer", alias="as")
    quoted: bool = False

    def shortcut(self) -> Shortcut:
        if self.quoted:
            return Shortcut("$v.__class__ is str and $v.isdecimal() and len($v) < 100", "int($v)")
        return Shortcut("$v.__class__ is int", "$v")

    def get(self, value: Any) -> JSON:
        if value.__class__ is int:
            return int(value)
        if value.__class__ is str and _WHOLE.match(value):
            return int(value)
        if value.__class__ is float and value.is_integer():
            return int(value)
        raise ValueError(f"{shown(value)} is not a whole number")

    def put(self, value: JSON) -> Any:
        if value.__class__ is int:
            return str(value) if self.quoted else value
        raise ValueError(f"{shown(value)} is not a whole number")


class Decimal(Single):
    """A number with a fraction, exact to the last digit.

    Attributes:
        quoted: This vendor writes numbers as text: ``"0.5"``. Both forms are read.
        point: The decimal point in text.
        group: What stands between groups of digits in text, if anything; read, never written.
        percent: The vendor holds 20 for the canonical 0.2.

    Example:
        probability: {from: Probability, as: decimal, percent: true}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("decimal", "any"))
    gives: ClassVar[LeafType] = "decimal"

    as_: Literal["decimal"] = Field("decimal", alias="as")
    quoted: bool = False
    point: Literal[".", ","] = "."
    group: Literal["", ",", ".", " ", "'"] = ""
    percent: bool = False

    def shortcut(self) -> Shortcut | None:
        if self.percent or self.group or self.point != ".":
            return None
        return Shortcut("$v.__class__ is str and (x := $plain($v)) is not None", "x", {"plain": _plain})

    @model_validator(mode="after")
    def _point_is_no_group(self) -> Decimal:
        if self.point == self.group:
            raise ValueError(f"{self.point!r} cannot be both the decimal point and what stands between groups of digits")
        return self

    def get(self, value: Any) -> JSON:
        text = amount_of(value, self.point, self.group)
        return decimal_text(_EXACT.divide(Number(text), _HUNDRED)) if self.percent else text

    def put(self, value: JSON) -> Any:
        text = _decimal(value)
        if self.percent:
            text = decimal_text(_EXACT.multiply(Number(text), _HUNDRED))
        return _written(text, self.quoted, self.point)


class Money(Fallible):
    """An amount in a currency: two fields of the vendor, or one and a currency that is always the same.

    Nothing in the amount's field is null; clearing clears the amount and leaves the currency.

    Attributes:
        sources: ``from``: the amount's path, or the paths of amount and currency.
        currency: ISO 4217 code that counts where the record says none.
        quoted: This vendor writes numbers as text. Both forms are read.
        point: The decimal point in text.
        group: What stands between groups of digits in text, if anything; read, never written.
        clear: What this vendor wants written to clear the amount.

    Example:
        amount: {from: [properties.amount, properties.deal_currency_code], as: money}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("money", "any"))
    gives: ClassVar[LeafType] = "money"

    as_: Literal["money"] = Field("money", alias="as")
    sources: Annotated[
        tuple[Path, ...], BeforeValidator(lambda v: [v] if isinstance(v, str) else v), Field(min_length=1, max_length=2)
    ] = Field(alias="from")
    currency: Currency | None = None
    quoted: bool = False
    point: Literal[".", ","] = "."
    group: Literal["", ",", ".", " ", "'"] = ""
    clear: Any = None

    @model_validator(mode="after")
    def _two_fields(self) -> Money:
        if self.point == self.group:
            raise ValueError(f"{self.point!r} cannot be both the decimal point and what stands between groups of digits")
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("amount and currency cannot be the same field")
        if len(self.sources) == 1 and self.currency is None:
            raise ValueError("an amount needs a currency: say currency, or name its path after the amount's")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        return self.sources

    def shortcut(self) -> Shortcut | None:
        if self.group or self.point != ".":
            return None
        plain = "$v.__class__ is str and (x := $plain($v)) is not None"
        if len(self.sources) == 1:
            return Shortcut(plain, "{'amount': x, 'currency': $currency}", {"plain": _plain, "currency": self.currency})
        known = "$w.__class__ is str and (y := $code($w)) is not None"
        return Shortcut(f"{plain} and {known}", "{'amount': x, 'currency': y[0]}", {"plain": _plain, "code": _CODE.match})

    def get(self, amount: Any, currency: Any) -> JSON:
        """The canonical value of an amount that is not empty, and the currency beside it (null if there is none).

        Raises:
            ValueError: The amount is no number, or the currency none that is known.
        """
        return {"amount": amount_of(amount, self.point, self.group), "currency": self.currency_of(currency)}

    def put(self, value: JSON) -> tuple[Any, str]:
        """The vendor's amount, and the currency.

        Raises:
            ValueError: It is no money, or in another currency than the only one this field has.
        """
        if not isinstance(value, dict) or value.keys() != {"amount", "currency"}:
            raise ValueError(f"{named(value)} is not an amount with a currency")
        currency = str(value["currency"])
        if len(self.sources) == 1 and currency != self.currency:
            raise ValueError(f"this field is in {self.currency}, and {currency} cannot be written to it")
        money_value(Number(0), currency)
        return _written(_decimal(value["amount"]), self.quoted, self.point), currency

    def currency_of(self, value: Any) -> str:
        """The currency a record means.

        Raises:
            ValueError: It says none, and there is no ``currency`` to go by; or it says something else than a code.
        """
        if value is None or value == "":
            if self.currency is None:
                raise ValueError("there is an amount but no currency")
            return self.currency
        if not isinstance(value, str) or not re.match(r"[A-Za-z]{3}\Z", value):
            raise ValueError(f"{shown(value)} is not an ISO 4217 currency code")
        return value.upper()


def amount_of(value: Any, point: str, group: str) -> str:
    """The canonical decimal of a JSON number, or of text that is one.

    Raises:
        ValueError: It is none.
    """
    if value.__class__ is str:
        if group:
            value = _without_groups(value, point, group)
        if point != ".":
            if "." in value:
                raise ValueError(f"{shown(value)} is not a number with the point {point!r}")
            value = value.replace(point, ".")
        if (plain := _plain(value)) is not None:
            return plain
        if _NUMBER.match(value):
            return decimal_text(Number(value))
    elif value.__class__ is int:
        return str(value)
    elif value.__class__ is float:
        return decimal_text(Number(repr(value)))
    raise ValueError(f"{shown(value)} is not a number")


def _plain(text: str) -> str | None:
    """The canonical form of a number that is nearly in it: digits, perhaps a point and more digits."""
    if not text.isascii() or not text.replace(".", "", 1).isdecimal() or len(text) > 99:
        return None
    if "." not in text:
        return text if text[0] != "0" or text == "0" else None
    if text[0] == "." or text[-1] == "." or (text[0] == "0" and text[1] != "."):
        return None
    return text.rstrip("0").rstrip(".")


def _without_groups(text: str, point: str, group: str) -> str:
    whole, _, fraction = text.partition(point)
    groups = whole.split(group)
    if len(groups) > 1 and (any(len(digits) != 3 for digits in groups[1:]) or not groups[0].strip("+-")):
        raise ValueError(f"{shown(text)} is not a number with {group!r} between groups of three digits")
    return "".join(groups) + (f"{point}{fraction}" if point in text else "")


def _decimal(value: JSON) -> str:
    if isinstance(value, str) and _PLAIN.match(value):
        return value
    raise ValueError(f"{shown(value)} is not a number in canonical form")


def _written(text: str, quoted: bool, point: str) -> Any:
    if quoted:
        return text.replace(".", point)
    if "." not in text:
        return int(text)
    number = float(text)
    if decimal_text(Number(repr(number))) != text:
        raise ValueError(f"{text} has more digits than a JSON number keeps")
    return number
