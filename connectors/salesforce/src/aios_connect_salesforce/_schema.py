"""The live schema, as Salesforce describes it, asked for once in the life of a connector.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from aios_connect.connectors import FieldInfo, ProviderError, Schema, TruncatedError

from ._objects import KEY, OBJECTS, STAMP
from ._wire import Part, Wire

__all__ = ["CURRENCY", "NUMBERS", "Schemas", "schema_of"]

CURRENCY: Final = "CurrencyIsoCode"
"""The field with a record's currency; only organisations with several currencies have it."""

NUMBERS: Final = frozenset({"double", "currency", "percent"})
"""Types of numbers that may have a fraction."""

_Type: TypeAlias = Literal["text", "integer", "decimal", "boolean", "date", "instant", "choice", "choices", "reference", "object"]

_TYPES: Final[Mapping[str, _Type]] = {
    "int": "integer",
    "long": "integer",
    "double": "decimal",
    "currency": "decimal",
    "percent": "decimal",
    "boolean": "boolean",
    "date": "date",
    "datetime": "instant",
    "picklist": "choice",
    "multipicklist": "choices",
    "reference": "reference",
    "address": "object",
    "location": "object",
    "complexvalue": "object",
}
"""https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm; all others are texts."""

_COMPOUND: Final = frozenset({"address", "location", "complexvalue", "base64", "anyType"})
"""Fields that repeat others, or hold a file: they are not read."""

_FLEETING: Final = frozenset({"LastViewedDate", "LastReferencedDate"})
"""Fields that say when we ourselves looked at a record."""


class Schemas:
    """What Salesforce says of the fields of its objects.

    Args:
        wire: The way to Salesforce.
        currency: The currency of an organisation that has only one.
    """

    def __init__(self, wire: Wire, currency: str) -> None:
        self._wire = wire
        self._known: dict[str, dict[str, dict[str, Any]]] = {}
        self._numbers: dict[str, frozenset[str]] = {}
        self._lacking: dict[str, bool] = {}
        self.currency = currency

    def fields(self, object: str) -> Mapping[str, dict[str, Any]]:
        """Name -> what Salesforce says of the field."""
        if object not in self._known:
            self._keep(object, self._wire.get(f"sobjects/{object}/describe", object))
        return self._known[object]

    def learn(self, objects: Sequence[str]) -> None:
        """Ask about several objects in one call."""
        unknown = [object for object in objects if object not in self._known]
        if len(unknown) > 1:
            parts = [Part("GET", f"sobjects/{object}/describe") for object in unknown]
            for object, answer in zip(unknown, self._wire.together(parts, "", safe=True), strict=True):
                if isinstance(answer, ProviderError):
                    raise answer
                self._keep(object, answer)

    def _keep(self, object: str, answer: Any) -> None:
        listed = answer.get("fields") if isinstance(answer, dict) else None
        if not isinstance(listed, list) or not listed:
            raise TruncatedError(f"salesforce does not list the fields of {object}", provider="salesforce", object=object)
        known = {str(item["name"]): item for item in listed}
        self._known[object] = known
        self._numbers[object] = frozenset(name for name, item in known.items() if item.get("type") in NUMBERS)
        amounts = any(item.get("type") == "currency" for item in known.values())
        self._lacking[object] = amounts and CURRENCY not in known

    def numbers(self, object: str) -> frozenset[str]:
        """The fields whose values are numbers that may have a fraction."""
        self.fields(object)
        return self._numbers[object]

    def names(self, object: str) -> list[str]:
        """The fields that are read of an object."""
        wanted, known = OBJECTS[object].names, self.fields(object)
        return [
            name
            for name, item in known.items()
            if (name in wanted or item.get("custom") or not wanted)
            and item.get("type") not in _COMPOUND
            and name not in _FLEETING
            and not item.get("deprecatedAndHidden")
        ]

    def forget(self) -> None:
        """Ask anew: fields were made."""
        self._known.clear()

    def lacks_currency(self, object: str) -> bool:
        """Its records have amounts and do not say in which currency."""
        self.fields(object)
        return self._lacking[object]


def schema_of(schemas: Schemas, object: str) -> Schema:
    """The live schema of an object."""
    kind = OBJECTS[object]
    fields = {name: _field(name, item) for name, item in schemas.fields(object).items() if item.get("type") != "base64"}
    if schemas.lacks_currency(object):
        fields[CURRENCY] = FieldInfo(CURRENCY, "text", "Currency of the organisation")
    for to in ("Account", "Opportunity") if kind.about else ():
        fields[f"about.{to}"] = FieldInfo(f"about.{to}", "reference", f"Related to, if that is one of the {OBJECTS[to].title}")
    return Schema(object, fields)


def _field(name: str, item: Mapping[str, Any]) -> FieldInfo:
    """A field in our words. Its length is left out, as longer text is refused and never cut; so are the currencies of an organisation,
    of which a mapping need not know more than that they are codes."""
    type = _TYPES.get(str(item.get("type")), "text") if name != CURRENCY else "text"
    creatable, updatable = bool(item.get("createable")), bool(item.get("updateable"))
    choices = tuple((str(one["value"]), str(one["label"])) for one in item.get("picklistValues") or () if one.get("active"))
    return FieldInfo(
        name,
        type,
        str(item.get("label") or name),
        required=creatable and not item.get("nillable") and not item.get("defaultedOnCreate"),
        writable=(creatable or updatable) and name not in (KEY, STAMP, "Id"),
        choices=choices if type in ("choice", "choices") else (),
        custom=bool(item.get("custom")),
        scale=int(item.get("scale") or 0) if type == "decimal" else None,
    )
