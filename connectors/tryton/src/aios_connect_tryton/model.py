"""What all of Tryton's models have in common as our objects.

What is read of each, how a row becomes a raw record, and how a patch becomes values. A raw record keeps Tryton's own names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar, Final

from aios_connect.connectors import Raw

from .references import References
from .wire import encoded

__all__ = ["KEY", "UNFINISHED", "Domain", "Model", "Row", "Seen", "along", "code_of", "key_among", "plain"]

Row = Mapping[str, Any]
Domain = list[Any]

KEY: Final = "aios:"
"""Begins our unique key in Tryton, so that it is told apart from what people keep there."""
UNFINISHED: Final = "aios-unfinished:"
"""Begins it instead while a record that takes several calls is being made."""
_SKIPPED: Final = frozenset({"create_uid", "write_uid"})
_SCALARS: Final = frozenset(
    {
        "boolean",
        "integer",
        "char",
        "text",
        "float",
        "numeric",
        "date",
        "datetime",
        "timestamp",
        "time",
        "timedelta",
        "selection",
        "multiselection",
        "many2one",
        "reference",
        "dict",
    }
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it was read.

    Attributes:
        raw: The raw record.
        stamps: Tryton's time stamp of each row it is made of, by ``model,id``: what a conditional write is checked against.
    """

    raw: Raw
    stamps: Mapping[str, str]

    @property
    def id(self) -> str:
        """The record's id."""
        return str(self.raw["id"])

    @property
    def version(self) -> str:
        """The record's version."""
        return str(self.raw["version"])


class Model:
    """One of Tryton's models, as one of our objects.

    Attributes:
        object: Our name.
        name: Tryton's name.
        module: The Tryton module that brings it.
        of_company: Its records belong to a company, so Tryton wants to know for which one we speak.
        parts: Relations whose rows are part of a record, with their models: a change there is a change of the record.
        nested: What is read through relations.
        derived: Top-level names of a raw record that are not fields.
    """

    object: str
    name: ClassVar[str]
    module: ClassVar[str]
    of_company: ClassVar[bool] = False
    parts: Mapping[str, str] = {}
    nested: tuple[str, ...] = ()
    derived: ClassVar[frozenset[str]] = frozenset({"id", "version", "modified"})

    def meet(self, fields: Mapping[str, Any]) -> None:
        """Learn what this database has; called before anything else."""

    def domain(self) -> Domain:
        """Which of the model's records are ours."""
        return []

    def changed(self, since: Any) -> Domain:
        """Those changed at an instant or later, themselves or in what hangs on them."""
        return ["OR", *([f"{way}last_modified_at", ">=", since] for way in ("", *(f"{part}." for part in self.hanging())))]

    def hanging(self) -> tuple[str, ...]:
        """The relations whose rows are part of a record."""
        return tuple(self.parts)

    def keyed(self, keys: list[str], *, unfinished: bool = False) -> Domain:
        """Those that carry one of our unique keys; or those that are still being made."""
        raise NotImplementedError(f"{self.name} has no place for a key")

    def unfinished(self, row: Row) -> bool:
        """It is still being made: we were stopped on the way, and whoever makes it again goes on with it."""
        return False

    def stored(self, fields: Mapping[str, Any]) -> list[str]:
        """The names of the fields that a raw record takes over as they are: all that Tryton stores in the row itself."""
        return [
            name
            for name, field in fields.items()
            if field["type"] in _SCALARS and field["loading"] == "eager" and name not in _SKIPPED
        ]

    def columns(self, fields: Mapping[str, Any]) -> list[str]:
        """What to read."""
        return [*self.stored(fields), *self.nested, *self.versions()]

    def versions(self) -> list[str]:
        """What to read to know the version alone."""
        return ["_timestamp", *(f"{part}._timestamp" for part in self.parts)]

    def seen(self, row: Row, fields: Mapping[str, Any]) -> Seen:
        """A row as it came, as a raw record."""
        stamps = self._stamps(row)
        raw = {name: row[name] for name in self.stored(fields)}
        for name, value in raw.items():
            if fields[name]["type"] == "boolean":
                raw[name] = bool(value)  # SQLite's are numbers
        raw |= self.shape(row)
        raw["version"] = self.version(row)
        raw["modified"] = _instant_text(max(stamps.values(), key=Decimal))
        return Seen(raw, stamps)

    def shape(self, row: Row) -> Raw:
        """What a raw record has besides its stored fields."""
        return {}

    def version(self, row: Row) -> str:
        """A token that changes whenever the record or one of its parts does."""
        own = str(row["_timestamp"])
        if not self.parts:
            return own
        return f"{own}-{sha256(' '.join(sorted(self.marks(row))).encode()).hexdigest()[:12]}"

    def marks(self, row: Row) -> Iterator[str]:
        """What tells one version of a record with parts from another."""
        yield from (f"{name}:{stamp}" for name, stamp in self._stamps(row).items())

    def values(self, patch: Raw, before: Raw | None, fields: Mapping[str, Any], references: References) -> dict[str, Any]:
        """What to write for a patch.

        Args:
            patch: What changes, in the shape of a raw record.
            before: The raw record as it is; ``None`` for a new one.
            fields: The model's live fields.
            references: Ids by code.

        Raises:
            ValueError: A value does not fit its field; the text says which and why.
        """
        values: dict[str, Any] = {}
        for name, value in patch.items():
            try:
                if not self.put(values, name, value, before, references):
                    values[name] = encoded(value, self._writable(name, fields))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return values

    def put(self, values: dict[str, Any], name: str, value: Any, before: Raw | None, references: References) -> bool:
        """Put the values for a part of a patch that is not simply a field; False if it is one."""
        return False

    def new(self, key: str | None, references: References, *, unfinished: bool = False) -> dict[str, Any]:
        """The values of every new record, our key among them."""
        return {}

    def _writable(self, name: str, fields: Mapping[str, Any]) -> str:
        if name in self.derived or name not in fields or fields[name]["loading"] != "eager":
            raise ValueError(f"{self.name} has no such field that could be written")
        return str(fields[name]["type"])

    def _stamps(self, row: Row) -> dict[str, str]:
        stamps = {f"{self.name},{row['id']}": str(row["_timestamp"])}
        for part, model in self.parts.items():
            for item in along(row, part):
                stamps[f"{model},{item['id']}"] = str(item["_timestamp"])
        return stamps


def along(row: Row, way: str) -> Iterator[Row]:
    """The rows at the end of a relation, ``party.contact_mechanisms``."""
    first, _, rest = way.partition(".")
    below = row[f"{first}."]
    for item in below if isinstance(below, list) else [below] if below else []:
        if rest:
            yield from along(item, rest)
        else:
            yield item


def plain(rows: Iterator[Row]) -> list[Raw]:
    """Rows without their stamps, the codes of what they point at in place of its id."""
    plain = []
    for row in rows:
        item: Raw = {}
        for name, value in row.items():
            if name.endswith("."):
                item[name[:-1]] = value["code"] if value else None
            elif not name.startswith("_") and f"{name}." not in row:
                item[name] = bool(value) if name == "active" else value
        plain.append(dict(sorted(item.items())))
    return plain


def code_of(row: Row, name: str, field: str) -> Any:
    below = row[f"{name}."]
    return below[field] if below else None


def key_among(texts: Iterator[str | None]) -> str | None:
    """Our key among what people keep in the same place."""
    return next((text.partition(":")[2] for text in texts if text and text.startswith((KEY, UNFINISHED))), None)


def _instant_text(stamp: str) -> str:
    """A time stamp, seconds since 1970, as an instant."""
    at = _EPOCH + timedelta(microseconds=int(Decimal(stamp) * 1_000_000))
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if at.microsecond else "%Y-%m-%dT%H:%M:%SZ")
