"""Tryton's live description of a model, in our words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from aios_connect.connectors import FieldInfo, Schema

from .parties import ADDRESS, CONTACT_TYPES, RELATIONS
from .reading import Records
from .rpc import Rpc

__all__ = ["schema"]

_Type: TypeAlias = Literal[
    "text", "integer", "decimal", "boolean", "date", "instant", "choice", "choices", "reference", "list", "object"
]
_TYPES: Final[Mapping[str, _Type]] = {
    "boolean": "boolean",
    "integer": "integer",
    "float": "decimal",
    "numeric": "decimal",
    "date": "date",
    "datetime": "instant",
    "timestamp": "instant",
    "selection": "choice",
    "multiselection": "choices",
    "many2one": "reference",
    "dict": "object",
}
_GIVEN: Final = frozenset({"code", "number"})
"""Required, and filled from a sequence by Tryton itself."""


def schema(records: Records, rpc: Rpc) -> Schema:
    """The schema of one object.

    Args:
        records: Its records.
        rpc: The way to Tryton.
    """
    fields, model = records.fields(), records.model
    required = [name for name, field in fields.items() if field["required"] and name not in _GIVEN]
    filled = rpc.call(f"model.{model.name}.default_get", required, False, object=model.object, context=records.context())
    derived = {info.path: info for info in _derived(model.object, fields)}
    nested = {path.partition(".")[0] for path in derived}
    infos = {
        name: _info(name, fields[name], name in required and filled.get(name) is None)
        for name in model.stored(fields)
        if name not in nested
    }
    infos |= derived
    return Schema(model.object, infos)


def _info(path: str, field: Mapping[str, Any], required: bool = False) -> FieldInfo:
    choices = field.get("selection")
    return FieldInfo(
        path,
        _TYPES.get(field["type"], "text"),
        label=field["string"],
        required=required,
        writable=not field["readonly"],
        choices=tuple((str(code), str(label)) for code, label in choices if code is not None)
        if isinstance(choices, list)
        else (),
        scale=_scale(field),
        max_length=field.get("size") if isinstance(field.get("size"), int) else None,
    )


def _scale(field: Mapping[str, Any]) -> int | None:
    """Digits after the point, where Tryton says a number; those of an amount depend on its currency."""
    try:
        digits = json.loads(field.get("digits") or "null")
    except ValueError:
        return None
    return digits[1] if isinstance(digits, list) and isinstance(digits[1], int) else None


def _derived(object: str, fields: Mapping[str, Any]) -> Iterator[FieldInfo]:
    """What raw records have besides the model's own fields."""
    yield FieldInfo("id", "integer", "ID", writable=False)
    yield FieldInfo("version", "text", "Version", writable=False)
    yield FieldInfo("modified", "instant", "Last changed", writable=False)
    if object in ("people", "companies"):
        yield FieldInfo("key", "text", "Our key", writable=False)
        yield FieldInfo("lang", "text", "Language")
        yield FieldInfo("tax_identifier", "text", "Tax identifier", writable=False)
        yield FieldInfo("categories", "list", "Other categories", writable=False)
        for part in ("contact_mechanisms", "addresses", "identifiers"):
            yield FieldInfo(part, "list", fields[part]["string"], writable=False)
        for type in CONTACT_TYPES:
            yield FieldInfo(f"contacts.{type}", "text", f"First {type}")
        for name in ADDRESS:
            yield FieldInfo(f"address.{name}", "text", f"First address: {name}")
        if RELATIONS in fields and object == "people":
            yield FieldInfo(RELATIONS, "list", fields[RELATIONS]["string"], writable=False)
            yield FieldInfo("employer", "reference", "Employer")
    elif object == "opportunities":
        yield FieldInfo("key", "text", "Our key", writable=False)
        yield FieldInfo("currency", "text", "Currency")
        yield _info("state", {**fields["state"], "readonly": False})  # written by pressing buttons
        yield FieldInfo("party.id", "reference", "Party", writable=False)
        yield FieldInfo("party.company", "reference", "Party, if it is a company")
        yield FieldInfo("party.person", "reference", "Party, if it is a person")
        yield FieldInfo("contact.id", "reference", "Contact", writable=False)
        yield FieldInfo("contact.value", "text", "Contact's address or number", writable=False)
        yield FieldInfo("contact.company", "reference", "Contact's party, if it is a company", writable=False)
        yield FieldInfo("contact.person", "reference", "Contact's party, if it is a person")
    elif object == "employees":
        yield FieldInfo("active", "boolean", "Works here now", writable=False)
        yield FieldInfo("name", "text", "Name", writable=False)
        yield FieldInfo("company_name", "text", "Company", writable=False)
        for type in CONTACT_TYPES:
            yield FieldInfo(f"contacts.{type}", "text", f"First {type}", writable=False)
    else:
        yield FieldInfo("name", "text", "Name", writable=False)
        yield FieldInfo("currency", "text", "Currency", writable=False)
