"""Leads and contacts as one object: people, who are leads until somebody converts them."""

from __future__ import annotations

from typing import Any

import pytest
from aios_connect_salesforce.sandbox import SalesforceVendor, furnish

from aios_connect.connectors import Change, CursorGoneError
from aios_connect.sandbox import FAULTS, Schedule

from .salesforce_office import connector, create, everything, records


def test_leads_and_contacts_are_read_as_people_with_one_kind_of_address() -> None:
    vendor = furnish(SalesforceVendor())
    wen = next(row["Id"] for row in vendor.records["Contact"] if row["LastName"] == "Zhao")
    vendor.people_change("Contact", wen, {"MailingCity": "Straume"})
    told = {raw["LastName"]: raw for raw in records(connector(vendor), "people").values()}
    assert {name: raw["type"] for name, raw in told.items()} == {
        **dict.fromkeys(("Dahl", "O'Hara", "Zhao", "Nair", "Tveit", "Løvås"), "Contact"),
        **dict.fromkeys(("Moe", "Adeyemi", "Lie"), "Lead"),
    }
    assert (told["Zhao"]["City"], told["Moe"]["City"]) == ("Straume", "Bergen")
    assert "MailingCity" not in told["Zhao"]
    assert "AccountId" not in told["Moe"]


def test_a_lead_that_is_converted_lives_on_in_its_contact() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = connector(vendor)
    cursor = everything(salesforce, "people")[-1].cursor
    vendor.clock.sleep(86_400)
    lead = next(row["Id"] for row in vendor.records["Lead"] if row["LastName"] == "Adeyemi")
    contact = vendor.people_make("Contact", {"FirstName": "Samuel", "LastName": "Adeyemi"})["Id"]
    vendor.converted(lead, contact)
    pages = everything(salesforce, "people", cursor)
    assert [raw["Id"] for page in pages for raw in page.records] == [contact]
    assert [(stone.id, stone.reason, stone.survivor) for page in pages for stone in page.tombstones] == [
        (lead, "merged", contact)
    ]
    assert salesforce.lookup("people", [lead]) == []
    assert lead not in {id for page in salesforce.scan("people") for id, _ in page.items}
    assert salesforce.lookup("Lead", [lead])[0]["ConvertedContactId"] == contact


def test_everybody_is_found_by_the_key_looked_up_and_listed() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = connector(vendor)
    salesforce.provision()
    new = [create(1, type="Contact", LastName="Berg", City="Bergen"), create(2, type="Lead", LastName="Ek", Company="Ek")]
    receipts = salesforce.write("people", new)
    assert [receipt.outcome for receipt in receipts] == ["written"] * 2
    found = salesforce.find("people", [str(change.key) for change in new])
    assert [found[str(change.key)]["type"] for change in new] == ["Contact", "Lead"]
    assert vendor.records["Contact"].rows_of(str(receipts[0].id))["MailingCity"] == "Bergen"
    ids = [str(receipt.id) for receipt in receipts]
    assert {raw["Id"] for raw in salesforce.lookup("people", ids)} == set(ids)
    assert set(ids) < {id for page in salesforce.scan("people") for id, _ in page.items}


def test_a_batch_of_both_is_written_to_both_and_its_receipts_are_in_order() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = connector(vendor)
    people = list(records(salesforce, "people").values())
    mixed = [people[0], people[-1], people[1]]
    changes = [Change("update", raw["Id"], raw["Id"], {"Title": "New"}, {"Title": raw["Title"]}) for raw in mixed]
    receipts = salesforce.write("people", changes)
    assert [(receipt.outcome, receipt.id) for receipt in receipts] == [("written", raw["Id"]) for raw in mixed]
    assert {raw["Title"] for raw in salesforce.lookup("people", [raw["Id"] for raw in mixed])} == {"New"}
    assert [receipt.outcome for receipt in salesforce.write("people", [Change("delete", "1", mixed[1]["Id"])])] == ["written"]


@pytest.mark.parametrize(
    ("patch", "id", "words"),
    [
        ({"LastName": "Berg"}, None, "the type says which"),
        ({"type": "Partner", "LastName": "Berg"}, None, "the type says which"),
        ({"type": "Contact"}, "lead", "converts leads itself"),
        ({"AccountId": "0015j0000000BaSAAU"}, "lead", "no field AccountId on Lead"),
    ],
)
def test_what_cannot_be_is_refused_by_name(patch: dict[str, Any], id: str | None, words: str) -> None:
    vendor = furnish(SalesforceVendor())
    lead = next(iter(vendor.records["Lead"]))["Id"] if id else None
    (receipt,) = connector(vendor).write("people", [Change("update" if lead else "create", "1", lead, patch)])
    assert receipt.outcome == "rejected"
    assert words in receipt.reason


def test_what_was_written_to_contacts_is_not_forgotten_when_leads_cannot_be_reached() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = connector(vendor)
    salesforce.provision()
    new = [create(1, type="Contact", LastName="Berg"), create(2, type="Lead", LastName="Ek", Company="Ek")]
    salesforce.describe("people")
    vendor.schedule = Schedule(only={len(vendor.log) + number: FAULTS["refused"] for number in range(1, 20)})
    made, failed = salesforce.write("people", new)
    assert (made.outcome, failed.outcome) == ("written", "rejected")
    assert failed.reason


def test_a_read_of_people_that_stopped_goes_on_where_it_was() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = connector(vendor)
    pages = everything(salesforce, "people")
    assert [len(page.records) for page in pages] == [6, 3]
    rest = everything(salesforce, "people", pages[0].cursor)
    assert [raw["type"] for page in rest for raw in page.records] == ["Lead"] * 3
    assert rest[-1].cursor == pages[-1].cursor
    with pytest.raises(CursorGoneError):
        everything(salesforce, "people", {"of": "Partner"})


def test_the_schema_of_people_says_who_has_what() -> None:
    fields = connector(SalesforceVendor()).describe("people").fields
    assert fields["type"].choices == (("Contact", "Contacts"), ("Lead", "Leads"))
    assert (fields["LastName"].required, fields["Company"].required, fields["City"].required) == (True, False, False)
    assert {"AccountId", "Company", "Street", "IsConverted"} < set(fields)
    assert not {"MailingStreet", "MailingCity"} & set(fields)
