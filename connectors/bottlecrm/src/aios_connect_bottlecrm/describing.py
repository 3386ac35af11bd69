"""What BottleCRM's records are made of: the fields of its own, and those of the organization.

Stages, sources and custom fields are asked of the server; the rest is the same for everybody
(``/schema/?format=json`` of a server has it all).
"""

from __future__ import annotations

from typing import Any, Final

from aios_connect.connectors import FieldInfo, RejectedError, Schema, TruncatedError

from .objects import CUSTOM, KEY, OBJECTS, Field
from .wire import Wire

__all__ = ["Describer"]

_CUSTOM: Final[dict[str, Any]] = {
    "text": "text",
    "textarea": "text",
    "number": "decimal",
    "dropdown": "choice",
    "date": "date",
    "checkbox": "boolean",
}
"""https://pypi.org/project/django-crm/1.35.0/: ``CustomFieldDefinition.FIELD_TYPE_CHOICES``."""
_SOURCES: Final = {"leads": "source", "contacts": "source", "deals": "lead_source"}
_LABEL: Final = "aios-connect key"


class Describer:
    """Describes the objects of one organization, and makes the place for our key.

    Args:
        wire: The way there.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._keys: dict[str, frozenset[str]] = {}

    def schema(self, object: str) -> Schema:
        """The live fields of an object."""
        fields = {name: _info(name, field) for name, field in OBJECTS[object].fields.items()}
        if object == "deals":
            fields["stage"] = _info("stage", OBJECTS[object].fields["stage"], self._stages())
        if source := _SOURCES.get(object):
            fields[source] = _info(source, OBJECTS[object].fields[source], self._sources())
        for told in self._definitions(object):
            key = str(told["key"])
            path = f"{CUSTOM}.{key}"
            options = tuple((str(one["value"]), str(one["label"])) for one in told.get("options") or ())
            fields[path] = FieldInfo(
                path,
                _CUSTOM.get(str(told.get("field_type")), "text"),
                label=str(told.get("label", "")),
                required=told.get("is_required") is True,
                writable=key != KEY,
                choices=options,
                custom=True,
            )
        return Schema(object, fields)

    def custom(self, object: str) -> frozenset[str]:
        """The custom fields of an object, by key; asked once for all objects."""
        if not self._keys:
            told = self._definitions()
            for name, kind in OBJECTS.items():
                self._keys[name] = frozenset(str(one["key"]) for one in told if one.get("target_model") == kind.model)
        return self._keys[object]

    def lacking(self) -> list[str]:
        """Objects that have no place for our key."""
        self._keys.clear()
        return [object for object in OBJECTS if KEY not in self.custom(object)]

    def make_key(self, object: str) -> None:
        """Make the custom field for our key, or take it into use again."""
        model = OBJECTS[object].model
        try:
            self._wire.send(
                "POST",
                "custom-fields/",
                {"target_model": model, "key": KEY, "label": _LABEL, "field_type": "text"},
                object=object,
            )
        except RejectedError:
            old = next((told for told in self._definitions(object, retired=True) if told["key"] == KEY), None)
            if old is None:
                raise
            self._wire.send("PUT", f"custom-fields/{old['id']}/", {"is_active": True}, object=object)
        self._keys.clear()

    def _definitions(self, object: str = "", *, retired: bool = False) -> list[dict[str, Any]]:
        asked = {"include_counts": "false", "active_only": "false" if retired else "true"}
        if object:
            asked["target_model"] = OBJECTS[object].model
        rows = self._wire.get("custom-fields/", object, **asked).get("definitions")
        if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("key"), str) for row in rows):
            raise TruncatedError("the custom fields came without their definitions", provider="bottlecrm", object=object)
        return rows

    def _stages(self) -> tuple[tuple[str, str], ...]:
        """Code and label of the stages of every pipeline, the default one first."""
        told = self._wire.get("opportunities/pipelines/", "deals")
        pipelines = told.get("pipelines", ())
        stages = {str(one["code"]): str(one["label"]) for pipeline in pipelines for one in pipeline.get("stages", ())}
        return tuple(stages.items())

    def _sources(self) -> tuple[tuple[str, str], ...]:
        told = self._wire.get("leads/sources/", "leads")
        return tuple((str(one["key"]), str(one["label"])) for one in told.get("sources", ()))


def _info(name: str, field: Field, choices: tuple[tuple[str, str], ...] = ()) -> FieldInfo:
    return FieldInfo(
        name,
        field.type,
        label=field.label,
        required=field.required,
        writable=field.write,
        choices=choices or tuple((code, code) for code in field.choices),
        scale=2 if field.type == "decimal" else None,
    )
