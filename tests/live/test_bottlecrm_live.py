"""A real BottleCRM: what is special about it, and that nothing is lost, doubled or written over all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aios_connect_bottlecrm import BottleCRM

from aios_connect import connect
from aios_connect.connectors import AuthError, Change, Raw, Receipt, Receives, Request
from aios_connect.testing.servers.bottlecrm import BottleCRMServer
from tests.connectors.bottlecrm_story import connector

from .bottlecrm_world import PATHS, People
from .tapped import Tapped

pytestmark = pytest.mark.live


class Office:
    """Both sides of an organization: the connector, and somebody else who works there."""

    def __init__(self, server: BottleCRMServer, *scopes: str) -> None:
        self.server = server
        self.company = server.fresh(*scopes)
        self.people = People(self.company)
        self.wire = Tapped()
        self.crm = connector(self.wire, self.company.url, self.company.token, attempts=1)

    def short(self, size: int) -> BottleCRM:
        """The connector with short pages."""
        objects = {name: replace(spec, page_size=size, scan_size=size) for name, spec in BottleCRM.spec.objects.items()}
        self.crm.spec = replace(BottleCRM.spec, objects=objects)  # type: ignore[misc]
        return self.crm

    def create(self, object: str, values: Raw, key: str = "key-1") -> Receipt:
        (receipt,) = self.crm.write(object, [Change("create", "plan.1", patch=values, key=key)])
        return receipt

    def update(self, object: str, id: str, values: Raw, expect: Raw | None = None) -> Receipt:
        (receipt,) = self.crm.write(object, [Change("update", "plan.2", id, values, expect or {})])
        return receipt

    def delete(self, object: str, id: str) -> Receipt:
        (raw,) = self.crm.lookup(object, [id])
        (receipt,) = self.crm.write(object, [Change("delete", "plan.3", id, {}, raw)])
        return receipt

    def read(self, object: str) -> list[Raw]:
        return [raw for page in self.crm.read(object) for raw in page.records]


@pytest.fixture
def office(bottlecrm_server: BottleCRMServer) -> Iterator[Office]:
    office = Office(bottlecrm_server)
    office.crm.provision()
    office.wire.calls.clear()
    yield office
    office.wire.close()


TASK: Raw = {"title": "Call", "status": "New", "priority": "Low"}


# What BottleCRM is like. Where one of these fails the connector may rest on something that is so no longer.


def test_a_filter_that_it_does_not_know_is_ignored_and_answered_with_everything(office: Office) -> None:
    office.people.make("contacts", {"first_name": "Ann", "last_name": "Lee"})
    told = office.company.request("GET", "/api/contacts/?updated_at__gte=2100-01-01T00:00:00Z")
    assert told["count"] == 1


def test_it_has_no_conditions_so_that_we_compare(office: Office) -> None:
    id = office.people.make("leads", {"first_name": "Wen", "description": "as read"})
    office.people.change("leads", id, {"description": "theirs"})
    receipt = office.update("leads", id, {"description": "ours"}, {"description": "as read"})
    assert (receipt.outcome, (receipt.current or {})["description"]) == ("conflict", "theirs")
    assert office.people.one("leads", id)["description"] == "theirs"


def test_a_list_of_tasks_leaves_out_what_we_ask_for_one_by_one(office: Office) -> None:
    office.people.make("tasks", {**TASK, "description": "Twice a week"})
    assert "description" not in office.people.rows("tasks")[0]
    assert [raw["description"] for raw in office.read("tasks")] == ["Twice a week"]


def test_a_converted_lead_is_on_no_list_and_is_still_there(office: Office) -> None:
    id = office.people.make(
        "leads", {"first_name": "Wen", "last_name": "Zhao", "email": "wen@example.com", "company_name": "Northgate"}
    )
    office.people.change("leads", id, {"status": "converted"})
    assert office.read("leads") == []
    assert [item for page in office.crm.scan("leads") for item in page.items] == []
    (raw,) = office.crm.lookup("leads", [id])
    assert raw["status"] == "converted"
    assert [raw["email"] for raw in office.read("contacts")] == ["wen@example.com"]


def test_a_lead_is_not_converted_by_a_change_of_its_status(office: Office) -> None:
    id = office.people.make("leads", {"first_name": "Wen", "email": "wen@example.com"})
    assert office.update("leads", id, {"status": "converted"}).outcome == "rejected"
    assert office.people.rows("accounts") == []


def test_an_account_with_deals_is_not_deleted_as_its_deals_would_go_with_it(office: Office) -> None:
    account = office.people.make("accounts", {"name": "Harbor Lane"})
    deal = office.people.make("deals", {"name": "Window cleaning", "account": account})
    assert office.delete("accounts", account).outcome == "rejected"
    office.people.remove("deals", deal)
    assert office.delete("accounts", account).outcome == "written"
    assert office.people.rows("accounts") == []


def test_names_and_addresses_that_are_taken_are_refused_in_its_own_words(office: Office) -> None:
    office.people.make("accounts", {"name": "Harbor Lane"})
    office.people.make("contacts", {"first_name": "Zoë", "last_name": "O'Hara", "email": "zoe@harbor.example.com"})
    name = office.create("accounts", {"name": "harbor lane"})
    mail = office.create("contacts", {"first_name": "Z", "last_name": "O", "email": "ZOE@harbor.example.com"})
    assert (name.outcome, mail.outcome) == ("rejected", "rejected")
    assert "already exists" in name.reason
    assert "already exists" in mail.reason


# Reading


@pytest.mark.parametrize("object", ["leads", "accounts"])
def test_both_halves_of_a_list_are_read(office: Office, object: str) -> None:
    values = [{"first_name": f"P{n}"} if object == "leads" else {"name": f"C{n}"} for n in range(6)]
    ids = [office.people.make(object, one) for one in values]
    for id in ids[:3]:
        office.people.change(object, id, {"status": "closed"} if object == "leads" else {"is_active": False})
    office.short(2)
    assert sorted(raw["id"] for raw in office.read(object)) == sorted(ids)
    assert sorted(id for page in office.crm.scan(object) for id, _ in page.items) == sorted(ids)


def test_a_lead_that_is_reopened_while_leads_are_read_is_read(office: Office) -> None:
    ids = [office.people.make("leads", {"first_name": f"P{n}"}) for n in range(6)]
    for id in ids[:3]:
        office.people.change("leads", id, {"status": "closed"})
    seen: list[Raw] = []
    for number, page in enumerate(office.short(2).read("leads")):
        seen += page.records
        if number == 1:  # the open ones were read
            for id in ids[:3]:
                office.people.change("leads", id, {"status": "assigned"})
    assert {raw["id"] for raw in seen} == set(ids)


@pytest.mark.parametrize("object", ["contacts", "deals"])
def test_what_others_make_and_delete_while_we_read_hides_nothing(office: Office, object: str) -> None:
    def values(n: int) -> Raw:
        return {"first_name": f"P{n}", "last_name": "Lee"} if object == "contacts" else {"name": f"D{n}"}

    ids = [office.people.make(object, values(n)) for n in range(9)]
    order = [row["id"] for row in office.people.rows(object)]
    gone = set(order[:3])
    seen: list[Raw] = []
    for number, page in enumerate(office.short(3).read(object)):
        seen += page.records
        if number == 0:
            for id in gone:  # the offsets of all that follows are three too high now
                office.people.remove(object, id)
        elif number == 1:
            for n in range(10, 14):
                office.people.make(object, values(n))
    assert set(ids) - gone <= {raw["id"] for raw in seen}


# Writing


@pytest.mark.parametrize(("object", "values"), [("leads", {"first_name": "Wen"}), ("tasks", TASK)])
def test_a_create_whose_answer_was_lost_is_found_and_made_once(office: Office, object: str, values: Raw) -> None:
    office.wire.lose = "POST"
    receipt = office.create(object, values)
    assert receipt.outcome == "written"
    assert [row["id"] for row in office.people.rows(object)] == [receipt.id]
    assert office.wire.calls.count(f"POST /api/{PATHS[object]}/") == 1


def test_a_create_that_never_arrived_is_ambiguous_and_not_sent_again(office: Office) -> None:
    office.wire.drop = "POST"
    receipt = office.create("deals", {"name": "Window cleaning"})
    assert receipt.outcome == "ambiguous"
    assert office.people.rows("deals") == []
    assert office.wire.calls.count("POST /api/opportunities/") == 1


def test_of_tasks_with_one_title_each_is_known_by_its_key(office: Office) -> None:
    receipts = [office.create("tasks", {**TASK, "description": f"{n}"}, key=f"key-{n}") for n in range(4)]
    assert len({receipt.id for receipt in receipts}) == 4
    found = office.crm.find("tasks", [f"key-{n}" for n in range(4)])
    assert {key: raw["id"] for key, raw in found.items()} == {f"key-{n}": receipts[n].id for n in range(4)}
    assert [receipt.record and receipt.record["description"] for receipt in receipts] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("amount", ["0.01", "9999999999.99", "12500", "0.10"])
def test_an_amount_is_exact(office: Office, amount: str) -> None:
    receipt = office.create("deals", {"name": "A", "amount": amount, "currency": "EUR"})
    assert receipt.outcome == "written"
    (raw,) = office.crm.lookup("deals", [str(receipt.id)])
    assert raw["amount"] == f"{amount}.00" if "." not in amount else raw["amount"] == amount


@pytest.mark.parametrize("amount", ["0.001", "10000000000", "-1"])
def test_an_amount_that_it_cannot_keep_is_refused_and_not_rounded(office: Office, amount: str) -> None:
    assert office.create("deals", {"name": "A", "amount": amount}).outcome == "rejected"
    assert office.people.rows("deals") == []


def test_references_of_deals_and_tasks_are_written_changed_and_cleared(office: Office) -> None:
    account = office.people.make("accounts", {"name": "Harbor Lane"})
    person = office.people.make("contacts", {"first_name": "Zoë", "last_name": "O'Hara"})
    deal = office.create("deals", {"name": "Window cleaning", "account": account, "contact": person})
    task = office.create("tasks", {**TASK, "opportunity": deal.id, "contact": person, "due_at": "2026-11-25T08:00:00Z"})
    assert deal.record and (deal.record["account"], deal.record["contact"]) == (account, person)
    assert task.record and (task.record["opportunity"], task.record["contact"]) == (deal.id, person)
    assert task.record["due_date"] == "2026-11-25"
    for object, id, path in (("deals", deal.id, "account"), ("tasks", task.id, "opportunity")):
        receipt = office.update(object, str(id), {path: None, "contact": None})
        assert receipt.outcome == "written"
        assert receipt.record and (receipt.record[path], receipt.record["contact"]) == (None, None)


def test_a_task_that_would_belong_to_two_is_refused(office: Office) -> None:
    account = office.people.make("accounts", {"name": "Harbor Lane"})
    deal = office.people.make("deals", {"name": "Window cleaning"})
    receipt = office.create("tasks", {**TASK, "account": account, "opportunity": deal})
    assert receipt.outcome == "rejected"
    assert "one parent" in receipt.reason


def test_a_contact_that_is_not_there_is_not_said_to_be_written(office: Office) -> None:
    id = office.people.make("deals", {"name": "Window cleaning"})
    receipt = office.update("deals", id, {"contact": "68273879-85a3-41d0-9be6-7d5bc0ea1baa"})
    assert receipt.outcome == "rejected"
    assert office.people.one("deals", id)["contacts"] == []


def test_custom_fields_are_described_read_and_written(office: Office) -> None:
    office.company.request(
        "POST", "/api/custom-fields/", {"target_model": "Lead", "key": "budget", "label": "Budget", "field_type": "number"}
    )
    another = connector(office.wire, office.company.url, office.company.token)
    info = another.describe("leads").fields["custom_fields.budget"]
    assert (info.type, info.label, info.custom) == ("decimal", "Budget", True)
    (receipt,) = another.write(
        "leads", [Change("create", "plan.1", patch={"first_name": "W", "custom_fields": {"budget": 5}}, key="k")]
    )
    assert receipt.record and receipt.record["custom_fields"] == {"budget": 5, "aios_key": "k"}
    (receipt,) = another.write("leads", [Change("update", "plan.2", receipt.id, {"custom_fields": {"budget": None}})])
    assert receipt.record and receipt.record["custom_fields"] == {"aios_key": "k"}


# Signing in


def test_a_token_that_was_revoked_is_said_to_be(office: Office) -> None:
    for token in office.company.request("GET", "/api/profile/tokens/")["tokens"]:
        office.company.request("DELETE", f"/api/profile/tokens/{token['id']}/")
    with pytest.raises(AuthError) as caught:
        office.crm.check()
    assert "connect again" in caught.value.hint


def test_what_a_scoped_token_may_not_do_is_named_and_nothing_is_written_to_find_out(bottlecrm_server: BottleCRMServer) -> None:
    office = Office(bottlecrm_server, "leads:read", "leads:write", "opportunities:read", "custom-fields:read")
    missing = office.crm.check().missing
    assert {"read contacts", "write contacts", "write deals", "read tasks", "read profile", "read org"} <= set(missing)
    assert not {"read leads", "write leads", "read deals"} & set(missing)
    assert "opportunities:write" in missing["write deals"]
    with pytest.raises(AuthError):
        office.crm.provision()
    assert [office.people.rows(object) for object in PATHS] == [[]] * 5
    office.wire.close()


# Webhooks


@pytest.fixture
def hooks() -> Iterator[tuple[str, list[Request]]]:
    """An address that takes requests, and what came."""
    came: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append(Request("POST", self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks", came
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_as_it_comes_is_believed_and_says_what_to_read(office: Office, hooks: tuple[str, list[Request]]) -> None:
    address, came = hooks
    events = ["lead.created", "lead.updated", "deal.won", "task.deleted"]
    made: Any = office.company.request("POST", "/api/webhooks/", {"url": address, "events": events})
    lead = office.people.make("leads", {"first_name": "Wen"})
    office.people.change("leads", lead, {"description": "Ask again"})
    deal = office.people.make("deals", {"name": "Window cleaning", "amount": "900"})
    office.people.change("deals", deal, {"stage": "CLOSED_WON", "closed_on": "2026-11-21"})
    task = office.people.make("tasks", TASK)
    office.people.remove("tasks", task)
    with connect("bottlecrm", url=office.company.url, key=office.company.token, webhook_secret=made["secret"]) as crm:
        assert isinstance(crm.connector, Receives)
        hints = [hint for request in came for hint in crm.connector.receive(request)]
    assert [(hint.object, hint.id) for hint in hints] == [("leads", lead), ("leads", lead), ("deals", deal), ("tasks", task)]
    assert len({hint.event for hint in hints}) == 4


# Enquiries


def test_an_enquiry_makes_one_lead_however_often_it_is_sent(office: Office) -> None:
    about = {"name": "Site", "source": "web form"}
    hook = office.company.request("POST", "/api/leads/intakes/", about)
    told = {"url": office.company.url, "key": office.company.token, "intake": hook["url"], "intake_key": hook["key"]}
    with connect("bottlecrm", **told) as connection:
        crm = connection.connector
        assert isinstance(crm, BottleCRM)
        first = crm.enquire({"first_name": "Wen", "email": "wen@example.com"}, "ext-1")
        again = crm.enquire({"first_name": "Wen", "email": "wen@example.com"}, "ext-1")
        other = crm.enquire({"first_name": "Wen", "email": "WEN@example.com", "phone": "+1 503-555-0142"}, "ext-2")
    assert (first.result, again.result, other.result) == ("created", "duplicate", "merged")
    assert {first.lead, again.lead, other.lead} == {raw["id"] for raw in office.read("leads")}
    (raw,) = office.read("leads")
    assert (raw["external_id"], raw["phone"]) == ("ext-1", "+1 503-555-0142")


def test_an_enquiry_with_a_wrong_key_makes_no_lead(office: Office) -> None:
    hook = office.company.request("POST", "/api/leads/intakes/", {"name": "Site", "source": "web form"})
    crm = connector(office.wire, office.company.url, office.company.token, intake=hook["url"])
    with pytest.raises(AuthError) as caught:
        crm.enquire({"email": "wen@example.com"}, "ext-1")
    assert "key of the lead webhook" in caught.value.hint
    assert office.read("leads") == []


# The whole way


def test_a_deal_goes_through_the_mappings_and_back(office: Office) -> None:
    with connect("bottlecrm", url=office.company.url, key=office.company.token) as crm:
        company = crm.create("company", {"name": "Harbor Lane"})
        person = crm.create("person", {"names.given": "Zoë", "names.family": "O'Hara", "emails.work": "zoe@harbor.example.com"})
        assert company.id and person.id
        deal = crm.create(
            "deal",
            {
                "name": "Office cleaning",
                "stage": "Proposal",
                "amount": {"amount": "27450.5", "currency": "EUR"},
                "company": f"accounts:{company.id}",
                "person": f"contacts:{person.id}",
            },
        )
        read = crm.get("deal", deal.id or "")
        assert read.amount is not None
        assert (read.stage, str(read.amount.amount), read.amount.currency) == ("Proposal", "27450.5", "EUR")
