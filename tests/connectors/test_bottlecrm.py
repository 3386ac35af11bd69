"""BottleCRM without a BottleCRM: a recorded story, what is read, and who may read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aios_connect_bottlecrm import BottleCRM

from aios_connect.cassettes import Player
from aios_connect.connectors import (
    AuthError,
    ConfigError,
    TruncatedError,
    UnavailableError,
)
from aios_connect.mappings import check, load, run_examples

from .bottlecrm_script import ID, OTHER, Server, contact, deal, task, update
from .bottlecrm_story import CASSETTE, connector, tell

MAPPINGS = sorted((Path(__file__).parents[2] / "mappings" / "bottlecrm").glob("*.yaml"))


# The recorded story


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    with Player(CASSETTE) as transport:
        return tell(connector(transport))


def test_the_recorded_story_is_told_again_without_a_network(told: dict[str, Any]) -> None:
    assert set(told["before"].missing) == {f"create {object}" for object in BottleCRM.spec.objects}
    assert len(told["made"]) == 5
    assert told["after"].missing == {}
    assert {name: receipt.outcome for name, receipt in told["receipts"].items()} == {
        "company": "written",
        "namesake": "rejected",
        "person": "written",
        "deal": "written",
        "task": "written",
        "moved": "written",
        "stale": "conflict",
        "odd": "rejected",
        "kept": "rejected",
        "gone": "written",
    }


def test_in_the_story_what_is_refused_is_refused_in_the_words_of_bottlecrm(told: dict[str, Any]) -> None:
    receipts = told["receipts"]
    assert "name: Account already exists with this name" in receipts["namesake"].reason
    assert "no more than 2 decimal places" in receipts["odd"].reason
    assert "1 deals, which BottleCRM would delete with it" in receipts["kept"].reason


def test_in_the_story_a_receipt_brings_the_record_as_it_is_then(told: dict[str, Any]) -> None:
    moved, stale = told["receipts"]["moved"], told["receipts"]["stale"]
    assert stale.current == moved.record
    assert (moved.record["stage"], moved.record["amount"], moved.record["contact"]) == ("CLOSED_LOST", "26000.00", None)
    assert told["receipts"]["task"].record["due_at"] == "2026-11-24T00:00:00Z"


def test_in_the_story_what_is_read_is_what_was_written(told: dict[str, Any]) -> None:
    assert told["read"]["deals"] == [told["receipts"]["moved"].record]
    assert told["read"]["contacts"] == [told["receipts"]["person"].record]
    assert (told["read"]["tasks"], told["left"]) == ([], [])
    assert list(told["found"]) == ["key-plan.5"]
    assert [id for id, _ in told["scan"]] == [told["receipts"]["deal"].id]


def test_the_cassette_says_where_it_was_recorded_and_holds_no_credentials() -> None:
    text = CASSETTE.read_text("utf-8")
    assert "origin: live BottleCRM" in text
    assert "authorization" not in text.lower()
    assert "bcrm_pat_" not in text
    assert "127.0.0.1" not in text


# The mappings


@pytest.mark.parametrize("file", MAPPINGS, ids=lambda file: file.stem)
def test_the_examples_hold(file: Path) -> None:
    results = run_examples(load(file))
    assert results
    assert [(result.name, result.differences) for result in results if result.differences] == []


@pytest.mark.parametrize("file", MAPPINGS, ids=lambda file: file.stem)
def test_the_mappings_fit_the_fields_of_a_new_organization(file: Path) -> None:
    loaded = load(file)
    stages = [{"code": code, "label": code.title()} for code in ("PROSPECTING", "QUALIFICATION", "PROPOSAL", "NEGOTIATION")]
    stages += [{"code": "CLOSED_WON", "label": "Won"}, {"code": "CLOSED_LOST", "label": "Lost"}]
    server = Server(
        **{
            "GET opportunities/pipelines/": (200, {"pipelines": [{"stages": stages}]}),
            "GET leads/sources/": (200, {"sources": [{"key": "referral", "label": "Referral"}]}),
        }
    )
    found = check(loaded, server.crm.describe(loaded.object), spec=BottleCRM.spec)
    assert [str(finding.error) for finding in found] == []


# Reading


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"results": []},
        {"count": 0},
        {"results": None, "count": 0},
        {"results": [{}], "count": 1},
        {"results": [], "count": "0"},
    ],
)
def test_what_is_no_list_never_ends_a_read(body: Any) -> None:
    server = Server(**{"GET contacts/": (200, body)})
    for act in (lambda: list(server.crm.read("contacts")), lambda: list(server.crm.scan("contacts"))):
        with pytest.raises(TruncatedError):
            act()


def test_only_the_last_page_is_complete_and_the_next_read_begins_anew() -> None:
    rows = [
        contact(id=f"{number:08}-0000-0000-0000-000000000000", created_at=f"2026-11-{30 - number}T11:00:00Z")
        for number in range(3)
    ]

    def page(request: httpx2.Request) -> httpx2.Response:
        start, size = int(request.url.params["offset"]), int(request.url.params["limit"])
        return httpx2.Response(200, json={"results": rows[start : start + size], "count": 3})

    crm = connector(httpx2.MockTransport(page))
    objects = {**BottleCRM.spec.objects, "contacts": replace(BottleCRM.spec.objects["contacts"], page_size=2)}
    crm.spec = replace(BottleCRM.spec, objects=objects)  # type: ignore[misc]
    first, last = crm.read("contacts")
    assert (first.complete, last.complete, last.cursor) == (False, True, {})
    assert [raw["id"] for raw in (*first.records, *last.records)] == [one["id"] for one in rows]
    (rest,) = crm.read("contacts", first.cursor)
    assert rest == last


def test_what_is_worked_out_when_it_is_asked_for_is_no_part_of_a_record() -> None:
    told = deal(created_on_arrow="3 minutes ago", days_in_stage=4, aging_status="green", org={"id": OTHER}, next_activity=None)
    server = Server(**{"GET opportunities/": (200, {"opportunities": [told], "opportunities_count": 1})})
    (page,) = server.crm.read("deals")
    assert page.records == [{**deal(), "contact": None}]


def test_what_a_record_points_at_is_an_id() -> None:
    told = deal(account={"id": OTHER, "name": "ACME"}, contacts=[{"id": ID, "first_name": "Ann", "email": "a@example.com"}])
    server = Server(**{f"GET opportunities/{ID}/": (200, {"opportunity_obj": told})})
    (raw,) = server.crm.lookup("deals", [ID])
    assert (raw["account"], raw["contacts"], raw["contact"]) == (OTHER, [ID], ID)


def test_of_several_contacts_none_is_the_contact() -> None:
    told = deal(contacts=[{"id": ID}, {"id": OTHER}])
    server = Server(**{f"GET opportunities/{ID}/": (200, {"opportunity_obj": told})})
    (raw,) = server.crm.lookup("deals", [ID])
    assert "contact" not in raw
    assert raw["contacts"] == [OTHER, ID]
    (receipt,) = server.crm.write("deals", [update({"contact": None})])
    assert receipt.outcome == "rejected"
    assert server.sent("PATCH") == []


def test_a_task_that_is_deleted_between_the_list_and_the_question_about_it_is_left_out() -> None:
    listed = (200, {"tasks": [task(), task(id=OTHER)], "tasks_count": 2})
    gone = (404, {"detail": "No such task."})
    server = Server(
        **{"GET tasks/": listed, f"GET tasks/{ID}/": gone, f"GET tasks/{OTHER}/": (200, {"task_obj": task(id=OTHER)})}
    )
    (page,) = server.crm.read("tasks")
    assert [raw["id"] for raw in page.records] == [OTHER]
    assert page.complete


def test_an_answer_about_another_record_is_not_taken_for_the_one_asked_for() -> None:
    server = Server(**{f"GET contacts/{ID}/": (200, {"contact_obj": contact(id=OTHER)})})
    with pytest.raises(TruncatedError):
        server.crm.lookup("contacts", [ID])


def test_a_web_page_that_finds_nothing_says_nothing_of_a_record() -> None:
    """A proxy, or a server that moved. What BottleCRM has no more it says in JSON."""
    server = Server(**{f"GET contacts/{ID}/": (404, "<!doctype html><title>Not Found</title>")})
    with pytest.raises(UnavailableError, match="Not Found"):
        server.crm.lookup("contacts", [ID])
    with pytest.raises(UnavailableError):
        server.crm.write("contacts", [update({"description": "new"})])


def test_what_can_be_no_id_is_not_asked_for() -> None:
    server = Server()
    assert server.crm.lookup("contacts", ["none", "../leads", ID.upper()]) == []
    assert server.asked == []


# Signing in


def test_a_token_that_bottlecrm_does_not_know_is_said_to_be_wrong_although_the_status_is_403() -> None:
    server = Server(**{"GET profile/": (403, {"detail": "Organization context is required. Please login again."})})
    with pytest.raises(AuthError) as caught:
        server.crm.check()
    assert caught.value.status == 401
    assert "connect again" in caught.value.hint


def test_what_a_token_may_not_do_is_named() -> None:
    scoped = (403, {"detail": "This token is not scoped for write access to leads. It needs the leads:write scope."})
    nobody = "00000000-0000-0000-0000-000000000000"
    absent = (404, {"detail": "none"})
    server = Server(
        **{
            "GET profile/": (403, {"detail": "It needs the profile:read scope."}),
            "GET org/settings/": (200, {"name": "Harbor Lane"}),
            **{f"{verb} {path}/{nobody}/": absent for verb in ("GET", "PATCH") for path in ("leads", "contacts", "accounts")},
            **{f"{verb} {path}/{nobody}/": absent for verb in ("GET", "PATCH") for path in ("opportunities", "tasks")},
            f"PATCH leads/{nobody}/": scoped,
        }
    )
    identity = server.crm.check()
    assert identity.account == "Harbor Lane"
    assert set(identity.missing) == {"read profile", "write leads"}
    assert "leads:write" in identity.missing["write leads"]


def test_an_object_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="'tickets'"):
        Server().crm.lookup("tickets", [ID])
