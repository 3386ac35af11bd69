"""Reading a real Tryton: whom we are, what is there, what changed, what went. Plain JSON-RPC says what is true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from aios_connect_tryton import Tryton

from aios_connect import connect
from aios_connect.connectors import AuthError, Cursor, CursorGoneError, NotFoundError, Raw, TruncatedError, UnavailableError
from aios_connect.mappings import check
from aios_connect.testing.servers import TrytonDatabase, TrytonServer

from .tryton_office import Office, create, update

pytestmark = pytest.mark.live

Another = Callable[..., Office]
READ = "model.party.party.search_read"


def parties(office: Office, count: int, category: str = "Person") -> list[int]:
    """Parties that somebody else makes in one transaction, so that they all have the same instant."""
    (found,) = office.rpc("model.party.category.search", [["name", "=", category]])
    rows = [{"name": f"Tied {number}", "categories": [["add", [found]]]} for number in range(count)]
    ids: list[int] = office.rpc("model.party.party.create", rows)
    return ids


def ids(records: list[Raw]) -> list[int]:
    return [raw["id"] for raw in records]


def just_after(raw: Raw) -> Cursor:
    """The cursor of a pass that began right after a record was changed last."""
    return {"mark": (datetime.fromisoformat(raw["modified"]) + timedelta(milliseconds=1)).isoformat()}


def test_check_says_who_we_are_and_what_is_lacking(empty_office: Office) -> None:
    identity = empty_office.connector.check()
    assert (identity.account, identity.user) == ("Brightwater Cleaning", "admin")
    assert identity.details["server"] == "Tryton 8.2"
    assert identity.missing == {}


def test_parties_in_no_category_are_counted_and_left_alone(empty_office: Office) -> None:
    empty_office.rpc("model.party.party.create", [{"name": "Who knows"}])
    assert empty_office.connector.check().details["other parties"].startswith("1 ")
    assert empty_office.records("people") == empty_office.records("companies") == []


def test_provision_makes_the_categories_once(tryton_server: TrytonServer) -> None:
    office = Office(tryton_server.fresh())
    missing = office.connector.check().missing
    assert missing["create people"] == "the party category 'Person'; aios connect makes it"
    assert office.connector.provision() == ["added the party category 'Person'", "added the party category 'Company'"]
    assert office.connector.provision() == []
    assert office.connector.check().missing == {}
    office.close()


def test_a_wrong_password_is_one_sentence_with_the_way_out(database: TrytonDatabase) -> None:
    office = Office(database, password="not-the-password")
    with pytest.raises(AuthError) as caught:
        office.connector.check()
    assert caught.value.message == f"Tryton did not accept the password of 'admin' for the database {database.name!r}"
    assert caught.value.hint == "aios connect crm"
    assert office.wire.calls == ["common.db.login"]
    office.close()


def test_a_database_that_is_not_there_is_named(another: Another) -> None:
    office = another(database="nowhere")
    with pytest.raises(NotFoundError, match="'nowhere'") as caught:
        office.connector.check()
    assert "database" in caught.value.hint


def test_a_server_that_is_not_there_is_unavailable(database: TrytonDatabase) -> None:
    office = Office(database, url="http://127.0.0.1:9")
    with pytest.raises(UnavailableError):
        office.connector.check()
    office.close()


def user(office: Office, login: str, *groups: str) -> dict[str, Any]:
    """A user of the company in some of Tryton's groups; the settings to sign in with."""
    found = office.rpc("model.res.group.search", [["name", "in", list(groups)]])
    password = f"the-password-of-{login}"
    company = {"companies": [["add", [1]]], "company": 1, "employees": [["add", [1]]], "employee": 1}
    office.rpc(
        "model.res.user.create", [{"name": login, "login": login, "password": password, "groups": [["add", found]], **company}]
    )
    return {"user": login, "password": password}


def test_a_right_that_is_missing_is_named_with_what_it_blocks(office: Office, another: Another) -> None:
    missing = another(**user(office, "seller", "Sales")).connector.check().missing
    assert missing == {
        "create opportunities": "the right to create sale.opportunity",
        "update opportunities": "the right to write sale.opportunity",
        "delete opportunities": "the right to delete sale.opportunity",
    }


def test_the_groups_that_the_page_names_are_enough(office: Office, another: Another) -> None:
    plain = another(**user(office, "aios", "Sale Opportunity", "Sales"))
    assert plain.connector.check().missing == {}
    (company,) = plain.make(
        "companies", {"name": "Harbor Lane", "contacts": {"phone": "+15035550105"}, "address": {"country": "US"}}
    )
    (made,) = plain.make(
        "opportunities",
        {"description": "x", "party": {"company": company["id"]}, "employee": 1, "state": "converted", "amount": "5"},
    )
    assert made in plain.records("opportunities")
    assert len(plain.records("employees")) == 2


def test_who_may_not_make_categories_is_told_what_to_do(tryton_server: TrytonServer) -> None:
    admin = Office(tryton_server.fresh())
    plain = Office(admin.database, **user(admin, "aios", "Sale Opportunity"))
    with pytest.raises(AuthError, match="may not make party categories") as caught:
        plain.connector.provision()
    assert "'Person' and 'Company'" in caught.value.hint
    for office in (admin, plain):
        office.close()


def test_a_session_that_ended_is_opened_again(office: Office) -> None:
    office.records("people")
    # Setting the password, even to the same, ends every session of the user.
    office.database.rpc()("model.res.user.write", [1], {"password": office.database.password})
    office.wire.calls.clear()
    office.records("people")
    assert office.wire.calls == [READ, "common.db.login", READ]
    office.rpc = office.database.rpc()


def test_everything_is_read_once_as_it_is(empty_office: Office) -> None:
    there = parties(empty_office, 7), parties(empty_office, 3, "Company")
    assert [ids(empty_office.records(object)) for object in ("people", "companies")] == [*there]
    raw = empty_office.records("people")[0]
    truth = empty_office.truth("party.party", raw["id"], "name", "code", "active")
    assert (raw["name"], raw["code"], raw["active"]) == (truth["name"], truth["code"], True)
    empty_office.rpc("model.company.employee.write", [2], {"supervisor": 1})
    staff = empty_office.records("employees")
    assert [(one["name"], one["contacts"]["email"], one["supervisor"]) for one in staff] == [
        ("Nora Lindqvist", "nora@example.com", None),
        ("Ines Duarte", "ines@example.com", 1),
    ]
    assert [(one["name"], one["currency"]) for one in empty_office.records("company")] == [("Brightwater Cleaning", "USD")]


def test_pages_of_one_instant_bring_every_record_once(empty_office: Office) -> None:
    made = parties(empty_office, 10)
    office = Office(empty_office.database, page_size=3)
    pages = office.read("people")
    assert [ids(list(page.records)) for page in pages] == [made[0:3], made[3:6], made[6:9], made[9:]]
    assert [page.complete for page in pages] == [False, False, False, True]
    for number, page in enumerate(pages):
        after = {} if page.complete else page.cursor
        if after:  # a reader that was stopped here goes on here
            assert ids(office.records("people", after)) == made[3 * (number + 1) :]
    office.close()


def test_a_full_last_page_is_known_to_be_the_last(empty_office: Office) -> None:
    parties(empty_office, 6)
    office = Office(empty_office.database, page_size=3)
    assert [(len(page.records), page.complete) for page in office.read("people")] == [(3, False), (3, True)]
    office.close()


def test_a_page_costs_one_call_however_much_hangs_on_a_record(empty_office: Office) -> None:
    parties(empty_office, 12)
    contacts = {"email": "a@example.com", "mobile": "+15035550101"}
    empty_office.make("people", *({"name": f"P{n}", "contacts": contacts, "address": {"city": "X"}} for n in range(3)))
    office = Office(empty_office.database, page_size=5)
    office.records("people")
    assert office.wire.calls == ["common.db.login", "model.party.party.fields_get", READ, READ, READ]
    office.close()


def test_what_changes_while_it_is_read_comes_with_the_next_pass(empty_office: Office) -> None:
    made = parties(empty_office, 5)
    office = Office(empty_office.database, page_size=2)
    pages = office.connector.read("people")
    first = next(pages)
    office.rpc("model.party.party.write", [made[0]], {"name": "Changed behind the reader"})
    (late,) = parties(office, 1)
    rest = list(pages)
    assert [raw["id"] for page in [first, *rest] for raw in page.records] == [*made, late]
    again = office.records("people", rest[-1].cursor)
    assert {raw["id"]: raw["name"] for raw in again}[made[0]] == "Changed behind the reader"
    office.close()


def test_a_later_pass_brings_what_changed_and_nothing_else(empty_office: Office) -> None:
    office = empty_office
    made = office.make("people", *({"name": f"P{n}", "contacts": {"email": f"p{n}@example.com"}} for n in range(6)))
    cursor = just_after(office.records("people")[-1])
    assert office.records("people", cursor) == []
    by_name, by_mail, by_street, unchanged, _, archived = made
    office.rpc("model.party.party.write", [by_name["id"]], {"name": "Renamed"})
    office.rpc("model.party.contact_mechanism.write", [by_mail["contact_mechanisms"][0]["id"]], {"value": "new@example.com"})
    office.rpc("model.party.address.create", [{"party": by_street["id"], "street": "1 Main Street"}])
    office.rpc("model.party.party.write", [archived["id"]], {"active": False})
    (page,) = office.read("people", cursor)
    changed = {raw["id"]: raw for raw in page.records}
    assert changed.keys() == {by_name["id"], by_mail["id"], by_street["id"]}
    assert unchanged["id"] not in changed
    assert changed[by_mail["id"]]["contacts"]["email"] == "new@example.com"
    assert changed[by_street["id"]]["address"]["street"] == "1 Main Street"
    assert [(stone.id, stone.reason) for stone in page.tombstones] == [(str(archived["id"]), "archived")]


def test_the_first_change_of_a_new_record_is_not_needed_to_see_it(empty_office: Office) -> None:
    # Tryton's write_date is empty until somebody changes a record: asking for that alone would miss most new ones.
    office = empty_office
    (before,) = office.make("opportunities", {"description": "First"})
    (fresh,) = office.rpc("model.sale.opportunity.create", [{"description": "Untouched since"}])
    assert office.truth("sale.opportunity", fresh, "write_date")["write_date"] is None
    assert fresh in ids(office.records("opportunities", just_after(before)))


def test_the_overlap_goes_back_before_the_last_pass_began(empty_office: Office) -> None:
    office = empty_office
    made = parties(office, 2)
    cursor = just_after(office.records("people")[-1])
    patient = Office(office.database, overlap="3600")
    assert office.records("people", cursor) == []
    assert ids(patient.records("people", cursor)) == made
    patient.close()


def test_the_mark_of_a_pass_is_the_servers_clock_and_not_later(empty_office: Office) -> None:
    (page,) = empty_office.read("people")
    (made,) = empty_office.make("people", {"name": "Made after the pass"})
    assert datetime.fromisoformat(page.cursor["mark"]) <= datetime.fromisoformat(made["modified"])
    assert ids(empty_office.records("people", page.cursor)) == [made["id"]]


def test_a_replaced_party_lives_on_in_another(empty_office: Office) -> None:
    office = empty_office
    gone, survivor = office.make("people", {"name": "Zoe"}, {"name": "Zoë"})
    session = office.rpc("wizard.party.replace.create")[0]
    confirmed = {"user": 1, "name": f"party.replace name {gone['id']} {survivor['id']}", "always": False}
    office.rpc("model.res.user.warning.create", [confirmed])
    context = {"active_model": "party.party", "active_id": gone["id"], "active_ids": [gone["id"]]}
    office.rpc(
        "wizard.party.replace.execute",
        session,
        {"ask": {"source": gone["id"], "destination": survivor["id"]}},
        "replace",
        **context,
    )
    (stone,) = office.stones("people")
    assert (stone.id, stone.reason, stone.survivor) == (str(gone["id"]), "merged", str(survivor["id"]))
    assert ids(office.records("people")) == [survivor["id"]]


def test_a_party_that_came_back_is_a_record_again(empty_office: Office) -> None:
    office = empty_office
    (made,) = office.make("people", {"name": "Back soon"})
    office.rpc("model.party.party.write", [made["id"]], {"active": False})
    assert (office.records("people"), office.connector.lookup("people", [str(made["id"])])) == ([], [])
    office.rpc("model.party.party.write", [made["id"]], {"active": True}, active_test=False)
    assert ids(office.records("people")) == [made["id"]]


def test_scan_lists_what_is_there_and_a_delete_is_seen_in_it(empty_office: Office) -> None:
    office = Office(empty_office.database, page_size=4)
    made = parties(office, 9)
    items = [item for page in office.connector.scan("people") for item in page.items]
    assert items == [(str(raw["id"]), raw["version"]) for raw in office.records("people")]
    office.rpc("model.party.party.delete", [made[3]])
    office.rpc("model.party.party.write", [made[4]], {"active": False})
    assert {int(id) for page in office.connector.scan("people") for id, _ in page.items} == {*made} - {made[3], made[4]}
    office.close()


def test_the_version_changes_with_every_part_of_a_record(office: Office) -> None:
    (made,) = office.make("people", {"name": "Ada", "contacts": {"email": "ada@example.com"}, "address": {"city": "Bath"}})
    versions = [made["version"]]
    office.rpc("model.party.contact_mechanism.write", [made["contact_mechanisms"][0]["id"]], {"value": "ada@example.org"})
    versions.append(office.now("people", made["id"])["version"])
    office.rpc("model.party.address.write", [made["addresses"][0]["id"]], {"city": "Wells"})
    versions.append(office.now("people", made["id"])["version"])
    office.rpc("model.party.contact_mechanism.create", [{"party": made["id"], "type": "phone", "value": "+15035550100"}])
    versions.append(office.now("people", made["id"])["version"])
    office.rpc("model.party.contact_mechanism.delete", [made["contact_mechanisms"][0]["id"]])
    versions.append(office.now("people", made["id"])["version"])
    assert len(set(versions)) == len(versions)


def test_find_brings_what_carries_our_keys(office: Office) -> None:
    office.connector.write("people", [create({"name": "Keyed"}, "k-1"), create({"name": "Keyed too"}, "k-2")])
    office.connector.write("opportunities", [create({"description": "Keyed"}, "k-3")])
    assert {key: raw["name"] for key, raw in office.connector.find("people", ["k-1", "k-2", "k-9"]).items()} == {
        "k-1": "Keyed",
        "k-2": "Keyed too",
    }
    assert [raw["description"] for raw in office.connector.find("opportunities", ["k-3"]).values()] == ["Keyed"]
    assert office.connector.find("companies", ["k-1"]) == {}


def test_a_copied_party_does_not_pass_for_the_one_we_made(office: Office) -> None:
    (receipt,) = office.connector.write("people", [create({"name": "Original"}, "k-copied")])
    office.rpc("model.party.party.copy", [int(receipt.id or 0)])
    assert str(office.connector.find("people", ["k-copied"])["k-copied"]["id"]) == receipt.id


def test_a_cursor_of_something_else_is_gone(office: Office) -> None:
    with pytest.raises(CursorGoneError):
        office.read("people", {"page": 3})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b'{"id": 4711, "result": []}', TruncatedError),
        (b'{"id": 3, "result": [{"id":', TruncatedError),
        (b"<!doctype html><title>Back soon</title>", UnavailableError),
    ],
)
def test_an_answer_that_is_none_never_ends_a_stream(office: Office, content: bytes, error: type[Exception]) -> None:
    office.wire.garble[READ] = [httpx2.Response(200, content=content) for _ in range(10)]
    with pytest.raises(error):
        office.read("people")
    assert office.wire.calls.count(READ) == 6  # asked again, as long as it makes sense


def test_describe_tells_the_live_schema(office: Office) -> None:
    schema = office.connector.describe("opportunities")
    assert dict(schema.fields["state"].choices)["lost"] == "Lost"
    assert schema.fields["conversion_probability"].scale == 4
    assert schema.fields["amount"].type == "decimal"
    assert not schema.fields["number"].writable
    assert schema.fields["party.company"].type == "reference"
    assert not office.connector.describe("employees").fields["name"].writable


def test_without_the_module_for_relations_nothing_is_said_of_employers(office: Office) -> None:
    assert "employer" not in office.connector.describe("people").fields
    (made,) = office.make("people", {"name": "Any"})
    assert "employer" not in made
    (receipt,) = office.write("people", update(made, {"employer": made["id"]}))
    assert (receipt.outcome, receipt.reason) == ("rejected", "employer: party.party has no such field that could be written")


@pytest.mark.parametrize("object", ["people", "companies", "opportunities", "employees", "company"])
def test_every_path_of_a_record_is_described(office: Office, object: str) -> None:
    office.make("people", {"name": "Any", "contacts": {"email": "any@example.com"}, "address": {"city": "Any"}})
    office.make("companies", {"name": "Any"})
    office.make("opportunities", {"description": "Any"})
    schema = office.connector.describe(object)

    def paths(raw: Raw, prefix: str = "") -> set[str]:
        return {
            path
            for name, value in raw.items()
            for path in (paths(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name})
        }

    assert paths(office.records(object)[0]) == set(schema.fields)


@pytest.mark.parametrize("kind", ["person", "company", "deal", "user"])
def test_the_shipped_mappings_fit_the_live_schema(office: Office, database: TrytonDatabase, kind: str) -> None:
    with connect("tryton", url=database.url, database=database.name, user=database.user, password=database.password) as crm:
        mapping = crm.mapping(kind)
        findings = check(mapping, office.connector.describe(mapping.object), spec=Tryton.spec)
    assert [finding for finding in findings if finding.severity != "note"] == []


def test_people_are_read_through_their_mapping(database: TrytonDatabase, office: Office) -> None:
    office.make("people", {"name": "Zoë O'Hara", "contacts": {"email": "Zoe@Harbor.Example", "mobile": "+1 503-555-0142"}})
    with connect("tryton", url=database.url, database=database.name, user=database.user, password=database.password) as crm:
        (zoe,) = [person for person in crm.read("person") if person.names.family == "O'Hara"]
        assert (zoe.names.given, zoe.emails.work, zoe.phones.mobile) == ("Zoë", "Zoe@harbor.example", "+15035550142")
