"""Each hazard of the fake HubSpot harms a client that does what most do; our connector's own tests show that it comes to no harm."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from aios_connect_hubspot.sandbox import OBJECTS, Hazards, HubSpotVendor

from aios_connect.connectors import AmbiguousWriteError, ConflictError, Http, RateLimitedError
from aios_connect.sandbox import FAULTS, Schedule

from .hubspot_office import connector, create, everything

CONTACTS = "crm/v3/objects/contacts"


def naive(vendor: HubSpotVendor) -> Http:
    """The way to the account, without our connector and without a budget."""
    return connector(vendor, budgeted=False, attempts=1).context.http


def inputs(count: int) -> dict[str, Any]:
    return {"inputs": [{"properties": {"firstname": f"P{number}"}} for number in range(count)]}


def test_who_takes_results_in_the_order_asked_links_the_wrong_records() -> None:
    vendor = HubSpotVendor()
    results = naive(vendor).request("POST", f"{CONTACTS}/batch/create", json=inputs(50)).json()["results"]
    assert [one["properties"]["firstname"] for one in results] != [f"P{number}" for number in range(50)]
    plain = HubSpotVendor(hazards=Hazards.none())
    results = naive(plain).request("POST", f"{CONTACTS}/batch/create", json=inputs(50)).json()["results"]
    assert [one["properties"]["firstname"] for one in results] == [f"P{number}" for number in range(50)]


def test_who_sends_a_create_again_after_a_timeout_makes_it_twice() -> None:
    vendor = HubSpotVendor(schedule=Schedule(only={0: FAULTS["timeout_after"]}))
    with pytest.raises(AmbiguousWriteError):
        naive(vendor).request("POST", f"{CONTACTS}/batch/create", json=inputs(10))
    naive(vendor).request("POST", f"{CONTACTS}/batch/create", json=inputs(10))
    assert len(vendor.records["contacts"]) == 20


def test_who_gives_up_a_refused_batch_loses_all_that_was_good_in_it() -> None:
    vendor = HubSpotVendor()
    vendor.records["contacts"].create({"email": "taken@example.org"})
    given = inputs(99)
    given["inputs"].append({"properties": {"email": "TAKEN@example.org"}})
    with pytest.raises(ConflictError, match="Existing ID"):
        naive(vendor).request("POST", f"{CONTACTS}/batch/create", json=given)
    assert len(vendor.records["contacts"]) == 1
    connector(vendor).provision()
    keyed = [{"id": f"key {number}", "idProperty": "aios_key", **one} for number, one in enumerate(given["inputs"])]
    with pytest.raises(ConflictError, match="Existing ID"):
        naive(vendor).request("POST", f"{CONTACTS}/batch/upsert", json={"inputs": keyed})
    assert len(vendor.records["contacts"]) == 1
    new = naive(vendor).request("POST", f"{CONTACTS}/batch/upsert", json={"inputs": keyed[:99]}).json()["results"]
    assert [one["new"] for one in new] == [True] * 99
    assert len(vendor.records["contacts"]) == 100


def test_who_goes_on_strictly_behind_the_last_instant_misses_its_twin() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0, latency=0.0))
    first = vendor.records["contacts"].create({"firstname": "A"})
    filters = [{"propertyName": "lastmodifieddate", "operator": "GT", "value": "0"}]
    body: dict[str, Any] = {"filterGroups": [{"filters": filters}], "sorts": ["lastmodifieddate"], "limit": 100}
    seen = naive(vendor).request("POST", f"{CONTACTS}/search", json=body, safe=True).json()["results"]
    cursor = everything(connector(vendor), "contacts")[-1].cursor
    twin = vendor.records["contacts"].create({"firstname": "B"})
    assert twin.modified == first.modified
    vendor.clock.sleep(5)
    filters[0]["value"] = str(int(datetime.fromisoformat(seen[-1]["updatedAt"]).timestamp() * 1000))
    assert naive(vendor).request("POST", f"{CONTACTS}/search", json=body, safe=True).json()["total"] == 0
    ours = [raw["id"] for page in everything(connector(vendor), "contacts", cursor) for raw in page.records]
    assert str(twin.id) in ours


def test_who_never_looks_into_the_bin_keeps_what_is_gone() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    gone, kept = (vendor.records["contacts"].create({"firstname": name}) for name in "AB")
    vendor.records["contacts"].archive(gone.id, by="a person")
    vendor.clock.sleep(1)
    filters = [{"propertyName": "createdate", "operator": "GT", "value": "0"}]
    found = naive(vendor).request("POST", f"{CONTACTS}/search", json={"filterGroups": [{"filters": filters}]}, safe=True).json()
    assert [one["id"] for one in found["results"]] == [str(kept.id)]  # and not a word about the other one


def test_who_believes_the_answer_is_the_record_asked_for_has_two_after_a_merge() -> None:
    vendor = HubSpotVendor()
    one, two = (vendor.records["contacts"].create({"firstname": name}) for name in "AB")
    new = vendor.merged("contacts", one.id, two.id)
    ids = {naive(vendor).request("GET", f"{CONTACTS}/{old.id}").json()["id"] for old in (one, two)}
    assert ids == {str(new.id)}
    assert new.id not in (one.id, two.id)


def test_who_does_not_count_is_refused_within_the_second() -> None:
    vendor = HubSpotVendor(hazards=Hazards(latency=0.01))
    http = naive(vendor)
    with pytest.raises(RateLimitedError, match="secondly"):
        for _ in range(6):
            http.request("POST", f"{CONTACTS}/search", json={"limit": 1}, safe=True)


def test_the_same_seed_gives_the_same_day() -> None:
    def day(seed: int) -> list[Any]:
        vendor = HubSpotVendor(seed=seed)
        hubspot = connector(vendor)
        hubspot.provision()
        hubspot.write("contacts", [create(number, firstname=f"P{number}") for number in range(30)])
        vendor.clock.sleep(3)
        pages = everything(hubspot, "contacts", {"since": "2020-01-01T00:00:00Z"})
        return [[raw["id"] for raw in page.records] for page in pages] + [vendor.random.random()]

    assert day(1) == day(1)
    assert day(1) != day(2)


def test_every_hazard_names_its_evidence() -> None:
    assert Hazards.__doc__ is not None
    for name in Hazards.__dataclass_fields__:
        line = next(line for line in Hazards.__doc__.splitlines() if line.strip().startswith(f"{name}:"))
        assert any(mark in line for mark in ("http", "#", "(", "assumed"))
    assert set(HubSpotVendor().records) == set(OBJECTS)
