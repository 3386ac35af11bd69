"""Each hazard of the fake HubSpot harms a client that does what most do; our connector's own tests show that it comes to no harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx2
import pytest
from aios_connect_hubspot.sandbox import EVIDENCE, OBJECTS, TOKEN, Hazards, HubSpotVendor

from aios_connect.connectors import AmbiguousWriteError, ConflictError, Http, ProviderError, RateLimitedError
from aios_connect.sandbox import FAULTS, Call, Schedule, transport

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


def found(vendor: HubSpotVendor, after: int, operator: str = "GTE") -> list[str]:
    """Contacts whose last change a search says to lie behind an instant, in milliseconds."""
    filters = [{"propertyName": "lastmodifieddate", "operator": operator, "value": str(after)}]
    body = {"filterGroups": [{"filters": filters}], "limit": 100}
    return [one["id"] for one in naive(vendor).request("POST", f"{CONTACTS}/search", json=body, safe=True).json()["results"]]


def refused_before(vendor: HubSpotVendor, calls: int, path: str) -> bool:
    """One call after the other without counting, and one of them is refused."""
    http = naive(vendor)
    try:
        for _ in range(calls):
            if path == "search":
                http.request("POST", f"{CONTACTS}/search", json={"limit": 1}, safe=True)
            else:
                http.request("GET", path)
    except RateLimitedError:
        return True
    return False


def misses_what_was_just_made(vendor: HubSpotVendor) -> bool:
    made = vendor.records["contacts"].create({"firstname": "A"})
    return str(made.id) not in found(vendor, 0)


def misses_what_changed_while_it_read(vendor: HubSpotVendor) -> bool:
    """The watermark is the instant at which the read was over; what was changed while it ran lies before it."""
    record = vendor.records["contacts"].create({"firstname": "A"})

    def edit(call: Call) -> None:
        vendor.records["contacts"].change(record.id, {"firstname": "B"}, by="a person")

    vendor.after = edit
    naive(vendor).request("GET", CONTACTS)
    vendor.after = lambda call: None
    naive(vendor).request("GET", CONTACTS, params={"archived": "true"})
    over = int(vendor.clock.now().timestamp() * 1000)
    return str(record.id) not in found(vendor, over)


def is_refused_in_ten_seconds(vendor: HubSpotVendor) -> bool:
    return refused_before(vendor, 30, CONTACTS)


def is_refused_in_a_second(vendor: HubSpotVendor) -> bool:
    return refused_before(vendor, 30, "search")


def is_refused_within_the_day(vendor: HubSpotVendor) -> bool:
    return refused_before(vendor, 30, CONTACTS)


def takes_one_for_another(vendor: HubSpotVendor) -> bool:
    results = naive(vendor).request("POST", f"{CONTACTS}/batch/create", json=inputs(50)).json()["results"]
    return [one["properties"]["firstname"] for one in results] != [f"P{number}" for number in range(50)]


def misses_what_was_archived(vendor: HubSpotVendor) -> bool:
    record = vendor.records["contacts"].create({"firstname": "A"})
    vendor.clock.sleep(3600)
    watermark = vendor.clock.now().isoformat()
    vendor.clock.sleep(60)
    vendor.records["contacts"].archive(record.id, by="a person")
    bin = naive(vendor).request("GET", CONTACTS, params={"archived": "true"}).json()["results"]
    return [one["id"] for one in bin if one["archivedAt"] >= watermark] != [str(record.id)]


def counts_one_twice(vendor: HubSpotVendor) -> bool:
    vendor.records["contacts"].archive(vendor.records["contacts"].create({"firstname": "A"}).id, by="a person")
    return len(naive(vendor).request("GET", CONTACTS, params={"archived": "true"}).json()["results"]) != 1


def breaks_on_what_is_not_there(vendor: HubSpotVendor) -> bool:
    answer = vendor.exchange("GET", f"/{CONTACTS}/1", {"authorization": f"Bearer {TOKEN}"}, b"")
    try:
        return "category" not in json.loads(answer.body)
    except ValueError:
        return True


VICTIMS: dict[str, tuple[Callable[[HubSpotVendor], bool], Any]] = {
    "lag": (misses_what_was_just_made, 3.0),
    "latency": (misses_what_changed_while_it_read, 0.1),
    "burst": (is_refused_in_ten_seconds, 20),
    "searches": (is_refused_in_a_second, 5),
    "daily": (is_refused_within_the_day, 20),
    "shuffled": (takes_one_for_another, True),
    "stale_archived_at": (misses_what_was_archived, True),
    "twice_in_bin": (counts_one_twice, True),
    "html_404": (breaks_on_what_is_not_there, True),
}
"""Hazard -> a client that does what most do and whom it harms, and how hard it has to be."""


@pytest.mark.parametrize("hazard", VICTIMS)
def test_a_hazard_alone_harms_a_client_and_without_it_nothing_does(hazard: str) -> None:
    harmed, hard = VICTIMS[hazard]
    assert harmed(HubSpotVendor(hazards=replace(Hazards.none(), **{hazard: hard})))
    assert not harmed(HubSpotVendor(hazards=Hazards.none()))
    assert getattr(Hazards(), hazard), "it is on unless it is turned off"


def careless_list(vendor: HubSpotVendor) -> list[str]:
    """What many readers do: every answer is a page, what has no records is the end, and so is what breaks."""
    ids: list[str] = []
    params = {"limit": "100"}
    with httpx2.Client(transport=transport(vendor), base_url="https://api.hubapi.com") as client:
        for _ in range(20):
            try:
                body = client.get(f"/{CONTACTS}", params=params, headers={"authorization": f"Bearer {TOKEN}"}).json()
            except (httpx2.HTTPError, ValueError):
                break
            page = body.get("results") or []
            ids += [one["id"] for one in page]
            if not page or "paging" not in body:
                break
            params["after"] = body["paging"]["next"]["after"]
    return ids


def careless_create(vendor: HubSpotVendor, count: int) -> None:
    """What many writers do: what breaks is sent again, what is refused is left, everything else is done."""
    body = {"inputs": [{"properties": {"firstname": f"P{number}"}, "objectWriteTraceId": str(number)} for number in range(count)]}
    with httpx2.Client(transport=transport(vendor), base_url="https://api.hubapi.com") as client:
        for _ in range(3):
            try:
                answer = client.post(f"/{CONTACTS}/batch/create", json=body, headers={"authorization": f"Bearer {TOKEN}"})
                if answer.status_code < 500 and answer.json() is not None:
                    return
            except (httpx2.HTTPError, ValueError):
                continue


READING = sorted(FAULTS.keys() - {"half_done", "all_or_nothing", "cursor_gone"})
DOUBLING = ["bad_gateway", "cut_off", "reset_after", "timeout_after"]
LOSING = ["all_or_nothing", "error_in_200", "expired", "half_done", "too_many", "too_many_until"]


@pytest.mark.parametrize("fault", READING)
def test_a_fault_loses_or_doubles_records_for_a_careless_reader_and_none_for_ours(fault: str) -> None:
    def account() -> tuple[HubSpotVendor, list[str]]:
        vendor = HubSpotVendor(hazards=Hazards.none())
        return vendor, [str(vendor.records["contacts"].create({"firstname": "A"}).id) for _ in range(350)]

    vendor, made = account()
    assert careless_list(vendor) == made
    vendor, made = account()
    vendor.schedule = Schedule(only={1: FAULTS[fault]})
    assert careless_list(vendor) != made, "the fault did no harm: it is not real"
    for index in range(6):
        vendor, made = account()
        vendor.schedule = Schedule(only={index: FAULTS[fault]})
        try:
            read = [raw["id"] for page in everything(connector(vendor), "contacts") for raw in page.records]
        except ProviderError:
            continue  # it is said
        assert read == made


@pytest.mark.parametrize("fault", sorted({*DOUBLING, *LOSING}))
def test_a_fault_loses_or_doubles_records_for_a_careless_writer_and_none_for_ours(fault: str) -> None:
    vendor = HubSpotVendor(hazards=Hazards.none())
    careless_create(vendor, 20)
    assert len(vendor.records["contacts"]) == 20
    vendor = HubSpotVendor(hazards=Hazards.none(), schedule=Schedule(only={0: FAULTS[fault]}))
    careless_create(vendor, 20)
    assert len(vendor.records["contacts"]) == 40 if fault in DOUBLING else len(vendor.records["contacts"]) < 20
    vendor = HubSpotVendor(hazards=Hazards.none())
    hubspot = connector(vendor)
    hubspot.provision()
    vendor.schedule = Schedule(only={len(vendor.log): FAULTS[fault]})
    changes = [create(number, firstname=f"P{number}") for number in range(20)]
    try:
        told = [receipt.id for receipt in hubspot.write("contacts", changes) if receipt.outcome == "written"]
    except ProviderError:
        told = []  # nothing was written, and it is said
    assert sorted(map(str, told)) == [str(record.id) for record in vendor.records["contacts"]]


def test_every_fault_has_its_victim() -> None:
    """Cursors of HubSpot do not expire; the plain server of the random days has some that do."""
    assert {*READING, *DOUBLING, *LOSING, "cursor_gone"} == set(FAULTS)


def test_every_hazard_has_its_victim_and_names_its_evidence() -> None:
    assert set(VICTIMS) == set(Hazards.__dataclass_fields__)
    assert Hazards.__doc__ is not None
    for name in Hazards.__dataclass_fields__:
        line = next(line for line in Hazards.__doc__.splitlines() if line.strip().startswith(f"{name}:"))
        assert any(mark in line for mark in ("http", "#", "(", "assumed"))
    assert set(HubSpotVendor().records) == set(OBJECTS)


def test_every_behaviour_of_the_fake_names_how_it_is_known() -> None:
    addresses = {name for _, _, name in HubSpotVendor._routes}
    assert addresses <= EVIDENCE.keys()
    for behaviour, evidence in EVIDENCE.items():
        assert evidence.startswith("assumed") or "http" in evidence or "#" in evidence, behaviour
