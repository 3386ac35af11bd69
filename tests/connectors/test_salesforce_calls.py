"""As few calls as Salesforce allows, counted by the fake: a call with five requests in it is one, each look at a job is one."""

from __future__ import annotations

from math import ceil

import pytest
from aios_connect_salesforce.sandbox import Hazards, SalesforceVendor

from aios_connect.connectors import Change

from .salesforce_office import connector, create, everything, update

MANY = pytest.mark.parametrize("many", [1_000, pytest.param(100_000, marks=pytest.mark.bench)])


SMALL = frozenset({"Id", "FirstName", "LastName", "Name", "Title", "IsDeleted", "MasterRecordId", "SystemModstamp"})


def least(calls: float) -> float:
    return calls * 1.05 + 2


@MANY
def test_every_operation_takes_as_few_calls_as_salesforce_allows(many: int) -> None:
    """An update and a delete are one question and one write: collections know no condition. Records are small, as calls do not
    depend on what is in them."""
    vendor = SalesforceVendor(hazards=Hazards(latency=0.0, locks=0, daily=10**9))
    fields = vendor.tables["Contact"].fields
    for name in set(fields) - SMALL:
        del fields[name]
    salesforce = connector(vendor, budgeted=False)
    salesforce.provision()
    salesforce.describe("Contact")
    spec = salesforce.spec.objects["Contact"]
    told: dict[str, int] = {}

    def count(name: str, calls: float, start: int) -> None:
        told[name] = len(vendor.log) - start
        assert told[name] <= least(calls), name

    def written(changes: list[Change]) -> list[str]:
        size = spec.batch_size
        receipts = [one for at in range(0, many, size) for one in salesforce.write("Contact", changes[at : at + size])]
        assert {receipt.outcome for receipt in receipts} == {"written"}
        return [str(receipt.id) for receipt in receipts]

    start = len(vendor.log)
    ids = written([create(number, LastName=f"L{number}") for number in range(many)])
    count("create", ceil(many / 1_000), start)
    vendor.clock.sleep(3_600)

    start = len(vendor.log)
    pages = everything(salesforce, "Contact")
    raws = [raw for page in pages for raw in page.records]
    assert {raw["Id"] for raw in raws} == set(ids)
    assert len(raws) == many
    count("first read", 3 + 5 + ceil(many / 10_000) if many > 30_000 else ceil(many / 2_000), start)

    start = len(vendor.log)
    keys = [str(raw["aios_key__c"]) for raw in raws]
    size = spec.batch_size
    assert sum(len(salesforce.find("Contact", keys[at : at + size])) for at in range(0, many, size)) == many
    count("find by key", ceil(many / size), start)

    start = len(vendor.log)
    size = spec.lookup_size
    assert sum(len(salesforce.lookup("Contact", ids[at : at + size])) for at in range(0, many, size)) == many
    count("look up", ceil(many / 2_000), start)

    start = len(vendor.log)
    assert sum(len(page.items) for page in salesforce.scan("Contact")) == many
    count("list", ceil(many / 2_000), start)

    start = len(vendor.log)
    written([update(raw, Title="Owner") for raw in raws])
    count("update", 2 * ceil(many / 1_000), start)
    vendor.clock.sleep(3_600)

    start = len(vendor.log)
    assert sum(len(page.records) for page in everything(salesforce, "Contact", pages[-1].cursor)) == many
    count("read changes", ceil(many / 2_000), start)

    start = len(vendor.log)
    written([Change("delete", f"d{id}", id) for id in ids])
    count("delete", 2 * ceil(many / 1_000), start)
    assert len(vendor.records["Contact"]) == 0
    print(f"{many}: {told}")


def test_what_did_not_change_costs_two_calls() -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    vendor.people_make("Contact", {"LastName": "Zhao"})
    vendor.clock.sleep(3_600)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    vendor.clock.sleep(3_600)
    start = len(vendor.log)
    everything(salesforce, "Contact", cursor)
    assert len(vendor.log) - start == 2
