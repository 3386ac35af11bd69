"""A mapping file as it is written: header, defaults, fields, examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from aios_connect.model import Kind

from .amounts import Currency, Decimal, Integer, Money
from .computed import Constant, Custom, Expr, Function
from .contacts import Email, PersonName, Phone, Region
from .times import Date, Instant, Zone
from .transform import Form, Path, Transform, null_is_a_word
from .values import Boolean, Enum, ListOf, Reference, Text

__all__ = ["TRANSFORMS", "AnyTransform", "Defaults", "Example", "MappingFile", "Written"]

AnyTransform: TypeAlias = Annotated[
    Text
    | Enum
    | Boolean
    | Integer
    | Decimal
    | Money
    | ListOf
    | Reference
    | Date
    | Instant
    | Phone
    | Email
    | PersonName
    | Constant
    | Expr
    | Custom
    | Function,
    Field(discriminator="as_"),
]

TRANSFORMS: Final[tuple[type[Transform], ...]] = (
    Text, Enum, Boolean, Integer, Decimal, Money, ListOf, Reference, Date, Instant, Phone, Email, PersonName,
    Constant, Expr, Custom, Function,
)  # fmt: skip
"""Every transform, in the order of the reference."""

_OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    transform.model_fields["as_"].default: frozenset(transform.model_fields) for transform in TRANSFORMS
}
_IMPLIED: Final = {"const": "constant", "expr": "expr", "prefix": "custom"}


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Defaults(_Closed):
    """Options for all fields of a file that have them and do not say otherwise.

    Attributes:
        region: Country of phone numbers that name none.
        tz: Time zone of dates and instants that name none.
        currency: Currency of amounts that name none.
        clear: What this API wants written to clear a field: null, or often ``""``.
        quoted: This API writes numbers and booleans as text.
        missing: What a path that is not in a record means: not fetched (``absent``), or nothing (``null``: the API leaves out what is
            empty).
    """

    region: Region | None = None
    tz: Zone | None = None
    currency: Currency | None = None
    clear: Any = None
    quoted: bool = False
    missing: Annotated[
        Literal["absent", "null"], BeforeValidator(null_is_a_word, json_schema_input_type=Literal["absent", "null"] | None)
    ] = "absent"


class Written(_Closed):
    """What an example writes.

    Attributes:
        set: Leaf -> canonical value.
        patch: What is sent to the vendor for it, exactly.
    """

    set: dict[str, Any]
    patch: dict[str, Any]


class Example(_Closed):
    """A record and what is to come of it; runs as a test.

    Attributes:
        name: What it shows.
        record: The vendor's JSON; without it, ``writes`` is a create.
        reads: Leaf -> the value it must have. Leaves that are not named may have any.
        problems: Leaves that cannot be read.
        writes: What is written over the record, and what is sent for it.
    """

    name: str
    record: dict[str, Any] | None = None
    reads: dict[str, Any] = Field(default_factory=dict)
    problems: tuple[str, ...] = ()
    writes: Written | None = None


class MappingFile(_Closed):
    """One file: how one object of a provider translates to one canonical kind, and back.

    Attributes:
        connector: Slug of the provider.
        object: The provider's object.
        kind: The canonical kind.
        defaults: Options for all fields.
        unmapped: What becomes of the vendor's fields that no entry names: they stay in the raw record, untouched (``keep``); with
            ``report``, checking against the live schema lists them.
        create: Path -> value that every new record gets unless a leaf says otherwise.
        fields: Leaf -> where it is found and how it is translated.
        examples: Records that show it, and test it.
    """

    connector: Annotated[str, Form("[a-z][a-z0-9_]*", "the slug of a provider: small letters, digits, underscores")]
    object: Annotated[str, Field(min_length=1)]
    kind: Kind
    defaults: Defaults = Defaults()
    unmapped: Literal["keep", "report"] = "keep"
    create: dict[Path, Any] = Field(default_factory=dict)
    fields: Annotated[dict[str, AnyTransform], Field(min_length=1)]
    examples: tuple[Example, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, file: Any) -> Any:
        """Write the short forms out, so that ``as`` always says which transform it is, and the defaults into the fields."""
        if not isinstance(file, dict) or not isinstance(file.get("fields"), dict):
            return file
        defaults = file.get("defaults")
        given = defaults if isinstance(defaults, dict) else {}
        return {**file, "fields": {leaf: _filled_in(_spelled_out(entry), given) for leaf, entry in file["fields"].items()}}


def _spelled_out(entry: Any) -> Any:
    if isinstance(entry, str):
        return {"as": "text", "from": entry}
    if isinstance(entry, dict) and "as" not in entry:
        return {"as": next((name for key, name in _IMPLIED.items() if key in entry), "text"), **entry}
    return entry


def _filled_in(entry: Any, given: Mapping[str, Any]) -> Any:
    if not isinstance(entry, dict):
        return entry
    options = _OPTIONS.get(str(entry["as"]), frozenset())
    return {**{name: value for name, value in given.items() if name in options}, **entry}
