"""Leads and contacts as one object: a person is a lead until somebody converts it.

The two have most of their fields in common, by name. Two things are named alike here that they name differently: a record's
``type``, and the address, which is a lead's only one and a contact's ``Mailing`` one. Ids tell the two apart. A lead that was
converted is told as merged into its contact, and no longer read
(https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_lead.htm).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aios_connect.connectors import (
    Change,
    Cursor,
    CursorGoneError,
    FieldInfo,
    ObjectSpec,
    Page,
    ProviderError,
    Raw,
    Receipt,
    ScanPage,
    Schema,
    Tombstone,
    instant,
)

from ._ids import object_of
from ._objects import OBJECTS, PEOPLE, STAMP
from ._reading import Reader
from ._writing import Writer

__all__ = ["PARTS", "SPEC", "People"]

PARTS: Final = ("Contact", "Lead")
"""The objects, in the order in which they are read: what a lead became is there before the lead is said to have become it."""

_ADDRESS: Final = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy")
_MAILING: Final = {name: f"Mailing{name}" for name in _ADDRESS}

SPEC: Final[ObjectSpec] = replace(
    OBJECTS["Contact"].spec(), title="Leads and contacts", references={"AccountId": "Account", "OwnerId": "User"}
)


class People:
    """The leads and contacts of one organisation.

    Args:
        reader: Reads them.
        writer: Writes them.
    """

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def schema(self, schema_of: Callable[[str], Schema]) -> Schema:
        """The live schema: what either of them has. Required is what both require."""
        parts = {object: schema_of(object).fields for object in PARTS}
        fields: dict[str, FieldInfo] = {}
        for object, known in parts.items():
            for name, info in known.items():
                path = _common(object, name)
                required = info.required and all(other.get(name, info).required and name in other for other in parts.values())
                fields.setdefault(path, replace(info, path=path, required=required))
        kinds = tuple((object, OBJECTS[object].title) for object in PARTS)
        fields["type"] = FieldInfo("type", "choice", "Lead or contact", required=True, choices=kinds)
        return Schema(PEOPLE, fields)

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """One after the other; the cursor holds a place in each, and at which one the read is."""
        position: dict[str, Any] = dict(since or {})
        if not position.keys() <= {"of", *PARTS} or position.get("of", PARTS[0]) not in PARTS:
            raise CursorGoneError("this cursor was not made by this connector", provider="salesforce", object=PEOPLE)
        first = PARTS.index(position.get("of", PARTS[0]))
        for number, object in enumerate(PARTS[first:], first):
            for page in self._reader.read(object, position.get(object)):
                complete = page.complete and object == PARTS[-1]
                position[object] = dict(page.cursor)
                position["of"] = object if not page.complete else PARTS[(number + 1) % len(PARTS)]
                cursor = {name: place for name, place in position.items() if not (complete and name == "of")}
                told = [raw for raw in page.records if not _converted(raw)]
                stones = [*page.tombstones, *(_stone(raw) for raw in page.records if _converted(raw))]
                yield replace(
                    page, records=[_shown(object, raw) for raw in told], cursor=cursor, complete=complete, tombstones=stones
                )

    def lookup(self, ids: Sequence[str]) -> list[Raw]:
        """The living ones among these ids, without the leads that were converted."""
        return [
            _shown(object, raw)
            for object in PARTS
            if (own := [id for id in ids if (object_of(id) or PARTS[0]) == object])
            for raw in self._reader.lookup(object, own)
            if not _converted(raw)
        ]

    def find(self, keys: Sequence[str]) -> dict[str, Raw]:
        """The living ones by our key."""
        found: dict[str, Raw] = {}
        for object in PARTS:
            left = [key for key in keys if key not in found]
            found |= {key: _shown(object, raw) for key, raw in self._reader.find(object, left).items() if not _converted(raw)}
        return found

    def scan(self) -> Iterator[ScanPage]:
        """Every living one with the instant of its last change."""
        for object in PARTS:
            for page in self._reader.scan(object, " AND IsConverted = false" if object == "Lead" else ""):
                yield replace(page, complete=page.complete and object == PARTS[-1])

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in order; those of each object go in one batch."""
        parts, receipts = _parts(changes)
        for object, part in parts.items():
            try:
                told = self._writer.write(object, part)
            except ProviderError as error:
                if not any(receipt.outcome in ("written", "ambiguous") for receipt in receipts.values()):
                    raise  # nothing was written
                told = [Receipt("rejected", change.id, reason=error.message) for change in part]
            receipts |= {change.line: _receipt(object, receipt) for change, receipt in zip(part, told, strict=True)}
        return [receipts[change.line] for change in changes]

    def calls(self, changes: Sequence[Change]) -> int:
        """API calls that these changes take: those of each object by themselves."""
        return sum(self._writer.calls(object, part) for object, part in _parts(changes)[0].items())


def _converted(raw: Mapping[str, Any]) -> bool:
    """A lead that lives on in its contact."""
    return raw.get("IsConverted") is True and bool(raw.get("ConvertedContactId"))


def _stone(raw: Raw) -> Tombstone:
    return Tombstone(str(raw["Id"]), "merged", str(raw["ConvertedContactId"]), instant(raw[STAMP]))


def _common(object: str, name: str) -> str:
    own = {mailing: plain for plain, mailing in _MAILING.items()} if object == "Contact" else {}
    return own.get(name, name)


def _shown(object: str, raw: Raw) -> Raw:
    return {"type": object, **{_common(object, name): value for name, value in raw.items()}}


def _own(object: str, side: Raw) -> Raw:
    names = _MAILING if object == "Contact" else {}
    return {names.get(name, name): value for name, value in side.items() if name != "type"}


def _parts(changes: Sequence[Change]) -> tuple[dict[str, list[Change]], dict[str, Receipt]]:
    """Object -> the changes that go to it, in its words; and receipts of those that go to none."""
    parts: dict[str, list[Change]] = {}
    wrongs: dict[str, Receipt] = {}
    for change in changes:
        object, wrong = _object_of(change)
        if wrong:
            wrongs[change.line] = Receipt("rejected", change.id, reason=wrong)
        else:
            own = replace(change, patch=_own(object, change.patch), expect=_own(object, change.expect))
            parts.setdefault(object, []).append(own)
    return parts, wrongs


def _object_of(change: Change) -> tuple[str, str]:
    """Which object a change goes to, or what is wrong with it."""
    told = change.patch.get("type")
    object = str(told) if change.id is None else object_of(change.id)
    if object not in PARTS:
        return "", f"somebody is one of {', '.join(PARTS)}: the type says which"
    if told not in (None, object):
        return "", f"a {object} cannot become a {told}: Salesforce converts leads itself"
    return object, ""


def _receipt(object: str, receipt: Receipt) -> Receipt:
    return replace(
        receipt,
        record=receipt.record and _shown(object, receipt.record),
        current=receipt.current and _shown(object, receipt.current),
    )
