"""A contact as mappings see it: Google's own lists, and beside them one value for each kind of address and number.

Google keeps lists (``emailAddresses``, ``phoneNumbers``, ...) whose items have a type. A mapping needs places: ``email.work`` is the first
address of that type, ``email.other`` the first of none of the others. To write a place is to write its list: the items around it stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aios_connect.connectors import FieldInfo, Raw

__all__ = ["FIELDS", "MASK", "TRACE", "UnfitError", "changed", "holds", "kept", "shaped", "version_of"]

TRACE: Final = "aios_line"
"""Key of ours in ``clientData``: the plan line that made a contact, by which the answer to a batch is told apart."""

_LISTS: Final = (
    *("names", "nicknames", "emailAddresses", "phoneNumbers", "addresses", "organizations", "biographies", "urls", "birthdays"),
    *("relations", "events", "imClients", "userDefined", "memberships", "externalIds", "clientData"),
)
MASK: Final = ",".join((*_LISTS, "metadata"))
"""The fields that are asked for, the same ones every time: an etag and a sync token hold for one mask."""


class UnfitError(ValueError):
    """Values that Google has no place for; the words are for a person."""


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Places by the type of an item: of each place the types it takes, the first one for new items."""

    list: str
    places: Mapping[str, tuple[str, ...]]
    fields: tuple[str, ...] = ("value",)


_TYPED: Final[Mapping[str, _Kinds]] = {
    "email": _Kinds("emailAddresses", {"work": ("work",), "home": ("home",), "other": ()}),
    "phone": _Kinds(
        "phoneNumbers",
        {
            "mobile": ("mobile", "workMobile"),
            "work": ("work", "main"),
            "home": ("home",),
            "fax": ("workFax", "homeFax", "otherFax"),
            "other": (),
        },
    ),
    "address": _Kinds(
        "addresses",
        {"work": ("work",), "home": ("home",), "other": ()},
        ("streetAddress", "extendedAddress", "city", "region", "postalCode", "country", "countryCode", "poBox"),
    ),
}
"""https://developers.google.com/people/api/rest/v1/people#Person"""

_SINGLE: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "name": ("names", ("givenName", "middleName", "familyName", "honorificPrefix", "honorificSuffix")),
    "organization": ("organizations", ("name", "title", "department")),
}
"""Places that are the first item of a list, and its fields."""

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "note": ("biographies", "value"),
    "nickname": ("nicknames", "value"),
    "website": ("urls", "value"),
}
"""Places that are one field of the first item of a list."""

_MADE_BY_GOOGLE: Final = frozenset(
    {"metadata", "formattedType", "formattedProtocol", "displayName", "displayNameLastFirst", "canonicalForm"}
)
"""Fields that Google makes and does not take (discovery document: "Output only"). An address has a ``displayName`` of its own."""

_FREE: Final = frozenset({"formattedValue", "unstructuredName"})
"""Fields that say in one text what others say in parts; beside parts that changed they would contradict them."""


_NOTHING: Final = frozenset({"type", "contentType"})
"""Fields that say nothing by themselves."""


def _described() -> Iterable[FieldInfo]:
    for path, label in (("id", "Id"), ("resourceName", "Id"), ("etag", "Version of the person"), ("version", "Version")):
        yield FieldInfo(path, "text", label, writable=False)
    yield FieldInfo("updated", "instant", "Last changed", writable=False)
    yield FieldInfo("name.displayName", "text", "Whole name", writable=False)
    for place, (_, fields) in _SINGLE.items():
        yield from (FieldInfo(f"{place}.{field}", "text", f"{place}: {field}") for field in fields)
    for place, kinds in _TYPED.items():
        for kind in kinds.places:
            if kinds.fields == ("value",):
                yield FieldInfo(f"{place}.{kind}", "text", f"{place}: {kind}")
            else:
                yield from (FieldInfo(f"{place}.{kind}.{field}", "text", f"{place}: {kind}, {field}") for field in kinds.fields)
    yield from (FieldInfo(place, "text", place) for place in _TEXTS)
    yield FieldInfo("birthday", "date", "Birthday")
    yield from (FieldInfo(name, "list", name, writable=False) for name in _LISTS)
    yield FieldInfo("metadata", "object", "Sources", writable=False)


FIELDS: Final = tuple(_described())


def version_of(person: Mapping[str, Any]) -> str:
    """The etag that an update is checked against: that of the contact itself; empty if there is none."""
    return str(_source(person).get("etag") or "")


def shaped(person: Mapping[str, Any]) -> Raw:
    """A contact as read."""
    lists = {name: _ours(person.get(name)) for name in _LISTS}
    names = lists["names"]
    return {
        **person,
        "id": str(person["resourceName"]),
        "version": version_of(person),
        "updated": _source(person).get("updateTime"),
        **{place: {field: _first(lists[name]).get(field) for field in fields} for place, (name, fields) in _SINGLE.items()},
        "name": {field: _first(names).get(field) for field in (*_SINGLE["name"][1], "displayName")},
        **{place: {kind: _shown(lists[kinds.list], kinds, kind) for kind in kinds.places} for place, kinds in _TYPED.items()},
        **{place: _first(lists[name]).get(field) for place, (name, field) in _TEXTS.items()},
        "birthday": _birthday(_first(lists["birthdays"]).get("date")),
    }


def changed(patch: Raw, person: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The lists to be sent for a patch, whole, by their name.

    Args:
        patch: In the shape of :func:`shaped`.
        person: The contact as it is; empty for a new one.

    Raises:
        UnfitError: Google has no place for something in it.
    """
    sent: dict[str, list[dict[str, Any]]] = {}

    def items(name: str) -> list[dict[str, Any]]:
        if name not in sent:
            sent[name] = kept(name, person)
        return sent[name]

    for place, value in patch.items():
        if place in _SINGLE:
            name, fields = _SINGLE[place]
            _put(items(name), 0, _checked(place, value, fields), {})
        elif place in _TEXTS:
            name, field = _TEXTS[place]
            _put(items(name), 0, {field: value}, {"contentType": "TEXT_PLAIN"} if name == "biographies" else {})
        elif place in _TYPED:
            kinds = _TYPED[place]
            for kind, inner in _checked(place, value, tuple(kinds.places)).items():
                new = {"value": inner} if kinds.fields == ("value",) else _checked(f"{place}.{kind}", inner, kinds.fields)
                type = {"type": kinds.places[kind][0] if kinds.places[kind] else "other"}
                _put(items(kinds.list), _index(items(kinds.list), kinds, kind), new, type)
        elif place == "birthday":
            _put(items("birthdays"), 0, {"date": _date(value), "text": None}, {})
        else:
            raise UnfitError(f"google has no {place} of contacts to write")
    return sent


def kept(name: str, person: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A list of a contact as it is, in the form in which it is sent."""
    return [_plain(name, item) for item in _ours(person.get(name))]


def holds(raw: Raw, values: Raw) -> bool:
    """True if a contact has these values; nothing and empty text are the same."""
    for name, value in values.items():
        there: Any = raw.get(name)
        if isinstance(value, dict):
            if not holds(there if isinstance(there, dict) else {}, value):
                return False
        elif (there or None) != (value or None):
            return False
    return True


def _source(person: Mapping[str, Any]) -> Mapping[str, Any]:
    sources = (person.get("metadata") or {}).get("sources") or ()
    return next((one for one in sources if one.get("type") == "CONTACT"), {})


def _ours(items: Any) -> list[dict[str, Any]]:
    """The items that are the contact's own; those of a Google profile come along and cannot be written."""
    found = [item for item in items or () if isinstance(item, dict)]
    return [item for item in found if (((item.get("metadata") or {}).get("source") or {}).get("type") or "CONTACT") == "CONTACT"]


def _first(items: list[dict[str, Any]]) -> dict[str, Any]:
    return items[0] if items else {}


def _plain(name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    kept = _MADE_BY_GOOGLE - ({"displayName"} if name == "emailAddresses" else set())
    return {field: value for field, value in item.items() if field not in kept}


def _index(items: list[dict[str, Any]], kinds: _Kinds, kind: str) -> int:
    """Which item a place shows; behind the last if none."""
    wanted = kinds.places[kind]
    known = {type for types in kinds.places.values() for type in types}
    for number, item in enumerate(items):
        type = item.get("type")
        if type in wanted if wanted else type not in known:
            return number
    return len(items)


def _shown(items: list[dict[str, Any]], kinds: _Kinds, kind: str) -> Any:
    number = _index(items, kinds, kind)
    item = _in_parts(items[number]) if number < len(items) else {}
    return item.get("value") if kinds.fields == ("value",) else {field: item.get(field) for field in kinds.fields}


def _in_parts(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item without its free text; an address that is nothing else has it for its street."""
    parts = {name: value for name, value in item.items() if name not in _FREE}
    free = item.get("formattedValue")
    return parts if not free or parts.keys() & {*_TYPED["address"].fields} else {**parts, "streetAddress": free}


def _put(items: list[dict[str, Any]], number: int, values: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Lay values over an item, or make one; an item with nothing left in it goes."""
    there = _in_parts(items[number]) if number < len(items) else dict(new)
    laid = {name: value for name, value in {**there, **values}.items() if value not in (None, "")}
    left = [laid] if laid.keys() - _NOTHING and ("value" in laid or "value" not in values) else []
    items[number : number + 1] = left


def _checked(place: str, value: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    if value is None:
        return dict.fromkeys(fields)
    if not isinstance(value, dict):
        raise UnfitError(f"{place} of a contact has parts: {', '.join(fields)}")
    for name in value:
        if name not in fields:
            raise UnfitError(f"google has no {place}.{name} of contacts to write")
    return value


def _birthday(date: Any) -> str | None:
    """A whole date; one without its year is none for us, and stays in ``birthdays``."""
    if not isinstance(date, dict) or not all(date.get(part) for part in ("year", "month", "day")):
        return None
    return f"{date['year']:04d}-{date['month']:02d}-{date['day']:02d}"


def _date(text: Any) -> dict[str, int] | None:
    if not text:
        return None
    try:
        year, month, day = (int(part) for part in str(text).split("-"))
    except ValueError:
        raise UnfitError(f"birthday is no date: {text!r}") from None
    return {"year": year, "month": month, "day": day}
