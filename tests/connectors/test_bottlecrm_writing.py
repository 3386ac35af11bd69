"""What BottleCRM is told, and what a receipt says of it."""

from __future__ import annotations

import json

import pytest

from aios_connect.connectors import (
    AuthError,
    Change,
    NotFoundError,
    Raw,
)

from .bottlecrm_script import ID, MODELS, OTHER, Answer, Server, contact, deal, defined, people, task, update

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


def test_of_a_new_record_too_it_is_said_what_was_not_kept() -> None:
    made = contact(tags=[])
    server = Server(**{"POST contacts/": (200, {"error": False, "id": ID}), f"GET contacts/{ID}/": (200, {"contact_obj": made})})
    (receipt,) = server.crm.write("contacts", [Change("create", "l", patch={"first_name": "Zoë", "tags": [OTHER]}, key="k")])
    assert (receipt.outcome, receipt.id) == ("written", ID)
    assert receipt.reason == "BottleCRM took it and did not keep tags"


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
