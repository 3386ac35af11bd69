"""Transforms of plain values: text, codes, yes and no, lists, references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from aios_connect.model.canonical import JSON, RAW_PREFIX, LeafType

from .transform import Form, OnError, Shortcut, Single, named, shown

__all__ = ["Boolean", "Code", "Enum", "ListOf", "Reference", "Text"]

Code: TypeAlias = str | int | bool

Codes = Annotated[
    tuple[Code, ...],
    BeforeValidator(lambda value: value if isinstance(value, list) else [value], json_schema_input_type=Code | list[Code]),
]
"""A code, or several for the same thing."""

_WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,99})\Z")


class Text(Single):
    """Text as it is: nothing is trimmed, folded or guessed. ``"007"``, ``"None"`` and ``"1e5"`` stay what they are.

    Example:
        names.given: properties.firstname
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("text", "any"))
    gives: ClassVar[LeafType] = "text"

    as_: Literal["text"] = Field("text", alias="as")

    def shortcut(self) -> Shortcut:
        return Shortcut("$v.__class__ is str" if self.empty == "keep" else "$v and $v.__class__ is str", "$v")

    def get(self, value: Any) -> JSON:
        if isinstance(value, str):
            return value
        raise ValueError(f"{named(value)} is not text")

    def put(self, value: JSON) -> Any:
        if isinstance(value, str):
            return value
        raise ValueError(f"{named(value)} is not text")


class Enum(Single):
    """A table from canonical words to the vendor's codes. With several codes for one word, the first is written.

    Attributes:
        values: Canonical word -> code, or list of codes.
        on_error: ``otherwise``: a code that is in no row is an ``error``, taken for nothing (``blank``), or kept behind ``raw:``
            (``keep``).

    Example:
        stage: {from: properties.dealstage, as: enum, values: {discovery: appointmentscheduled, won: closedwon}, otherwise: error}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("choice", "text", "any"))
    gives: ClassVar[LeafType] = "text"
    keeps: ClassVar[bool] = True

    as_: Literal["enum"] = Field("enum", alias="as")
    values: Annotated[dict[str, Codes], Field(min_length=1)]
    on_error: OnError = Field("error", alias="otherwise")

    @cached_property
    def words(self) -> Mapping[Any, str]:
        """Code -> canonical word; codes that are no text stand beside their type."""
        words: dict[Any, str] = {}
        for word, codes in self.values.items():
            for code in codes:
                words.setdefault(_exact(code), word)
        return words

    def shortcut(self) -> Shortcut:
        return Shortcut("$v.__class__ is str and (x := $word($v)) is not None", "x", {"word": self.words.get})

    @property
    def ambiguous(self) -> tuple[str, str, Code] | None:
        """Two words that share a code, if there are such; what is written for the second is read as the first."""
        for word, codes in self.values.items():
            for code in codes:
                if (other := self.words[_exact(code)]) != word:
                    return other, word, code
        return None

    def get(self, value: Any) -> JSON:
        try:
            return self.words[value if value.__class__ is str else _exact(value)]
        except (KeyError, TypeError):
            raise ValueError(f"the table has no word for {shown(value)}") from None

    def put(self, value: JSON) -> Any:
        if isinstance(value, str):
            if codes := self.values.get(value):
                return codes[0]
            if (
                self.on_error == "keep"
                and value.startswith(RAW_PREFIX)
                and (code := value.removeprefix(RAW_PREFIX)) not in self.words
            ):
                return code
        raise ValueError(f"the table has no code for {shown(value)}")


class Boolean(Single):
    """Yes or no, in the vendor's own spelling.

    Attributes:
        yes: How the vendor spells yes; of several spellings the first is written. Letter case does not matter when reading.
        no: How it spells no.
        quoted: The default spelling is ``"true"`` and ``"false"`` rather than true and false.

    Example:
        has_future_meeting: {from: meeting, as: boolean, yes: "Y", no: "N"}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("boolean", "any"))
    gives: ClassVar[LeafType] = "boolean"

    as_: Literal["boolean"] = Field("boolean", alias="as")
    yes: Codes = ()
    no: Codes = ()
    quoted: bool = False

    @model_validator(mode="after")
    def _differ(self) -> Boolean:
        if {_folded(code) for code in self._yes} & {_folded(code) for code in self._no}:
            raise ValueError("yes and no are spelt alike")
        return self

    @property
    def _yes(self) -> tuple[Code, ...]:
        return self.yes or (("true",) if self.quoted else (True,))

    @property
    def _no(self) -> tuple[Code, ...]:
        return self.no or (("false",) if self.quoted else (False,))

    def get(self, value: Any) -> JSON:
        folded = _folded(value)
        if any(folded == _folded(code) for code in self._yes):
            return True
        if any(folded == _folded(code) for code in self._no):
            return False
        raise ValueError(f"{shown(value)} is neither {self._yes[0]!r} nor {self._no[0]!r}")

    def put(self, value: JSON) -> Any:
        if isinstance(value, bool):
            return self._yes[0] if value else self._no[0]
        raise ValueError(f"{named(value)} is not true or false")


class ListOf(Single):
    """Several texts: a JSON list, or one text with a separator. An empty list is null.

    Attributes:
        sep: The separator, if the vendor writes one text. An item that holds it cannot be written.

    Example:
        tags: {from: properties.deal_tags, as: list, sep: ";"}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("list", "any"))
    gives: ClassVar[LeafType] = "list"

    as_: Literal["list"] = Field("list", alias="as")
    sep: Annotated[str, Field(min_length=1, max_length=3)] | None = None

    def shortcut(self) -> Shortcut | None:
        if self.sep is None:
            return None
        items = "[*filter(None, map($strip, $v.split($sep)))] or None"
        return Shortcut("$v and $v.__class__ is str", items, {"sep": self.sep, "strip": str.strip})

    @property
    def nothing(self) -> tuple[Any, ...]:
        return ("", [])

    def get(self, value: Any) -> JSON:
        if self.sep is None:
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                return value or None
            raise ValueError(f"{named(value)} is not a list of texts")
        if isinstance(value, str):
            return [item for part in value.split(self.sep) if (item := part.strip())] or None
        raise ValueError(f"{named(value)} is not text with {self.sep!r} between items")

    def put(self, value: JSON) -> Any:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{named(value)} is not a list of texts")
        items = [str(item) for item in value]
        if self.sep is None:
            return items
        for item in items:
            if self.sep in item or item != item.strip() or not item:
                raise ValueError(f"the item {shown(item)} cannot stand in text with {self.sep!r} between items")
        text = self.sep.join(items)
        if text.split(self.sep) != items:
            raise ValueError(f"the items cannot stand in text with {self.sep!r} between them")
        return text


class Reference(Single):
    """A pointer at another record: by its id at this vendor, or by a value that is known to be its own.

    Attributes:
        to: The vendor's object whose id it is; with ``by``, the canonical kind it points at.
        by: The leaf of that kind which the value is.
        id: The JSON type of the vendor's ids.

    Example:
        owner: {from: properties.hubspot_owner_id, as: reference, to: owners}
        company: {from: Company, as: reference, to: company, by: name}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("reference",))
    gives: ClassVar[LeafType] = "reference"

    as_: Literal["reference"] = Field("reference", alias="as")
    to: Annotated[str, Form(r"[^:?=\s]+", "the name of an object")]
    by: str | None = None
    id: Literal["text", "integer"] = "text"

    def shortcut(self) -> Shortcut:
        start = f"{self.to}:" if self.by is None else f"?{self.by}="
        return Shortcut("$v and $v.__class__ is str", "$start + $v", {"start": start})

    def get(self, value: Any) -> JSON:
        if value.__class__ is int or (value.__class__ is str and value):
            return f"{self.to}:{value}" if self.by is None else f"?{self.by}={value}"
        raise ValueError(f"{named(value)} is not the id of a record")

    def put(self, value: JSON) -> Any:
        start = f"{self.to}:" if self.by is None else f"?{self.by}="
        if not isinstance(value, str) or not value.startswith(start) or value == start:
            raise ValueError(f"{shown(value)} does not begin with {start!r}")
        found = value.removeprefix(start)
        if self.by is not None or self.id == "text":
            return found
        if not _WHOLE.match(found):
            raise ValueError(f"{shown(found)} is not a whole number, which ids are here")
        return int(found)


def _exact(code: Any) -> Any:
    """A code with its type, so that 1, true and ``"1"`` differ."""
    return code if code.__class__ is str else (code.__class__, code)


def _folded(code: Any) -> Any:
    return code.casefold() if code.__class__ is str else (code.__class__, code)
