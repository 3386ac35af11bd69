"""The contacts of one user, not those of a directory.

https://developers.google.com/people/api/rest/v1/people.connections/list
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aios_connect.connectors import (
    Change,
    Cursor,
    ObjectSpec,
    Page,
    Quarantined,
    Raw,
    Receipt,
    ScanPage,
    Schema,
    Tombstone,
    TruncatedError,
)

from ._apis import PEOPLE
from ._contact_shape import FIELDS, MASK, shaped, version_of
from ._contact_writing import ContactWriter
from ._paging import Pager, refuse
from ._wire import Wire

__all__ = ["SPEC", "Contacts"]

SPEC: Final = ObjectSpec(
    title="Contacts",
    verbs=frozenset({"read", "create", "update", "delete"}),
    version="version",
    modified="updated",
    conditional="read-compare-write",  # of an update Google compares, of a delete it does not
    incremental=True,
    deletes="tombstones",
    page_size=1000,
    batch_size=200,
    lookup_size=200,
    scan_size=1000,
)

_SOURCES: Final = "READ_SOURCE_TYPE_CONTACT"
_READ: Final = {"personFields": MASK, "sources": _SOURCES, "requestSyncToken": "true"}
_SCANNED: Final = {"personFields": "metadata", "sources": _SOURCES, "requestSyncToken": "true"}


class Contacts:
    """The contacts of one user.

    Args:
        wire: The way to Google.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._pager = Pager(wire, PEOPLE, "people/me/connections", "contacts", "connections", "", SPEC.page_size, "pageSize")
        self._writer = ContactWriter(wire, self)

    def account(self) -> str:
        """The user, by number: the scope for contacts does not cover the address."""
        return str(self._wire.get(PEOPLE, "people/me", "contacts", params={"personFields": "metadata"}).get("resourceName"))

    def schema(self) -> Schema:
        return Schema("contacts", {field.path: field for field in FIELDS})

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """What was deleted is told; what has another id now was merged into that one."""
        position = refuse(since, {"sync", "page"}, "contacts")
        for people, cursor, last in self._pager.pages(position, _READ):
            records: list[Raw] = []
            gone: list[Tombstone] = []
            aside: list[Quarantined] = []
            for number, person in enumerate(people, start=1):
                id = person.get("resourceName")
                if not id:
                    aside.append(Quarantined(f"contact {number} of a page", "it has no id", str(person)[:1000]))
                    continue
                metadata = person.get("metadata") or {}
                gone += [Tombstone(str(old), "merged", str(id)) for old in metadata.get("previousResourceNames") or ()]
                if metadata.get("deleted"):
                    gone.append(Tombstone(str(id), "deleted"))
                else:
                    records.append(shaped(person))
            yield Page(records, cursor, last, gone, aside)

    def lookup(self, ids: Sequence[str]) -> list[Raw]:
        return list(self.present(ids).values())

    def present(self, ids: Sequence[str]) -> dict[str, Raw]:
        """The contacts with these ids. One that goes by another id now is that one, and left out.

        Raises:
            TruncatedError: Google does not say of each whether it is there.
        """
        asked = [id for id in dict.fromkeys(ids) if id.startswith("people/")]
        there: dict[str, Raw] = {}
        for start in range(0, len(asked), SPEC.lookup_size):
            part = asked[start : start + SPEC.lookup_size]
            params = {"resourceNames": part, "personFields": MASK, "sources": _SOURCES}
            answer = self._wire.get(PEOPLE, "people:batchGet", "contacts", params=params)
            told = {one.get("requestedResourceName"): one for one in _dicts(answer.get("responses"))}
            for id in part:
                if id not in told:
                    raise TruncatedError(f"google does not say whether {id} is there", provider="google", object="contacts")
                person = told[id].get("person") or {}
                if person.get("resourceName") == id and _source_is_there(person):
                    there[id] = shaped(person)
        return there

    def scan(self) -> Iterator[ScanPage]:
        for people, _, last in self._pager.pages({}, _SCANNED):
            yield ScanPage([(str(person["resourceName"]), version_of(person)) for person in people], last)

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        return self._writer.write(changes)


def _source_is_there(person: Mapping[str, Any]) -> bool:
    """Of a deleted contact the person may still be shown, without the contact."""
    return bool(version_of(person))


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
