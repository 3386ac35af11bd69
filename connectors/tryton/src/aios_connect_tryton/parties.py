"""Parties: people and companies.

What Tryton keeps in rows of their own is nested where a mapping can reach it: ``contacts`` holds the first active contact mechanism
of every type, ``address`` the first active address. All rows are there as well, in ``contact_mechanisms``, ``addresses`` and
``identifiers``. A row without a type among the identifiers is nothing a person makes, so it holds our key.

Where the module ``party_relationship`` is activated, people have an ``employer``: the party that their first relation of the type
meant for it leads to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aios_connect.connectors import Raw

from .model import KEY, Domain, Model, Row, along, code_of, key_among, plain
from .references import CATEGORY, RELATION, References
from .wire import encoded

__all__ = ["ADDRESS", "CONTACT_TYPES", "RELATIONS", "Parties", "contacts_of"]

CONTACT_TYPES: Final = ("email", "phone", "mobile", "fax", "website", "skype", "sip", "irc", "jabber", "other")
"""Tryton's types of contact mechanism (``party`` 8.2)."""
ADDRESS: Final = ("street", "postal_code", "city", "country", "subdivision")
"""What ``address`` has."""


RELATIONS: Final = "relations"
"""The field of a party that ``party_relationship`` brings."""
_RELATION: Final = (f"{RELATIONS}.type.name", f"{RELATIONS}.to", f"{RELATIONS}.active")


class Parties(Model):
    """Parties of one category: people, or companies.

    Args:
        object: Our name for them.
        category: Name of Tryton's party category that tells them apart.
        employment: Name of the relation type that leads from a person to the employer; empty for parties that have none.
    """

    name = "party.party"
    module = "party"
    parts: Mapping[str, str] = {
        "contact_mechanisms": "party.contact_mechanism",
        "addresses": "party.address",
        "identifiers": "party.identifier",
    }
    nested: tuple[str, ...] = (
        "lang.code",
        "categories.name",
        "tax_identifier.code",
        *(f"contact_mechanisms.{name}" for name in ("type", "value", "name", "active")),
        *(f"addresses.{name}" for name in ("street", "postal_code", "city", "country.code", "subdivision.code", "active")),
        *(f"identifiers.{name}" for name in ("type", "code", "active")),
    )
    derived = Model.derived | {
        "key",
        "categories",
        "tax_identifier",
        "contact_mechanisms",
        "addresses",
        "identifiers",
        "relations",
    }

    def __init__(self, object: str, category: str, employment: str = "") -> None:
        self.object = object
        self.category = category
        self.employment = employment
        self.related = False

    def meet(self, fields: Mapping[str, Any]) -> None:
        if self.employment and RELATIONS in fields:
            self.related = True
            self.nested = (*Parties.nested, *_RELATION)

    def domain(self) -> Domain:
        return [["categories.name", "=", self.category]]

    def hanging(self) -> tuple[str, ...]:
        return (*super().hanging(), RELATIONS) if self.related else super().hanging()

    def versions(self) -> list[str]:
        return [*super().versions(), *(_RELATION if self.related else ())]

    def marks(self, row: Row) -> Iterator[str]:
        yield from super().marks(row)
        if self.related:  # these rows have no time stamps
            yield from (
                f"{RELATIONS},{one['id']}:{one['type.']['name']}:{one['to']}:{one['active']}" for one in along(row, RELATIONS)
            )

    def keyed(self, keys: list[str], *, unfinished: bool = False) -> Domain:
        return [["identifiers", "where", [["type", "=", None], ["code", "in", [KEY + key for key in keys]]]]]

    def shape(self, row: Row) -> Raw:
        mechanisms, addresses, identifiers = (plain(along(row, part)) for part in self.parts)
        return {
            **(self._relations(row) if self.related else {}),
            "lang": code_of(row, "lang", "code"),
            "tax_identifier": code_of(row, "tax_identifier", "code"),
            "categories": [one["name"] for one in along(row, "categories") if one["name"] != self.category],
            "contacts": contacts_of(mechanisms),
            "address": _address(addresses),
            "contact_mechanisms": mechanisms,
            "addresses": addresses,
            "identifiers": identifiers,
            "key": key_among(one["code"] for one in identifiers if one["type"] is None),
        }

    def put(self, values: dict[str, Any], name: str, value: Any, before: Raw | None, references: References) -> bool:
        match name:
            case "contacts":
                values["contact_mechanisms"] = list(_contact_commands(value, before["contact_mechanisms"] if before else []))
            case "address":
                values["addresses"] = list(_address_commands(value, before["addresses"] if before else [], references))
            case "lang":
                values["lang"] = references.id("ir.lang", value)
            case "employer" if self.related:
                there = self._employments(before[RELATIONS] if before else [])
                values[RELATIONS] = list(_employment_commands(encoded(value, "many2one"), there, self.employment, references))
            case _:
                return False
        return True

    def _relations(self, row: Row) -> Raw:
        relations = [
            {"id": one["id"], "type": one["type."]["name"], "to": one["to"], "active": bool(one["active"])}
            for one in along(row, RELATIONS)
        ]
        employments = self._employments(relations)
        return {RELATIONS: relations, "employer": employments[0]["to"] if employments else None}

    def _employments(self, relations: list[Raw]) -> list[Raw]:
        return [one for one in relations if one["active"] and one["type"] == self.employment]

    def new(self, key: str | None, references: References, *, unfinished: bool = False) -> dict[str, Any]:
        values: dict[str, Any] = {"categories": [["add", [references.id(CATEGORY, self.category)]]]}
        if key:
            values["identifiers"] = [["create", [{"code": KEY + key}]]]
        return values


def contacts_of(mechanisms: list[Raw]) -> Raw:
    contacts: Raw = dict.fromkeys(CONTACT_TYPES)
    for mechanism in reversed(mechanisms):
        if mechanism["active"]:
            contacts[mechanism["type"]] = mechanism["value"]
    return contacts


def _address(addresses: list[Raw]) -> Raw:
    first = next((address for address in addresses if address["active"]), None)
    return {name: first[name] if first else None for name in ADDRESS}


def _contact_commands(wanted: Mapping[str, Any], there: list[Raw]) -> Iterator[list[Any]]:
    """Change the first mechanism of a type, or add one. A cleared one is put out of use, so that it can come back."""
    for type, value in wanted.items():
        if type not in CONTACT_TYPES:
            raise ValueError(f"there is no contact mechanism {type!r}")
        value = encoded(value, "char")
        alike = [mechanism for mechanism in there if mechanism["type"] == type]
        first = next((mechanism for mechanism in alike if mechanism["active"]), None)
        again = next((mechanism for mechanism in alike if mechanism["value"] == value), None)
        if not value:
            if first:
                yield ["write", [first["id"]], {"active": False}]
        elif first:
            yield ["write", [first["id"]], {"value": value}]
        elif again:
            yield ["write", [again["id"]], {"active": True}]
        else:
            yield ["create", [{"type": type, "value": value}]]


def _address_commands(wanted: Mapping[str, Any], there: list[Raw], references: References) -> Iterator[list[Any]]:
    """Change the first address, or add one."""
    values: dict[str, Any] = {}
    for name, value in wanted.items():
        match name:
            case "country":
                values[name] = references.id("country.country", value)
            case "subdivision":
                values[name] = references.id("country.subdivision", value)
            case "street" | "postal_code" | "city":
                values[name] = encoded(value, "text")
            case _:
                raise ValueError(f"an address has no {name!r}")
    first = next((address for address in there if address["active"]), None)
    if first:
        yield ["write", [first["id"]], values]
    elif any(value is not None for value in values.values()):
        yield ["create", [values]]


def _employment_commands(employer: int | None, there: list[Raw], type: str, references: References) -> Iterator[list[Any]]:
    """Lead the first employment elsewhere, add one, or take it away. Others stay."""
    if employer is None:
        if there:
            yield ["delete", [there[0]["id"]]]
    elif there:
        yield ["write", [there[0]["id"]], {"to": employer}]
    else:
        yield ["create", [{"type": references.id(RELATION, type), "to": employer}]]
