"""JSON Schema of mapping files, so that editors complete leaves, transforms and the vendor's fields, and underline mistakes.

Made for yaml-language-server (the YAML support of VS Code, Neovim, Zed and others): put
``# yaml-language-server: $schema=<file>`` on the first line of a mapping file.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from aios_connect.connectors.contract import Schema
from aios_connect.model import KINDS, leaves

from .contacts import PersonName
from .describing import described
from .spec import TRANSFORMS as TRANSFORMS
from .spec import Defaults, Example, MappingFile, Written
from .transform import Transform

__all__ = ["json_schema"]

_IMPLIED: Final = ("text", "constant", "expr", "custom")
_ALWAYS: Final = frozenset(("constant", "expr", "function"))


def json_schema(kind: str = "", schema: Schema | None = None, *, object: str = "") -> dict[str, Any]:
    """The JSON Schema (2020-12) of mapping files.

    Args:
        kind: A canonical kind; its leaves are completed, with the transforms that fit each. All kinds, if not given.
        schema: A live schema; its paths are completed.
        object: The vendor's object; the one of ``schema``, if not given.

    Raises:
        ConfigError: There is no such kind.
    """
    result = MappingFile.model_json_schema()
    definitions = result["$defs"]
    _describe(result, MappingFile)
    models: tuple[type[BaseModel], ...] = (Defaults, Example, Written, *TRANSFORMS)
    for model in models:
        _describe(definitions[model.__name__], model)
    definitions["Path"] = _paths(schema)
    for transform in TRANSFORMS:
        _with_paths(definitions[transform.__name__], transform)
    known = {leaf.name: leaf for one in ([kind] if kind else KINDS) for leaf in leaves(one).values()}
    entries: dict[str, Any] = {
        name: {"description": f"{leaf.meaning} ({leaf.type}{f' to {leaf.to}' if leaf.to else ''})", **_entry(leaf.type)}
        for name, leaf in known.items()
    }
    if {"names.given", "names.family"} <= known.keys():
        entries["names"] = {"description": "Both names from one text", "$ref": f"#/$defs/{PersonName.__name__}"}
    entries["custom"] = {"description": "The company's own fields, by the beginning of their names", "$ref": "#/$defs/Custom"}
    fields = result["properties"]["fields"]
    fields.update(properties=entries, patternProperties={r"^custom\.[a-z][a-z0-9_]*$": _entry("any")}, additionalProperties=False)
    if kind:
        result["properties"]["kind"] = {"const": kind}
    if object or schema is not None:
        result["properties"]["object"] = {"const": object or (schema.object if schema is not None else "")}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **result, "title": "A mapping of aios-connect"}


def _entry(type: str) -> dict[str, Any]:
    """What may stand at a leaf of this type: a bare path for text, or one of the transforms that give it."""
    fitting = [one for one in TRANSFORMS if type in one.accepts and one is not PersonName and one.__name__ != "Custom"]
    fitting.sort(key=lambda one: one.model_fields["as_"].default in _ALWAYS)
    short = [{"$ref": "#/$defs/Path"}] if type in ("text", "any") else []
    return {"anyOf": [*short, *({"$ref": f"#/$defs/{one.__name__}"} for one in fitting)]}


def _paths(schema: Schema | None) -> dict[str, Any]:
    if schema is None:
        return {"type": "string", "description": "A dotted path in the vendor's record."}
    labels = [
        f"{info.label or path} ({info.type}{'' if info.writable else ', read-only'})" for path, info in schema.fields.items()
    ]
    listed = {"enum": list(schema.fields), "enumDescriptions": labels}
    return {"anyOf": [listed, {"type": "string"}]} if schema.open else listed


def _with_paths(definition: dict[str, Any], transform: type[Transform]) -> None:
    """Let the options that are paths be completed, and ``as`` tell the transforms apart."""
    options = definition["properties"]
    path = {"$ref": "#/$defs/Path"}
    if "from" in options:
        text = options["from"].get("description", "")
        options["from"] = {"description": text, "anyOf": [path, {"type": "array", "items": path, "minItems": 1}]}
    name = transform.model_fields["as_"].default
    options["as"] = {"const": name, "description": described(transform).summary}
    if name not in _IMPLIED:
        definition["required"] = ["as", *definition.get("required", [])]


def _describe(definition: dict[str, Any], model: type[BaseModel]) -> None:
    words = described(model)
    definition["description"] = words.summary
    for name, text in words.options.items():
        if name in definition["properties"]:
            definition["properties"][name]["description"] = text
