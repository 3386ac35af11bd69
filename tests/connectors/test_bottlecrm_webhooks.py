"""Webhooks of BottleCRM's, and enquiries handed in at one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from aios_connect_bottlecrm import Enquiry

from aios_connect.connectors import (
    AuthError,
    ConfigError,
    Hint,
    RejectedError,
    Request,
    TruncatedError,
)
from aios_connect.connectors.webhooks import sign

from .bottlecrm_script import ID, INTAKE, OTHER, Answer, Server
from .bottlecrm_story import INTAKE_KEY, SECRET, connector

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


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
