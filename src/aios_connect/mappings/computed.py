"""Transforms that are not a value of the vendor: constants, expressions, fields by prefix, functions in Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, PrivateAttr

from aios_connect.connectors.contract import FieldInfo
from aios_connect.model.canonical import JSON, LEAF_TYPES, LeafType

from .amounts import Decimal, Integer, amount_of
from .times import Date, Instant
from .transform import Fallible, Form, Path, Single, Transform
from .values import Boolean, ListOf, Text

__all__ = ["Constant", "Custom", "Expr", "Function"]

_CUSTOM_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_FUNCTION: Final = Form(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", "module:function")


class Constant(Transform):
    """The same value for every record; read only.

    Attributes:
        const: The canonical value.

    Example:
        source: {const: hubspot}
    """

    accepts: ClassVar[frozenset[LeafType]] = LEAF_TYPES

    as_: Literal["constant"] = Field("constant", alias="as")
    access: Literal["read"] = "read"
    const: Any


class Expr(Fallible):
    """A value worked out from other leaves of the same record by a CEL expression; read only. Needs ``aios-connect[engine]``.

    It is absent where one of the leaves it uses is absent.

    Attributes:
        expr: The expression, see :mod:`aios_connect.expressions`.

    Example:
        custom.weighted: {expr: "amount.amount * probability"}
    """

    accepts: ClassVar[frozenset[LeafType]] = LEAF_TYPES

    as_: Literal["expr"] = Field("expr", alias="as")
    access: Literal["read"] = "read"
    expr: str


class Custom(Transform):
    """All fields whose name begins alike, each as the leaf ``custom.<rest of the name>``.

    Until the vendor's live schema is known (``CompiledMapping.expanded``), text, true and false and lists of text are read as they
    are, numbers as decimals, and none is written; anything else stays in the raw record.

    Attributes:
        prefix: Path with the beginning of the name: ``properties.cf_``. The rest must be small letters, digits, underscores.
        clear: What this vendor wants written to clear such a field.
        quoted: This vendor writes numbers and booleans as text.

    Example:
        custom: {prefix: properties.cf_, as: custom}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("any",))

    as_: Literal["custom"] = Field("custom", alias="as")
    prefix: Path
    clear: Any = None
    quoted: bool = False

    def get(self, fields: Mapping[str, Any]) -> Iterator[tuple[str, JSON]]:
        """The leaves in an object of the vendor's record, by name."""
        start = self.prefix.rpartition(".")[2]
        for name in sorted(fields):
            rest = name.removeprefix(start)
            if name.startswith(start) and _CUSTOM_NAME.match(rest):
                value = fields[name]
                if isinstance(value, int | float) and not isinstance(value, bool):
                    value = amount_of(value, ".", "")
                if value is None or isinstance(value, str | bool):
                    yield f"custom.{rest}", None if value == "" else value
                elif isinstance(value, list) and all(isinstance(item, str) for item in value):
                    yield f"custom.{rest}", list(value) or None

    def fields(self, schema: Mapping[str, FieldInfo]) -> dict[str, Single]:
        """One transform for each field of the live schema that the prefix means, by leaf."""
        found: dict[str, Single] = {}
        for path, info in schema.items():
            rest = path.removeprefix(self.prefix)
            if path.startswith(self.prefix) and _CUSTOM_NAME.match(rest) and (kind := _BY_TYPE.get(info.type)) is not None:
                options: dict[str, Any] = {"from": path, "clear": self.clear, "description": info.label}
                if kind in (Integer, Decimal, Boolean):
                    options["quoted"] = self.quoted
                if not info.writable or self.access == "read":
                    options["access"] = "read"
                elif self.access == "write":
                    options["access"] = "write"
                found[f"custom.{rest}"] = kind.model_validate(options)
        return found


_BY_TYPE: Final[Mapping[str, type[Single]]] = {
    "text": Text,
    "choice": Text,
    "integer": Integer,
    "decimal": Decimal,
    "boolean": Boolean,
    "date": Date,
    "instant": Instant,
    "list": ListOf,
    "choices": ListOf,
}


class Function(Single):
    """Two functions in Python, for what nothing else can say. Their module must be on the project's list of allowed modules.

    ``get`` takes the vendor's value and gives the canonical one, ``put`` the other way round; both raise ``ValueError`` for what they
    cannot translate. Neither is called for null. The results are checked: values of the leaf's type, and the laws.

    Attributes:
        read: ``get``: ``module:name`` of the function that reads.
        write: ``put``: ``module:name`` of the function that writes; without it the field is read only.

    Example:
        locale: {from: lang, as: function, get: "acme.locales:read", put: "acme.locales:write"}
    """

    accepts: ClassVar[frozenset[LeafType]] = LEAF_TYPES

    as_: Literal["function"] = Field("function", alias="as")
    read: Annotated[str, _FUNCTION] = Field(alias="get")
    write: Annotated[str, _FUNCTION] | None = Field(None, alias="put")
    _get: Callable[[Any], Any] | None = PrivateAttr(None)
    _put: Callable[[Any], Any] | None = PrivateAttr(None)

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules it needs."""
        return tuple(dict.fromkeys(name.partition(":")[0] for name in (self.read, self.write) if name))

    @property
    def writing(self) -> bool:
        return self.write is not None and super().writing

    def bind(self, find: Callable[[str], Callable[[Any], Any]]) -> None:
        """Find its functions.

        Args:
            find: Gives the function for ``module:name``.
        """
        self._get = find(self.read)
        self._put = find(self.write) if self.write else None

    def get(self, value: Any) -> JSON:
        assert self._get is not None, "the loader binds functions"
        return _called(self._get, self.read, value)  # type: ignore[no-any-return]

    def put(self, value: JSON) -> Any:
        assert self._put is not None, "the loader binds functions"
        return _called(self._put, self.write or "", value)


def _called(function: Callable[[Any], Any], name: str, value: Any) -> Any:
    """The function's result; whatever it raises is a refusal, for it must not stop the reading of other records."""
    try:
        return function(value)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"{name} failed with {type(error).__name__}: {error}") from error
