"""A small part of SOQL: select, where, order by, limit, offset; and what Salesforce says to what it does not understand.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from aios_connect.sandbox import RefusedError
from aios_connect_salesforce._ids import full_id

from ._fields import Field, Table

__all__ = ["Query", "error", "parse"]

_Row: TypeAlias = Mapping[str, Any]
_Test: TypeAlias = Callable[[_Row], bool]

_TOKENS: Final = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
      | (?P<date>\d{4}-\d\d-\d\d)
      | (?P<number>[+-]?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][\w.]*)
      | (?P<sign>!=|<>|<=|>=|[=<>(),])
    )""",
    re.VERBOSE,
)
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": lambda held, asked: held < asked,
    "<=": lambda held, asked: held <= asked,
    ">": lambda held, asked: held > asked,
    ">=": lambda held, asked: held >= asked,
}
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def error(code: str, message: str, **more: Any) -> list[dict[str, Any]]:
    """An error as Salesforce words one: a list of them
    (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm)."""
    return [{"message": message, "errorCode": code, **more}]


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood.

    Attributes:
        object: What is asked of.
        fields: The fields, by the names of the schema; ``Account.Name`` is a field of the record that ``AccountId`` points at.
        count: Only how many there are.
        test: Which records fit.
        order: Fields to sort by, each with whether it goes down.
        limit: At most so many.
        offset: So many are left out.
    """

    object: str
    fields: Sequence[str]
    count: bool
    test: _Test
    order: Sequence[tuple[str, bool]]
    limit: int | None
    offset: int


def parse(soql: str, tables: Mapping[str, Table]) -> Query:
    """Understand a query.

    Raises:
        RefusedError: ``MALFORMED_QUERY``, ``INVALID_FIELD`` or ``INVALID_TYPE``.
    """
    return _Parser(soql, tables).query()


class _Parser:
    def __init__(self, soql: str, tables: Mapping[str, Table]) -> None:
        self._soql = soql
        self._tables = {name.casefold(): table for name, table in tables.items()}
        self._tokens = self._cut(soql)
        self._at = 0
        self._table: Table

    def query(self) -> Query:
        self._expect("select")
        asked: list[str] = []
        count = False
        while True:
            name = self._word()
            if name.casefold() == "count" and self._next_is("("):
                self._expect("(")
                self._expect(")")
                count = True
            else:
                asked.append(name)
            if not self._take(","):
                break
        self._expect("from")
        object = self._word()
        table = self._tables.get(object.casefold())
        if table is None:
            raise RefusedError(400, error("INVALID_TYPE", f"sObject type '{object}' is not supported."))
        self._table = table
        fields = [self._path(name) for name in asked]
        test = self._any() if self._take("where") else _always
        order = []
        if self._take("order"):
            self._expect("by")
            while True:
                name = self._path(self._word())
                down = self._take("desc")
                self._take("asc")
                order.append((name, down))
                if not self._take(","):
                    break
        limit = int(self._value()) if self._take("limit") else None
        offset = int(self._value()) if self._take("offset") else 0
        if self._at != len(self._tokens):
            raise self._malformed(self._tokens[self._at][1])
        if offset > 2000:
            raise RefusedError(400, error("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"))
        return Query(table.name, fields, count, test, order, limit, offset)

    # conditions

    def _any(self) -> _Test:
        """Conditions joined by AND, or by OR: both in one row are refused without parentheses, as by Salesforce."""
        tests, joint = [self._one()], ""
        while (word := self._peek().casefold()) in ("and", "or"):
            if joint and word != joint:
                raise self._malformed(word)
            joint = word
            self._at += 1
            tests.append(self._one())
        if joint == "or":
            return lambda row: any(test(row) for test in tests)
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> _Test:
        if self._take("not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._take("("):
            inside = self._any()
            self._expect(")")
            return inside
        name = self._path(self._word())
        if "." in name:
            raise RefusedError(400, error("MALFORMED_QUERY", f"the fake filters by no field of another record: {name}"))
        field = self._table.fields[name]
        if field.type == "textarea" and field.length > 255:
            words = f"field '{name}' can not be filtered in a query call"
            raise RefusedError(400, error("INVALID_FIELD", words))
        return self._compared(field)

    def _compared(self, field: Field) -> _Test:
        name, sign = field.name, self._sign()
        if sign in ("in", "not in"):
            self._expect("(")
            wanted = {_key(field, self._literal(field))}
            while self._take(","):
                wanted.add(_key(field, self._literal(field)))
            self._expect(")")
            return lambda row: (_key(field, row.get(name)) in wanted) is (sign == "in")
        if sign == "like":
            pattern = re.escape(str(self._literal(field)).casefold()).replace("%", ".*").replace("_", ".")
            return lambda row: re.fullmatch(pattern, str(row.get(name) or "").casefold(), re.DOTALL) is not None
        asked = _key(field, self._literal(field))
        if sign in ("=", "!=", "<>"):
            return lambda row: (_key(field, row.get(name)) == asked) is (sign == "=")
        compare = _COMPARE[sign]
        return lambda row: (held := _key(field, row.get(name))) is not None and asked is not None and compare(held, asked)

    def _sign(self) -> str:
        sign = self._peek().casefold()
        self._at += 1
        if sign == "not" and self._take("in"):
            return "not in"
        if sign not in ("=", "!=", "<>", "in", "like", *_COMPARE):
            raise self._malformed(sign)
        return sign

    def _literal(self, field: Field) -> Any:
        kind, text = self._token()
        if text.casefold() == "null":
            return None
        fits = {
            "boolean": text.casefold() in ("true", "false"),
            "datetime": kind == "instant",
            "date": kind == "date",
            **dict.fromkeys(("int", "double", "currency", "percent"), kind == "number"),
        }.get(field.type, kind == "text")
        if not fits:
            quotes = " and should not be enclosed in quotes" if kind == "text" else ""
            words = f"value of filter criterion for field '{field.name}' must be of type {field.type}{quotes}"
            raise RefusedError(400, error("INVALID_FIELD", words))
        if kind == "text":
            return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL)
        if kind == "instant":
            return datetime.fromisoformat(text).astimezone(UTC)
        return Decimal(text) if kind == "number" else text.casefold() == "true" if field.type == "boolean" else text

    # words

    def _path(self, name: str) -> str:
        """A field by the name of the schema, whatever its case here."""
        table = self._table
        *above, last = name.split(".")
        told = []
        for one in above:
            field = _named(table, f"{one}Id")
            if field is None or not field.to:
                raise self._no_column(name, table)
            told.append(field.name.removesuffix("Id"))
            table = self._tables[field.to[-1].casefold()]
        field = _named(table, last)
        if field is None:
            raise self._no_column(last, table)
        return ".".join([*told, field.name])

    def _no_column(self, name: str, table: Table) -> RefusedError:
        words = (
            f"\n{self._soql[:200]}\n^\nERROR at Row:1:Column:{self._soql.find(name) + 1}\nNo such column '{name}' on entity "
            f"'{table.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
            "Please reference your WSDL or the describe call for the appropriate names."
        )
        return RefusedError(400, error("INVALID_FIELD", words))

    def _cut(self, soql: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        soql = soql.strip()
        while at < len(soql):
            found = _TOKENS.match(soql, at)
            if found is None:
                raise self._malformed(soql[at : at + 1])
            tokens.append((str(found.lastgroup), found[0].strip()))
            at = found.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _token(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._malformed("<EOF>")
        self._at += 1
        return self._tokens[self._at - 1]

    def _next_is(self, text: str) -> bool:
        return self._peek().casefold() == text

    def _take(self, text: str) -> bool:
        if self._next_is(text):
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._malformed(self._peek() or "<EOF>")

    def _word(self) -> str:
        kind, text = self._token()
        if kind != "word":
            raise self._malformed(text)
        return text

    def _value(self) -> str:
        kind, text = self._token()
        if kind != "number":
            raise self._malformed(text)
        return text

    def _malformed(self, token: str) -> RefusedError:
        return RefusedError(400, error("MALFORMED_QUERY", f"unexpected token: '{token}'"))


def _always(row: _Row) -> bool:
    return True


def _named(table: Table, name: str) -> Field | None:
    field = table.fields.get(name)
    if field is not None:
        return field
    return next((one for one in table.fields.values() if one.name.casefold() == name.casefold()), None)


def _key(field: Field, value: Any) -> Any:
    """A value as it is compared: texts whatever their case, ids by theirs."""
    if not isinstance(value, str):
        return value
    if field.type in ("id", "reference"):
        return full_id(value)
    return value if field.external else (value.casefold() or None)
