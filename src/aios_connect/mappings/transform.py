"""What all transforms have in common: the options of a field, and the pair of functions that translates a value there and back.

A transform is a *lens*: ``get`` turns the vendor's value into the canonical one, ``put`` turns it back. Neither sees null, empty
text or a missing value; those mean the same for every transform and are dealt with once, in :mod:`.compile`. Both refuse what they
cannot translate with a ``ValueError`` whose text says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

from aios_connect.model.canonical import JSON, RAW_PREFIX, LeafType

__all__ = [
    "Access",
    "Fallible",
    "Form",
    "OnError",
    "Path",
    "Shortcut",
    "Single",
    "Sources",
    "Transform",
    "named",
    "null_is_a_word",
    "shown",
]

Access: TypeAlias = Literal["read", "write", "both"]
OnError: TypeAlias = Literal["error", "keep", "blank"]

_STEP: Final = r"[^.\s\x00-\x1f]([^.\x00-\x1f]*[^.\s\x00-\x1f])?"


@dataclass(frozen=True, slots=True)
class Form:
    """Marks text of a form: ``Annotated[str, Form("[A-Z]{2}", "a country code such as US")]``.

    Attributes:
        pattern: The form, for machines.
        words: The form, for people.
    """

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^({self.pattern})$"}

    def _checked(self, value: str) -> str:
        if re.fullmatch(self.pattern, value) is None:
            raise ValueError(f"{shown(value)} is not {self.words}")
        return value


Path = Annotated[str, Form(rf"{_STEP}(\.{_STEP})*", "a path: names with one dot between them")]
"""A dotted path in a vendor's record, ``properties.firstname``; a step may hold blanks: ``First name``."""


def null_is_a_word(value: Any) -> Any:
    """The word ``null`` as the value of an option; YAML takes it for null."""
    return "null" if value is None else value


Sources = Annotated[
    tuple[Path, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value), Field(min_length=1)
]
"""One path, or several of which the first filled one counts."""


class Transform(BaseModel):
    """The options every field may have.

    Attributes:
        access: ``read`` from the vendor only, ``write`` to it only, or ``both``.
        lossy: ``allow`` to write although what is written may be read back differently.
        required: Reading an empty value is an error; clearing it is refused.
        description: For people; shown by editors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)

    accepts: ClassVar[frozenset[LeafType]] = frozenset()
    """The types of leaves it can stand at."""
    gives: ClassVar[LeafType] = "any"
    """The type of its values, where the leaf does not say."""

    as_: str
    access: Access = "both"
    lossy: Literal["allow"] | None = None
    required: bool = False
    description: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The vendor's paths it takes part in."""
        return ()

    @property
    def reading(self) -> bool:
        """Its leaves are read."""
        return self.access != "write"

    @property
    def writing(self) -> bool:
        """Its leaves are written."""
        return self.access != "read"

    @property
    def loses(self) -> str:
        """What is lost on the way there and back; empty if nothing is."""
        return ""


class Fallible(Transform):
    """A transform that may meet a value it cannot read.

    Attributes:
        on_error: A value that cannot be read is an ``error`` (the record is set aside), is taken for nothing (``blank``), or is kept
            as it is written, behind ``raw:`` (``keep``; only where canonical values have that form).
    """

    keeps: ClassVar[bool] = False
    """``on_error: keep`` has a meaning: its values have a ``raw:`` form."""

    on_error: OnError = "error"

    @model_validator(mode="after")
    def _keep_has_a_meaning(self) -> Self:
        if self.on_error == "keep" and not self.keeps:
            raise ValueError(f"{self.as_} has no form for a value it cannot read, so on_error cannot be 'keep'")
        return self

    def fails(self, value: Any) -> bool:
        """Whether a value that ``get`` refused is an error."""
        return self.on_error == "error" or (self.on_error == "keep" and not isinstance(value, str))

    def failed(self, value: Any) -> JSON:
        """What stands for a value that ``get`` refused, if that is no error."""
        return RAW_PREFIX + value if self.on_error == "keep" else None


@dataclass(frozen=True, slots=True)
class Shortcut:
    """The way of most values through ``get``, as Python for the compiled reader: no text of a file stands in it, only names.

    Attributes:
        test: An expression over ``$v``, the vendor's value (and ``$w``, the second one): false for null, for what means null, and for
            all that is not plain. It may bind ``x`` and ``y``; objects stand in it as ``$name``.
        result: An expression for the canonical value where the test is true.
        names: The objects that the two name.
    """

    test: str
    result: str
    names: Mapping[str, Any] = field(default_factory=dict)


class Single(Fallible):
    """A transform of one value, found at one path or at the first filled one of several.

    Attributes:
        sources: ``from``: the path, or several. Written back where it was read; cleared everywhere.
        empty: What empty text means: nothing (``null``), or itself (``keep``).
        clear: What this vendor wants written to clear the field.
    """

    sources: Sources = Field(alias="from")
    empty: Annotated[
        Literal["null", "keep"], BeforeValidator(null_is_a_word, json_schema_input_type=Literal["null", "keep"] | None)
    ] = "null"
    clear: Any = None

    @property
    def paths(self) -> tuple[str, ...]:
        return self.sources

    def get(self, value: Any) -> JSON:
        """The canonical value of what the vendor holds.

        Raises:
            ValueError: It is none of the values this transform knows.
        """
        raise NotImplementedError

    def put(self, value: JSON) -> Any:
        """What the vendor must hold to be read as this canonical value.

        Raises:
            ValueError: There is no such value.
        """
        raise NotImplementedError

    def shortcut(self) -> Shortcut | None:
        """The way of most values through ``get``, where that is worth having."""
        return None

    @property
    def nothing(self) -> tuple[Any, ...]:
        """The vendor's values that mean null, besides null."""
        return () if self.empty == "keep" else ("",)

    def filled(self, value: Any) -> bool:
        """Whether the vendor's value is one."""
        return value is not None and value not in self.nothing


def named(value: Any) -> str:
    """The JSON type of a value, for a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
    return "an object"


def shown(value: Any) -> str:
    """A value as an error may show it: short, and never more of it than its beginning."""
    if not isinstance(value, str | int | float):
        return named(value)
    text = re.sub(r"\s+", " ", repr(value))
    return text if len(text) <= 40 else f"{text[:30]}... ({len(text) - 2} characters)"
