"""What a fake organisation says to values: those that spoil a whole request, and those that one record is refused for.

Codes: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from aios_connect.sandbox import RefusedError

from ._fields import Field, Table
from ._soql import error

__all__ = ["problems", "read_values", "shown"]

_ADDRESS: Final = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+")
_LARGE: Final = Decimal(10) ** 7


def read_values(table: Table, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a record in a request, as they are kept.

    Raises:
        RefusedError: The whole request is refused: a field that is not there, a value of the wrong type.
    """
    told = {}
    for name, value in given.items():
        if name in ("attributes", "Id", "id"):
            continue
        field = table.fields.get(name)
        if field is None:
            field = next((one for one in table.fields.values() if one.name.casefold() == name.casefold()), None)
        if field is None:
            raise RefusedError(400, error("INVALID_FIELD", f"No such column '{name}' on sobject of type {table.name}"))
        told[field.name] = _read(field, value)
    return told


def _read(field: Field, value: Any) -> Any:
    if value is None:
        return None
    try:
        match field.type:
            case "boolean":
                if not isinstance(value, bool):
                    raise ValueError
                return value
            case "int":
                return int(str(value))
            case "double" | "currency" | "percent":
                if isinstance(value, bool):
                    raise ValueError
                return Decimal(str(value))
            case "date":
                return date.fromisoformat(str(value)[:10]).isoformat()
            case "datetime":
                return _instant(str(value))
            case "address":
                return value
        if not isinstance(value, str):
            value = str(value)
    except (ValueError, ArithmeticError):
        kind = "VALUE_STRING" if isinstance(value, str) else "VALUE_NUMBER"
        words = (
            f"Cannot deserialize instance of {field.type} from {kind} value {value} or request may be missing a required field"
        )
        raise RefusedError(400, error("JSON_PARSER_ERROR", f"{words} at [line:1, column:1]")) from None
    return value.strip() or None  # blanks at the ends of a text are dropped, and empty text is nothing


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).replace(microsecond=0)


def problems(table: Table, values: Mapping[str, Any], *, new: bool) -> list[dict[str, Any]]:
    """What a record is refused for, as far as its own values tell."""
    told: list[dict[str, Any]] = []
    fixed = [name for name in values if not (table.fields[name].creatable if new else table.fields[name].updatable)]
    if fixed:
        words = (
            f"Unable to create/update fields: {', '.join(fixed)}. Please check the security settings of this field and verify "
        )
        told.append(
            _problem(
                "INVALID_FIELD_FOR_INSERT_UPDATE", f"{words}that it is read/write for your profile or permission set.", fixed
            )
        )
    required = [one.name for one in table.fields.values() if one.creatable and not one.nillable and not one.defaulted]
    empty = [name for name in required if values.get(name) is None and (new or name in values)]
    if table.name == "Event" and new and not (values.get("StartDateTime") or values.get("ActivityDateTime")):
        empty.append("ActivityDateTime")
    if empty:
        told.append(_problem("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(empty)}]", empty))
    for name, value in values.items():
        told += _about(table.fields[name], value)
    return told


def _about(field: Field, value: Any) -> Iterable[dict[str, Any]]:
    name = field.name
    if value is None:
        return
    if isinstance(value, str) and field.length and field.type != "reference" and len(value) > field.length:
        words = f"{field.name}: data value too large: {value[:40]} (max length={field.length})"
        yield _problem("STRING_TOO_LONG", words, [name])
    if field.type == "email" and not _ADDRESS.fullmatch(str(value)):
        yield _problem("INVALID_EMAIL_ADDRESS", f"{name}: invalid email address: {str(value)[:80]}", [name])
    if field.restricted and value not in field.choices:
        words = f"{name}: bad value for restricted picklist field: {str(value)[:80]}"
        yield _problem("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", words, [name])
    if isinstance(value, Decimal) and field.precision and abs(value) >= Decimal(10) ** (field.precision - field.scale):
        yield _problem("NUMBER_OUTSIDE_VALID_RANGE", f"{name}: value outside of valid range on numeric field: {value}", [name])


def _problem(code: str, message: str, fields: list[str]) -> dict[str, Any]:
    return {"statusCode": code, "message": message, "fields": fields}


def shown(field: Field, value: Any) -> Any:
    """A value as it is written in an answer: instants with four digits for the zone, large numbers with an exponent."""
    if isinstance(value, datetime):
        return _written(value)
    if isinstance(value, Decimal):
        if value and abs(value) >= _LARGE:
            return value.normalize()  # 1.39E+8
        plain = value.normalize() if value else Decimal(0)
        return plain.quantize(Decimal("0.1")) if plain == plain.to_integral_value() else Decimal(f"{plain:f}")
    return value


@lru_cache(maxsize=1024)
def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
