"""Writing to HubSpot: nothing twice, nothing over a change by somebody else, nothing dragged down by its neighbours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import REFRESH, TOKEN, Hazards, HubSpotVendor, furnish

from aios_connect.connectors import AuthError, Change, ConfigError, Credentials, ProviderError, RejectedError
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.connectors.http import Http
from aios_connect.connectors.oauth import token_http
from aios_connect.sandbox import FAULTS, Schedule, Tokens, transport

from .hubspot_office import calls, connector, create, update


def ready(hazards: Hazards | None = None) -> tuple[HubSpotVendor, HubSpot]:
    """An account with our key property, and a connector to it."""
    vendor = HubSpotVendor(hazards=hazards or Hazards())
    hubspot = connector(vendor)
    hubspot.provision()
    return vendor, hubspot


def outcomes(receipts: list[Any]) -> list[str]:
    return [receipt.outcome for receipt in receipts]


def held(vendor: HubSpotVendor, object: str = "contacts") -> list[dict[str, str]]:
    return [record.values for record in vendor.records[object]]


def test_our_key_is_made_once_and_with_unique_values() -> None:
    vendor = HubSpotVendor()
    hubspot = connector(vendor)
    assert len(hubspot.provision()) == 4
    assert hubspot.provision() == []
    assert vendor.properties["deals"]["aios_key"]["hasUniqueValue"] is True
    vendor.properties["deals"]["aios_key"]["hasUniqueValue"] = False
    with pytest.raises(ConfigError, match="may come twice"):
        hubspot.provision()


def test_creates_before_the_key_is_made_say_how_to_make_it() -> None:
    vendor = HubSpotVendor()
    with pytest.raises(ConfigError, match="no property aios_key") as caught:
        connector(vendor).write("contacts", [create(1, firstname="A"), create(2, firstname="B")])
    assert caught.value.hint == "aios connect crm"
    assert held(vendor) == []


def test_a_batch_of_creates_is_one_call_and_comes_back_in_order() -> None:
    vendor, hubspot = ready()
    start = len(vendor.log)
    receipts = hubspot.write("contacts", [create(number, firstname=f"P{number}") for number in range(100)])
    assert outcomes(receipts) == ["written"] * 100
    assert calls(vendor, start) == ["POST /crm/v3/objects/contacts/batch/create"]
    named = [vendor.records["contacts"].get(receipt.id or "") for receipt in receipts]
    assert [record and record.values["firstname"] for record in named] == [f"P{number}" for number in range(100)]


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "cut_off", "bad_gateway", "timeout_before", "reset_before"])
def test_a_create_whose_answer_is_lost_is_found_by_its_key_and_never_made_twice(fault: str) -> None:
    vendor, hubspot = ready()
    changes = [create(number, firstname=f"P{number}") for number in range(20)]
    vendor.schedule = Schedule(only={len(vendor.log): FAULTS[fault]})
    receipts = hubspot.write("contacts", changes)
    done = "written" if FAULTS[fault].stage == "after" else "ambiguous"
    assert outcomes(receipts) == [done] * 20
    assert len(held(vendor)) == (20 if done == "written" else 0)
    again = hubspot.write("contacts", changes)  # as an engine that lost its own memory would
    assert outcomes(again) == ["written"] * 20
    assert len(held(vendor)) == 20


def test_the_key_of_a_merged_record_leads_to_its_survivor_which_has_its_own() -> None:
    vendor, hubspot = ready()
    first, second, third = hubspot.write("contacts", [create(number, firstname=f"P{number}") for number in range(3)])
    kept, lost = ((receipt.record or {})["properties"]["aios_key"] for receipt in (first, second))
    merged = vendor.records["contacts"].merge(first.id or "", second.id or "", property="hs_merged_object_ids")
    for asked in ([lost], [lost, kept], [kept, lost, "nobody's"]):
        found = hubspot.find("contacts", asked)
        assert {key: raw["id"] for key, raw in found.items()} == dict.fromkeys({*asked} - {"nobody's"}, str(merged.id))
        assert {raw["properties"]["aios_key"] for raw in found.values()} == {kept}
    other = (third.record or {})["properties"]["aios_key"]
    start = len(vendor.log)
    assert set(hubspot.find("contacts", [other, "nobody's"])) == {other}
    assert sum("/contacts/batch/read" in call for call in calls(vendor, start)) == 1, "only a merge makes it ask one by one"


def test_a_key_that_is_there_is_not_made_again_and_its_neighbours_are_made() -> None:
    vendor, hubspot = ready()
    first = hubspot.write("contacts", [create(7, firstname="first")])[0]
    receipts = hubspot.write("contacts", [create(number, firstname="later") for number in (6, 7, 8)])
    assert outcomes(receipts) == ["written"] * 3
    assert receipts[1].id == first.id
    assert [values["firstname"] for values in held(vendor)] == ["first", "later", "later"]


def test_one_bad_record_does_not_take_the_batch_with_it() -> None:
    """A batch with one e-mail that is taken is refused whole: airbytehq/airbyte#76340, HubSpot/hubspot-api-python#51."""
    vendor, hubspot = ready()
    taken = hubspot.write("contacts", [create(999, email="taken@example.org")])[0]
    changes = [create(number, email=f"p{number}@example.org") for number in range(100)]
    changes[37] = create(37, email="Taken@example.org")
    changes[61] = create(61, email="q@example.org", lifecyclestage="nonsense")
    start = len(vendor.log)
    receipts = hubspot.write("contacts", changes)
    bad = [number for number, outcome in enumerate(outcomes(receipts)) if outcome != "written"]
    assert bad == [37, 61]
    assert taken.id is not None
    assert taken.id in receipts[37].reason
    assert "lifecyclestage" in receipts[61].reason
    assert len(held(vendor)) == 99
    assert len(calls(vendor, start)) <= 2 * 2 * 7 + 2  # two questions for each halving


@pytest.mark.parametrize("fault", ["all_or_nothing", "half_done"])
def test_what_a_batch_did_not_do_is_not_called_written(fault: str) -> None:
    vendor, hubspot = ready()
    vendor.schedule = Schedule(only={len(vendor.log): FAULTS[fault]})
    receipts = hubspot.write("contacts", [create(number, firstname=f"P{number}") for number in range(10)])
    written = [receipt.id for receipt in receipts if receipt.outcome == "written"]
    assert sorted(map(str, written)) == sorted(str(record.id) for record in vendor.records["contacts"])
    assert len(written) == (5 if fault == "half_done" else 10)


def test_a_create_points_at_its_company_in_the_same_call() -> None:
    vendor = furnish(HubSpotVendor())
    hubspot = connector(vendor)
    hubspot.provision()
    company, person = next(iter(vendor.records["companies"])), next(iter(vendor.records["contacts"]))
    patch = {
        "properties": {"dealname": "Carpets", "amount": "900"},
        "associations": {"company": str(company.id), "contact": str(person.id)},
    }
    start = len(vendor.log)
    receipt = hubspot.write("deals", [Change("create", "1", patch=patch, key="deal_1")])[0]
    assert len(calls(vendor, start)) == 1
    raw = hubspot.lookup("deals", [receipt.id or ""])[0]
    assert (raw["associations"]["company"], raw["associations"]["contact"]) == (str(company.id), str(person.id))
    assert receipt.record is not None
    assert receipt.record["associations"] == raw["associations"]


def test_a_guarded_update_is_one_read_and_one_write_for_each_hundred() -> None:
    vendor, hubspot = ready()
    made = [str(vendor.records["contacts"].create({"firstname": "old"}).id) for _ in range(300)]
    start = len(vendor.log)
    for part in (made[:100], made[100:200], made[200:]):
        receipts = hubspot.write("contacts", [update(id, {"firstname": "new"}, {"firstname": "old"}) for id in part])
        assert outcomes(receipts) == ["written"] * 100
    assert len(calls(vendor, start)) == 2 * 300 / 100  # so 100,000 cost 2,000
    assert {values["firstname"] for values in held(vendor)} == {"new"}


def test_an_update_never_goes_over_a_change_by_somebody_else() -> None:
    vendor, hubspot = ready()
    ours, theirs, same, gone = (str(vendor.records["contacts"].create({"firstname": "old"}).id) for _ in range(4))
    records = vendor.records["contacts"]
    records.change(theirs, {"firstname": "by hand"}, by="a person")
    records.change(same, {"firstname": "new"}, by="a person")
    records.change(ours, {"city": "Portland"}, by="a person")  # another property is no conflict
    records.archive(gone, by="a person")
    changes = [update(id, {"firstname": "new"}, {"firstname": "old"}) for id in (ours, theirs, same, gone)]
    receipts = hubspot.write("contacts", changes)
    assert outcomes(receipts) == ["written", "conflict", "unchanged", "conflict"]
    current = receipts[1].current
    assert current is not None
    assert current["properties"]["firstname"] == "by hand"
    assert [values["firstname"] for values in held(vendor)] == ["new", "by hand", "new"]


def test_an_update_of_a_merged_record_names_the_survivor() -> None:
    vendor, hubspot = ready()
    one, two = (vendor.records["contacts"].create({"firstname": "old"}).id for _ in range(2))
    new = vendor.merged("contacts", one, two)
    receipts = hubspot.write("contacts", [update(str(one), {"firstname": "new"}, {"firstname": "old"})])
    assert (receipts[0].outcome, receipts[0].reason) == ("conflict", f"it was merged into {new.id}")
    dead = Change("delete", "d", str(two), expect={"properties": {"firstname": "old"}})
    assert hubspot.write("contacts", [dead])[0].reason == f"it was merged into {new.id}"
    assert held(vendor) == [{"firstname": "old", "hs_merged_object_ids": f"{one};{two}"}]


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "cut_off", "timeout_before"])
def test_an_update_whose_answer_is_lost_is_compared(fault: str) -> None:
    vendor, hubspot = ready()
    made = [str(vendor.records["contacts"].create({"firstname": "old"}).id) for _ in range(3)]
    vendor.schedule = Schedule(only={len(vendor.log) + 1: FAULTS[fault]})
    receipts = hubspot.write("contacts", [update(id, {"firstname": "new"}, {"firstname": "old"}) for id in made])
    done = "written" if FAULTS[fault].stage == "after" else "ambiguous"
    assert outcomes(receipts) == [done] * 3


def test_null_clears_and_false_and_numbers_are_text() -> None:
    vendor, hubspot = ready(Hazards(lag=0.0))
    id = str(vendor.records["companies"].create({"name": "A", "city": "Portland", "numberofemployees": "5"}).id)
    patch = {"city": None, "numberofemployees": 12}
    receipts = hubspot.write("companies", [update(id, patch, {"city": "Portland", "numberofemployees": "5"})])
    assert outcomes(receipts) == ["written"]
    assert held(vendor, "companies") == [{"name": "A", "numberofemployees": "12"}]
    assert hubspot.lookup("companies", [id])[0]["properties"]["city"] is None


def test_an_association_is_written_moved_and_taken_away() -> None:
    vendor = furnish(HubSpotVendor())
    hubspot = connector(vendor)
    (first, second, *_), deal = list(vendor.records["contacts"]), list(vendor.records["deals"])[-1]
    third, companies = list(vendor.records["contacts"])[10], list(vendor.records["companies"])

    def point(expect: Any, **to: Any) -> str:
        change = Change("update", "1", str(deal.id), {"associations": to}, {"associations": expect})
        return hubspot.write("deals", [change])[0].outcome

    def seen() -> Any:
        return hubspot.lookup("deals", [str(deal.id)])[0]["associations"]

    assert seen()["contact"] == str(third.id)
    assert point({"contact": str(third.id)}, contact=str(first.id)) == "written"
    assert (seen()["contact"], seen()["contacts"]) == (str(first.id), [str(first.id)])
    assert point({"contact": str(third.id)}, contact=str(second.id)) == "conflict"
    assert point({"contact": str(first.id)}, contact=str(first.id)) == "unchanged"
    assert point({"contact": str(first.id)}, contact=None) == "written"
    assert seen()["contact"] is None
    assert point({}, company=str(companies[1].id)) == "written"
    assert seen()["company"] == str(companies[1].id)  # now the primary one; the one before stays beside it
    assert len(seen()["companies"]) == 2
    assert point({}, company="1") == "rejected"


def test_an_association_takes_the_place_of_the_one_that_the_plan_saw_and_of_no_other() -> None:
    vendor = furnish(HubSpotVendor())
    hubspot = connector(vendor)
    deal = str(list(vendor.records["deals"])[-1].id)
    beside, old, new = (str(record.id) for record in list(vendor.records["contacts"])[:3])

    def held(*ids: str) -> None:
        for contact in vendor.associations.of("deals", int(deal), "contacts"):
            vendor.associations.remove("deals", int(deal), "contacts", contact)
        for id in ids:
            vendor.associations.add("deals", int(deal), "contacts", int(id))

    def point(expect: str | None, to: str | None) -> tuple[str, set[str]]:
        change = Change("update", "1", deal, {"associations": {"contact": to}}, {"associations": {"contact": expect}})
        (receipt,) = hubspot.write("deals", [change])
        return receipt.outcome, {str(id) for id in vendor.associations.of("deals", int(deal), "contacts")}

    held(beside, old)
    assert point(old, new) == ("written", {beside, new})
    assert point(old, new) == ("unchanged", {beside, new})
    assert point(old, beside) == ("unchanged", {beside, new})
    held(old, new)  # a move that was cut off half-way
    assert point(old, new) == ("written", {new})
    held(beside, old)
    assert point(old, None) == ("written", {beside})
    assert point(old, None) == ("conflict", {beside})
    held(beside, old)
    assert point(None, new) == ("written", {beside, old, new}), "nobody could tell which of them was meant"


def test_a_company_takes_the_place_of_the_primary_one_that_the_plan_saw_and_of_no_other() -> None:
    vendor = furnish(HubSpotVendor())
    hubspot = connector(vendor)
    deal = list(vendor.records["deals"])[-1].id
    beside, old, new = (record.id for record in list(vendor.records["companies"])[:3])

    def held(primary: int, *others: int) -> None:
        for company in vendor.associations.of("deals", deal, "companies"):
            vendor.associations.remove("deals", deal, "companies", company)
        for id in (primary, *others):
            vendor.associations.add("deals", deal, "companies", id, primary=id == primary)

    def point(expect: int | None, to: int | None) -> tuple[str, dict[int, bool]]:
        said, saw = ({"company": str(id) if id else None} for id in (to, expect))
        (receipt,) = hubspot.write("deals", [Change("update", "1", str(deal), {"associations": said}, {"associations": saw})])
        return receipt.outcome, vendor.associations.of("deals", deal, "companies")

    held(old, beside)
    assert point(old, new) == ("written", {beside: False, new: True})
    assert point(old, new) == ("unchanged", {beside: False, new: True})
    assert point(old, beside) == ("conflict", {beside: False, new: True})
    held(new, old)  # a move that was cut off half-way
    assert point(old, new) == ("written", {new: True})
    held(old, beside)
    assert point(old, None) == ("written", {beside: False})


def test_an_archive_spares_a_record_that_changed() -> None:
    vendor, hubspot = ready()
    kept, dead, gone = (str(vendor.records["contacts"].create({"firstname": "old"}).id) for _ in range(3))
    expect = {raw["id"]: raw for raw in hubspot.lookup("contacts", [kept, dead, gone])}
    vendor.records["contacts"].change(kept, {"city": "Portland"}, by="a person")
    vendor.records["contacts"].archive(gone, by="a person")
    receipts = hubspot.write("contacts", [Change("delete", id, id, expect=expect[id]) for id in (kept, dead, gone)])
    assert outcomes(receipts) == ["conflict", "written", "unchanged"]
    assert [str(record.id) for record in vendor.records["contacts"]] == [kept]


HOSTILE = [
    "None",
    "30001",
    "1_000",
    "1.10",
    "1e5",
    "True",
    "  ",
    "\u202eעברית right to left",
    "👩‍👩‍👧‍👦 family",
    "a\u0000b\x1f",
    "x" * 65_536,
    "0x10",
    "[1]",
]


def test_values_come_back_as_they_were_sent() -> None:
    _, hubspot = ready(Hazards(lag=0.0))
    receipts = hubspot.write("contacts", [create(number, message=value) for number, value in enumerate(HOSTILE)])
    assert outcomes(receipts) == ["written"] * len(HOSTILE)
    back = {raw["id"]: raw["properties"]["message"] for raw in hubspot.lookup("contacts", [str(one.id) for one in receipts])}
    assert [back[receipt.id or ""] for receipt in receipts] == HOSTILE
    changes = [update(receipts[0].id or "", {"message": value}) for value in ("", "9007199254740993")]
    for change in changes:
        assert hubspot.write("contacts", [change])[0].outcome == "written"
    assert hubspot.lookup("contacts", [receipts[0].id or ""])[0]["properties"]["message"] == "9007199254740993"


def test_what_hubspot_cannot_hold_is_refused_by_name_and_never_cut() -> None:
    vendor, hubspot = ready()
    changes = [
        create(1, message="fine"),
        create(2, message="x" * 100_000),
        create(3, message="half \ud83d"),
        create(4, message=""),
    ]
    receipts = hubspot.write("contacts", changes)
    assert outcomes(receipts) == ["written", "rejected", "rejected", "written"]
    assert "PROPERTY_VALUE_TOO_LONG" in receipts[1].reason
    assert "lone surrogate" in receipts[2].reason
    assert [values.get("message") for values in held(vendor)] == ["fine", None]


def test_whole_numbers_beyond_64_bits_come_back_digit_by_digit() -> None:
    _, hubspot = ready(Hazards(lag=0.0))
    number = "123456789012345678901234567890"
    receipt = hubspot.write("companies", [Change("create", "1", patch={"properties": {"annualrevenue": number}}, key="c1")])[0]
    assert hubspot.lookup("companies", [receipt.id or ""])[0]["properties"]["annualrevenue"] == number


def test_a_patch_with_no_place_at_hubspot_is_rejected() -> None:
    _, hubspot = ready()
    receipts = hubspot.write(
        "companies",
        [Change("create", "1", patch={"nonsense": 1}), Change("create", "2", patch={"properties": {"name": "A"}}, key="k")],
    )
    assert outcomes(receipts) == ["rejected", "written"]
    with pytest.raises(RejectedError, match="cannot be written"):
        hubspot.write("owners", [Change("create", "1")])


def test_notes_have_no_place_for_our_key_and_a_lost_one_is_not_sent_again() -> None:
    vendor, hubspot = ready()
    assert hubspot.spec.objects["notes"].key == ""
    note = Change("create", "1", patch={"properties": {"hs_note_body": "rang", "hs_timestamp": "2026-01-05T09:00:00Z"}})
    assert hubspot.write("notes", [note])[0].outcome == "written"
    vendor.schedule = Schedule(only={len(vendor.log): FAULTS["timeout_after"]})
    assert hubspot.write("notes", [note])[0].outcome == "ambiguous"
    assert len(vendor.records["notes"]) == 2
    with pytest.raises(NotImplementedError):
        hubspot.find("notes", ["x"])


def test_a_write_that_never_left_is_raised() -> None:
    vendor, hubspot = ready()
    vendor.schedule = Schedule(only=dict.fromkeys(range(len(vendor.log), len(vendor.log) + 20), FAULTS["refused"]))
    with pytest.raises(ProviderError, match="nobody answers"):
        hubspot.write("contacts", [create(1, firstname="A")])
    assert held(vendor) == []


def test_a_missing_scope_is_named_with_what_it_blocks() -> None:
    vendor = HubSpotVendor(scopes=frozenset({"crm.objects.contacts.read"}))
    hubspot = connector(vendor)
    assert hubspot.check().missing["write contacts"] == "scope crm.objects.contacts.write"
    assert "read contacts" not in hubspot.check().missing
    with pytest.raises(AuthError) as caught:
        hubspot.write("contacts", [create(1, firstname="A")])
    assert "crm.objects.contacts.write" in caught.value.hint


def scopes_of_the_page() -> frozenset[str]:
    """What docs/how-to/connect-hubspot.md tells a person to grant."""
    page = (Path(__file__).parents[2] / "docs/how-to/connect-hubspot.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    scopes: set[str] = set()
    for row in rows:
        first, *more = re.findall(r"`([\w.-]+)`", row)
        scopes |= {first, *(f"{first.rpartition('.')[0]}{one}" if one.startswith(".") else one for one in more)}
    return frozenset(scopes)


def test_the_scopes_of_the_page_are_enough() -> None:
    hubspot = connector(HubSpotVendor(scopes=scopes_of_the_page()))
    assert hubspot.check().missing == {}
    assert hubspot.provision() == [f"property aios_key on {name}" for name in ("companies", "contacts", "deals", "tickets")]


def test_an_app_that_may_only_read_is_connected_and_told_what_it_cannot_do() -> None:
    reading = frozenset(scope for scope in scopes_of_the_page() if scope.endswith((".read", "-read")))
    hubspot = connector(HubSpotVendor(scopes=reading))
    assert hubspot.provision() == []
    assert hubspot.check().missing["make our key on deals"] == "scope crm.schemas.deals.write"


def test_the_scopes_that_people_consented_to_are_told_and_no_token_is_in_an_address() -> None:
    vendor = HubSpotVendor(scopes=scopes_of_the_page() - {"crm.objects.deals.write"})
    assert connector(vendor, sign_in="oauth2", app_secret="", client_id="app").check().user == "an app", "a token alone is enough"
    identity = connector(vendor, sign_in="oauth2", client_id="app").check()
    assert identity.user == "ida@example.com"
    assert identity.missing == {"write deals": "scope crm.objects.deals.write"}
    assert not [call for call in calls(vendor) if TOKEN in call]


def test_who_is_not_told_the_scopes_of_a_token_is_told_where_our_key_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = HubSpotVendor(scopes=scopes_of_the_page() - {"crm.schemas.deals.write"})
    monkeypatch.setattr(vendor, "introspect", lambda call: vendor.missing())
    hubspot = connector(vendor, sign_in="oauth2")
    assert len(hubspot.provision()) == 3
    told = hubspot.check().missing
    assert told.keys() == {"create deals without the risk of making one twice"}
    assert "scope crm.schemas.deals.write" in next(iter(told.values()))
    vendor.scopes = None
    assert hubspot.provision() == ["property aios_key on deals"]
    assert hubspot.check().missing == {}


def test_a_wrong_token_fails_check_and_is_not_in_the_text() -> None:
    with pytest.raises(AuthError) as caught:
        connector(HubSpotVendor(), token="pat-na1-wrong-token-1234").check()
    assert "wrong-token" not in f"{caught.value} {caught.value.hint}"


def careless_read(vendor: HubSpotVendor) -> list[str]:
    """What many do: the refresh token of the consent is used for ever, and what is refused then is the end."""
    ids: list[str] = []
    params, token = {"limit": "100"}, ""
    with httpx2.Client(transport=transport(vendor), base_url="https://api.hubapi.com") as client:
        while True:
            answer = client.get("/crm/v3/objects/contacts", params=params, headers={"authorization": f"Bearer {token}"})
            if answer.status_code == 401:
                told = client.post("/oauth/v1/token", data={"grant_type": "refresh_token", "refresh_token": REFRESH}).json()
                if "access_token" not in told:
                    return ids
                token = told["access_token"]
                continue
            body = answer.json()
            ids += [one["id"] for one in body["results"]]
            if "paging" not in body:
                return ids
            params["after"] = body["paging"]["next"]["after"]


@pytest.mark.parametrize(("rotates", "grace", "harmed"), [(False, 0.0, False), (True, 0.0, True), (True, 86_400.0, False)])
def test_an_access_token_that_expires_is_refreshed_without_losing_a_record(rotates: bool, grace: float, harmed: bool) -> None:
    """HubSpot's refresh tokens do not rotate; those of others do, and one day HubSpot's may."""

    def account() -> tuple[HubSpotVendor, list[str]]:
        vendor = HubSpotVendor(hazards=Hazards(lag=0.0, latency=400.0))
        vendor.tokens = Tokens(vendor.clock, REFRESH, rotates=rotates, grace=grace)
        return vendor, [str(vendor.records["contacts"].create({"firstname": "A"}).id) for _ in range(900)]

    vendor, made = account()
    assert (careless_read(vendor) != made) is harmed
    vendor, made = account()
    clock, through = vendor.clock, transport(vendor)
    tokens = MemoryTokenStore(now=clock.now)
    tokens.put("crm", {"client_secret": "s", "client_id": "c", "refresh_token": REFRESH})
    auth = HubSpot.spec.auth[1]
    way = token_http("hubspot", transport=through, now=clock.now, sleep=clock.sleep)
    credentials = Credentials("crm", auth, tokens, now=clock.now, sleep=clock.sleep, http=way)
    context = connector(vendor).context
    http = Http(
        provider="hubspot",
        base_url="https://api.hubapi.com",
        credentials=credentials,
        transport=through,
        now=clock.now,
        sleep=clock.sleep,
    )
    hubspot = HubSpot(type(context)("crm", {}, credentials, http, clock.now, clock.sleep, context.folder))
    read = [raw["id"] for page in hubspot.read("contacts") for raw in page.records]
    assert read == made
    assert sum(call.endswith("/oauth/v3/token") for call in calls(vendor)) >= 2


def test_the_native_client_is_hubspots_own_and_signed_in() -> None:
    pytest.importorskip("hubspot")
    assert connector(HubSpotVendor()).native().access_token == TOKEN


@pytest.mark.bench
def test_a_hundred_thousand_creates_and_guarded_updates_cost_what_they_must() -> None:
    vendor, hubspot = ready()
    start = len(vendor.log)
    ids: list[str] = []
    for first in range(0, 100_000, 100):
        receipts = hubspot.write("contacts", [create(first + number, firstname="old") for number in range(100)])
        ids += [receipt.id or "" for receipt in receipts]
    assert len(vendor.log) - start <= 1052
    start = len(vendor.log)
    for first in range(0, 100_000, 100):
        hubspot.write("contacts", [update(id, {"firstname": "new"}, {"firstname": "old"}) for id in ids[first : first + 100]])
    assert len(vendor.log) - start <= 2102
    assert {values["firstname"] for values in held(vendor)} == {"new"}
    assert vendor.refused == 0
