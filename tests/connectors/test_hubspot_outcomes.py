"""What becomes of a record at HubSpot, as its connector tells it: merged, archived, restored, edited on both sides, erased."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import Hazards, HubSpotVendor

from aios_connect.connectors import Change, Receipt, Request

from .hubspot_office import connector, create, everything, update

NAMES = {
    "companies": "name",
    "contacts": "firstname",
    "deals": "dealname",
    "tickets": "subject",
    "notes": "hs_note_body",
    "tasks": "hs_task_subject",
    "calls": "hs_call_title",
    "meetings": "hs_meeting_title",
    "emails": "hs_email_subject",
}
every_object = pytest.mark.parametrize("object", NAMES)


class Account:
    """Records of one object, known to a reader who has read them once."""

    def __init__(self, object: str, count: int) -> None:
        self.object = object
        self.name = NAMES[object]
        self.vendor = HubSpotVendor(hazards=Hazards(lag=1.0))
        self.records = self.vendor.records[object]
        self.hubspot: HubSpot = connector(self.vendor)
        self.ids = [str(self.records.create({self.name: f"old {number}"}).id) for number in range(count)]
        self.wait()
        self.cursor = everything(self.hubspot, object)[-1].cursor
        self.wait()

    def wait(self) -> None:
        """Long enough for every index, and for the overlap of two reads."""
        self.vendor.clock.sleep(120)

    def told(self) -> tuple[dict[str, str | None], dict[str, str]]:
        """What the next read brings: names by id, and what went where."""
        self.wait()
        pages = everything(self.hubspot, self.object, self.cursor)
        self.cursor = pages[-1].cursor
        stones = {stone.id: stone.survivor or stone.reason for page in pages for stone in page.tombstones}
        return {raw["id"]: raw["properties"][self.name] for page in pages for raw in page.records}, stones

    def there(self) -> set[str]:
        """Every living id, by the listing and by asking for them; both must agree."""
        listed = {id for page in self.hubspot.scan(self.object) for id, _ in page.items}
        assert listed >= {raw["id"] for raw in self.hubspot.lookup(self.object, self.ids)}
        return listed

    def edit(self, id: str, value: str, *, expect: str) -> Receipt:
        """An edit on the other side, on its way to HubSpot."""
        return self.hubspot.write(self.object, [update(id, {self.name: value}, {self.name: expect})])[0]

    def delete(self, id: str, *, expect: str) -> Receipt:
        """A delete on the other side, on its way to HubSpot."""
        return self.hubspot.write(self.object, [Change("delete", f"d{id}", id, expect={"properties": {self.name: expect}})])[0]


def only(stones: dict[str, str], ids: Iterable[str]) -> dict[str, str]:
    return {id: stones[id] for id in ids if id in stones}


@every_object
def test_archived(object: str) -> None:
    account = Account(object, 2)
    gone, kept = account.ids
    account.records.archive(gone, by="a person")
    assert account.told() == ({}, {gone: "archived"})
    assert account.there() == {kept}


@every_object
def test_archived_and_restored_is_a_change_and_no_delete(object: str) -> None:
    account = Account(object, 2)
    back, kept = account.ids
    account.records.archive(back, by="a person")
    account.records.restore(back)
    assert account.told() == ({back: "old 0"}, {})
    account.records.archive(back, by="a person")
    assert account.told()[1] == {back: "archived"}
    account.records.restore(back)
    assert account.told() == ({back: "old 0"}, {})
    assert account.there() == {back, kept}
    assert account.edit(back, "new", expect="old 0").outcome == "written"


@pytest.mark.parametrize("object", ["companies", "contacts", "deals", "tickets"])
def test_merged_names_the_survivor_of_both_and_of_what_was_merged_before(object: str) -> None:
    account = Account(object, 4)
    one, two, three, kept = account.ids
    first = str(account.vendor.merged(object, int(one), int(two)).id)
    names, stones = account.told()
    assert (names, stones) == ({first: "old 0"}, {one: first, two: first})
    second = str(account.vendor.merged(object, int(first), int(three)).id)
    names, stones = account.told()
    assert names == {second: "old 0"}
    assert only(stones, (one, two, three, first)) == dict.fromkeys((one, two, three, first), second)
    assert account.there() == {second, kept}
    account.records.archive(second, by="a person")
    names, stones = account.told()
    assert (names, stones[second]) == ({}, "archived")
    assert account.there() == {kept}


@pytest.mark.parametrize("object", ["companies", "contacts", "deals", "tickets"])
def test_merged_there_while_edited_or_deleted_here(object: str) -> None:
    account = Account(object, 2)
    one, two = account.ids
    new = str(account.vendor.merged(object, int(one), int(two)).id)
    for id in (one, two):
        for receipt in (account.edit(id, "new", expect="old"), account.delete(id, expect="old")):
            assert (receipt.outcome, receipt.reason) == ("conflict", f"it was merged into {new}")
    assert [record.values[account.name] for record in account.records] == ["old 0"]


def test_the_address_of_a_contact_that_was_merged_away_leads_to_its_survivor_and_is_not_made_anew() -> None:
    account = Account("contacts", 0)
    account.hubspot.provision()
    kept, lost = (account.records.create({"email": f"{name}@example.org"}).id for name in ("kept", "lost"))
    new = account.vendor.merged("contacts", kept, lost)
    again = account.hubspot.write("contacts", [create(1, email="lost@example.org")])[0]
    assert (again.outcome, str(new.id) in again.reason) == ("rejected", True)
    assert [record.id for record in account.records] == [new.id]


@every_object
def test_deleted_there_while_edited_here(object: str) -> None:
    account = Account(object, 1)
    (id,) = account.ids
    account.records.archive(id, by="a person")
    receipt = account.edit(id, "new", expect="old 0")
    assert (receipt.outcome, receipt.reason) == ("conflict", "it is not there any more")
    assert account.delete(id, expect="old 0").outcome == "unchanged"
    assert account.records.restore(id).values[account.name] == "old 0"


@every_object
def test_edited_there_while_deleted_here(object: str) -> None:
    account = Account(object, 2)
    edited, untouched = account.ids
    account.records.change(edited, {account.name: "by hand"}, by="a person")
    receipt = account.delete(edited, expect="old 0")
    assert receipt.outcome == "conflict"
    assert receipt.current is not None
    assert receipt.current["properties"][account.name] == "by hand"
    assert account.delete(untouched, expect="old 1").outcome == "written"
    assert [record.values[account.name] for record in account.records] == ["by hand"]


@every_object
def test_edited_on_both_sides(object: str) -> None:
    account = Account(object, 1)
    (id,) = account.ids
    account.records.change(id, {account.name: "by hand"}, by="a person")
    receipt = account.edit(id, "new", expect="old 0")
    assert receipt.outcome == "conflict"
    assert receipt.current is not None
    assert receipt.current["properties"][account.name] == "by hand"
    assert account.told() == ({id: "by hand"}, {})
    assert account.edit(id, "new", expect="by hand").outcome == "written"


def test_erased_for_good_is_told_by_no_read_and_missing_in_the_listing() -> None:
    """Why a reconcile is needed besides: https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide"""
    account = Account("contacts", 2)
    erased, kept = account.ids
    came: list[Request] = []
    outbox = account.vendor.subscribe(lambda request: came.append(request) or 204)  # type: ignore[func-returns-value]
    account.hubspot.context.http.request("POST", "crm/v3/objects/contacts/gdpr-delete", json={"objectId": erased})
    assert account.told() == ({}, {})
    assert account.there() == {kept}
    assert account.edit(erased, "new", expect="old 0").outcome == "conflict"
    account.wait()
    outbox.deliver()
    assert {(hint.object, hint.id) for request in came for hint in account.hubspot.receive(request)} == {("contacts", erased)}
    with pytest.raises(KeyError):
        account.records.restore(erased)


def test_a_contact_archived_long_after_its_last_change_is_told_all_the_same() -> None:
    """``archivedAt`` of a contact was its last change: https://developers.hubspot.com/changelog/new-definition-for-archivedat"""
    account = Account("contacts", 1)
    (id,) = account.ids
    account.vendor.clock.sleep(86_400)
    account.told()
    account.records.archive(id, by="a person")
    since = account.vendor.clock.now().isoformat()
    listed = account.hubspot.context.http.request("GET", "crm/v3/objects/contacts", params={"archived": "true"}).json()["results"]
    assert all(item["archivedAt"] < since for item in listed), "who looks for what was archived since finds it: no hazard"
    assert account.told()[1] == {id: "archived"}
