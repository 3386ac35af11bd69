"""The live schema: properties as HubSpot describes them, stages of pipelines, our own property."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from aios_connect.connectors import ConfigError, FieldInfo, NotFoundError, RejectedError, Schema

from ._objects import KEY, MERGED, OBJECTS
from ._wire import Wire

__all__ = ["OWNER", "Properties", "has_key", "key_scope", "make_key", "schema_of"]

_Type: TypeAlias = Literal["text", "integer", "decimal", "boolean", "date", "instant", "choice", "choices", "reference"]

_TYPES: Final[Mapping[str, _Type]] = {
    "string": "text",
    "number": "decimal",
    "bool": "boolean",
    "date": "date",
    "datetime": "instant",
    "enumeration": "choice",
    "phone_number": "text",
}

_WHOLE: Final = frozenset({"numberofemployees", "hs_object_id", "hs_call_duration"})
"""Standard properties that hold whole numbers, which HubSpot's type does not tell."""

OWNER: Final = Schema(
    "owners",
    {
        path: FieldInfo(path, type, label, writable=False)  # type: ignore[arg-type]
        for path, type, label in (
            ("id", "text", "Id"),
            ("email", "text", "E-mail"),
            ("firstName", "text", "First name"),
            ("lastName", "text", "Last name"),
            ("userId", "integer", "User"),
            ("type", "choice", "Person or queue"),
            ("teams", "list", "Teams"),
            ("createdAt", "instant", "Made"),
            ("updatedAt", "instant", "Last changed"),
            ("archived", "boolean", "Archived"),
        )
    },
)
"""Owners have no properties that an account could add to."""


class Properties(Mapping[str, Sequence[str]]):
    """The names of the properties that are read of an object: the standard ones, and those the account made. Asked for once.

    Args:
        wire: The way to HubSpot.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._known: dict[str, Sequence[str]] = {}

    def __getitem__(self, object: str) -> Sequence[str]:
        if object not in self._known:
            custom = (item["name"] for item in listed(self._wire, object) if not item.get("hubspotDefined", False))
            self._known[object] = tuple(dict.fromkeys((*OBJECTS[object].read, *custom)))
        return self._known[object]

    def known(self, object: str) -> Sequence[str]:
        """The same without asking: the standard ones alone, if nobody has asked yet."""
        return self._known.get(object, OBJECTS[object].read)

    def __iter__(self) -> Iterator[str]:
        return iter(OBJECTS)

    def __len__(self) -> int:
        return len(OBJECTS)


def listed(wire: Wire, object: str) -> list[dict[str, Any]]:
    """The properties of an object as HubSpot describes them."""
    answer, _ = wire.get(wire.address("properties", object), object)
    results = answer.get("results")
    if not isinstance(results, list):
        raise RejectedError(f"hubspot does not list the properties of {object}", provider="hubspot", object=object)
    return results


def schema_of(wire: Wire, object: str) -> Schema:
    """The live schema of a CRM object."""
    kind = OBJECTS[object]
    fields = {
        "id": FieldInfo("id", "text", "Record id", writable=False),
        "createdAt": FieldInfo("createdAt", "instant", "Made", writable=False),
        "updatedAt": FieldInfo("updatedAt", "instant", "Last changed", writable=False),
        "archived": FieldInfo("archived", "boolean", "Archived", writable=False),
    }
    for to in kind.associations:
        fields[f"associations.{to.name}"] = FieldInfo(f"associations.{to.name}", "reference", OBJECTS[to.to].title)
        fields[f"associations.{to.to}"] = FieldInfo(f"associations.{to.to}", "list", f"All {to.to}", writable=False)
    stages = _stages(wire, object, kind.pipeline) if kind.pipeline else {}
    for item in listed(wire, object):
        field = _field(item, stages.get(item["name"]), required=item["name"] in kind.required)
        fields[field.path] = field
    return Schema(object, fields)


def key_scope(object: str) -> str:
    """The scope that permits to make our property; of tickets there is only one scope (Chinchilla-Software-Com/HubSpot.NET#22)."""
    return "tickets" if object == "tickets" else f"crm.schemas.{object}.write"


def has_key(wire: Wire, object: str) -> bool:
    """There is a property for our unique key.

    Raises:
        ConfigError: There is one of that name whose values may come twice.
    """
    try:
        there, _ = wire.get(wire.address("properties", f"{object}/{KEY}"), object)
    except NotFoundError:
        return False
    if not there.get("hasUniqueValue"):
        raise ConfigError(
            f"HubSpot has a property {KEY} on {object} whose values may come twice",
            hint="archive or rename it in HubSpot, then connect again",
        )
    return True


def make_key(wire: Wire, object: str) -> str | None:
    """Make the property for our unique key, if it is not there; says what it made.

    Raises:
        AuthError: The app may not make properties there.
        ConfigError: There is one of that name whose values may come twice.
    """
    if has_key(wire, object):
        return None
    body = {
        "name": KEY,
        "label": "aios key",
        "description": "Made by aios-connect: keeps a record from being made twice. Please leave it as it is.",
        "groupName": OBJECTS[object].group,
        "type": "string",
        "fieldType": "text",
        "hasUniqueValue": True,
        "formField": False,
    }
    wire.post(wire.address("properties", object), object, body)
    return f"property {KEY} on {object}"


def _field(item: Mapping[str, Any], choices: tuple[tuple[str, str], ...] | None, *, required: bool) -> FieldInfo:
    name = str(item["name"])
    type: _Type = _TYPES.get(str(item.get("type")), "text")
    if type == "choice" and item.get("fieldType") == "checkbox":
        type = "choices"
    if item.get("referencedObjectType") == "OWNER" or name == "hubspot_owner_id":
        type = "reference"
    elif name in _WHOLE:
        type = "integer"
    if choices is None:
        choices = tuple((str(option["value"]), str(option["label"])) for option in item.get("options") or ())
    read_only = bool((item.get("modificationMetadata") or {}).get("readOnlyValue")) or bool(item.get("calculated"))
    return FieldInfo(
        f"properties.{name}",
        type,
        str(item.get("label") or name),
        required=required,
        writable=not read_only and name not in (KEY, MERGED),
        choices=choices if type in ("choice", "choices") else (),
        custom=not item.get("hubspotDefined", False),
    )


def _stages(wire: Wire, object: str, names: tuple[str, str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Pipelines and stages as choices; a stage says its pipeline where there are several."""
    answer, _ = wire.get(wire.address("pipelines", object), object)
    pipelines = answer.get("results") or []
    several = len(pipelines) > 1
    stages = tuple(
        (str(stage["id"]), f"{pipeline['label']}: {stage['label']}" if several else str(stage["label"]))
        for pipeline in pipelines
        for stage in pipeline["stages"]
    )
    return {names[0]: tuple((str(one["id"]), str(one["label"])) for one in pipelines), names[1]: stages}
