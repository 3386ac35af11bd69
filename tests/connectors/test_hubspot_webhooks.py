"""HubSpot's webhooks: believed only with the signature, version 3, and then only as a hint; and a fake that sends them as they come."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aios_connect_hubspot import HubSpot, _webhooks
from aios_connect_hubspot.sandbox import SECRET, Hazards, HubSpotVendor, furnish

from aios_connect.connectors import AuthError, Hint, Receives, RejectedError, Request, redaction
from aios_connect.sandbox import Delivery, Outbox, at_url

from .hubspot_office import connector, everything

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
URL = "https://example.com/hooks?a=1"


@pytest.fixture(autouse=True, scope="module")
def _forgotten_afterwards() -> Iterator[None]:
    """Secrets made known here are not masked in other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_remembered", redaction._Remembered())
        yield


def request(body: bytes, *, at: datetime = NOON, secret: str = SECRET, url: str = URL, signed_url: str | None = None) -> Request:
    """A request as HubSpot would sign it."""
    stamp = str(int(at.timestamp() * 1000))
    mac = hmac.new(secret.encode(), b"POST" + (signed_url or url).encode() + body + stamp.encode(), hashlib.sha256).digest()
    headers = {"x-hubspot-signature-v3": base64.b64encode(mac).decode(), "x-hubspot-request-timestamp": stamp}
    return Request("POST", url, headers, body)


def test_the_published_vectors_of_version_three() -> None:
    folder = os.environ.get("AIOS_SAMPLES")
    if not folder:
        pytest.skip("AIOS_SAMPLES names the folder with signature vectors")
    told = json.loads((Path(folder) / "webhooks" / "signature-vectors.json").read_text(encoding="utf-8"))
    found = [one for one in told["vectors"] if (one["vendor"], one["scheme"]) == ("hubspot", "v3")]
    assert found
    for one in found:
        headers = {"x-hubspot-signature-v3": one["expected"], "x-hubspot-request-timestamp": one["timestamp"]}
        came = Request(one["method"], one["url"], headers, one["body"].encode())
        at = datetime.fromtimestamp(int(one["timestamp"]) / 1000, UTC)
        _webhooks.verify(came, one["client_secret"], now=at)
        with pytest.raises(AuthError, match="wrong"):
            _webhooks.verify(replace(came, body=came.body + b" "), one["client_secret"], now=at)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"body": b"[ ]"}, "wrong"),
        ({"url": "https://example.com/hooks?a=2"}, "wrong"),
        ({"method": "PUT"}, "wrong"),
        ({"headers": {}}, "no signature"),
        ({"headers": {"x-hubspot-signature-v3": "AAAA"}}, "no signature"),
        ({"headers": {"x-hubspot-signature-v3": "no base64!", "x-hubspot-request-timestamp": "1767614400000"}}, "no signature"),
        ({"headers": {"x-hubspot-signature-v3": "AAAA", "x-hubspot-request-timestamp": "noon"}}, "wrong"),
    ],
)
def test_what_was_changed_on_the_way_is_not_believed(change: dict[str, Any], says: str) -> None:
    good = request(b"[]")
    _webhooks.verify(good, SECRET, now=NOON)
    with pytest.raises(AuthError, match=says):
        _webhooks.verify(replace(good, **change), SECRET, now=NOON)


def test_another_secret_is_not_believed_and_while_it_is_replaced_both_are() -> None:
    old = request(b"[]", secret="old")
    with pytest.raises(AuthError, match="wrong"):
        _webhooks.verify(old, "new", now=NOON)
    _webhooks.verify(old, ["new", "old"], now=NOON)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_request_that_somebody_kept_is_refused(seconds: int) -> None:
    came = request(b"[]", at=NOON - timedelta(seconds=seconds))
    _webhooks.verify(came, SECRET, now=NOON - timedelta(seconds=seconds) + timedelta(seconds=299))
    with pytest.raises(AuthError, match="not of this moment"):
        _webhooks.verify(came, SECRET, now=NOON)


def test_some_characters_of_the_address_are_decoded_before_it_is_signed() -> None:
    came = request(b"[]", url="https://example.com/a%2Fb?c=%40d%20e", signed_url="https://example.com/a/b?c=@d%20e")
    _webhooks.verify(came, SECRET, now=NOON)


def test_a_connection_without_the_apps_secret_says_so() -> None:
    vendor = HubSpotVendor()
    hubspot = connector(vendor)
    assert isinstance(hubspot, Receives)
    assert hubspot.spec.webhooks
    assert hubspot.receive(request(b"[]", at=vendor.clock.now())) == []
    with pytest.raises(AuthError, match="no client secret"):
        connector(vendor, app_secret="").receive(request(b"[]", at=vendor.clock.now()))


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"objectId": 1}', b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_list_of_events_is_refused(body: bytes) -> None:
    vendor = HubSpotVendor()
    with pytest.raises(RejectedError, match="not a list"):
        connector(vendor).receive(request(body, at=vendor.clock.now()))


def test_every_event_names_the_records_to_read() -> None:
    events: list[dict[str, Any]] = [
        {"subscriptionType": "contact.creation", "objectId": 1, "eventId": 9},
        {"subscriptionType": "object.propertyChange", "objectTypeId": "0-3", "objectId": 2},
        {"subscriptionType": "object.deletion", "objectTypeId": "0-48", "objectId": 3},
        {"subscriptionType": "company.merge", "primaryObjectId": 4, "mergedObjectIds": [5, 6], "newObjectId": 7},
        {"subscriptionType": "deal.associationChange", "associationType": "DEAL_TO_CONTACT", "fromObjectId": 8, "toObjectId": 9},
        {"subscriptionType": "conversation.newMessage", "objectId": 10},
        {"subscriptionType": "object.creation", "objectTypeId": "2-77", "objectId": 11},
        {},
    ]
    found = [(hint.object, hint.id) for hint in _webhooks.hints(json.dumps(events).encode())]
    assert found == [
        ("contacts", "1"),
        ("deals", "2"),
        ("activities", "calls-3"),
        *(("companies", id) for id in ("7", "4", "5", "6")),
        ("deals", "8"),
        ("contacts", "9"),
    ]


def test_an_event_that_comes_again_is_known_by_its_name_and_another_with_its_number_is_not_it() -> None:
    event = {"subscriptionType": "contact.creation", "objectId": 1, "eventId": 9, "occurredAt": 1, "attemptNumber": 0}
    again, other = {**event, "attemptNumber": 3}, {**event, "objectId": 2}
    first, second, third = (_webhooks.hints(json.dumps([one]).encode())[0] for one in (event, again, other))
    assert first == second
    assert first.event != third.event


class Desk:
    """Somebody who takes webhooks: ours, who reads what a hint names, and a naive one, who believes what the events say."""

    def __init__(self, hubspot: HubSpot) -> None:
        self.hubspot = hubspot
        self.hints: list[Hint] = []
        self.believed: dict[int, str] = {}
        self.counted = 0

    def take(self, came: Request) -> int:
        self.hints += self.hubspot.receive(came)
        for event in json.loads(came.body):
            self.counted += 1
            if event["subscriptionType"] == "contact.propertyChange":
                self.believed[event["objectId"]] = event["propertyValue"]
        return 204

    def truth(self) -> dict[str, str]:
        ids = list(dict.fromkeys(hint.id or "" for hint in self.hints if hint.object == "contacts"))
        return {raw["id"]: raw["properties"]["firstname"] for raw in self.hubspot.lookup("contacts", ids)}


def day(delivery: Delivery, seed: int = 1) -> tuple[HubSpotVendor, Desk, Outbox, dict[int, str]]:
    """An hour in which people edit contacts, and the webhooks of it."""
    vendor = HubSpotVendor(hazards=Hazards.none())
    desk = Desk(connector(vendor))
    outbox = vendor.subscribe(desk.take, delivery=delivery, seed=seed)
    made = [vendor.records["contacts"].create({"firstname": "new"}).id for _ in range(40)]
    last = {}
    for number in range(300):
        vendor.clock.sleep(0.4)
        id = made[number * 7 % 40]
        last[id] = f"edit {number}"
        vendor.records["contacts"].change(id, {"firstname": last[id]}, by="a person")
        if number % 20 == 0:
            outbox.deliver()
    vendor.clock.sleep(3600)
    outbox.deliver()
    return vendor, desk, outbox, last


def test_webhooks_come_late_twice_and_in_any_order_and_lead_to_the_truth_all_the_same() -> None:
    _, desk, outbox, last = day(Delivery(late=20.0, twice=0.1, batch=30))
    assert len(outbox) == 0
    assert desk.truth() == {str(id): name for id, name in last.items()}
    assert desk.believed != last, "who believes the events in the order they come is right: the order is no hazard"
    assert desk.counted > 340, "who counts events counts right: none came twice"
    assert len({(hint.object, hint.id, hint.event) for hint in desk.hints}) == 340
    assert max(len(json.loads(came.body)) for came, _ in outbox.sent) == 30


def test_a_reader_who_believes_events_is_right_only_where_nothing_is_hard() -> None:
    _, desk, _, last = day(Delivery.prompt())
    assert (desk.believed, desk.counted) == (last, 340)


def test_the_same_seed_sends_the_same_requests() -> None:
    def bodies(seed: int) -> list[bytes]:
        return [came.body for came, _ in day(Delivery(), seed)[2].sent]

    assert bodies(1) == bodies(1)
    assert bodies(1) != bodies(2)


def test_what_is_not_taken_is_sent_again_and_given_up_in_the_end() -> None:
    vendor = HubSpotVendor(hazards=Hazards.none())
    answers = iter([0, 500, 204])
    outbox = vendor.subscribe(lambda came: next(answers, 503), delivery=replace(Delivery.prompt(), again=60.0, attempts=3))
    vendor.records["contacts"].create({"firstname": "A"})
    for _ in range(3):
        outbox.deliver()
        vendor.clock.sleep(3600)
    assert [(json.loads(came.body)[0]["attemptNumber"], status) for came, status in outbox.sent] == [(0, 0), (1, 500), (2, 204)]
    assert outbox.lost == []
    vendor.records["contacts"].create({"firstname": "B"})
    for _ in range(5):
        outbox.deliver()
        vendor.clock.sleep(3600)
    assert [event["subscriptionType"] for event in outbox.lost] == ["contact.creation"]
    stamps = {came.headers["x-hubspot-request-timestamp"] for came, _ in outbox.sent}
    assert len(stamps) == len(outbox.sent)  # signed anew each time, or it would be too old to be believed


def test_merges_restores_and_associations_are_announced_and_lead_to_what_became_of_the_records() -> None:
    vendor = furnish(HubSpotVendor(hazards=Hazards.none()))
    hubspot = connector(vendor)
    desk = Desk(hubspot)
    cursor = everything(hubspot, "contacts")[-1].cursor
    outbox = vendor.subscribe(desk.take, delivery=Delivery.prompt())
    one, two, three = [record.id for record in vendor.records["contacts"]][:3]
    deal = next(iter(vendor.records["deals"]))
    vendor.clock.sleep(120)
    new = vendor.merged("contacts", one, two)
    vendor.records["contacts"].archive(three, by="a person")
    vendor.records["contacts"].restore(three)
    vendor.associations.add("deals", deal.id, "contacts", three)
    vendor.associations.add("notes", next(iter(vendor.records["notes"])).id, "contacts", three)
    outbox.deliver()
    told = {event["subscriptionType"] for came, _ in outbox.sent for event in json.loads(came.body)}
    assert {"contact.merge", "contact.deletion", "contact.restore", "deal.associationChange", "object.associationChange"} <= told
    named = {(hint.object, hint.id) for hint in desk.hints}
    assert {("contacts", str(id)) for id in (one, two, three, new.id)} | {("deals", str(deal.id))} <= named
    gone = {stone.id: stone.survivor for page in everything(hubspot, "contacts", cursor) for stone in page.tombstones}
    assert gone == {str(one): str(new.id), str(two): str(new.id)}


class _Door(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        url = f"http://{self.headers['Host']}{self.path}"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.came.append(Request("POST", url, headers, body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_webhooks_reach_a_server_on_this_machine_and_no_other() -> None:
    vendor = HubSpotVendor(hazards=Hazards.none())
    with HTTPServer(("127.0.0.1", 0), _Door) as server:
        came: list[Request] = []
        server.came = came  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/hooks?who=us"
        outbox = vendor.subscribe(at_url(url), url=url, delivery=Delivery.prompt())
        record = vendor.records["contacts"].create({"firstname": "Zoë"})
        outbox.deliver()
        server.shutdown()
        thread.join()
    assert [status for _, status in outbox.sent] == [204]
    assert [(hint.object, hint.id) for hint in connector(vendor).receive(came[0])] == [("contacts", str(record.id))]
    vendor.records["contacts"].create({"firstname": "B"})
    outbox.deliver()
    assert outbox.sent[-1][1] == 0  # nobody listens any more
    for elsewhere in ("http://example.com/", "https://127.0.0.1/", "http://127.0.0.1.example.com/"):
        with pytest.raises(ValueError, match="this machine only"):
            at_url(elsewhere)
