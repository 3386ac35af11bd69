"""People who write: each once, as the first enquiry says, and nobody can speak in another's name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aios_connect.connectors import Cursor, Raw, Tombstone

from .webform_desk import KEY, SITE, Desk, said

ANN = {"given-name": "Ann", "family-name": "Lee", "email": "ann@example.org", "message": "Two offices, please."}
WHO = {"given-name": "Ann", "family-name": "Lee", "email": "ann@example.org"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, origins=SITE, trap="fax")
    yield desk
    desk.form.close()


def people(desk: Desk, since: Cursor | None = None) -> tuple[list[Raw], list[Tombstone], Cursor]:
    (page,) = desk.form.read("people", since)
    assert page.quarantined == []
    return list(page.records), list(page.tombstones), page.cursor


def who(desk: Desk) -> list[Any]:
    return [raw["fields"] for raw in people(desk)[0]]


def test_whoever_gives_an_address_is_a_person(desk: Desk) -> None:
    desk.post({**ANN, "tel": "+1 503 555 0142", "rooms": "14"})
    desk.post({"message": "no address"})
    desk.post({"email": "ask at the desk", "message": "no address either"})
    ((ann,), _, _) = people(desk)
    assert ann["fields"] == {**WHO, "tel": "+1 503 555 0142"}
    assert (ann["trust"], ann["deliveries"], ann["via"]) == ("unverified", 1, "form")
    assert desk.form.lookup("people", [ann["id"]]) == [ann]
    assert [item for page in desk.form.scan("people") for item in page.items] == [(ann["id"], ann["version"])]
    assert desk.form.check().details == {"submissions": "3", "people": "1", "aside": "0"}


def test_a_person_is_one_however_often_and_however_spelt(desk: Desk) -> None:
    desk.post(ANN)
    desk.post(ANN)
    desk.post({"email": " ANN@Example.org", "message": "And the windows?"})
    ((ann,), _, _) = people(desk)
    assert (ann["fields"], ann["deliveries"]) == (WHO, 2)


def test_what_is_said_in_anothers_name_changes_nobody(desk: Desk) -> None:
    desk.keyed(b"email=ann@example.org&given-name=Ann&family-name=Lee")
    desk.post({"email": "ann@example.org", "given-name": "Mallory", "tel": "+15550100"})
    assert who(desk) == [WHO]


def test_an_enquiry_that_goes_on_does_not_rename_who_began_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, id_field="ref")
    desk.keyed(b"ref=7&email=ann@example.org&name=Ann")
    desk.keyed(b"ref=7&name=Bo")
    desk.keyed(b"ref=7&email=bo@example.org&name=Bo")
    assert who(desk) == [{"name": "Ann", "email": "ann@example.org"}, {"name": "Bo", "email": "bo@example.org"}]
    desk.form.close()


def test_a_machine_is_nobody_until_it_is_released(desk: Desk) -> None:
    id = said(desk.post({**ANN, "fax": "1"}))["id"]
    assert who(desk) == []
    assert desk.form.check().details == {"aside": "1"}
    assert desk.form.release(id)
    assert who(desk) == [WHO]


def test_a_release_that_shows_what_was_said_before_is_a_change(desk: Desk) -> None:
    id = said(desk.post({**ANN, "given-name": "Anna", "fax": "1"}))["id"]
    desk.post(ANN)
    ((before,), _, cursor) = people(desk)
    assert desk.form.release(id)
    ((after,), _, _) = people(desk, cursor)
    assert (before["fields"]["given-name"], after["fields"]["given-name"]) == ("Ann", "Anna")
    assert before["version"] != after["version"]


def test_a_person_is_gone_with_the_last_enquiry_and_comes_back_with_a_new_one(desk: Desk) -> None:
    first = said(desk.post({**ANN, "tel": "1"}))["id"]
    second = said(desk.post(ANN))["id"]
    ((ann,), _, cursor) = people(desk)
    assert desk.form.erase(first)
    ((left,), stones, cursor) = people(desk, cursor)
    assert (left["fields"], stones) == (WHO, [])
    assert desk.form.erase(second)
    records, (stone,), cursor = people(desk, cursor)
    assert (records, stone.id, stone.reason) == ([], ann["id"], "deleted")
    assert desk.form.lookup("people", [ann["id"]]) == []
    desk.post({**ANN, "message": "It is me again."})
    assert [raw["id"] for raw in people(desk, cursor)[0]] == [ann["id"]]


def test_who_is_forgotten_is_forgotten_in_all_that_was_sent(desk: Desk) -> None:
    desk.post(ANN)
    desk.post({**ANN, "message": "And the windows?"})
    desk.post({**ANN, "message": "What was caught as a machine's goes, too.", "fax": "1"})
    desk.post({"email": "bo@example.org", "message": "Mine stays."})
    ann, bo = people(desk)[0]
    assert desk.form.erase(ann["id"])
    assert [raw["fields"] for raw in desk.records()] == [{"email": "bo@example.org", "message": "Mine stays."}]
    assert [raw["id"] for raw in people(desk)[0]] == [bo["id"]]
    assert not desk.form.erase(ann["id"])
    desk.form.close()
    for file in desk.inbox.parent.iterdir():
        assert b"ann%40example.org" not in file.read_bytes()


def test_an_inbox_of_before_there_were_people_goes_on(desk: Desk) -> None:
    desk.post({"message": "before"})
    desk.form.close()
    with sqlite3.connect(desk.inbox) as inbox:
        inbox.execute("drop table person")
        inbox.execute("pragma user_version = 1")
    inbox.close()
    desk.post(ANN)
    assert (len(desk.records()), who(desk)) == (2, [WHO])


def test_whom_a_vendor_names_is_a_person(tmp_path: Path) -> None:
    from .test_webform_sources import Vendor, booking, stripe_event

    stripe = Vendor(tmp_path / "stripe", "stripe", "stripe_signature")
    stripe.tell(stripe_event())
    calendly = Vendor(tmp_path / "calendly", "calendly", "calendly_webhook_signature")
    calendly.tell(booking("A"))
    for desk, name in ((stripe.desk, "Ann Lee"), (calendly.desk, "Ann Lee")):
        ((ann,), _, _) = people(desk)
        assert (ann["fields"]["name"], ann["fields"]["email"], ann["trust"]) == (name, "ann@example.org", "verified")
        assert KEY not in str(ann)
        desk.form.close()
