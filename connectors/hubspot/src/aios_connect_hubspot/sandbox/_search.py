"""Search over the index: filters, one sort, offsets, and no way beyond the first 10,000 results."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aios_connect.sandbox import RefusedError

from ._properties import error
from ._records import Indexed

__all__ = ["WINDOW", "search"]

WINDOW: Final = 10_000
"""https://developers.hubspot.com/docs/guides/api/crm/search#limitations: results that one query can reach."""

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "EQ": lambda held, asked: held == asked,
    "NEQ": lambda held, asked: held != asked,
    "LT": lambda held, asked: held < asked,
    "LTE": lambda held, asked: held <= asked,
    "GT": lambda held, asked: held > asked,
    "GTE": lambda held, asked: held >= asked,
}


def search(
    known: Sequence[Indexed], asked: Mapping[str, Any], types: Mapping[str, str], stamp: str
) -> tuple[list[Indexed], int, str | None]:
    """One page of a search: what the index knows, how much fits in all, and the offset behind the page.

    Records with equal values of the sort come in no order that means anything.
    """
    limit, offset = int(asked.get("limit", 10)), int(asked.get("after") or 0)
    if limit > 200:
        raise RefusedError(400, error("The limit of a search is 200", "VALIDATION_ERROR"))
    if offset + limit > WINDOW:
        raise RefusedError(400, error("Paging beyond 10000 results is not supported", "VALIDATION_ERROR"))
    groups = [
        # ids first: they are compared fastest
        [_test(one, types, stamp) for one in sorted(group["filters"], key=lambda one: one["propertyName"] != "hs_object_id")]
        for group in asked.get("filterGroups") or ()
    ]
    found = [one for one in known if not groups or any(all(test(one) for test in group) for group in groups)]
    sorts = asked.get("sorts") or []
    if len(sorts) > 1:
        raise RefusedError(400, error("Only one sort is supported", "VALIDATION_ERROR"))
    first = sorts[0] if sorts else "hs_object_id"  # a name, with a minus before it or not, or an object that says both
    name = first.removeprefix("-") if isinstance(first, str) else first["propertyName"]
    down = first.startswith("-") if isinstance(first, str) else first.get("direction") == "DESCENDING"
    if name != "hs_object_id":
        found.sort(key=lambda one: (_value(one, name, types, stamp) or 0, zlib.crc32(str(one.id).encode())))
    if down:
        found.reverse()
    page = found[offset : offset + limit]
    more = offset + limit < len(found)
    return page, len(found), str(offset + limit) if more else None


def _test(asked: Mapping[str, Any], types: Mapping[str, str], stamp: str) -> Callable[[Indexed], bool]:
    name, operator = asked["propertyName"], asked["operator"]
    if name not in types:
        raise RefusedError(400, error(f"There was a problem with the request: no property {name}", "VALIDATION_ERROR"))
    type = types[name]
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return lambda one: (_value(one, name, types, stamp) is not None) is (operator == "HAS_PROPERTY")
    if operator in ("IN", "NOT_IN"):
        wanted = {_typed(value, type) for value in asked["values"]}
        return lambda one: (_value(one, name, types, stamp) in wanted) is (operator == "IN")
    if operator == "CONTAINS_TOKEN":
        token = str(asked["value"]).strip("*").casefold()
        return lambda one: token in str(_value(one, name, types, stamp) or "")
    if operator == "BETWEEN":
        low, high = _typed(asked["value"], type), _typed(asked["highValue"], type)
        return lambda one: (held := _value(one, name, types, stamp)) is not None and low <= held <= high
    if operator not in _COMPARE:
        raise RefusedError(400, error(f"no such operator: {operator}", "VALIDATION_ERROR"))
    compare, wanted_value = _COMPARE[operator], _typed(asked["value"], type)
    if name == "hs_object_id":
        return lambda one: compare(one.id, wanted_value)
    return lambda one: (held := _value(one, name, types, stamp)) is not None and compare(held, wanted_value)


def _value(one: Indexed, name: str, types: Mapping[str, str], stamp: str) -> Any:
    if name == "hs_object_id":
        return one.id
    if name == stamp:
        return one.modified.timestamp()
    if name == "createdate":
        return one.created.timestamp()
    held = one.values.get(name)
    return None if held is None else _typed(held, types[name])


def _typed(value: Any, type: str) -> Any:
    text = str(value)
    try:
        if type == "datetime":
            return int(text) / 1000 if text.lstrip("-").isdigit() else datetime.fromisoformat(text).astimezone(UTC).timestamp()
        return float(text) if type == "number" else text.casefold()
    except ValueError:
        raise RefusedError(400, error(f"{text[:40]!r} is no {type}", "VALIDATION_ERROR")) from None
