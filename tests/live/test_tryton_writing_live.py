"""Writing to a real Tryton: nothing over somebody else's change, nothing twice, nothing half. Plain JSON-RPC says what is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from aios_connect.connectors import Change, Raw, Receipt

from .tryton_office import Office, create, update

pytestmark = pytest.mark.live

Another = Callable[..., Office]
PARTY = "model.party.party"
DEAL = "model.sale.opportunity"
REACHED = {"email": "ada@example.com", "mobile": "+15035550101"}


def outcomes(receipts: list[Receipt]) -> list[str]:
    return [receipt.outcome for receipt in receipts]


def named(office: Office, model: str, field: str, value: str) -> int:
    """How many rows have a value, as somebody else counts them."""
    count: int = office.rpc(f"model.{model}.search_count", [[field, "=", value]])
    return count


def deal(office: Office, **values: Any) -> Raw:
    """An opportunity that can go anywhere: it has a customer and somebody who sees to it."""
    (company,) = office.make("companies", {"name": "Harbor Lane"})
    (made,) = office.make(
        "opportunities", {"description": "Cleaning", "party": {"company": company["id"]}, "employee": 1, **values}
    )
    office.wire.calls.clear()
    return made


def test_a_person_written_can_be_read_back(office: Office) -> None:
    written = {
        "name": "Zoë O'Hara",
        "contacts": {**REACHED, "website": "https://zoe.example.com"},
        "address": {"street": "9 Pier Lane\nBack door", "postal_code": "07209", "city": "Portland", "country": "US"},
    }
    (receipt,) = office.write("people", create(written, "z-1"))
    raw = office.now("people", receipt.id)
    assert (raw["name"], raw["key"]) == ("Zoë O'Hara", "z-1")
    assert {type: value for type, value in raw["contacts"].items() if value} == written["contacts"]
    assert {name: value for name, value in raw["address"].items() if value} == written["address"]
    assert (receipt.record, receipt.version) == (raw, raw["version"])


def test_a_deal_written_can_be_read_back(office: Office) -> None:
    (company,) = office.make("companies", {"name": "Harbor Lane"})
    (person,) = office.make("people", {"name": "Zoë", "contacts": REACHED})
    written = {
        "description": "Office cleaning, 18 months",
        "amount": "27450.5",
        "currency": "EUR",
        "employee": 2,
        "party": {"company": company["id"]},
        "contact": {"person": person["id"]},
        "conversion_probability": "0.25",
        "end_date": "2026-12-18",
        "comment": "Keys at the desk,\nback door after six",
        "state": "opportunity",
    }
    (receipt,) = office.write("opportunities", create(written, "d-1"))
    raw = office.now("opportunities", receipt.id)
    assert {name: raw[name] for name in written if name not in ("party", "contact")} == {
        name: value for name, value in written.items() if name not in ("party", "contact")
    }
    assert (raw["party"]["company"], raw["contact"]["person"], raw["key"]) == (company["id"], person["id"], "d-1")
    assert office.truth("sale.opportunity", raw["id"], "amount")["amount"] == {"__class__": "Decimal", "decimal": "27450.5"}


def test_a_deal_of_a_person_without_a_company_has_the_person_as_its_party(office: Office) -> None:
    (reached, unreached) = office.make("people", {"name": "Zoë", "contacts": REACHED}, {"name": "Sam"})
    made = office.make("opportunities", *({"contact": {"person": person["id"]}} for person in (reached, unreached)))
    assert [raw["party"]["person"] for raw in made] == [reached["id"], unreached["id"]]
    assert [raw["contact"]["person"] for raw in made] == [reached["id"], None]


def test_a_person_whom_tryton_cannot_name_beside_a_company_is_refused(office: Office) -> None:
    (unreached,) = office.make("people", {"name": "Sam"})
    made = deal(office)
    (receipt,) = office.write("opportunities", update(made, {"contact": {"person": unreached["id"]}, "description": "New"}))
    assert receipt.outcome == "rejected"
    assert "has none" in receipt.reason
    assert office.now("opportunities", made["id"]) == made


def test_a_person_can_be_named_as_soon_as_there_is_an_address(office: Office) -> None:
    (person,) = office.make("people", {"name": "Sam"})
    made = deal(office)
    change = update(made, {"contact": {"person": person["id"]}})
    assert outcomes(office.write("opportunities", change)) == ["rejected"]
    office.rpc("model.party.contact_mechanism.create", [{"party": person["id"], "type": "email", "value": "sam@example.com"}])
    assert outcomes(office.write("opportunities", change)) == ["written"]


def test_nobody_becomes_owner_of_a_deal_by_making_it(office: Office) -> None:
    (made,) = office.make("opportunities", {"description": "Nobody's"})
    assert made["employee"] is None


def test_only_the_first_of_several_addresses_is_changed(office: Office) -> None:
    (made,) = office.make("people", {"name": "Ada", "contacts": REACHED})
    office.rpc("model.party.contact_mechanism.create", [{"party": made["id"], "type": "email", "value": "second@example.com"}])
    before = office.now("people", made["id"])
    (receipt,) = office.write("people", update(before, {"contacts": {"email": "first@example.com"}}))
    raw = receipt.record or {}
    assert raw["contacts"]["email"] == "first@example.com"
    assert [one["value"] for one in raw["contact_mechanisms"]] == ["first@example.com", "+15035550101", "second@example.com"]
    assert [one["id"] for one in raw["contact_mechanisms"]] == [one["id"] for one in before["contact_mechanisms"]]


def test_a_cleared_address_is_put_out_of_use_and_can_come_back(office: Office) -> None:
    (made,) = office.make("people", {"name": "Ada", "contacts": REACHED})
    (cleared,) = office.write("people", update(made, {"contacts": {"email": None}}))
    raw = cleared.record or {}
    assert raw["contacts"]["email"] is None
    (again,) = office.write("people", update(raw, {"contacts": {"email": REACHED["email"]}}))
    back = again.record or {}
    assert back["contacts"] == made["contacts"]
    assert [one["id"] for one in back["contact_mechanisms"]] == [one["id"] for one in made["contact_mechanisms"]]


def test_absent_says_nothing_and_null_clears(office: Office) -> None:
    made = deal(office, comment="Keep me", end_date="2026-12-18")
    (receipt,) = office.write("opportunities", update(made, {"end_date": None}))
    assert ((receipt.record or {})["comment"], (receipt.record or {})["end_date"]) == ("Keep me", None)


def test_values_that_are_there_already_are_not_written(office: Office) -> None:
    (made,) = office.make("people", {"name": "Ada", "contacts": REACHED})
    office.wire.calls.clear()
    (receipt,) = office.write("people", update(made, {"name": "Ada", "contacts": {"email": REACHED["email"]}}))
    assert (receipt.outcome, office.wire.calls) == ("unchanged", [f"{PARTY}.search_read"])


@pytest.mark.parametrize("what", ["the name", "the mobile number"])
def test_somebody_elses_change_is_not_overwritten(office: Office, what: str) -> None:
    (made,) = office.make("people", {"name": "Ada", "contacts": REACHED})
    if what == "the name":
        office.rpc(f"{PARTY}.write", [made["id"]], {"name": "Ada Lovelace"})
    else:
        office.rpc("model.party.contact_mechanism.write", [made["contact_mechanisms"][1]["id"]], {"value": "+15035550199"})
    theirs = office.now("people", made["id"])
    (receipt,) = office.write("people", update(made, {"contacts": {"email": "ours@example.com"}}))
    assert (receipt.outcome, receipt.current) == ("conflict", theirs)
    assert office.now("people", made["id"]) == theirs


@pytest.mark.parametrize("object", ["people", "opportunities"])
def test_a_change_between_our_look_and_our_write_is_not_overwritten(office: Office, object: str) -> None:
    if object == "people":
        (made,) = office.make("people", {"name": "Ada", "contacts": REACHED})
        model, theirs = "party.contact_mechanism", {"value": "theirs@example.com"}
        ours: Raw = {"contacts": {"email": "ours@example.com"}}
        row, write = made["contact_mechanisms"][0]["id"], f"{PARTY}.write"
    else:
        made = deal(office)
        model, theirs, ours = "sale.opportunity", {"description": "Theirs"}, {"description": "Ours"}
        row, write = made["id"], f"{DEAL}.write"
    office.wire.before[write] = lambda: office.rpc(f"model.{model}.write", [row], theirs)
    (receipt,) = office.write(object, update(made, ours))
    assert receipt.outcome == "conflict"
    assert office.truth(model, row, *theirs).items() >= theirs.items()


def test_without_a_version_what_was_expected_is_compared(office: Office) -> None:
    made = deal(office, amount="900")
    office.rpc(f"{DEAL}.write", [made["id"]], {"comment": "Elsewhere"})
    told = {"version": None, "expect": {"amount": "900.00"}}
    (fits,) = office.write("opportunities", update(made, {"amount": "950"}, **told))
    (stale,) = office.write("opportunities", update(made, {"amount": "1000"}, **told))
    assert outcomes([fits, stale]) == ["written", "conflict"]
    assert office.now("opportunities", made["id"])["amount"] == "950"


def test_text_that_looks_like_a_number_is_text(office: Office) -> None:
    (made,) = office.make("people", {"name": "007"})
    (receipt,) = office.write("people", update(made, {"name": "7"}))
    assert (receipt.outcome, (receipt.record or {})["name"]) == ("written", "7")


def test_many_changes_are_one_call_and_one_to_see_them(office: Office) -> None:
    made = [deal(office) for _ in range(5)]
    office.wire.calls.clear()
    receipts = office.write("opportunities", *(update(raw, {"amount": str(n)}) for n, raw in enumerate(made)))
    assert [(receipt.record or {})["amount"] for receipt in receipts] == ["0", "1", "2", "3", "4"]
    assert office.wire.calls == [f"{DEAL}.write", f"{DEAL}.search_read"]
    office.wire.calls.clear()
    assert (
        outcomes(office.write("people", *(create({"name": f"P{n}", "contacts": REACHED}) for n in range(50)))) == ["written"] * 50
    )
    assert office.wire.calls == [f"{PARTY}.create", f"{PARTY}.search_read"]


def test_the_plan_lines_go_along(office: Office) -> None:
    office.write("people", *(Change("create", f"plan-7.{n}", patch={"name": "Lined"}) for n in range(3)))
    assert office.wire.lines[f"{PARTY}.create"] == "plan-7.0,plan-7.1,plan-7.2"
    assert office.wire.lines[f"{PARTY}.search_read"] == ""


def test_one_stale_record_does_not_keep_its_neighbours_from_being_written(office: Office) -> None:
    made = [deal(office) for _ in range(6)]
    office.rpc(f"{DEAL}.write", [made[2]["id"]], {"description": "Theirs"})
    office.rpc(f"{DEAL}.cancel", [made[4]["id"]])
    office.rpc(f"{DEAL}.delete", [made[4]["id"]])
    office.wire.calls.clear()
    receipts = office.write("opportunities", *(update(raw, {"description": "Ours"}) for raw in made))
    assert outcomes(receipts) == ["written", "written", "conflict", "written", "conflict", "written"]
    assert (receipts[2].current or {})["description"] == "Theirs"
    assert receipts[4].reason == "it is not in Tryton any more"
    assert office.wire.calls == [f"{DEAL}.write", f"{DEAL}.search_read"] * 2


def test_poisoned_records_stand_alone_in_the_end(office: Office) -> None:
    bad = {5: {"description": "Poison A", "amount": "1.005"}, 11: {"description": "Poison B", "end_date": "2026-13-01"}}
    patches = [bad.get(n, {"description": f"Good {n}", "amount": "7"}) for n in range(16)]
    patches[9] = {"description": "Two\nlines"}
    receipts = office.write("opportunities", *(create(patch, f"poison-{n}") for n, patch in enumerate(patches)))
    assert [n for n, receipt in enumerate(receipts) if receipt.outcome == "rejected"] == [5, 9, 11]
    assert [receipt.reason for receipt in receipts if "exceeds the limit" in receipt.reason] == [receipts[5].reason]
    assert receipts[11].reason.startswith("end_date: ")
    for n, receipt in enumerate(receipts):
        if receipt.outcome == "written":
            assert (receipt.record or {})["description"] == f"Good {n}"
            assert named(office, "sale.opportunity", "attachments.link", f"aios:poison-{n}") == 1
    assert office.connector.find("opportunities", ["poison-5", "poison-9", "poison-11"]) == {}


def test_a_value_that_fits_no_field_is_refused_before_it_is_sent(office: Office) -> None:
    made = deal(office)
    changes = [
        update(made, {"amount": "twelve"}),
        update(made, {"nosuch": 1}),
        update(made, {"version": "2"}),
        update(made, {"currency": "XTS"}),
        update(made, {"employee": "Nora"}),
    ]
    receipts = office.write("opportunities", *changes)
    assert [receipt.reason.partition(":")[0] for receipt in receipts] == ["amount", "nosuch", "version", "currency", "employee"]
    assert outcomes(receipts) == ["rejected"] * 5
    assert not any(call.endswith(".write") for call in office.wire.calls)


@pytest.mark.parametrize("loss", ["lose", "truncated", "a web page"])
def test_a_create_whose_answer_is_lost_is_found_by_its_key_and_not_sent_again(office: Office, loss: str) -> None:
    if loss == "lose":
        office.wire.lose = f"{PARTY}.create"
    else:
        content = b'{"id": 9, "resu' if loss == "truncated" else b"<!doctype html><title>Bad gateway</title>"
        office.wire.garble[f"{PARTY}.create"] = [httpx2.Response(200, content=content)]
    keys = [f"{loss}-{n}" for n in range(3)]
    receipts = office.write("people", *(create({"name": key, "contacts": REACHED}, key) for key in keys))
    assert outcomes(receipts) == ["written"] * 3
    assert [(receipt.record or {})["key"] for receipt in receipts] == keys
    assert [named(office, "party.party", "name", key) for key in keys] == [1, 1, 1]
    assert office.wire.calls.count(f"{PARTY}.create") == 1


def test_a_create_that_never_arrived_is_ambiguous_and_not_sent_again(office: Office) -> None:
    office.wire.drop = f"{PARTY}.create"
    (receipt,) = office.write("people", create({"name": "Lost on the way"}, "lost-1"))
    assert receipt.outcome == "ambiguous"
    assert named(office, "party.party", "name", "Lost on the way") == 0
    assert office.wire.calls.count(f"{PARTY}.create") == 1


def test_an_update_whose_answer_is_lost_is_compared_and_not_sent_again(office: Office) -> None:
    made = deal(office)
    office.wire.lose = f"{DEAL}.write"
    (receipt,) = office.write("opportunities", update(made, {"amount": "12.50"}))
    assert (receipt.outcome, (receipt.record or {})["amount"]) == ("written", "12.50")
    office.wire.drop = f"{DEAL}.write"
    (lost,) = office.write("opportunities", update(receipt.record or {}, {"amount": "13"}))
    assert (lost.outcome, (lost.current or {})["amount"]) == ("ambiguous", "12.50")
    assert office.wire.calls.count(f"{DEAL}.write") == 2


def test_a_deal_whose_create_is_lost_still_reaches_its_state(office: Office) -> None:
    (company,) = office.make("companies", {"name": "Harbor Lane"})
    office.wire.lose = f"{DEAL}.create"
    patch = {"description": "Cleaning", "party": {"company": company["id"]}, "employee": 1, "state": "opportunity"}
    (receipt,) = office.write("opportunities", create(patch, "lost-deal"))
    assert (receipt.outcome, (receipt.record or {})["state"]) == ("written", "opportunity")
    assert named(office, "sale.opportunity", "attachments.link", "aios:lost-deal") == 1


@pytest.mark.parametrize("stopped_at", ["opportunity", "convert"])
def test_a_deal_that_was_half_made_does_not_count_as_there_and_is_gone_on_with(
    office: Office, another: Another, stopped_at: str
) -> None:
    (company,) = office.make("companies", {"name": "Harbor Lane"})
    patch = {"description": "Half", "party": {"company": company["id"]}, "employee": 1, "amount": "5", "state": "converted"}
    key = f"half-{stopped_at}"

    def stop() -> None:
        raise KeyboardInterrupt

    office.wire.before[f"{DEAL}.{stopped_at}"] = stop
    with pytest.raises(KeyboardInterrupt):
        office.write("opportunities", create(patch, key))
    next_process = another()
    assert next_process.connector.find("opportunities", [key]) == {}
    assert next_process.records("opportunities", {}) == [one for one in office.records("opportunities") if one["key"] != key]
    (receipt,) = next_process.write("opportunities", create(patch, key))
    assert (receipt.outcome, (receipt.record or {})["state"], (receipt.record or {})["key"]) == ("written", "converted", key)
    assert next_process.connector.find("opportunities", [key])[key] == receipt.record
    assert named(office, "sale.opportunity", "attachments.link", f"aios:{key}") == 1
    assert next_process.wire.calls.count(f"{DEAL}.create") == 0


def test_a_half_made_deal_that_somebody_took_elsewhere_stays_there(office: Office) -> None:
    (company,) = office.make("companies", {"name": "Harbor Lane"})
    patch = {"description": "Half", "party": {"company": company["id"]}, "employee": 1, "state": "opportunity"}
    link = {"name": "aios-connect", "type": "link", "link": "aios-unfinished:half-elsewhere"}
    values = {"description": "Half", "party": company["id"], "attachments": [["create", [link]]]}
    (id,) = office.rpc(f"{DEAL}.create", [values])
    office.rpc(f"{DEAL}.cancel", [id])
    (receipt,) = office.write("opportunities", create(patch, "half-elsewhere"))
    assert (receipt.outcome, receipt.id, (receipt.record or {})["state"]) == ("written", str(id), "cancelled")
    assert [raw["id"] for raw in office.connector.find("opportunities", ["half-elsewhere"]).values()] == [id]


def test_a_delete_whose_answer_is_lost_is_looked_up(office: Office) -> None:
    (made,) = office.make("people", {"name": "Going"})
    office.wire.lose = f"{PARTY}.delete"
    (receipt,) = office.write("people", Change("delete", "l", str(made["id"]), version=made["version"]))
    assert (receipt.outcome, receipt.id) == ("written", str(made["id"]))


@pytest.mark.parametrize(
    ("way", "pressed"),
    [
        (["opportunity"], ["opportunity"]),
        (["lost"], ["lost"]),
        (["converted"], ["opportunity", "convert"]),
        (["lost", "opportunity"], ["lost", "lead", "opportunity"]),
        (["cancelled", "lost"], ["cancel", "lead", "lost"]),
        (["opportunity", "lead"], ["opportunity", "lead"]),
    ],
)
def test_a_state_is_reached_by_pressing_the_buttons(office: Office, way: list[str], pressed: list[str]) -> None:
    raw = deal(office)
    for state in way:
        (receipt,) = office.write("opportunities", update(raw, {"state": state}))
        assert receipt.outcome == "written", receipt.reason
        raw = receipt.record or {}
        assert office.truth("sale.opportunity", raw["id"], "state")["state"] == state
    buttons = {"opportunity", "lead", "lost", "cancel", "convert"}
    assert [call.rpartition(".")[2] for call in office.wire.calls if call.rpartition(".")[2] in buttons] == pressed


def test_deals_that_take_the_same_way_take_it_together(office: Office) -> None:
    made = [deal(office) for _ in range(4)]
    office.wire.calls.clear()
    receipts = office.write("opportunities", *(update(raw, {"state": "converted"}) for raw in made))
    assert [(receipt.record or {})["state"] for receipt in receipts] == ["converted"] * 4
    look = f"{DEAL}.search_read"
    assert office.wire.calls == [look, f"{DEAL}.opportunity", look, f"{DEAL}.convert", look]


@pytest.mark.parametrize(("state", "goal"), [("lead", "lost"), ("lost", "opportunity"), ("opportunity", "converted")])
def test_fields_are_written_where_the_workflow_permits_it(office: Office, state: str, goal: str) -> None:
    raw = deal(office, state=state)
    patch = {"state": goal, "amount": "4711", "description": f"{state} to {goal}", "lost_reason": "Price"}
    (receipt,) = office.write("opportunities", update(raw, patch))
    assert receipt.outcome == "written", receipt.reason
    assert {name: (receipt.record or {})[name] for name in patch} == patch


@pytest.mark.parametrize("ended", ["lost", "cancelled"])
def test_a_deal_that_ends_ends_today_and_one_that_is_open_again_ends_when_it_was_to(office: Office, ended: str) -> None:
    planned = [deal(office, state="opportunity", end_date=end) for end in ("2031-12-18", None)]
    before = office.rpc("model.ir.date.today")
    over = [
        receipt.record or {} for receipt in office.write("opportunities", *(update(raw, {"state": ended}) for raw in planned))
    ]
    today = ["{year}-{month:02}-{day:02}".format_map(day) for day in (before, office.rpc("model.ir.date.today"))]
    assert {raw["end_date"] for raw in over} <= set(today)
    receipts = office.write("opportunities", *(update(raw, {"state": "opportunity"}) for raw in over))
    assert [(receipt.record or {})["end_date"] for receipt in receipts] == ["2031-12-18", None]
    assert [(receipt.record or {})["state"] for receipt in receipts] == ["opportunity"] * 2


def test_an_end_date_that_is_asked_for_goes_before_the_one_that_was_planned(office: Office) -> None:
    raw = deal(office, end_date="2031-12-18")
    (lost,) = office.write("opportunities", update(raw, {"state": "lost"}))
    (again,) = office.write("opportunities", update(lost.record or {}, {"state": "lead", "end_date": "2032-01-31"}))
    assert (again.record or {})["end_date"] == "2032-01-31"


@pytest.mark.parametrize(
    ("state", "goal", "why"),
    [("lead", "won", "the sale that convert makes"), ("converted", "lead", "no button"), ("lead", "discovery", "no button")],
)
def test_a_state_without_a_way_is_rejected_and_nothing_is_written(office: Office, state: str, goal: str, why: str) -> None:
    raw = deal(office, state=state)
    (receipt,) = office.write("opportunities", update(raw, {"state": goal, "comment": "Not this"}))
    assert receipt.outcome == "rejected"
    assert why in receipt.reason
    assert office.now("opportunities", raw["id"]) == raw


def test_fields_are_taken_back_if_the_button_is_refused(office: Office) -> None:
    (raw,) = office.make("opportunities", {"description": "Without a customer", "amount": "100"})
    (receipt,) = office.write("opportunities", update(raw, {"state": "opportunity", "amount": "200", "comment": "Half"}))
    assert receipt.outcome == "rejected"
    assert "A value is required" in receipt.reason
    now = office.now("opportunities", raw["id"])
    assert {name: now[name] for name in ("state", "amount", "comment")} == {"state": "lead", "amount": "100", "comment": None}


def test_buttons_are_taken_back_if_a_field_is_refused(office: Office) -> None:
    raw = deal(office, state="lost")
    (receipt,) = office.write("opportunities", update(raw, {"state": "lead", "amount": "1.005"}))
    assert receipt.outcome == "rejected"
    now = office.now("opportunities", raw["id"])
    assert (now["state"], now["amount"], now["end_date"]) == ("lost", raw["amount"], raw["end_date"])


def test_a_new_deal_whose_state_is_refused_is_not_left_behind(office: Office) -> None:
    good, bad = {"description": "No state"}, {"description": "No customer", "state": "opportunity"}
    receipts = office.write("opportunities", create(good, "kept"), create(bad, "left"))
    assert outcomes(receipts) == ["written", "rejected"]
    assert receipts[1].id is None
    assert office.connector.find("opportunities", ["kept", "left"]).keys() == {"kept"}


def test_a_button_pressed_by_somebody_else_meanwhile_is_a_conflict_and_our_fields_are_taken_back(office: Office) -> None:
    raw = deal(office, amount="100")
    office.wire.before[f"{DEAL}.lost"] = lambda: office.rpc(f"{DEAL}.opportunity", [raw["id"]])
    (receipt,) = office.write("opportunities", update(raw, {"state": "lost", "amount": "50"}))
    assert receipt.outcome == "conflict"
    now = office.now("opportunities", raw["id"])
    assert (now["state"], now["amount"]) == ("opportunity", "100")


def test_a_deal_is_cancelled_before_it_is_deleted(office: Office) -> None:
    made = [deal(office), deal(office, state="lost"), deal(office, state="converted")]
    changes = [Change("delete", "l", str(raw["id"]), version=raw["version"]) for raw in made]
    receipts = office.write("opportunities", *changes)
    assert outcomes(receipts) == ["written", "written", "rejected"]
    assert [bool(office.truth("sale.opportunity", raw["id"], "state")) for raw in made] == [False, False, True]


def test_a_party_that_is_needed_is_not_deleted_and_the_others_are(office: Office) -> None:
    made = deal(office, state="opportunity")
    (free,) = office.make("companies", {"name": "Free to go"})
    needed = office.now("companies", made["party"]["company"])
    receipts = office.write(
        "companies", *(Change("delete", "l", str(raw["id"]), version=raw["version"]) for raw in (needed, free))
    )
    assert outcomes(receipts) == ["rejected", "written"]
    assert office.truth("party.party", needed["id"], "name")
    assert not office.truth("party.party", free["id"], "name")


def test_what_changed_since_is_not_deleted_and_what_is_gone_stays_gone(office: Office) -> None:
    changed, gone = office.make("people", {"name": "Changed"}, {"name": "Gone"})
    office.rpc(f"{PARTY}.write", [changed["id"]], {"name": "Still needed"})
    office.rpc(f"{PARTY}.delete", [gone["id"]])
    receipts = office.write("people", *(Change("delete", "l", str(raw["id"]), version=raw["version"]) for raw in (changed, gone)))
    assert outcomes(receipts) == ["conflict", "unchanged"]
    assert office.truth("party.party", changed["id"], "name")["name"] == "Still needed"


def test_staff_is_not_ours_to_write(office: Office) -> None:
    with pytest.raises(NotImplementedError):
        office.write("employees", create({"party": 1}))
