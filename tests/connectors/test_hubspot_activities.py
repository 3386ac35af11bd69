"""Calls, e-mails, meetings and notes as one object: read whole, by what changed, and from wherever a read was stopped; written apart."""

from __future__ import annotations

from typing import Any

import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import TOKEN, Hazards, HubSpotVendor, furnish

from aios_connect import connect
from aios_connect.connectors import AuthError, Change, CursorGoneError
from aios_connect.sandbox import FAULTS, Schedule, transport

from .hubspot_office import calls, connector, everything

PARTS = ("calls", "emails", "meetings", "notes")
DUE = {"hs_timestamp": "2026-01-05T17:00:00Z"}


def office(**hazards: Any) -> tuple[HubSpotVendor, HubSpot]:
    vendor = furnish(HubSpotVendor(hazards=Hazards(lag=0.0, **hazards)))
    return vendor, connector(vendor)


def ids(pages: Any) -> list[str]:
    return [raw["id"] for page in pages for raw in page.records]


def make(type: str, said: dict[str, Any] | None = None, line: str = "1", **associations: str) -> Change:
    patch: dict[str, Any] = {"type": type, "activity": said or {}, "properties": DUE, "associations": associations}
    return Change("create", line, patch=patch)


def test_all_of_them_are_read_as_one() -> None:
    vendor, hubspot = office()
    read = [raw for page in everything(hubspot, "activities") for raw in page.records]
    assert [raw["id"] for raw in read] == [f"{part}-{record.id}" for part in PARTS for record in vendor.records[part]]
    assert {raw["type"] for raw in read} == set(PARTS)
    mail = next(raw for raw in read if raw["activity"].get("title") == "Re: Clean-room contract")
    assert mail["activity"]["direction"] == "INBOUND"
    assert mail["associations"]["deal"] is not None
    assert [id for page in hubspot.scan("activities") for id, _ in page.items] == [raw["id"] for raw in read]
    assert hubspot.lookup("activities", [mail["id"], "calls-1", "tasks-5", "nonsense"]) == [mail]


def test_a_later_read_brings_what_changed_in_any_of_them() -> None:
    vendor, hubspot = office()
    cursor = everything(hubspot, "activities")[-1].cursor
    vendor.clock.sleep(120)
    call, note = next(iter(vendor.records["calls"])), next(iter(vendor.records["notes"]))
    vendor.records["calls"].change(call.id, {"hs_call_title": "Rang twice"}, by="a person")
    vendor.records["notes"].archive(note.id, by="a person")
    vendor.clock.sleep(120)
    pages = everything(hubspot, "activities", cursor)
    assert ids(pages) == [f"calls-{call.id}"]
    assert [(stone.id, stone.reason) for page in pages for stone in page.tombstones] == [(f"notes-{note.id}", "archived")]
    vendor.clock.sleep(3600)
    assert ids(everything(hubspot, "activities", pages[-1].cursor)) == []


def test_a_read_that_was_stopped_goes_on_in_the_object_where_it_was() -> None:
    vendor, hubspot = office()
    for part in PARTS:
        for _ in range(150):
            vendor.records[part].create(DUE)
    vendor.clock.sleep(60)
    whole = everything(hubspot, "activities")
    assert len(ids(whole)) == 606
    later = {part: {"since": "2020-01-01T00:00:00Z"} for part in PARTS}
    for since in (None, later):
        pages = everything(hubspot, "activities", since)
        for stopped in range(1, len(pages)):
            rest = everything(hubspot, "activities", pages[stopped - 1].cursor)
            assert ids(pages[:stopped]) + ids(rest) == ids(whole)
            assert "at" not in rest[-1].cursor
    with pytest.raises(CursorGoneError):
        everything(hubspot, "activities", {"since": "2020-01-01T00:00:00Z"})


def test_each_is_written_to_its_own_object_in_its_own_words() -> None:
    vendor, hubspot = office()
    company = str(next(iter(vendor.records["companies"])).id)
    start = len(vendor.log)
    made = hubspot.write(
        "activities",
        [
            make("notes", {"body": "Keys at the desk"}, "n", company=company),
            make("emails", {"title": "Hello", "direction": "INBOUND"}, "e"),
            make("calls", {"title": "Rang", "direction": "INBOUND"}, "c"),
            make("notes", {"body": "Gate is open"}, "m"),
        ],
    )
    assert [receipt.outcome for receipt in made] == ["written"] * 4
    assert [(receipt.id or "").partition("-")[0] for receipt in made] == ["notes", "emails", "calls", "notes"]
    assert len(calls(vendor, start)) == 3
    raws = {raw["id"]: raw for raw in hubspot.lookup("activities", [receipt.id or "" for receipt in made])}
    note, mail, call = (raws[receipt.id or ""] for receipt in made[:3])
    assert (note["activity"], note["associations"]["company"]) == ({"body": "Keys at the desk"}, company)
    assert (mail["activity"]["direction"], call["activity"]["direction"]) == ("INBOUND", "INBOUND")
    held = vendor.records["emails"].get((made[1].id or "").partition("-")[2])
    assert held is not None
    assert held.values["hs_email_direction"] == "INCOMING_EMAIL"
    patch, expect = {"activity": {"title": "Hello again"}}, {"activity": {"title": "Hello", "direction": "INBOUND"}}
    assert hubspot.write("activities", [Change("update", "u", mail["id"], patch, expect)])[0].outcome == "written"
    again = hubspot.write("activities", [Change("update", "u", mail["id"], {"activity": {"title": "No"}}, expect)])[0]
    assert (again.outcome, again.current and again.current["id"]) == ("conflict", mail["id"])
    assert hubspot.write("activities", [Change("delete", "d", note["id"])])[0].outcome == "written"


def test_what_one_of_them_does_not_have_is_refused_by_name() -> None:
    vendor, hubspot = office()
    call = str(next(iter(vendor.records["calls"])).id)
    receipts = hubspot.write(
        "activities", [make("notes", {"title": "A"}), make("faxes", line="2"), make("notes", {"body": "A"}, "3")]
    )
    assert [receipt.outcome for receipt in receipts] == ["rejected", "rejected", "written"]
    assert "notes have no title" in receipts[0].reason
    assert "calls, emails, meetings, notes" in receipts[1].reason
    turned = Change("update", "1", f"calls-{call}", {"type": "notes"})
    assert "cannot become" in hubspot.write("activities", [turned])[0].reason
    without = Change("create", "1", patch={"type": "notes", "activity": {"body": "A"}})
    assert "hs_timestamp is required" in hubspot.write("activities", [without])[0].reason
    with pytest.raises(NotImplementedError):
        hubspot.find("activities", ["x"])


def test_when_one_object_cannot_be_written_the_others_are_told_truly() -> None:
    vendor, hubspot = office()
    vendor.schedule = Schedule(only=dict.fromkeys(range(len(vendor.log) + 1, len(vendor.log) + 20), FAULTS["refused"]))
    receipts = hubspot.write("activities", [make("notes", {"body": "A"}, "n"), make("calls", {"title": "B"}, "c")])
    assert [receipt.outcome for receipt in receipts] == ["written", "rejected"]
    assert (len(vendor.records["notes"]), len(vendor.records["calls"])) == (2, 2)
    vendor.schedule = Schedule.quiet()
    with pytest.raises(AuthError):
        connector(vendor, token="pat-na1-wrong-token-1234").write("activities", [make("notes", {"body": "A"})])


def test_the_schema_says_what_they_share_and_what_each_has_alone() -> None:
    _, hubspot = office()
    fields = hubspot.describe("activities").fields
    assert [code for code, _ in fields["type"].choices] == list(PARTS)
    assert fields["type"].required
    assert fields["properties.hs_timestamp"].required
    assert {"activity.title", "activity.body", "properties.hs_meeting_location", "associations.deal"} <= fields.keys()
    assert "properties.hs_note_body" not in fields


def test_a_program_reads_and_writes_activities_tasks_and_tickets_by_their_canonical_names() -> None:
    vendor = furnish(HubSpotVendor(hazards=Hazards.none()))
    with connect("hubspot", key=TOKEN, transport=transport(vendor)) as crm:
        activities = list(crm.read("activity"))
        assert sorted(str(one.type) for one in activities) == ["call", "call", "email", "email", "meeting", "note"]
        assert {str(one.direction) for one in activities if one.subject == "Re: Clean-room contract"} == {"in"}
        told = {"type": "note", "custom.body": "Called back", "occurred_at": "2026-01-05T18:00:00Z", "owner": "owners:501"}
        receipt = crm.create("activity", told)
        note = crm.get("activity", receipt.id or "")
        assert (note.leaves()["custom.body"], note.leaves()["type"]) == ("Called back", "note")
        assert crm.update(note, {"custom.body": "Called back twice"}).outcome == "written"
        task = next(one for one in crm.read("task") if one.subject == "Send the quote")
        assert crm.update(task, {"status": "done"}).outcome == "written"
        assert crm.get("task", task.external_refs[0].id).leaves()["status"] == "done"
        ticket = next(one for one in crm.read("intake") if one.custom["subject"] == "Key card stopped working")
        assert (str(ticket.urgency), str(ticket.status)) == ("high", "received")
        assert crm.update(ticket, {"status": "closed"}).outcome == "written"
        crm.connector.provision()
        new = crm.create("intake", {"custom.subject": "Lost key", "status": "received"})
        assert crm.get("intake", new.id or "").leaves()["status"] == "received"
