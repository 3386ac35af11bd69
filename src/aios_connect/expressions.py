"""Expressions in YAML: the Common Expression Language (https://cel.dev), cut down to a profile that ops people can trust.

| what | rule |
|---|---|
| names | flat and dotted, `deal.amount.amount`; a name that is not declared is refused when the file is loaded |
| types | those of leaves; money has two parts, `.amount` (decimal) and `.currency` (text), and is never used whole |
| decimals | beside a decimal write `2.0`, not `2`; whole numbers may be compared with decimals as they are |
| dates | are text, `"2026-11-21"`, and compare as such; instants are timestamps |
| null | `x == null` asks for it; what fails only because a value is null, is null; a list that is null is empty |
| results | canonical JSON: decimals as text rounded to 15 significant digits, instants in UTC |
| refused | `has()`, lengths of time and bytes as results, expressions that could grow without bounds |

Needs the extra ``aios-connect[engine]``. Only this module knows which CEL library is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final

from aios_connect.errors import ConfigError
from aios_connect.model.canonical import JSON, LeafType, decimal_text, instant_text, parse_instant

__all__ = ["Expression", "compile"]

_LONGEST = 2_000
_MOST_GROWTH = 10_000
_MOST_TEXT = 20_000_000
_DIGITS = 15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

_MACROS: Final = frozenset(("all", "exists", "exists_one", "map", "filter"))
# https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
_FUNCTIONS: Final = [
    "all",
    "bool",
    "contains",
    "double",
    "duration",
    "endsWith",
    "exists",
    "exists_one",
    "filter",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "int",
    "map",
    "matches",
    "size",
    "startsWith",
    "string",
    "timestamp",
]

_TOKEN = re.compile(
    r"""(?P<text>[bB]?[rR][bB]?(?:\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|"[^"\n]*"|'[^'\n]*')
    |[bB]?(?:\"\"\"(?:\\[\s\S]|[^\\])*?\"\"\"|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<comment>//[^\n]*)
    |(?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)
    |(?P<join>[+,])
    |[\s\S]""",
    re.VERBOSE,
)
_FAULT = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(
    r"[Nn]o matching overloads? (?:for|found ?:) '?([@\w\[\]+*/%<>=!&|?:.-]+?)'?(?: applied to ')?\((.*?)\)'?$"
)
_SELECT = re.compile(r"expression of type '([^']*)' cannot be the operand of a select operation")
_COMPARISONS: Final = frozenset(("_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_", "@in"))
_WORDS: Final[Mapping[str, str]] = {
    "string": "text",
    "int": "integer",
    "int64": "integer",
    "uint": "integer",
    "uint64": "integer",
    "double": "decimal",
    "bool": "boolean",
    "timestamp": "instant",
    "google.protobuf.Timestamp": "instant",
    "null_type": "null",
    "dyn": "any",
}
_RESULTS: Final[Mapping[str, LeafType]] = {
    "string": "text",
    "int": "integer",
    "uint": "integer",
    "double": "decimal",
    "bool": "boolean",
    "timestamp": "instant",
    "list": "list",
    "null": "any",
    "dyn": "any",
}


@dataclass(frozen=True, slots=True)
class _Variable:
    """A declared name, and where its value is found: all of ``leaf``, or its ``part`` if that is money."""

    name: str
    type: LeafType
    leaf: str
    part: str = ""

    def value(self, values: Mapping[str, JSON]) -> JSON:
        value = values.get(self.leaf)
        return value[self.part] if self.part and isinstance(value, dict) else value


class Expression:
    """A compiled expression: call it with values, get a canonical JSON value.

    Safe to share between threads.

    Attributes:
        text: As it was written.
        type: The leaf type of its result, ``any`` if that is only known when it runs.
        leaves: The declared names whose values it uses.
    """

    def __init__(self, text: str, type: LeafType, used: tuple[_Variable, ...], growth: int, program: Any) -> None:
        self.text = text
        self.type = type
        self.leaves = frozenset(variable.leaf for variable in used)
        self._used = used
        self._growth = growth
        self._program = program

    def __call__(self, values: Mapping[str, JSON]) -> JSON:
        """The result for these canonical values; a name that is missing counts as null.

        Raises:
            ConfigError: The expression fails for these values, for another reason than a null.
        """
        data: dict[str, Any] = {}
        size = len(self.text)
        null = False
        for variable in self._used:
            value = variable.value(values)
            if value is None:
                null = True
                data[variable.name] = [] if variable.type == "list" else None
            elif variable.type == "decimal":
                data[variable.name] = self._number(value)
            elif variable.type == "instant":
                data[variable.name] = _timestamp(str(value))
            else:
                data[variable.name] = value
                size += self._size(variable, value)
        if size * self._growth > _MOST_TEXT:
            raise ConfigError(
                f"the expression {self.text!r} could grow beyond {_MOST_TEXT} characters",
                hint="use shorter values, or fewer of them",
            )
        result = self._program.eval(data=data)
        if result.type().name() == "ERROR":
            reason = str(result.value())
            if null and ("null" in reason or "NoneType" in reason):
                return None
            message, hint = _explain(reason)
            raise ConfigError(f"the expression {self.text!r} fails: {message}", hint=hint)
        return self._json(result.plain_value())

    def _size(self, variable: _Variable, value: JSON) -> int:
        try:
            return _size(value)
        except ValueError:
            raise ConfigError(
                f"the expression {self.text!r} cannot take {variable.name}: it holds a character that is no text",
                hint="clean the value where it comes from",
            ) from None

    def _number(self, value: JSON) -> float:
        number = float(str(value))
        if _decimal(number) != value:
            raise ConfigError(
                f"the expression {self.text!r} cannot take {value}, which has more than {_DIGITS} significant digits",
                hint="compute with smaller numbers, or in a Python function",
            )
        return number

    def _json(self, value: Any) -> JSON:
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            if not isfinite(value):
                raise ConfigError(
                    f"the expression {self.text!r} fails: it divides by zero or overflows",
                    hint="test the divisor first: x != 0.0 ? y / x : null",
                )
            return _decimal(value)
        if isinstance(value, datetime):
            return instant_text(value)
        if isinstance(value, list):
            return [self._json(item) for item in value]
        if isinstance(value, dict):
            return {str(key): self._json(item) for key, item in value.items()}
        raise _no_field_value(self.text, type(value).__name__)


def compile(text: str, variables: Mapping[str, LeafType]) -> Expression:
    """Compile an expression and check its names and types.

    Args:
        text: The expression.
        variables: Every name it may use with its leaf type; a ``money`` name stands for its two parts.

    Raises:
        ConfigError: It is wrong; line and column count from its own beginning.
    """
    try:
        from cel_expr_python import cel  # type: ignore[import-untyped]
    except ImportError:
        raise ConfigError("expressions need the package cel-expr-python", hint="install aios-connect[engine]") from None

    try:
        size = _size(text)
    except ValueError:
        raise ConfigError("the expression holds a character that is no text", hint="type it again", line=1, column=1) from None
    if size > _LONGEST:
        raise ConfigError(
            f"the expression has more than {_LONGEST} characters",
            hint="split it, or write a Python function",
            line=1,
            column=1,
        )
    declared = _declare(variables)
    used, growth = _scan(text, declared)
    strict = {
        "text": cel.Type("google.protobuf.StringValue"),
        "integer": cel.Type("google.protobuf.Int64Value"),
        "decimal": cel.Type("google.protobuf.DoubleValue"),
        "boolean": cel.Type("google.protobuf.BoolValue"),
        "instant": cel.Type("google.protobuf.Timestamp"),
        "list": cel.Type.List(cel.Type.STRING),
        "any": cel.Type.DYN,
    }
    # The strict compilation knows the types and finds mistakes, but it refuses `decimal > integer`, and nulls when it runs: so a
    # second, lenient one runs.
    checked = None
    try:
        checked = cel.NewEnv(variables={one.name: strict.get(one.type, strict["text"]) for one in used}).compile(text)
    except RuntimeError as error:
        _refuse_faults(text, str(error), declared, variables)
    try:
        program = cel.NewEnv(variables={one.name: cel.Type.DYN for one in used}).compile(text)
    except RuntimeError as error:
        _refuse_faults(text, str(error), declared, variables)
        message, hint = _explain(str(error))
        raise ConfigError(message, hint=hint, line=1, column=1) from error
    return Expression(text, _result_type(text, (checked or program).return_type().name()), used, growth, program)


def _declare(variables: Mapping[str, LeafType]) -> dict[str, _Variable]:
    declared: dict[str, _Variable] = {}
    for name, type in variables.items():
        if type == "money":
            declared[f"{name}.amount"] = _Variable(f"{name}.amount", "decimal", name, "amount")
            declared[f"{name}.currency"] = _Variable(f"{name}.currency", "text", name, "currency")
        else:
            declared[name] = _Variable(name, type, name)
    return declared


def _scan(text: str, declared: Mapping[str, _Variable]) -> tuple[tuple[_Variable, ...], int]:
    """The variables used, and how many times its values the result can be at most."""
    used: dict[str, _Variable] = {}
    macros = joins = 0
    for token in _TOKEN.finditer(text):
        if token["join"]:
            joins += 1
        elif token["name"]:
            steps = re.split(r"\s*\.\s*", token["name"])
            if steps == ["has"]:
                raise _fault(text, token.start(), "has() is not for flat names", "write x != null")
            macros += steps[-1] in _MACROS
            for length in range(len(steps), 0, -1):
                if variable := declared.get(".".join(steps[:length])):
                    used[variable.name] = variable
                    break
    growth = (joins // max(macros, 1) + 1) ** max(macros, 1)
    if growth > _MOST_GROWTH:
        raise ConfigError(
            f"the expression could grow to more than {_MOST_GROWTH} times its values",
            hint="use fewer macros (map, filter, exists, all) with fewer + and , in one expression",
            line=1,
            column=1,
        )
    return tuple(used.values()), growth


def _refuse_faults(text: str, report: str, declared: Mapping[str, _Variable], variables: Mapping[str, LeafType]) -> None:
    """Raise the first fault of a report of the strict compilation that is one."""
    for row, column, reason in _FAULT.findall(report):
        line, column = max(int(row), 1), max(int(column), 1)
        if (overload := _OVERLOAD.search(reason)) and _compares_numbers(overload[1], overload[2]):
            continue
        message, hint = _explain(reason)
        lines = text.split("\n")
        excerpt = lines[min(line, len(lines)) - 1]
        if undeclared := _UNDECLARED.match(reason):
            message, hint = _unknown(undeclared[1], text, declared, variables)
            start = excerpt.rfind(undeclared[1], 0, column + len(undeclared[1]))
            column = start + 1 if start >= 0 else column
        raise ConfigError(message, hint=hint, line=line, column=column, excerpt=excerpt)


def _compares_numbers(operator: str, arguments: str) -> bool:
    """Whether it compares whole numbers with decimals, which the lenient compilation can."""
    return operator in _COMPARISONS and set(re.findall(r"\w+", arguments)) <= {"wrapper", "list", "int", "uint", "double"}


def _unknown(name: str, text: str, declared: Mapping[str, _Variable], variables: Mapping[str, LeafType]) -> tuple[str, str]:
    if variables.get(name) == "money":
        return f"{name!r} is money", f"name its part: {name}.amount or {name}.currency"
    if re.search(rf"(?<![\w.]){re.escape(name)}\s*\(|\.\s*{re.escape(name)}\s*\(", text):
        near = get_close_matches(name, _FUNCTIONS, n=1)
        return f"there is no function {name!r}", f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(_FUNCTIONS)}"
    near = get_close_matches(name, declared, n=1)
    return (
        f"there is no {name!r} here",
        f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(declared) or 'no names'}",
    )


def _explain(reason: str) -> tuple[str, str]:
    """The library's reason in our words, and what to do."""
    reason = re.sub(r" \[[A-Z_]+\]$|^[A-Z_]+: ", "", reason).partition(" expecting {")[0]
    reason = re.sub(r"wrapper\(([\w.]+)\)", r"\1", reason)
    if "jump_condition" in reason:
        return "a condition is not a boolean", "compare it with something, as in x == true"
    if select := _SELECT.match(reason):
        return f"a value of type {_WORDS.get(select[1], select[1])} has no parts", "stop before the last point"
    overload = _OVERLOAD.search(reason)
    if overload is None:
        return reason, "the language is described at https://cel.dev"
    types = re.sub(r"[\w.]+", lambda word: _WORDS.get(word[0], word[0]), overload[2])
    hint = "change one side so that both have the same type"
    if "list" in types and "null" in types:
        hint = "a list is never null here: write size(x) == 0"
    elif "decimal" in types and "integer" in types:
        hint = "beside a decimal write 2.0 rather than 2, and double(x) for a whole number x"
    return f"{overload[1].strip('_').replace('@', '')!r} does not take ({types})", hint


def _result_type(text: str, name: str) -> LeafType:
    found = _RESULTS.get(re.sub(r"^wrapper\((\w+)\)$", r"\1", name).lower().partition("<")[0])
    if found is None:
        raise _no_field_value(text, name.lower())
    return found


def _no_field_value(text: str, what: str) -> ConfigError:
    return ConfigError(
        f"the expression {text!r} gives a {what}, which no field can hold",
        hint="give text, a number, a boolean, an instant or a list; of a length of time take .getHours()",
        line=1,
        column=1,
        excerpt=text.partition("\n")[0],
    )


def _fault(text: str, offset: int, message: str, hint: str) -> ConfigError:
    before = text[:offset].split("\n")
    line = len(before)
    return ConfigError(message, hint=hint, line=line, column=len(before[-1]) + 1, excerpt=text.split("\n")[line - 1])


def _size(value: JSON) -> int:
    """Characters in a value, all of which the library can take.

    Raises:
        ValueError: There is a NUL, where the library would silently cut, or half a surrogate pair, which it cannot encode.
    """
    if isinstance(value, str):
        if "\x00" in value or not (value.isascii() or value.encode(errors="replace").decode() == value):
            raise ValueError
        return len(value)
    if isinstance(value, list):
        return sum(map(_size, value)) + len(value)
    return sum(map(_size, value.values())) if isinstance(value, dict) else 1


def _decimal(number: float) -> str:
    return decimal_text(Decimal(f"{number:.{_DIGITS}g}"))


def _timestamp(text: str) -> Any:
    from google.protobuf.timestamp_pb2 import Timestamp

    instant = parse_instant(text)
    return Timestamp(seconds=(instant - _EPOCH) // _SECOND, nanos=instant.microsecond * 1000)
