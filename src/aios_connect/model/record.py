"""What all canonical records have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import Field, ValidationError, field_validator, model_validator

from aios_connect.errors import MappingError

from .canonical import JSON, Leaves, is_canonical
from .leaves import Leaf, derive, from_leaves, to_leaves
from .values import ExternalRef, Instant, Provenance, Value

__all__ = ["CUSTOM_PREFIX", "Kind", "Record"]

Kind: TypeAlias = Literal["person", "company", "deal", "user", "activity", "task", "event", "intake"]
"""The slug of a canonical record type."""

CUSTOM_PREFIX: Final = "custom."

_CUSTOM_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


class Record(Value):
    """A canonical record: the typed edge of what travels as leaves.

    Attributes:
        kind: The slug of the record type.
        id: Our own id of the entity.
        tenant: Whose it is.
        created_at: When we first knew it, UTC.
        updated_at: When we last changed it, UTC.
        version: Counts our changes.
        external_refs: Where it lives in the connected tools.
        provenance: By leaf, where its value comes from.
        deleted_at: When it was deleted.
        merged_into: The entity it lives on in.
        custom: The company's own fields; a name here is the leaf ``custom.<name>``.
        raw: By choice leaf, the vendor's own word where the value is ``unknown`` because no table translates it.
    """

    kind: ClassVar[Kind]

    id: str | None = None
    tenant: str | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    version: int | None = None
    external_refs: tuple[ExternalRef, ...] = ()
    provenance: dict[str, Provenance] = Field(default_factory=dict)
    deleted_at: Instant | None = None
    merged_into: str | None = None
    custom: dict[str, Any] = Field(default_factory=dict)
    raw: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def layout(cls) -> Mapping[str, Leaf]:
        """The leaves of this record type by name; ``custom.<name>`` is allowed beside them."""
        return derive(cls, frozenset(Record.model_fields))

    @classmethod
    def leaf(cls, name: str) -> Leaf:
        """One leaf by name.

        Raises:
            MappingError: There is no such leaf; the hint names the nearest one.
        """
        found = cls.layout().get(name)
        if found is not None:
            return found
        if name.startswith(CUSTOM_PREFIX):
            if _CUSTOM_NAME.match(name.removeprefix(CUSTOM_PREFIX)):
                return Leaf(name, "any")
            raise MappingError(
                f"{name!r} is not the name of a custom field",
                hint="write small letters, digits and underscores behind custom., a letter first",
            )
        near = get_close_matches(name, cls.layout(), n=1)
        raise MappingError(
            f"a {cls.kind} has no leaf {name!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"name one of {', '.join(cls.layout())}, or custom.<name>",
        )

    def leaves(self) -> Leaves:
        """The set leaves with their canonical values."""
        found = to_leaves(self, self.layout(), self.raw)
        found.update((CUSTOM_PREFIX + name, value) for name, value in self.custom.items())
        return found

    @classmethod
    def from_leaves(cls, leaves: Mapping[str, JSON]) -> Self:
        """The record that has these leaves; the inverse of :meth:`leaves`.

        Raises:
            MappingError: A leaf does not exist, or its value is not canonical.
        """
        custom: dict[str, JSON] = {}
        known: dict[str, JSON] = {}
        for name, value in leaves.items():
            leaf = cls.leaf(name)
            if not is_canonical(leaf.type, value, leaf.choices):
                raise MappingError(
                    f"{value!r} is not a canonical {leaf.type} for the {cls.kind} leaf {name!r}",
                    hint="build canonical values with aios_connect.model.canonical",
                )
            if leaf.type == "any":
                custom[name.removeprefix(CUSTOM_PREFIX)] = value
            else:
                known[name] = value
        fields, raw = from_leaves(known, cls.layout())
        if custom:
            fields["custom"] = custom
        if raw:
            fields["raw"] = raw
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise MappingError(f"the {cls.kind} leaf {place!r} does not fit: {first['msg']}") from error

    @field_validator("custom")
    @classmethod
    def _custom_is_canonical(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, item in value.items():
            if not _CUSTOM_NAME.match(name):
                raise ValueError(f"{name!r} is not the name of a custom field: small letters, digits, underscores")
            if not is_canonical("any", item):
                raise ValueError(f"{item!r} of {name!r} is not a canonical value: write numbers with a fraction as text")
        return value

    @model_validator(mode="after")
    def _raw_only_beside_unknown(self) -> Self:
        for name in self.raw:
            leaf = self.layout().get(name)
            value: Any = self
            for step in name.split("."):
                value = getattr(value, step, None)
            if leaf is None or leaf.type != "choice" or value != "unknown":
                raise ValueError(f"raw keeps a vendor's word only for a choice that is unknown; {name!r} is none")
        return self
