"""BottleCRM without a BottleCRM: a recorded story, and a scripted server that misbehaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aios_connect_bottlecrm import BottleCRM, Enquiry

from aios_connect.cassettes import Player
from aios_connect.connectors import (
    AuthError,
    Change,
    ConfigError,
    Hint,
    NotFoundError,
    Raw,
    RejectedError,
    Request,
    TruncatedError,
)
from aios_connect.connectors.webhooks import sign
from aios_connect.mappings import check, load, run_examples

from .bottlecrm_story import ADDRESS, CASSETTE, INTAKE_KEY, SECRET, connector, tell

MAPPINGS = sorted((Path(__file__).parents[2] / "mappings" / "bottlecrm").glob("*.yaml"))
ID = "68273879-85a3-41d0-9be6-7d5bc0ea1baa"
OTHER = "3ca48b81-cfeb-4663-8698-f23c8e540e6d"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
INTAKE = f"{ADDRESS}/api/public/leads/{OTHER}/"

Answer = tuple[int, Any]


class Server:
    """BottleCRM as a table: method and path -> answers, one after another; the last one stays."""

    def __init__(self, **answers: Any) -> None:
        told: dict[str, list[Answer]] = {
            name: list(answer) if isinstance(answer, list) else [answer] for name, answer in answers.items()
        }
        told.setdefault("GET custom-fields/", [(200, {"definitions": [defined(model) for model in MODELS]})])
        self.answers = told
        self.asked: list[httpx2.Request] = []
        self.crm = connector(httpx2.MockTransport(self._answer), attempts=1, intake=INTAKE)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        name = f"{request.method} {request.url.path.removeprefix('/api/')}"
        answers = self.answers[name]
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            raise httpx2.ReadTimeout("nobody answered")
        return httpx2.Response(status, json=body)

    def sent(self, method: str) -> list[httpx2.Request]:
        return [request for request in self.asked if request.method == method]


MODELS = ("Lead", "Contact", "Account", "Opportunity", "Task")


def defined(model: str, key: str = "aios_key") -> Raw:
    return {"id": OTHER, "target_model": model, "key": key, "label": key, "field_type": "text", "options": None}


def contact(**values: Any) -> Raw:
    plain: Raw = {
        "id": ID,
        "first_name": "Zoë",
        "last_name": "O'Hara",
        "account": None,
        "description": "old",
        "custom_fields": {},
    }
    return {**plain, "created_at": "2026-11-21T11:00:00Z", "updated_at": "2026-11-21T11:00:00Z", **values}


def deal(**values: Any) -> Raw:
    plain: Raw = {
        "id": ID,
        "name": "A",
        "amount": "900.00",
        "currency": "EUR",
        "contacts": [],
        "account": None,
        "custom_fields": {},
    }
    return {**plain, "created_at": "2026-11-21T11:00:00Z", **values}


def task(**values: Any) -> Raw:
    return {"id": ID, "title": "Call", "created_at": "2026-11-21T11:00:00Z", "due_date": None, "custom_fields": {}, **values}


def people(*rows: Raw) -> Answer:
    return (200, {"results": list(rows), "count": len(rows)})


def update(patch: Raw, expect: Raw | None = None) -> Change:
    return Change("update", "plan.1", ID, patch, expect or {})


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


# Writing


def test_a_create_carries_our_key_and_its_plan_line() -> None:
    server = Server(
        **{"POST contacts/": (200, {"error": False, "id": ID}), f"GET contacts/{ID}/": (200, {"contact_obj": contact()})}
    )
    (receipt,) = server.crm.write("contacts", [Change("create", "plan.7", patch={"first_name": "Zoë"}, key="person_1")])
    assert (receipt.outcome, receipt.id, receipt.record) == ("written", ID, contact())
    (post,) = server.sent("POST")
    assert json.loads(post.content) == {"first_name": "Zoë", "custom_fields": {"aios_key": "person_1"}}
    assert post.headers["aios-plan-line"] == "plan.7"


def test_nothing_is_made_where_our_key_has_no_place() -> None:
    server = Server(**{"GET custom-fields/": (200, {"definitions": [defined("Lead")]})})
    with pytest.raises(NotFoundError) as caught:
        server.crm.write("contacts", [Change("create", "plan.7", patch={"first_name": "Zoë"}, key="person_1")])
    assert "aios connect" in caught.value.hint
    assert server.sent("POST") == []


@pytest.mark.parametrize("answer", [(0, None), (502, {}), (200, []), (200, {"error": False, "message": "Thank you"})])
def test_a_create_that_nobody_answered_is_looked_for_by_its_key_and_not_sent_again(answer: Answer) -> None:
    ours = contact(custom_fields={"aios_key": "person_1"})
    server = Server(**{"POST contacts/": answer, "GET contacts/": people(contact(id=OTHER), ours)})
    (receipt,) = server.crm.write("contacts", [Change("create", "plan.7", patch={"first_name": "Zoë"}, key="person_1")])
    assert (receipt.outcome, receipt.id, receipt.record) == ("written", ID, ours)
    assert len(server.sent("POST")) == 1
    assert server.asked[-1].url.params["created_at__gte"] == "2026-11-19"


def test_a_create_that_is_not_to_be_found_is_ambiguous() -> None:
    server = Server(**{"POST contacts/": (0, None), "GET contacts/": people(contact())})
    (receipt,) = server.crm.write("contacts", [Change("create", "plan.7", patch={"first_name": "Zoë"}, key="person_1")])
    assert (receipt.outcome, receipt.id) == ("ambiguous", None)
    assert receipt.reason


def test_a_new_task_is_found_by_its_key_as_bottlecrm_does_not_say_its_id() -> None:
    older = task(id=OTHER, created_at="2026-11-21T10:00:00Z")
    ours = task(custom_fields={"aios_key": "task_1"})
    server = Server(
        **{
            "POST tasks/": (200, {"error": False, "message": "Task Created Successfully"}),
            "GET tasks/": (200, {"tasks": [older, task()], "tasks_count": 2}),
            f"GET tasks/{ID}/": (200, {"task_obj": ours}),
        }
    )
    (receipt,) = server.crm.write("tasks", [Change("create", "plan.7", patch={"title": " Call "}, key="task_1")])
    assert (receipt.outcome, receipt.id) == ("written", ID)
    (listing,) = [request for request in server.asked if request.url.path == "/api/tasks/" and request.method == "GET"]
    assert listing.url.params["title"] == "Call"


@pytest.mark.parametrize(
    ("object", "patch", "why"),
    [
        ("contacts", {"nickname": "Z"}, "nickname"),
        ("contacts", {"updated_at": "2026-11-21T11:00:00Z"}, "updated_at"),
        ("contacts", {"custom_fields": {"aios_key": "mine"}}, "aios_key"),
        ("contacts", {"custom_fields": {"imagined": "x"}}, "imagined"),
        ("contacts", {"custom_fields": "x"}, "custom_fields"),
        ("leads", {"status": "converted"}, "converted in BottleCRM"),
        ("deals", {"contact": ID, "contacts": []}, "say the same"),
        ("deals", {"amount": "-1"}, "below zero"),
        ("leads", {"probability": -5}, "below zero"),
        ("tasks", {"due_at": "soon"}, "soon"),
    ],
)
def test_what_bottlecrm_would_drop_or_misunderstand_is_not_sent(object: str, patch: Raw, why: str) -> None:
    server = Server()
    for change in (Change("create", "plan.1", patch=patch, key="k"), update(patch)):
        (receipt,) = server.crm.write(object, [change])
        assert receipt.outcome == "rejected"
        assert why in receipt.reason
    assert {request.url.path for request in server.asked} <= {"/api/custom-fields/"}


def test_a_value_that_bottlecrm_took_and_did_not_keep_is_said() -> None:
    server = Server(
        **{
            f"GET contacts/{ID}/": (200, {"contact_obj": contact()}),
            f"PATCH contacts/{ID}/": (200, {"error": False, "message": "ok"}),
        }
    )
    (receipt,) = server.crm.write("contacts", [update({"tags": [OTHER], "description": "old"})])
    assert (receipt.outcome, receipt.reason) == ("rejected", "BottleCRM took it and did not keep tags")


@pytest.mark.parametrize(
    ("object", "before", "patch", "after"),
    [
        ("contacts", contact(), {"description": "  new  "}, contact(description="new")),
        ("contacts", contact(), {"description": None}, contact(description=None)),
        ("contacts", contact(), {"description": ""}, contact(description="")),
        ("deals", deal(), {"amount": "1000"}, deal(amount="1000.00")),
        ("deals", deal(), {"contact": OTHER}, deal(contacts=[{"id": OTHER}])),
        ("tasks", task(), {"due_at": "2026-11-25T08:00:00Z"}, task(due_date="2026-11-25")),
    ],
)
def test_a_value_that_is_kept_in_another_spelling_is_written(object: str, before: Raw, patch: Raw, after: Raw) -> None:
    path, one = {"contacts": ("contacts", "contact_obj"), "deals": ("opportunities", "opportunity_obj")}.get(
        object, ("tasks", "task_obj")
    )
    looked = [(200, {one: before}), (200, {one: after})]
    server = Server(**{f"GET {path}/{ID}/": looked, f"PATCH {path}/{ID}/": (200, {"error": False})})
    (receipt,) = server.crm.write(object, [update(patch)])
    assert receipt.outcome == "written"


@pytest.mark.parametrize(("text", "there"), [("7", "007"), ("1e2", "100"), ("1.0", "1")])
def test_texts_that_look_like_the_same_number_are_two_texts(text: str, there: str) -> None:
    looked: list[Answer] = [(200, {"contact_obj": contact(description=there)}), (200, {"contact_obj": contact(description=text)})]
    server = Server(**{f"GET contacts/{ID}/": looked, f"PATCH contacts/{ID}/": (200, {"error": False})})
    (receipt,) = server.crm.write("contacts", [update({"description": text}, {"description": there})])
    assert receipt.outcome == "written"
    assert len(server.sent("PATCH")) == 1


def test_an_amount_that_is_there_already_is_not_written_again() -> None:
    server = Server(**{f"GET opportunities/{ID}/": (200, {"opportunity_obj": deal()})})
    (receipt,) = server.crm.write("deals", [update({"amount": "900"}, {"amount": "900.00"})])
    assert (receipt.outcome, server.sent("PATCH")) == ("unchanged", [])


@pytest.mark.parametrize(
    ("answer", "after", "outcome"),
    [
        ((0, None), (200, {"contact_obj": contact(description="new")}), "written"),
        ((0, None), (200, {"contact_obj": contact()}), "ambiguous"),
        ((0, None), (404, {}), "ambiguous"),
        ((502, {}), (500, {}), "ambiguous"),
        ((404, {"detail": "none"}), (404, {}), "conflict"),
        ((400, {"error": True, "errors": {"description": ["too long"]}}), (200, {}), "rejected"),
        ((200, {"error": True, "errors": "No."}), (200, {}), "rejected"),
        ((200, {"error": False}), (500, {}), "written"),
    ],
)
def test_what_became_of_an_update_is_what_the_receipt_says(answer: Answer, after: Answer, outcome: str) -> None:
    looked: list[Answer] = [(200, {"contact_obj": contact()}), after]
    server = Server(**{f"GET contacts/{ID}/": looked, f"PATCH contacts/{ID}/": answer})
    (receipt,) = server.crm.write("contacts", [update({"description": "new"}, {"description": "old"})])
    assert receipt.outcome == outcome
    assert len(server.sent("PATCH")) == 1


@pytest.mark.parametrize(
    ("answer", "after", "outcome"),
    [
        ((200, {"error": False}), (500, {}), "written"),
        ((404, {}), (500, {}), "unchanged"),
        ((0, None), (404, {}), "written"),
        ((0, None), (200, {"contact_obj": contact()}), "ambiguous"),
        ((0, None), (500, {}), "ambiguous"),
        ((400, {"error": True, "errors": "No."}), (500, {}), "rejected"),
    ],
)
def test_what_became_of_a_delete_is_what_the_receipt_says(answer: Answer, after: Answer, outcome: str) -> None:
    looked: list[Answer] = [(200, {"contact_obj": contact()}), after]
    server = Server(**{f"GET contacts/{ID}/": looked, f"DELETE contacts/{ID}/": answer})
    (receipt,) = server.crm.write("contacts", [Change("delete", "plan.1", ID, {}, contact())])
    assert receipt.outcome == outcome
    assert len(server.sent("DELETE")) == 1


def test_a_change_within_the_same_day_is_a_change() -> None:
    now = contact(updated_at="2026-11-21T11:59:00Z")
    server = Server(**{f"GET contacts/{ID}/": (200, {"contact_obj": now})})
    (receipt,) = server.crm.write("contacts", [Change("delete", "plan.1", ID, {}, contact())])
    assert (receipt.outcome, receipt.current) == ("conflict", now)


# Our key


def test_a_retired_custom_field_is_taken_into_use_again() -> None:
    others = [defined(model) for model in MODELS if model != "Task"]
    server = Server(
        **{
            "GET custom-fields/": [(200, {"definitions": others}), (200, {"definitions": [defined("Task")]})],
            "POST custom-fields/": (400, {"error": True, "errors": {"key": ["a Task field with key 'aios_key' already exists"]}}),
            f"PUT custom-fields/{OTHER}/": (200, {}),
        }
    )
    assert server.crm.provision() == ["made the custom field 'aios_key' on tasks"]
    (put,) = server.sent("PUT")
    assert json.loads(put.content) == {"is_active": True}


def test_who_may_not_make_custom_fields_is_told_what_to_do() -> None:
    server = Server(
        **{
            "GET custom-fields/": (200, {"definitions": []}),
            "POST custom-fields/": (403, {"error": True, "errors": "Admin access required"}),
        }
    )
    with pytest.raises(AuthError) as caught:
        server.crm.provision()
    assert "administrator" in caught.value.hint


# Webhooks


def event(name: str, id: str | None = ID) -> bytes:
    return json.dumps({"id": "event-1", "event": name, "org_id": OTHER, "data": {"id": id} if id else {}}).encode()


def delivered(body: bytes, *, secret: str = SECRET, at: datetime = NOW, name: str = "x-bottlecrm-signature") -> Request:
    return Request("POST", "https://we.example.com/hooks", {name: sign(secret, body, at)}, body)


@pytest.mark.parametrize(
    ("name", "object"),
    [
        ("lead.created", "leads"),
        ("contact.updated", "contacts"),
        ("account.deleted", "accounts"),
        ("deal.won", "deals"),
        ("task.updated", "tasks"),
    ],
)
def test_an_event_says_what_to_read(name: str, object: str) -> None:
    assert Server().crm.receive(delivered(event(name))) == [Hint(object, ID, "event-1")]


@pytest.mark.parametrize(("name", "id"), [("ticket.created", ID), ("ping", None), ("lead.created", None)])
def test_an_event_of_what_is_not_read_says_nothing(name: str, id: str | None) -> None:
    assert Server().crm.receive(delivered(event(name, id))) == []


@pytest.mark.parametrize(
    "tampered",
    [
        lambda body: Request("POST", "", {}, body),
        lambda body: delivered(body, secret="whsec_another"),
        lambda body: delivered(body, at=NOW - timedelta(seconds=301)),
        lambda body: delivered(body, at=NOW + timedelta(seconds=301)),
        lambda body: Request("POST", "", delivered(body).headers, body + b" "),
    ],
)
def test_a_webhook_that_is_not_bottlecrms_or_not_of_this_moment_is_refused(tampered: Callable[[bytes], Request]) -> None:
    with pytest.raises(AuthError):
        Server().crm.receive(tampered(event("lead.created")))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event": 1, "data": {}}', b"\xff"])
def test_a_signed_body_that_is_no_event_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(RejectedError, match="no event"):
        Server().crm.receive(delivered(body))


def test_an_object_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="'tickets'"):
        Server().crm.lookup("tickets", [ID])


# Enquiries


def test_an_enquiry_goes_to_the_lead_webhook_with_its_own_key() -> None:
    server = Server(**{f"POST public/leads/{OTHER}/": (201, {"result": "created", "lead": ID})})
    assert server.crm.enquire({"email": "wen@example.com"}, "ext-1") == Enquiry(ID, "created")
    (post,) = server.asked
    assert post.headers["authorization"] == f"Bearer {INTAKE_KEY}"
    assert json.loads(post.content) == {"email": "wen@example.com", "external_id": "ext-1"}


def test_an_enquiry_that_nobody_answered_is_sent_again_as_the_same_id_makes_one_lead() -> None:
    server = Server(**{f"POST public/leads/{OTHER}/": [(0, None), (200, {"result": "duplicate", "lead": ID})]})
    crm = connector(httpx2.MockTransport(server._answer), intake=INTAKE)
    assert crm.enquire({"email": "wen@example.com"}, "ext-1") == Enquiry(ID, "duplicate")
    assert len(server.sent("POST")) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((401, {"detail": "Wrong key."}), AuthError),
        ((400, {"result": "rejected", "errors": {"email": ["Enter a valid email address."]}}), RejectedError),
        ((200, {"result": "test"}), TruncatedError),
        ((200, []), TruncatedError),
    ],
)
def test_an_enquiry_that_became_no_lead_is_said(answer: Answer, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        Server(**{f"POST public/leads/{OTHER}/": answer}).crm.enquire({"email": "wen"}, "ext-1")


def test_an_enquiry_without_an_id_or_a_place_to_go_is_not_sent() -> None:
    server = Server()
    with pytest.raises(RejectedError):
        server.crm.enquire({"email": "wen@example.com"}, " ")
    with pytest.raises(ConfigError) as caught:
        connector(httpx2.MockTransport(server._answer)).enquire({}, "ext-1")
    assert "Lead webhooks" in caught.value.hint
    assert server.asked == []
