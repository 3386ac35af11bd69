"""Reading HubSpot: nothing is lost to any of its hazards, and a naive reader shows that they are real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from aios_connect_hubspot.sandbox import Hazards, HubSpotVendor, furnish

from aios_connect.connectors import CursorGoneError, Http, RateLimitedError, TruncatedError, UnavailableError
from aios_connect.sandbox import FAULTS, Call, Schedule, SimClock, transport

from .hubspot_office import calls, connector, everything


def people(vendor: HubSpotVendor, count: int) -> list[str]:
    """Make contacts; ids."""
    make = vendor.records["contacts"].create
    return [str(make({"firstname": f"P{number}", "email": f"p{number}@example.org"}).id) for number in range(count)]


def ids(pages: Any) -> list[str]:
    return [raw["id"] for page in pages for raw in page.records]


def versions(pages: Any) -> dict[str, str | None]:
    """The first name of each record as it was read last."""
    return {raw["id"]: raw["properties"]["firstname"] for page in pages for raw in page.records}


def test_the_whole_company_is_read_with_what_it_points_at() -> None:
    vendor = furnish(HubSpotVendor())
    hubspot = connector(vendor)
    read = {object: everything(hubspot, object) for object in ("companies", "contacts", "deals", "tickets", "owners")}
    counts = {object: len(ids(pages)) for object, pages in read.items()}
    assert counts == {"companies": 8, "contacts": 13, "deals": 8, "tickets": 3, "owners": 3}
    deal = next(raw for page in read["deals"] for raw in page.records if raw["properties"]["dealname"] == "Clean-room contract")
    company = next(raw for page in read["companies"] for raw in page.records if raw["id"] == deal["associations"]["company"])
    person = next(raw for page in read["contacts"] for raw in page.records if raw["id"] == deal["associations"]["contact"])
    assert (company["properties"]["name"], person["properties"]["firstname"]) == ("Northgate Robotics", "Wen")
    assert [stone.id for page in read["owners"] for stone in page.tombstones] == ["504"]


def test_a_list_and_a_search_bring_the_same_record() -> None:
    vendor = furnish(HubSpotVendor())
    hubspot = connector(vendor)
    for object in ("contacts", "deals", "companies", "tickets"):
        listed = {raw["id"]: raw for page in everything(hubspot, object) for raw in page.records}
        found = {
            raw["id"]: raw for page in everything(hubspot, object, {"since": "2020-01-01T00:00:00Z"}) for raw in page.records
        }
        looked = {raw["id"]: raw for raw in hubspot.lookup(object, list(listed))}
        assert listed == found == looked
        assert listed


def test_several_associations_without_a_primary_one_do_not_say_which_is_meant() -> None:
    vendor = furnish(HubSpotVendor())
    (deal, *_), (one, other, *_) = list(vendor.records["deals"]), list(vendor.records["contacts"])
    vendor.associations.add("deals", deal.id, "contacts", one.id)
    hubspot = connector(vendor)
    raw = hubspot.lookup("deals", [str(deal.id)])[0]
    assert raw["associations"]["contacts"] == [str(one.id), str(other.id)]
    assert "contact" not in raw["associations"]
    vendor.associations.add("contacts", one.id, "companies", list(vendor.records["companies"])[5].id)
    raw = hubspot.lookup("contacts", [str(one.id)])[0]
    assert len(raw["associations"]["companies"]) == 2
    assert raw["associations"]["company"] == str(next(iter(vendor.records["companies"])).id)  # the primary one


def test_associations_that_cannot_be_read_stop_the_read_instead_of_vanishing() -> None:
    """NangoHQ's HubSpot template turns a 429 on associations into "no companies"."""
    vendor = furnish(HubSpotVendor())
    hubspot = connector(vendor)

    vendor.schedule = Schedule(only=dict.fromkeys(range(2, 20), FAULTS["error_in_200"]))  # from the associations on
    with pytest.raises(UnavailableError, match="hubspot answered with an error"):
        everything(hubspot, "contacts", {"since": "2020-01-01T00:00:00Z"})


def test_what_changed_in_the_lag_of_the_index_comes_with_the_next_read() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=4.0))
    made = people(vendor, 300)
    hubspot = connector(vendor)
    cursor = everything(hubspot, "contacts")[-1].cursor
    names = dict.fromkeys(made, "")
    seen: dict[str, str | None] = {}
    naive = NaiveSearch(vendor)
    for round in range(5):
        for number, id in enumerate(made[round::3]):
            names[id] = f"edit {round}.{number}"
            vendor.records["contacts"].change(id, {"firstname": names[id]}, by="a person")
            vendor.clock.sleep(0.03)
        pages = everything(hubspot, "contacts", cursor)
        seen |= versions(pages)
        cursor = pages[-1].cursor
        naive.poll()
    vendor.clock.sleep(40)
    seen |= versions(everything(hubspot, "contacts", cursor))
    naive.poll()
    edited = {id: name for id, name in names.items() if name}
    assert {id: seen[id] for id in edited} == edited
    assert any(naive.seen.get(id) != name for id, name in edited.items()), "the lag did no harm: the hazard is not real"


def test_ten_thousand_and_one_equal_instants_are_all_read() -> None:
    """airbytehq/airbyte#43317: a batch at the end of a month gives more than 10,000 contacts one instant."""
    clock = SimClock()
    vendor = HubSpotVendor(clock, hazards=Hazards(lag=0.0, burst=10**6))
    cursor = {"since": "2026-01-05T08:00:00Z"}
    made = people(vendor, 10_001)
    assert len({record.modified for record in vendor.records["contacts"]}) == 1
    clock.sleep(5)
    start = len(vendor.log)
    assert ids(everything(connector(vendor), "contacts", cursor)) == made
    searches = [call for call in calls(vendor, start) if call.endswith("/search")]
    assert len(searches) == 51  # 10,001 / 200
    naive = NaiveSearch(vendor)
    naive.poll()
    assert len(naive.seen) == 10_000, "a reader that pages by offset sees the last one: the window is not real"


def test_records_that_move_while_one_pages_are_neither_lost_nor_left_for_good() -> None:
    vendor, made, names = account_where_somebody_edits_during_searches()
    hubspot = connector(vendor)
    pages = everything(hubspot, "contacts", {"since": "2026-01-05T08:00:00Z"})
    vendor.after = lambda call: None
    seen = versions(pages) | versions(everything(hubspot, "contacts", pages[-1].cursor))
    assert (set(seen), seen) == (set(made), names)

    vendor, made, _ = account_where_somebody_edits_during_searches()
    naive = NaiveSearch(vendor)
    naive.poll()
    assert set(naive.seen) < set(made), "offsets over a moving order lost nothing: the hazard is not real"


def account_where_somebody_edits_during_searches() -> tuple[HubSpotVendor, list[str], dict[str, str]]:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    made = people(vendor, 1200)
    for id in made:
        vendor.clock.sleep(0.002)
        vendor.records["contacts"].change(id, {"firstname": "old"}, by="a person")
    vendor.clock.sleep(1)
    names, rounds = dict.fromkeys(made, "old"), count()

    def edit(call: Call) -> None:
        if call.path.endswith("/search"):
            round = next(rounds)
            for id in made[round::37]:
                names[id] = f"new {round}"
                vendor.records["contacts"].change(id, {"firstname": names[id]}, by="a person")

    vendor.after = edit
    return vendor, made, names


def test_a_read_that_was_killed_goes_on_with_at_most_one_page_read_again() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    made = people(vendor, 530)
    whole = len(everything(connector(vendor), "contacts"))
    for killed_after in range(whole):
        got: list[str] = []
        cursor: Any = None
        for number, page in enumerate(connector(vendor).read("contacts")):
            if number == killed_after:
                break
            got += ids([page])
            cursor = page.cursor
        rest = everything(connector(vendor), "contacts", cursor)
        assert got + ids(rest) == made
        assert rest[-1].cursor.keys() == {"since"}


def test_a_search_that_was_killed_goes_on_where_it_was() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    made = people(vendor, 2300)
    vendor.clock.sleep(1)
    first, *_ = connector(vendor).read("contacts", {"since": "2026-01-05T08:00:00Z"})
    assert len(first.records) == 1000
    rest = everything(connector(vendor), "contacts", first.cursor)
    assert ids([first, *rest]) == made


def test_the_bin_and_merges_are_tombstones_with_the_survivor() -> None:
    vendor = HubSpotVendor()
    hubspot = connector(vendor)
    one, two, three, four, five = people(vendor, 5)
    vendor.clock.sleep(120)
    cursor = everything(hubspot, "contacts")[-1].cursor
    records = vendor.records["contacts"]
    vendor.clock.sleep(120)
    records.archive(one, by="a person")
    new = vendor.merged("contacts", int(two), int(three))
    records.archive(four, by="a person")
    records.restore(four)
    vendor.clock.sleep(120)
    pages = everything(hubspot, "contacts", cursor)
    gone = {(stone.id, stone.reason, stone.survivor) for page in pages for stone in page.tombstones}
    assert gone == {(one, "archived", None), (two, "merged", str(new.id)), (three, "merged", str(new.id))}
    assert set(ids(pages)) == {str(new.id), four}
    assert [stone.at for page in pages for stone in page.tombstones if stone.id == one] == [None]  # of contacts it is not known
    assert hubspot.lookup("contacts", [one, two, five])[0]["id"] == five
    assert len(hubspot.lookup("contacts", [one, two, five])) == 1
    vendor.clock.sleep(3600)
    later = everything(hubspot, "contacts", pages[-1].cursor)
    assert ids(later) == []
    assert {stone.id for page in later for stone in page.tombstones} == {one}


def test_where_the_bin_is_dated_what_lies_there_is_told_once() -> None:
    vendor = HubSpotVendor()
    hubspot, records = connector(vendor), vendor.records["companies"]
    old, new = (records.create({"name": name}).id for name in "AB")
    records.archive(old, by="a person")
    vendor.clock.sleep(120)
    first = everything(hubspot, "companies")
    vendor.clock.sleep(3600)
    records.archive(new, by="a person")
    vendor.clock.sleep(3600)
    second = everything(hubspot, "companies", first[-1].cursor)
    assert [stone.id for page in second for stone in page.tombstones] == [str(new)]
    third = everything(hubspot, "companies", second[-1].cursor)
    assert [stone.id for page in third for stone in page.tombstones] == []
    told = [stone.at for page in (*first, *second) for stone in page.tombstones]
    assert told == [record.archived for record in records.page(0, 10, archived=True)[0]]


def test_a_record_restored_while_the_bin_is_read_is_not_called_gone() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    back, gone = people(vendor, 2)
    for id in (back, gone):
        vendor.records["contacts"].archive(id, by="a person")

    def restore(call: Call) -> None:
        if call.query.get("archived") == "true":
            vendor.records["contacts"].restore(back)

    vendor.after = restore
    stones = [stone.id for page in everything(connector(vendor), "contacts") for stone in page.tombstones]
    assert stones == [gone]


def test_a_full_read_tells_of_the_bin_and_of_old_merges_too() -> None:
    vendor = HubSpotVendor()
    one, two, three = people(vendor, 3)
    vendor.records["contacts"].archive(one, by="a person")
    new = vendor.merged("contacts", int(two), int(three))
    other = vendor.records["contacts"].create({"email": "z@example.org"})
    again = vendor.merged("contacts", new.id, other.id)
    gone = {stone.id: stone.survivor for page in everything(connector(vendor), "contacts") for stone in page.tombstones}
    assert gone[one] is None
    assert {gone[two], gone[three], gone[str(new.id)]} == {str(again.id)}


@pytest.mark.parametrize("fault", ["same_cursor", "web_page", "cut_off", "error_in_200", "empty_page", "too_many", "unavailable"])
def test_no_fault_ends_a_list_as_if_it_were_whole(fault: str) -> None:
    for index in range(1, 7):
        vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
        made = people(vendor, 350)
        vendor.schedule = Schedule(only={index: FAULTS[fault]})
        try:
            read = ids(everything(connector(vendor), "contacts"))
        except TruncatedError:
            assert fault in ("same_cursor", "cut_off")
            continue
        assert read == made


class Bent:
    """A transport that changes the JSON of some answers."""

    def __init__(self, vendor: HubSpotVendor, bend: Callable[[str, dict[str, Any]], Any]) -> None:
        import httpx2

        straight = transport(vendor)

        def answer(request: httpx2.Request) -> httpx2.Response:
            response = straight.handle_request(request)
            body = bend(request.url.path, response.json())
            return httpx2.Response(response.status_code, headers={"date": response.headers["date"]}, json=body)

        self.transport = httpx2.MockTransport(answer)


@pytest.mark.parametrize(
    ("since", "bend"),
    [
        (None, lambda body: {**body, "paging": None}),
        (None, lambda body: {**body, "paging": {}}),
        (None, lambda body: {**body, "results": None}),
        (None, lambda body: {"status": "success"}),
        ({"since": "2020-01-01T00:00:00Z"}, lambda body: {name: value for name, value in body.items() if name != "paging"}),
        ({"since": "2020-01-01T00:00:00Z"}, lambda body: {**body, "results": []}),
        ({"since": "2020-01-01T00:00:00Z"}, lambda body: {**body, "results": body["results"][::-1]}),
    ],
)
def test_only_the_positive_end_marker_ends_a_read(since: Any, bend: Callable[[dict[str, Any]], Any]) -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    people(vendor, 450)
    vendor.clock.sleep(1)
    bent = Bent(vendor, lambda path, body: bend(body) if path.endswith(("/contacts", "/search")) and "objects" in path else body)
    with pytest.raises(TruncatedError):
        everything(connector(vendor, through=bent.transport), "contacts", since)


def test_a_foreign_cursor_is_gone() -> None:
    with pytest.raises(CursorGoneError):
        everything(connector(HubSpotVendor()), "contacts", {"page": 3})


def test_custom_properties_are_read_without_being_named() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    hubspot = connector(vendor)
    wire = hubspot._wire
    body = {"name": "budget_code", "label": "Budget", "groupName": "contactinformation", "type": "string", "fieldType": "text"}
    wire.post(wire.address("properties", "contacts"), "contacts", body)
    vendor.records["contacts"].create({"email": "a@example.org", "budget_code": "30001"})
    assert everything(hubspot, "contacts")[0].records[0]["properties"]["budget_code"] == "30001"
    field = hubspot.describe("contacts").fields["properties.budget_code"]
    assert (field.type, field.custom, field.writable) == ("text", True, True)


def test_more_properties_than_fit_into_an_address_are_asked_for_in_a_body() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    hubspot = connector(vendor)
    known = vendor.properties["contacts"]
    for number in range(400):
        name = f"a_property_with_quite_a_long_name_{number:04d}"
        known[name] = {**known["city"], "name": name, "hubspotDefined": False}
    made = people(vendor, 150)
    vendor.records["contacts"].change(made[3], {"a_property_with_quite_a_long_name_0399": "here"})
    pages = everything(hubspot, "contacts")
    assert ids(pages) == made
    assert pages[0].records[3]["properties"]["a_property_with_quite_a_long_name_0399"] == "here"
    assert max(len(entry.call.query.get("properties", "")) for entry in vendor.log) < 15_000


@pytest.mark.parametrize("api", ["v3", "2026-03"])
def test_the_dated_api_is_one_setting_away(api: str) -> None:
    vendor = furnish(HubSpotVendor())
    paths: list[str] = []

    def note(path: str, body: dict[str, Any]) -> Any:
        paths.append(path)
        return body

    hubspot = connector(vendor, through=Bent(vendor, note).transport, api=api)
    hubspot.describe("deals")
    assert len(ids(everything(hubspot, "deals"))) == 8
    assert len(ids(everything(hubspot, "deals", {"since": "2020-01-01T00:00:00Z"}))) == 8
    everything(hubspot, "owners")
    marks = {"v3": ("/v3/", "/v4/"), "2026-03": ("/2026-03",)}[api]
    assert all(any(mark in path for mark in marks) for path in paths)


def test_half_characters_from_hubspot_are_replaced_and_the_page_is_delivered() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    people(vendor, 2)
    import httpx2

    straight = transport(vendor)

    def answer(request: httpx2.Request) -> httpx2.Response:
        response = straight.handle_request(request)
        content = response.read().replace(b'"P1"', b'"P\\ud83d1"')
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=content)

    hubspot = connector(vendor, through=httpx2.MockTransport(answer))
    read = everything(hubspot, "contacts")[0].records
    assert [raw["properties"]["firstname"] for raw in read] == ["P0", "P\ufffd1"]


def test_a_hundred_thousand_contacts_cost_what_the_formula_says() -> None:
    """One call for the properties, one for each hundred, one for the bin: measured on 5,000, for 100,000 it is 1,002."""
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    people(vendor, 5000)
    assert len(ids(everything(connector(vendor), "contacts"))) == 5000
    assert len(vendor.log) == 5000 / 100 + 2
    assert 100_000 / 100 + 2 <= 1052


def test_a_changed_set_costs_one_search_for_each_two_hundred_and_one_call_of_associations_for_each_thousand() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0))
    people(vendor, 4000)
    vendor.clock.sleep(1)
    everything(connector(vendor), "contacts", {"since": "2020-01-01T00:00:00Z"})
    assert len(vendor.log) <= (4000 / 200 + 4000 / 1000) * 1.05 + 2
    assert vendor.refused == 0


@pytest.mark.bench
def test_a_hundred_thousand_contacts_are_read_within_the_bar() -> None:
    vendor = HubSpotVendor()
    made = people(vendor, 100_000)
    vendor.clock.sleep(60)
    hubspot = connector(vendor)
    assert ids(everything(hubspot, "contacts")) == made
    listed = len(vendor.log)
    assert listed <= 1052
    assert ids(everything(hubspot, "contacts", {"since": "2020-01-01T00:00:00Z"})) == made
    assert len(vendor.log) - listed <= (100_000 / 200 + 100_000 / 1000) * 1.05 + 2
    assert vendor.refused == 0


class NaiveSearch:
    """What most readers do: page by offset in the order of the last change, and go on strictly behind the largest one seen."""

    def __init__(self, vendor: HubSpotVendor) -> None:
        hubspot = connector(vendor)
        self._http: Http = hubspot.context.http
        self._mark = 0
        self.seen: dict[str, str | None] = {}

    def poll(self) -> None:
        after, newest = 0, self._mark
        while True:
            filters = [{"propertyName": "lastmodifieddate", "operator": "GT", "value": str(self._mark)}]
            body = {
                "filterGroups": [{"filters": filters}],
                "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
                "properties": ["firstname"],
                "limit": 200,
                "after": str(after),
            }
            answer = self._http.request("POST", "crm/v3/objects/contacts/search", json=body, safe=True, scope="search").json()
            for raw in answer["results"]:
                self.seen[raw["id"]] = raw["properties"]["firstname"]
                newest = max(newest, _ms(raw))
            after += 200
            if "paging" not in answer or after >= 10_000:
                self._mark = newest
                return


def _ms(raw: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(raw["updatedAt"]).timestamp() * 1000)


def test_an_account_that_allows_less_is_not_asked_for_more() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0, burst=100, latency=0.01))
    people(vendor, 15_000)
    start = vendor.clock.now()
    everything(connector(vendor), "contacts")
    assert vendor.refused == 0
    took = (vendor.clock.now() - start).total_seconds()
    assert len(vendor.log) / took > 0.8 * 100 / 10  # and nearly all that it allows is used


def test_a_search_within_a_second_waits_for_its_turn() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0, latency=0.01))
    people(vendor, 4000)
    vendor.clock.sleep(1)
    everything(connector(vendor), "contacts", {"since": "2020-01-01T00:00:00Z"})
    assert vendor.refused == 0


def test_a_connector_without_a_budget_is_told_to_wait_and_loses_nothing() -> None:
    vendor = HubSpotVendor(hazards=Hazards(lag=0.0, latency=0.01))
    made = people(vendor, 3000)
    vendor.clock.sleep(1)
    hubspot = connector(vendor, budgeted=False)
    assert ids(everything(hubspot, "contacts", {"since": "2020-01-01T00:00:00Z"})) == made
    assert vendor.refused > 0


def test_the_daily_limit_is_said_and_not_sat_through() -> None:
    for budgeted, message in ((True, "used up"), (False, "daily limit")):
        vendor = HubSpotVendor(hazards=Hazards(daily=3))
        people(vendor, 900)
        with pytest.raises(RateLimitedError, match=message) as caught:
            everything(connector(vendor, budgeted=budgeted), "contacts")
        assert (caught.value.retry_after or 0) >= 600
        assert vendor.refused == (0 if budgeted else 1)
