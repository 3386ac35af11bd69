"""Vendors that send: their signatures, and what their events amount to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aios_connect_webform.sources import SOURCES
from aios_connect_webform.sources.twilio import signed_bytes

from aios_connect.connection import shipped_mappings
from aios_connect.connectors import AuthError, Raw, Request
from aios_connect.connectors.webhooks import Reply, sign
from aios_connect.mappings import load

from .webform_desk import NOON, URLENCODED, Desk, said

SAMPLES = Path(os.environ.get("AIOS_SAMPLES") or "/nowhere") / "webhooks"
TOKEN = "auth-token-of-twilio-1"
SECRET = "signing-secret-of-theirs"
CALLS = "https://hooks.example.com/calls"
JSON = "application/json"

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="AIOS_SAMPLES does not name the folder of sample files")


def vectors(vendor: str) -> list[dict[str, Any]]:
    everything = json.loads((SAMPLES / "signature-vectors.json").read_text("utf-8"))["vectors"]
    return [vector for vector in everything if vector["vendor"] == vendor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


class Vendor:
    """A vendor that sends signed JSON to a desk."""

    def __init__(self, folder: Path, source: str, header: str, **settings: str) -> None:
        self.desk = Desk(folder, key=SECRET, source=source, **settings)
        self.header = header

    def tell(self, event: Mapping[str, Any], secret: str = SECRET) -> Reply:
        body = json.dumps(event).encode()
        return self.desk.send(body, JSON, **{self.header: self._signature(body, secret)})

    def _signature(self, body: bytes, secret: str) -> str:
        if self.header == "typeform_signature":
            return f"sha256={base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()}"
        return sign(secret, body, self.desk.now)

    def only(self) -> Raw:
        (raw,) = self.desk.records()
        return raw


def leaves(object: str, raw: Raw) -> Mapping[str, Any]:
    found, problems = load(shipped_mappings("webform") / f"{object}.yaml").get(raw)
    assert problems == []
    return found


@pytest.mark.parametrize("source", [name for name, source in SOURCES.items() if source.keyed])
def test_nothing_is_believed_without_a_signature(folder: Path, source: str) -> None:
    desk = Desk(folder, key=SECRET, source=source)
    body = json.dumps({"id": "evt_1", "type": "checkout.session.completed"}).encode()
    forged = {
        "stripe_signature": sign("another", body, NOON),
        "calendly_webhook_signature": sign("another", body, NOON),
        "typeform_signature": "sha256=AAAA",
        "x_twilio_signature": "AAAA",
        "webhook_signature": "v1,AAAA",
        "webhook_id": "m1",
        "webhook_timestamp": str(int(NOON.timestamp())),
        "authorization": f"Bearer {SECRET}",
    }
    for headers in ({}, forged):
        reply = desk.send(body, JSON, **headers)
        assert reply.status == 401
        assert SECRET not in str(reply)
    assert desk.form.check().details == {"aside": "0"}
    desk.form.close()


@pytest.mark.parametrize("source", [name for name, source in SOURCES.items() if source.keyed])
def test_without_a_key_a_vendor_is_asked_to_send_it_again(folder: Path, source: str) -> None:
    desk = Desk(folder, key="", source=source)
    assert desk.send(b"{}", JSON, stripe_signature="t=1,v1=00").status == 503
    desk.form.close()


# Twilio


class Phone:
    """Twilio, telling of calls."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder, key=TOKEN, source="twilio", address=CALLS)
        self.number = 0

    def tell(self, call: str = "CA1", **said: str) -> Reply:
        return self.send({"CallSid": call, "AccountSid": "AC1", **said})

    def send(self, said: Mapping[str, str]) -> Reply:
        signed = CALLS + "".join(f"{name}{said[name]}" for name in sorted(said))
        signature = base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        return self.desk.send(urlencode(said).encode(), x_twilio_signature=signature, url="http://127.0.0.1:8080/calls")

    def call(self) -> Raw:
        (raw,) = self.desk.records("calls")
        return raw


@pytest.fixture
def phone(folder: Path) -> Iterator[Phone]:
    phone = Phone(folder)
    yield phone
    phone.desk.form.close()


INBOUND = {"From": "+15035550142", "To": "+15035550100", "Direction": "inbound"}


def steps(*states: Mapping[str, str], start: datetime = NOON) -> list[dict[str, str]]:
    """The callbacks of one call, as Twilio numbers them."""
    return [
        {
            "CallSid": "CA1",
            **INBOUND,
            "SequenceNumber": str(number),
            "Timestamp": format_datetime(start + timedelta(seconds=number)),
            **state,
        }
        for number, state in enumerate(states)
    ]


def test_a_call_is_one_record_in_whatever_order_its_callbacks_come(folder: Path) -> None:
    told = steps({"CallStatus": "ringing"}, {"CallStatus": "in-progress"}, {"CallStatus": "completed", "CallDuration": "41"})
    told.append({"CallSid": "CA1", "RecordingUrl": "https://api.twilio.com/RE1", "RecordingStatus": "completed"})
    seen = []
    for number, order in enumerate(permutations(told)):
        phone = Phone(folder / str(number))
        for callback in [*order, *order]:
            assert phone.send(callback).status == 204
        raw = phone.call()
        (intake,) = phone.desk.records("submissions")
        assert (raw["id"], raw["submission"], intake["id"], raw["deliveries"]) == ("CA1", "CA1", "CA1", 8)
        seen.append((raw["call"], raw["occurred_at"], intake["call"], raw["fields"]["CallStatus"]))
        phone.desk.form.close()
    assert all(one == seen[0] for one in seen)
    call, occurred, *_ = seen[0]
    assert (call["direction"], call["outcome"], call["seconds"]) == ("in", "voicemail", 41)
    assert occurred == "2026-11-21T12:00:00+00:00"


@pytest.mark.parametrize(
    "stamp", ["Sat, 21 Nov 2026 12:00:00 +0000", "Sat, 21 Nov 2026 12:00:00 -0000", "Sat, 21 Nov 2026 12:00:00"]
)
def test_an_instant_without_a_zone_is_no_time_of_this_machine(phone: Phone, monkeypatch: pytest.MonkeyPatch, stamp: str) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        phone.tell(**INBOUND, CallStatus="ringing", Timestamp=stamp)
        assert phone.call()["occurred_at"] == "2026-11-21T12:00:00+00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_call_that_was_erased_stays_so_whatever_is_told_of_it_later(phone: Phone) -> None:
    phone.tell(**INBOUND, CallStatus="completed")
    assert phone.desk.form.erase("CA1")
    assert phone.tell(RecordingUrl="https://api.twilio.com/RE1").status == 204
    phone.desk.form.close()
    assert b"RE1" not in phone.desk.inbox.read_bytes()
    assert phone.desk.records("calls") == [] and phone.desk.records("submissions") == []


def test_a_call_of_ours_is_a_call_and_no_enquiry(phone: Phone) -> None:
    phone.tell(From="+15035550100", To="+15035550142", Direction="outbound-api", CallStatus="no-answer")
    assert phone.call()["call"]["direction"] == "out"
    assert phone.call()["fields"]["tel"] == "+15035550142"
    assert phone.desk.records("submissions") == []


def test_a_call_that_goes_on_has_no_outcome_and_is_no_enquiry_yet(phone: Phone) -> None:
    phone.tell(**INBOUND, CallStatus="ringing")
    assert phone.call()["call"]["outcome"] is None
    assert phone.desk.records("submissions") == []
    phone.tell(**INBOUND, CallStatus="busy")
    (intake,) = phone.desk.records("submissions")
    assert leaves("submissions", intake)["call_outcome"] == "busy"


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({"CallStatus": "completed"}, "connected"),
        ({"CallStatus": "completed", "DialCallStatus": "completed"}, "connected"),
        ({"CallStatus": "completed", "DialCallStatus": "no-answer"}, "no_answer"),
        ({"CallStatus": "completed", "DialCallStatus": "busy"}, "busy"),
        ({"CallStatus": "completed", "DialCallStatus": "failed"}, "failed"),
        ({"CallStatus": "in-progress", "DialCallStatus": "no-answer"}, "no_answer"),
        ({"CallStatus": "completed", "DialCallStatus": "no-answer", "RecordingUrl": "https://api.twilio.com/RE1"}, "voicemail"),
        ({"CallStatus": "completed", "DialCallStatus": "completed", "RecordingUrl": "https://api.twilio.com/RE1"}, "connected"),
        ({"CallStatus": "completed", "RecordingUrl": "https://api.twilio.com/RE1"}, "voicemail"),
        ({"CallStatus": "completed", "Direction": "outbound-api", "AnsweredBy": "machine_end_beep"}, "voicemail"),
        ({"CallStatus": "completed", "Direction": "outbound-api", "AnsweredBy": "human"}, "connected"),
        ({"CallStatus": "no-answer"}, "no_answer"),
        ({"CallStatus": "failed"}, "failed"),
        ({"CallStatus": "canceled"}, "abandoned"),
    ],
)
def test_what_became_of_a_call(phone: Phone, told: Mapping[str, str], outcome: str) -> None:
    phone.tell(**{**INBOUND, **told})
    assert phone.call()["call"]["outcome"] == outcome
    assert leaves("calls", phone.call())["outcome"] == outcome


def test_the_leg_to_our_people_is_part_of_the_call_and_says_whether_they_answered(phone: Phone) -> None:
    phone.tell("CA1", **INBOUND, CallStatus="completed")
    phone.tell(
        "CA2", ParentCallSid="CA1", From="+15035550142", To="+15035550777", Direction="outbound-dial", CallStatus="no-answer"
    )
    raw = phone.call()
    assert (raw["id"], raw["call"]["outcome"], raw["call"]["to"]) == ("CA1", "no_answer", "+15035550100")


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://hooks.example.com/calls?a=1", "https://hooks.example.com/calls?a=1"),
        ("https://hooks.example.com:443/calls", "https://hooks.example.com/calls"),
        ("https://hooks.example.com/calls", "https://hooks.example.com:443/calls"),
        ("https://hooks.example.com:8443/calls", "https://hooks.example.com/calls"),
        ("http://hooks.example.com/calls", "http://hooks.example.com:80/calls"),
    ],
)
def test_twilio_may_sign_the_address_with_or_without_its_port(folder: Path, url: str, signed: str) -> None:
    desk = Desk(folder, key=TOKEN, source="twilio")
    body = urlencode({"CallSid": "CA1", **INBOUND})
    pairs = "".join(f"{name}{value}" for name, value in sorted({"CallSid": "CA1", **INBOUND}.items()))
    signature = base64.b64encode(hmac.new(TOKEN.encode(), (signed + pairs).encode(), hashlib.sha1).digest()).decode()
    assert desk.send(body.encode(), url=url, x_twilio_signature=signature).status == 204
    assert desk.send(body.encode(), url=url.replace("calls", "other"), x_twilio_signature=signature).status == 401
    assert desk.send(body.replace("CA1", "CA2").encode(), url=url, x_twilio_signature=signature).status == 401
    desk.form.close()


def test_a_signature_over_the_address_alone_does_not_vouch_for_a_body(folder: Path) -> None:
    """Who has seen one such request could put any body behind it."""
    desk = Desk(folder, key=TOKEN, source="twilio")
    body = json.dumps({"CallSid": "CA1", "CallStatus": "completed"}).encode()
    plain = CALLS
    vouched = f"{CALLS}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    for url, sent, status in ((plain, body, 401), (vouched, body, 204), (vouched, body + b" ", 401)):
        signature = base64.b64encode(hmac.new(TOKEN.encode(), url.encode(), hashlib.sha1).digest()).decode()
        assert desk.send(sent, JSON, url=url, x_twilio_signature=signature).status == status
    desk.form.close()


def test_what_vouches_for_a_body_is_signed_where_the_address_asks_for_something_too(folder: Path) -> None:
    desk = Desk(folder, key=TOKEN, source="twilio", address=f"{CALLS}?office=1")
    body = json.dumps({"CallSid": "CA1", "CallStatus": "completed"}).encode()
    vouched = f"?office=1&bodySHA256={hashlib.sha256(body).hexdigest()}"
    for signed, status in ((CALLS + vouched, 204), (f"{CALLS}?office=1", 401)):
        signature = base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        assert desk.send(body, JSON, url=f"http://127.0.0.1:8080/calls{vouched}", x_twilio_signature=signature).status == status
    desk.form.close()


def test_a_signed_request_that_names_no_call_is_kept_aside(phone: Phone) -> None:
    assert phone.send({"AccountSid": "AC1", "MessageSid": "SM1"}).status == 204
    (aside,) = phone.desk.aside()
    assert "signed" in aside.reason and "CallSid" in aside.reason
    assert "MessageSid=SM1" in aside.raw


@needs_samples
def test_twilios_own_vectors_are_signed_as_twilio_says() -> None:
    tried = 0
    for vector in vectors("twilio"):
        if "params" not in vector:
            assert hashlib.sha256(vector["body"].encode()).hexdigest() == vector["expected"]
            continue
        body = urlencode([(name, value) for name, value in vector["params"]]).encode()
        signed = signed_bytes(Request("POST", vector["url"], {"content-type": URLENCODED}, body), vector["url"])
        expected = base64.b64encode(hmac.new(vector["client_secret"].encode(), signed, hashlib.sha1).digest()).decode()
        assert expected == vector["expected"]
        request = Request("POST", vector["url"], {"content-type": URLENCODED, "x-twilio-signature": vector["expected"]}, body)
        proof = SOURCES["twilio"].prove(request, door_of(), [vector["client_secret"]], NOON)
        assert proof.trust == "verified"
        with pytest.raises(AuthError):
            SOURCES["twilio"].prove(request, door_of(), ["another"], NOON)
        tried += 1
    assert tried == 2


def door_of(**settings: str) -> Any:
    desk = Desk(Path(), **settings)
    return desk.form._door


# those that sign with an instant


@needs_samples
def test_stripes_own_vector_is_believed_in_its_moment_only() -> None:
    (vector,) = vectors("stripe")
    request = Request("POST", CALLS, {"stripe-signature": vector["expected"]}, vector["body"].encode())
    signed_at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    assert SOURCES["stripe"].prove(request, door_of(), [vector["client_secret"]], signed_at).trust == "verified"
    for late in (-301, 301):
        with pytest.raises(AuthError):
            SOURCES["stripe"].prove(request, door_of(), [vector["client_secret"]], signed_at + timedelta(seconds=late))


@needs_samples
def test_the_vector_of_standard_webhooks_names_its_event() -> None:
    (vector,) = vectors("standard-webhooks")
    headers = {"webhook-id": vector["id"], "webhook-timestamp": vector["timestamp"], "webhook-signature": vector["expected"]}
    at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    request = Request("POST", CALLS, headers, vector["body"].encode())
    assert SOURCES["standard"].prove(request, door_of(), [vector["client_secret"]], at).event == vector["id"]


def stripe_event(id: str = "evt_1", kind: str = "checkout.session.completed", **session: Any) -> dict[str, Any]:
    whole = {
        "id": "cs_1",
        "object": "checkout.session",
        "amount_total": 25000,
        "currency": "usd",
        "payment_status": "paid",
        "client_reference_id": None,
        "customer_email": None,
        "customer_details": {
            "email": "ann@example.org",
            "name": "Ann Lee",
            "phone": "+15035550142",
            "address": {"postal_code": "07209"},
        },
        "metadata": {"utm_campaign": "autumn", "rooms": "14"},
        "custom_fields": [{"key": "floor", "type": "dropdown", "dropdown": {"value": "3"}}],
        **session,
    }
    return {"id": id, "object": "event", "type": kind, "created": int(NOON.timestamp()) + 5, "data": {"object": whole}}


def test_a_paid_checkout_is_an_enquiry_however_often_it_is_told(folder: Path) -> None:
    stripe = Vendor(folder, "stripe", "stripe_signature")
    first = stripe.tell({**stripe_event(), "pending_webhooks": 2})
    stripe.desk.wait(3600)
    again = stripe.tell({**stripe_event(), "pending_webhooks": 1})  # the same event, told again, differs
    assert (first.status, said(first), said(again)) == (200, {"id": "cs_1"}, {"id": "cs_1"})
    raw = stripe.only()
    assert raw["deliveries"] == 2
    assert raw["fields"] == {
        "utm_campaign": "autumn",
        "rooms": "14",
        "floor": "3",
        "name": "Ann Lee",
        "email": "ann@example.org",
        "tel": "+15035550142",
        "postal-code": "07209",
        "reference": None,
        "amount": 25000,
        "currency": "usd",
        "payment": "paid",
    }
    assert leaves("submissions", raw)["source.first.campaign"] == "autumn"
    assert leaves("submissions", raw)["occurred_at"] == "2026-11-21T12:00:05Z"
    stripe.desk.form.close()


def test_an_event_that_is_no_enquiry_is_kept_and_shows_nowhere(folder: Path) -> None:
    stripe = Vendor(folder, "stripe", "stripe_signature")
    assert stripe.tell(stripe_event(kind="invoice.paid")).status == 200
    assert stripe.desk.records() == [] and stripe.desk.aside() == []
    stripe.desk.form.close()


def test_a_signed_event_of_another_shape_is_kept_aside_and_not_refused(folder: Path) -> None:
    """A vendor that is refused again and again stops sending."""
    stripe = Vendor(folder, "stripe", "stripe_signature")
    assert stripe.tell({"id": "evt_2", "type": "checkout.session.completed", "data": {"object": ["new"]}}).status == 200
    (aside,) = stripe.desk.aside()
    assert "is not what Stripe sends" in aside.reason and "evt_2" in aside.raw
    stripe.desk.form.close()


def test_an_event_that_cannot_be_read_is_set_aside_and_the_others_are_read(folder: Path) -> None:
    stripe = Vendor(folder, "stripe", "stripe_signature")
    stripe.tell(stripe_event(id="evt_1"))
    stripe.tell({"id": "evt_2", "type": "checkout.session.completed", "created": 10**30, "data": {"object": {"id": "cs_2"}}})
    stripe.tell({**stripe_event(), "id": "evt_3", "data": {"object": {"id": "cs_3", "customer_details": "none"}}})
    assert [raw["id"] for raw in stripe.desk.records()] == ["cs_1"]
    assert [(bad.id, bad.reason[:18]) for bad in stripe.desk.aside()] == [
        ("cs_2", "it cannot be read:"),
        ("cs_3", "it cannot be read:"),
    ]
    stripe.desk.form.close()


def test_a_signature_from_yesterday_is_refused(folder: Path) -> None:
    for number, (source, header, most) in enumerate(
        (("stripe", "stripe_signature", 300), ("calendly", "calendly_webhook_signature", 180))
    ):
        vendor = Vendor(folder, source, header, inbox=f"{number}.db")
        body = json.dumps(stripe_event() if source == "stripe" else booking("A")).encode()
        signature = sign(SECRET, body, NOON)
        vendor.desk.wait(most + 1)
        assert vendor.desk.send(body, JSON, **{header: signature}).status == 401
        vendor.desk.wait(-1)
        assert vendor.desk.send(body, JSON, **{header: signature}).status == 200
        vendor.desk.form.close()


# Calendly


def booking(invitee: str, kind: str = "invitee.created", at: int = 0, **payload: Any) -> dict[str, Any]:
    created = (NOON + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    uri = "https://api.calendly.com/scheduled_events/E/invitees/"
    whole: dict[str, Any] = {
        "uri": uri + invitee,
        "email": "ann@example.org",
        "name": "Ann Lee",
        "status": "active" if kind == "invitee.created" else "canceled",
        "created_at": created,
        "questions_and_answers": [{"question": "How many rooms?", "answer": "14", "position": 0}],
        "tracking": {"utm_medium": "email", "utm_source": None},
        "timezone": "America/New_York",
        "old_invitee": None,
        "scheduled_event": {
            "uri": "https://api.calendly.com/scheduled_events/E",
            "name": "Site visit",
            "start_time": "2026-11-25T14:00:00.000000Z",
            "end_time": "2026-11-25T14:30:00.000000Z",
            "location": {"type": "physical", "location": "1 Harbor Lane"},
        },
        **payload,
    }
    if whole["old_invitee"]:
        whole["old_invitee"] = uri + whole["old_invitee"]
    return {"event": kind, "created_at": created, "created_by": "https://api.calendly.com/users/U", "payload": whole}


@pytest.fixture
def calendly(folder: Path) -> Iterator[Vendor]:
    vendor = Vendor(folder, "calendly", "calendly_webhook_signature")
    yield vendor
    vendor.desk.form.close()


def test_a_booking_is_an_enquiry(calendly: Vendor) -> None:
    assert said(calendly.tell(booking("A"))) == {"id": "A"}
    calendly.tell(booking("A"))
    raw = calendly.only()
    assert (raw["channel"], raw["trust"], raw["deliveries"]) == ("booking", "verified", 2)
    found = leaves("submissions", raw)
    assert found["custom.subject"] == "Site visit"
    assert found["custom.booking_status"] == "active"
    assert found["custom.booking_start"] == "2026-11-25T14:00:00Z"
    assert found["source.first.medium"] == "email"
    assert found["person"] == "?emails.work=ann@example.org"
    assert raw["fields"]["How many rooms?"] == "14"
    assert raw["booking"]["location"] == "1 Harbor Lane"


@pytest.mark.parametrize("order", [1, -1])
def test_a_routing_form_is_an_enquiry_and_the_booking_that_follows_is_part_of_it(calendly: Vendor, order: int) -> None:
    form = "https://api.calendly.com/routing_form_submissions/R"
    routed = booking("A", "routing_form_submission.created", -30)
    routed["payload"] = {
        "uri": form,
        "created_at": routed["created_at"],
        "questions_and_answers": [{"question_uuid": "q", "question": "What do you need?", "answer": "Cleaning"}],
        "tracking": {"utm_medium": "cpc"},
        "submitter": None,
    }
    told = [routed, booking("A", routing_form_submission=form)]
    for event in told[::order]:
        calendly.tell(event)
    raw = calendly.only()
    assert (raw["id"], raw["deliveries"], raw["booking"]["status"]) == ("R", 2, "active")
    assert {raw["fields"][name] for name in ("What do you need?", "How many rooms?")} == {"Cleaning", "14"}
    assert (raw["first"], raw["occurred_at"]) == ({"medium": "cpc"}, routed["created_at"])


def test_a_routing_form_without_a_booking_is_an_enquiry(calendly: Vendor) -> None:
    routed = booking("A", "routing_form_submission.created")
    routed["payload"] = {"uri": "https://api.calendly.com/routing_form_submissions/R", "created_at": routed["created_at"]}
    calendly.tell(routed)
    assert calendly.only()["booking"] is None
    assert leaves("submissions", calendly.only())["channel"] == "booking"


def test_what_calendly_tells_besides_is_kept_and_shows_nowhere(calendly: Vendor) -> None:
    event = {
        "event": "event_type.updated",
        "created_at": booking("A")["created_at"],
        "payload": {"event_type": {"name": "Visit"}},
    }
    assert said(calendly.tell(event)) == said(calendly.tell(event))
    assert calendly.desk.records() == [] and calendly.desk.aside() == []


@pytest.mark.parametrize("order", [1, -1])
def test_a_booking_that_was_called_off_is_the_same_enquiry(calendly: Vendor, order: int) -> None:
    told = [booking("A"), booking("A", "invitee.canceled", 60, created_at=booking("A")["created_at"])]
    for event in told[::order]:
        calendly.tell(event)
    assert calendly.only()["booking"]["status"] == "canceled"


def moved() -> Sequence[dict[str, Any]]:
    """Booked, moved, and moved again: each move calls the old one off and makes a new one."""
    return (
        booking("A"),
        booking("A", "invitee.canceled", 60, created_at=booking("A")["created_at"], rescheduled=True),
        booking("B", at=60, old_invitee="A"),
        booking("B", "invitee.canceled", 120, created_at=booking("B", at=60)["created_at"], rescheduled=True, old_invitee="A"),
        booking("C", at=120, old_invitee="B", scheduled_event={"name": "Site visit", "start_time": "2026-12-01T09:00:00Z"}),
    )


@pytest.mark.parametrize("order", ["01234", "43210", "04132", "40213", "24031", "14203"])
def test_a_booking_that_was_moved_twice_is_one_enquiry_as_it_is_now(calendly: Vendor, order: str) -> None:
    for number in order:
        calendly.tell(moved()[int(number)])
        calendly.tell(moved()[int(number)])
    raw = calendly.only()
    assert raw["deliveries"] == 10
    assert (raw["booking"]["status"], raw["booking"]["start"]) == ("active", "2026-12-01T09:00:00Z")
    assert raw["occurred_at"] == booking("A")["created_at"]


def test_two_enquiries_that_turn_out_to_be_one_are_told_as_merged(calendly: Vendor) -> None:
    first, _, second, _, third = moved()
    for event in (first, third):
        calendly.tell(event)
    (page,) = calendly.desk.form.read("submissions")
    assert sorted(raw["id"] for raw in page.records) == ["A", "B"]
    calendly.tell(second)
    (later,) = calendly.desk.form.read("submissions", page.cursor)
    assert [(raw["id"], raw["deliveries"]) for raw in later.records] == [("A", 3)]
    assert [(stone.id, stone.reason, stone.survivor) for stone in later.tombstones] == [("B", "merged", "A")]


def test_what_links_an_erased_enquiry_with_another_spoils_neither(calendly: Vendor) -> None:
    first, _, second, _, third = moved()
    for event in (first, third):
        calendly.tell(event)
    assert calendly.desk.form.erase("B")
    calendly.tell(second)
    assert calendly.desk.aside() == []
    assert [(raw["id"], raw["fields"]["email"]) for raw in calendly.desk.records()] == [("A", "ann@example.org")]


@needs_samples
def test_the_sample_payload_of_calendly_is_an_enquiry(calendly: Vendor) -> None:
    event = json.loads((SAMPLES / "calendly" / "payload.json").read_text("utf-8"))
    assert calendly.tell(event).status == 200
    found = leaves("submissions", calendly.only())
    assert (found["custom.name"], found["custom.email"]) == ("John Doe", "test@example.com")
    assert found["occurred_at"] == "2020-11-23T17:51:18.327602Z"
    assert found["custom.booking_start"] == "2019-08-24T14:15:22.123456Z"


# Typeform

RESPONSE = {
    "event_id": "01E1FT3ZBH",
    "event_type": "form_response",
    "form_response": {
        "form_id": "TZLwUH",
        "token": "x71for1wr6",
        "landed_at": "2026-11-21T11:58:57Z",
        "submitted_at": "2026-11-21T11:59:59Z",
        "hidden": {"utm_campaign": "autumn", "utm_source": "google"},
        "definition": {"id": "TZLwUH", "title": "Ask for a quote", "fields": []},
        "answers": [
            {"type": "text", "text": "Ann Lee", "field": {"id": "a1", "type": "short_text", "ref": "name"}},
            {"type": "email", "email": "ann@example.org", "field": {"id": "a2", "type": "email", "ref": "9a48.9f17"}},
            {"type": "phone_number", "phone_number": "+15035550142", "field": {"id": "a3", "type": "phone_number"}},
            {"type": "choice", "choice": {"label": "Twice a week"}, "field": {"id": "a4", "ref": "often"}},
            {
                "type": "choices",
                "choices": {"labels": ["Kitchen", "Hall"], "other": "Attic"},
                "field": {"id": "a5", "ref": "rooms"},
            },
            {"type": "number", "number": 14, "field": {"id": "a6", "ref": "count"}},
            {"type": "boolean", "boolean": True, "field": {"id": "a7", "ref": "soon"}},
        ],
    },
}


def test_a_typeform_is_an_enquiry(folder: Path) -> None:
    typeform = Vendor(folder, "typeform", "typeform_signature")
    assert said(typeform.tell(RESPONSE)) == {"id": "x71for1wr6"}
    typeform.desk.wait(86_400)
    typeform.tell(RESPONSE)  # no instant is signed: who has seen it can send it again, and adds nothing
    raw = typeform.only()
    assert raw["fields"] == {
        "utm_campaign": "autumn",
        "utm_source": "google",
        "name": "Ann Lee",
        "9a48 9f17": "ann@example.org",
        "email": "ann@example.org",
        "a3": "+15035550142",
        "tel": "+15035550142",
        "often": "Twice a week",
        "rooms": ["Kitchen", "Hall", "Attic"],
        "count": 14,
        "soon": True,
        "subject": "Ask for a quote",
    }
    found = leaves("submissions", raw)
    assert (found["occurred_at"], found["idempotency_key"]) == ("2026-11-21T11:59:59Z", "01E1FT3ZBH")
    assert (found["custom.email"], found["custom.utm_source"]) == ("ann@example.org", "google")
    typeform.desk.form.close()


class Program:
    """A program that signs as Standard Webhooks says."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.key = base64.b64encode(b"a secret of thirty-two bytes, ok").decode()
        self.desk = Desk(folder, key=f"whsec_{self.key}", source="standard", **settings)

    def tell(self, id: str, event: Mapping[str, Any]) -> Reply:
        body, stamp = json.dumps(event).encode(), str(int(self.desk.now.timestamp()))
        mac = hmac.new(base64.b64decode(self.key), f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers = {"webhook_id": id, "webhook_timestamp": stamp, "webhook_signature": f"v1,{base64.b64encode(mac).decode()}"}
        return self.desk.send(body, JSON, **headers)


def test_a_program_that_signs_as_standard_webhooks_says(folder: Path) -> None:
    program = Program(folder, channel="chat", id_field="conversation")
    desk = program.desk
    event = {
        "type": "lead.created",
        "timestamp": "2026-11-21T11:59:00Z",
        "data": {"conversation": "c-1", "email": "ann@example.org"},
    }
    for id in ("msg_1", "msg_1", "msg_2"):
        assert said(program.tell(id, event)) == {"id": "c-1"}
    (raw,) = desk.records()
    assert (raw["channel"], raw["deliveries"], raw["key"]) == ("chat", 3, "msg_1")
    assert raw["fields"] == event["data"]
    assert leaves("submissions", raw)["occurred_at"] == "2026-11-21T11:59:00Z"
    desk.form.close()


def test_an_event_that_comes_late_does_not_take_back_what_happened_after_it(folder: Path) -> None:
    """A webhook that failed is sent again hours later, when others have long come."""
    program = Program(folder, id_field="ref")
    for id, at, stage in (
        ("m2", "2026-11-21T11:00:00Z", "won"),
        ("m1", "2026-11-21T09:00:00+01:00", "new"),
        ("m0", "2026-11-21T10:30:00Z", "offer"),
    ):
        program.tell(id, {"type": "lead.changed", "timestamp": at, "data": {"ref": "7", "stage": stage}})
    (raw,) = program.desk.records()
    assert (raw["fields"]["stage"], raw["occurred_at"]) == ("won", "2026-11-21T09:00:00+01:00")
    program.desk.form.close()


def test_an_event_without_an_instant_happened_when_it_came(folder: Path) -> None:
    program = Program(folder, id_field="ref")
    for number, stamp in enumerate(("soon", None, 1e300)):
        program.tell(f"m{number}", {"timestamp": stamp, "data": {"ref": "7", "step": number}})
        program.desk.wait(1)
    assert program.desk.fields()["step"] == 2
    program.desk.form.close()
