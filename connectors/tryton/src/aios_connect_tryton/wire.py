"""Tryton's JSON and back: its objects with a ``__class__`` become plain text, and what it refuses becomes an error.

Plain text is what the rest of aios-connect reads: decimals digit by digit, dates and instants in ISO 8601. Tryton's instants are
UTC without saying so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from aios_connect.connectors import AuthError, ConflictError, ProviderError, RejectedError, UnavailableError, redact

__all__ = ["decoded", "encoded", "instant", "refusal"]

_WHOLE = re.compile(r"[+-]?[0-9]+\Z")
_LOCKED = re.compile(r"database is locked|deadlock|could not serialize|connection|too many clients", re.IGNORECASE)


def decoded(value: Any) -> Any:
    """A value of Tryton's JSON as plain JSON."""
    if value.__class__ is dict:
        kind = value.get("__class__")
        if kind is None:
            return {name: decoded(item) for name, item in value.items()}
        return _plain(kind, value)
    if value.__class__ is list:
        return [decoded(item) for item in value]
    if value.__class__ is Decimal:
        return format(value, "f")
    return value


def _plain(kind: str, value: Mapping[str, Any]) -> Any:
    match kind:
        case "Decimal":
            return format(Decimal(value["decimal"]), "f")
        case "datetime":
            day, clock = _day(value), _clock(value)
            return f"{day}T{clock}Z"
        case "date":
            return _day(value)
        case "time":
            return _clock(value)
        case "timedelta":
            return format(Decimal(str(value["seconds"])), "f")
        case "bytes":
            return "".join(value["base64"].split())
    return dict(value)


def _day(value: Mapping[str, Any]) -> str:
    return f"{value['year']:04}-{value['month']:02}-{value['day']:02}"


def _clock(value: Mapping[str, Any]) -> str:
    text = f"{value['hour']:02}:{value['minute']:02}:{value['second']:02}"
    return f"{text}.{value['microsecond']:06}" if value["microsecond"] else text


def encoded(value: Any, type: str) -> Any:
    """Plain JSON as Tryton's JSON.

    Args:
        value: The value; ``None`` clears.
        type: Tryton's type of the field.

    Raises:
        ValueError: It is no such value; the text says why.
    """
    if value is None:
        return None
    match type:
        case "numeric" | "float":
            number = _number(value)
            return {"__class__": "Decimal", "decimal": format(number, "f")} if type == "numeric" else number
        case "integer" | "many2one":
            if value.__class__ is int or (isinstance(value, str) and _WHOLE.match(value)):
                return int(value)
            raise ValueError(f"{value!r} is not a whole number")
        case "boolean":
            if isinstance(value, bool):
                return value
            raise ValueError(f"{value!r} is not true or false")
        case "date":
            return _date_object(date.fromisoformat(_text(value)))
        case "datetime" | "timestamp":
            return instant(datetime.fromisoformat(_text(value)))
        case "char" | "text" | "selection" | "reference":
            return _text(value)
        case "multiselection":
            return value
    raise ValueError(f"fields of the type {type} cannot be written")


def instant(at: datetime) -> dict[str, Any]:
    """An instant as Tryton's JSON."""
    utc = at.astimezone(UTC) if at.tzinfo else at
    clock = {"hour": utc.hour, "minute": utc.minute, "second": utc.second, "microsecond": utc.microsecond}
    return {**_date_object(utc), "__class__": "datetime", **clock}


def _date_object(day: date) -> dict[str, Any]:
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return number


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is not text")


def refusal(error: Any, provider: str, object: str) -> ProviderError:
    """The error that the ``error`` of an answer stands for.

    Tryton sends ``[kind, [message, description, ...]]`` for what it means to say, and ``[text of the exception, traceback]`` for
    what broke inside it. The transaction was rolled back in every case.
    """
    kind, rest = (str(error[0]), list(error[1:])) if isinstance(error, list) and error else (str(error), [])
    facts: dict[str, Any] = {"provider": provider, "object": object, "status": 200}
    match kind:
        case "UserError":
            return RejectedError(f"Tryton refused: {_words(rest)}", **facts)
        case "UserWarning":
            return RejectedError(
                f"Tryton asks for a confirmation: {_words(rest)}",
                hint="do it in Tryton, where a person can confirm it; a program cannot",
                **facts,
            )
        case "ConcurrencyException":
            return ConflictError("the record was changed in Tryton since it was read", **facts)
        case "LoginException":
            return AuthError(
                "Tryton wants more than a password to sign this user in", hint="use a user without a second factor", **facts
            )
    if _LOCKED.search(kind):
        return UnavailableError(f"Tryton's database is busy: {redact(kind)[:200]}", **facts)
    if re.fullmatch(r"'[\w.]+'", kind):
        return RejectedError(
            f"Tryton has no model or field {kind}",
            hint="is the module that brings it activated in this database?",
            **facts,
        )
    return RejectedError(f"Tryton failed inside: {redact(kind)[:300]}", **facts)


def _words(rest: list[Any]) -> str:
    """What it says to a person, in one line: message and description."""
    parts = rest[0] if rest and isinstance(rest[0], list) else rest
    said = [str(part) for part in parts[:2] if isinstance(part, str) and part]
    return redact(re.sub(r"\s+", " ", " ".join(said)).strip())[:400] or "no reason given"
