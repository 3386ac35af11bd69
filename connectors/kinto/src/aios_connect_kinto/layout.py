"""How a company's records are laid out in Kinto, as JSON Schemas, and what a live schema says in our words.

Kinto itself gives records no shape: a collection may carry a JSON Schema, and checks it where the server is set up to
(https://kinto.readthedocs.io/en/latest/api/1.x/collections.html#collection-json-schema). A new collection gets the one below. A
company may add fields to it.

A field that was cleared is null. Amounts and shares are text: Kinto reads JSON numbers as binary fractions, and money is no binary fraction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from aios_connect.connectors import FieldInfo, Schema

__all__ = ["LAYOUT", "schema_of"]

_TEXT: Final = {"type": ["string", "null"]}
_DAY: Final = {"type": ["string", "null"], "format": "date"}
_INSTANT: Final = {"type": ["string", "null"], "format": "date-time"}
_WORDS: Final = {"type": ["array", "null"], "items": {"type": "string"}}
_OWN: Final = frozenset({"id", "last_modified", "schema"})
"""What Kinto itself writes into a record."""


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _choice(*codes: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "enum": [*codes, None]}


_ADDRESS: Final = _object(street=_TEXT, postal_code=_TEXT, city=_TEXT, region=_TEXT, country=_TEXT)

LAYOUT: Final[Mapping[str, Mapping[str, Any]]] = {
    "people": _object(
        name=_object(given=_TEXT, family=_TEXT),
        email=_object(work=_TEXT, personal=_TEXT),
        phone=_object(mobile=_TEXT, work=_TEXT),
        address=_ADDRESS,
        company=_TEXT,
        job_title=_TEXT,
        lifecycle=_choice("lead", "contact", "customer", "former", "partner", "vendor", "staff"),
        website=_TEXT,
        source=_TEXT,
        tags=_WORDS,
        notes=_TEXT,
    ),
    "companies": _object(
        name=_TEXT,
        domain=_TEXT,
        email=_TEXT,
        phone=_TEXT,
        website=_TEXT,
        address=_ADDRESS,
        industry=_TEXT,
        employees={"type": ["integer", "null"]},
        tax_id=_TEXT,
        lifecycle=_choice("prospect", "customer", "former", "partner", "vendor", "competitor"),
        source=_TEXT,
        tags=_WORDS,
        notes=_TEXT,
    ),
    "deals": _object(
        name=_TEXT,
        pipeline=_TEXT,
        stage=_TEXT,
        amount=_object(value=_TEXT, currency=_TEXT),
        probability=_TEXT,
        expected_close=_DAY,
        start_date=_DAY,
        next_step=_TEXT,
        company=_TEXT,
        person=_TEXT,
        lost_reason=_TEXT,
        scope=_TEXT,
        source=_TEXT,
        tags=_WORDS,
        notes=_TEXT,
    ),
    "tasks": _object(
        subject=_TEXT,
        type=_choice("call", "email", "message", "meeting_prep", "review", "data_fix", "decision", "other"),
        status=_choice("open", "in_progress", "waiting", "done", "cancelled"),
        priority=_choice("low", "normal", "high", "urgent"),
        due_at=_INSTANT,
        result=_TEXT,
        person=_TEXT,
        company=_TEXT,
        deal=_TEXT,
        notes=_TEXT,
    ),
}
"""Object -> the JSON Schema of its records."""


def schema_of(object: str, live: Mapping[str, Any], references: Collection[str]) -> Schema:
    """A collection's JSON Schema in our words.

    Args:
        object: Name of the collection.
        live: Its JSON Schema as it stands on the server; empty if it has none.
        references: Dotted paths of ids of other records.
    """
    known = {path for path, _, _ in _leaves(LAYOUT[object], "")}
    fields = {
        path: _info(path, told, required=required, reference=path in references, custom=path not in known)
        for path, told, required in _leaves(live, "")
    }
    fields["aios_key"] = FieldInfo("aios_key", "text", "Our key", writable=False)
    fields["id"] = FieldInfo("id", "text", "Id", writable=False)
    fields["last_modified"] = FieldInfo("last_modified", "instant", "Last changed", writable=False)
    return Schema(object, fields, open=live.get("additionalProperties", True) is not False)


def _leaves(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Path, JSON Schema and necessity of everything that is no object of its own."""
    needed = schema.get("required", ())
    for name, told in schema.get("properties", {}).items():
        if not isinstance(told, Mapping) or (not prefix and name in _OWN):
            continue
        if "properties" in told:
            yield from _leaves(told, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", told, not prefix and name in needed


def _info(path: str, told: Mapping[str, Any], *, required: bool, reference: bool, custom: bool) -> FieldInfo:
    codes = tuple((str(code), str(code)) for code in told.get("enum", ()) if code is not None)
    return FieldInfo(
        path,
        "reference" if reference else "choice" if codes else _type(told),
        label=str(told.get("title", "")),
        required=required,
        choices=codes,
        custom=custom,
        max_length=told["maxLength"] if isinstance(told.get("maxLength"), int) else None,
    )


def _type(told: Mapping[str, Any]) -> Any:
    types = told.get("type", "string")
    names = [name for name in (types if isinstance(types, list) else [types]) if name != "null"]
    match names[0] if names else "string":
        case "string":
            return {"date": "date", "date-time": "instant"}.get(str(told.get("format")), "text")
        case "number":
            return "decimal"
        case "array":
            return "list"
        case "integer" | "boolean" | "object" as name:
            return name
        case _:
            return "text"
