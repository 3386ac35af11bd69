"""Opportunities, as Tryton's module ``sale_opportunity`` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aios_connect.connectors import Raw

from .model import KEY, UNFINISHED, Domain, Model, Row, along, code_of, key_among
from .references import References
from .wire import encoded

__all__ = ["Opportunities"]


class Opportunities(Model):
    """Sale opportunities. Their key is an attached link: nothing that people fill in is used up.

    One that is made in a later state than the first takes several calls. Until the last of them is done its link says so, and it
    does not count as there.

    Args:
        people: Name of the party category of people.
        companies: Name of the party category of companies.
    """

    object = "opportunities"
    name = "sale.opportunity"
    module = "sale_opportunity"
    of_company = True
    nested = (
        "currency.code",
        "party.categories.name",
        "contact.value",
        "contact.party.categories.name",
        "attachments.link",
    )
    derived = Model.derived | {"key", "state", "number"}

    def __init__(self, people: str, companies: str) -> None:
        self._people = people
        self._companies = companies

    def keyed(self, keys: list[str], *, unfinished: bool = False) -> Domain:
        begin = UNFINISHED if unfinished else KEY
        return [["attachments", "where", [["link", "in", [begin + key for key in keys]]]]]

    def unfinished(self, row: Row) -> bool:
        return any((one["link"] or "").startswith(UNFINISHED) for one in along(row, "attachments"))

    def shape(self, row: Row) -> Raw:
        contact = row["contact."]
        return {
            "currency": code_of(row, "currency", "code"),
            "party": self._party(row["party."]),
            "contact": {**self._party(contact["party."]), "id": contact["id"], "value": contact["value"]}
            if contact
            else dict.fromkeys(("id", "company", "person", "value")),
            "key": key_among(one["link"] for one in along(row, "attachments")),
        }

    def put(self, values: dict[str, Any], name: str, value: Any, before: Raw | None, references: References) -> bool:
        match name:
            case "currency":
                values["currency"] = references.id("currency.currency", value)
            case "party":
                sides = {**(before["party"] if before else {}), **value}
                wanted = sides.get("company") if sides.get("company") is not None else sides.get("person")
                values["party"] = encoded(wanted, "many2one")
            case "contact":
                self._put_contact(values, encoded(value.get("person"), "many2one"), before, references)
            case _:
                return False
        return True

    def values(self, patch: Raw, before: Raw | None, fields: Mapping[str, Any], references: References) -> dict[str, Any]:
        # The contact goes last: whether the person is also the party depends on whether there is another one.
        ordered = {name: patch[name] for name in sorted(patch, key=lambda name: name == "contact") if name != "state"}
        return super().values(ordered, before, fields, references)

    def new(self, key: str | None, references: References, *, unfinished: bool = False) -> dict[str, Any]:
        if not key:
            return {}
        link = (UNFINISHED if unfinished else KEY) + key
        return {"attachments": [["create", [{"name": "aios-connect", "type": "link", "link": link}]]]}

    def _put_contact(self, values: dict[str, Any], person: int | None, before: Raw | None, references: References) -> None:
        """Name a person: Tryton does it by one of the person's contact mechanisms; without a company, the person is the party."""
        if person is None:
            values["contact"] = None
            return
        party = before["party"] if before else {}
        customer = values["party"] if "party" in values else party.get("company")
        contact = references.contact_of(person)
        if customer is None:
            values["party"] = person
        elif contact is None and customer != person:
            raise ValueError(f"Tryton names a person by an e-mail address or a number, and party {person} has none")
        values["contact"] = contact

    def _party(self, party: Row | None) -> Raw:
        """A party by what it is: ``company`` or ``person`` holds its id."""
        if not party:
            return dict.fromkeys(("id", "company", "person"))
        names = {one["name"] for one in party["categories."]}
        return {
            "id": party["id"],
            "company": party["id"] if self._companies in names else None,
            "person": party["id"] if self._people in names and self._companies not in names else None,
        }
