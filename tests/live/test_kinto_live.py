"""A real Kinto: nothing is lost while reading, nothing goes over somebody else's change, nothing is made twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from aios_connect_kinto import Kinto

from aios_connect import connect
from aios_connect.connectors import AuthError, Change, Cursor, CursorGoneError, Page, Raw, Receipt
from aios_connect.mappings import check, load
from aios_connect.testing.servers.kinto import KintoBucket, KintoServer, kinto
from tests.connectors.kinto_story import connector

from .tapped import Tapped

pytestmark = pytest.mark.live

MAPPINGS = sorted((Path(__file__).parents[2] / "mappings" / "kinto").glob("*.yaml"))


class Office:
    """Both sides of a bucket: the connector, and somebody else who writes there."""

    def __init__(self, server: KintoServer) -> None:
        self.server = server
        self.bucket: KintoBucket = server.fresh()
        self.wire = Tapped()
        self.kinto = self.connector()

    def connector(self, *, user: str = "", password: str = "", page_size: int = 0) -> Kinto:
        there = self.bucket
        made = connector(self.wire, there.url, user or there.user, password or there.password, there.name)
        if page_size:
            objects = {name: replace(spec, page_size=page_size, scan_size=page_size) for name, spec in Kinto.spec.objects.items()}
            made.spec = replace(Kinto.spec, objects=objects)  # type: ignore[misc]
        return made

    def make(self, object: str, *patches: Raw) -> list[Raw]:
        changes = [
            Change("create", f"line-{number}", patch=patch, key=f"{object}_{id(patch):x}") for number, patch in enumerate(patches)
        ]
        receipts = [
            receipt for start in range(0, len(changes), 25) for receipt in self.write(object, *changes[start : start + 25])
        ]
        assert {receipt.outcome for receipt in receipts} == {"written"}, receipts
        return [receipt.record or {} for receipt in receipts]

    def write(self, object: str, *changes: Change) -> list[Receipt]:
        return self.kinto.write(object, changes)

    def read(self, object: str, since: Cursor | None = None) -> list[Page]:
        return list(self.kinto.read(object, since))

    def somebody(self, id: str, data: Raw | None, object: str = "people") -> Raw:
        """Somebody else writes a record, or deletes it."""
        path = f"collections/{object}/records/{id}"
        told: Raw = self.bucket.request("DELETE" if data is None else "PUT", path, data)["data"]
        return told


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KintoServer]:
    try:
        running = kinto(tmp_path_factory.mktemp("kinto"))
        server = running.__enter__()
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") or os.environ.get("CI") else pytest.skip)(f"no Kinto here: {error}")
    yield server
    running.__exit__(None, None, None)


@pytest.fixture
def empty(server: KintoServer) -> Iterator[Office]:
    """Where nothing has happened yet."""
    office = Office(server)
    yield office
    office.wire.close()


@pytest.fixture
def office(empty: Office) -> Office:
    """Where the collections are."""
    empty.kinto.provision()
    empty.wire.calls.clear()
    return empty


def update(raw: Raw, patch: Raw) -> Change:
    return Change("update", f"line-{raw['id']}", raw["id"], patch, version=str(raw["last_modified"]))


def delete(raw: Raw) -> Change:
    return Change("delete", f"line-{raw['id']}", raw["id"], version=str(raw["last_modified"]))


def persons(count: int) -> list[Raw]:
    return [{"name": {"given": f"P{number}"}} for number in range(count)]


def outcomes(receipts: list[Receipt]) -> list[str]:
    return [receipt.outcome for receipt in receipts]


# Signing in


def test_what_is_not_there_is_told_until_it_is_made(empty: Office) -> None:
    assert set(empty.kinto.check().missing) == {"read people", "read companies", "read deals", "read tasks"}
    assert [what.split()[2] for what in empty.kinto.provision()] == [
        "bucket",
        "collection",
        "collection",
        "collection",
        "collection",
    ]
    assert empty.kinto.provision() == []
    identity = empty.kinto.check()
    assert (identity.missing, identity.details) == ({}, {"server": f"Kinto {empty.server.version}"})


def test_a_wrong_password_is_told_though_kinto_greets_strangers(office: Office) -> None:
    with pytest.raises(AuthError, match="account or its password"):
        office.connector(password="wrong").check()


def test_an_account_without_rights_is_told_what_it_lacks(office: Office) -> None:
    office.server.enrol("reader")
    office.bucket.request("PATCH", "collections/deals", {}, Content_Type="application/json")
    stranger = office.connector(user="reader")
    assert set(stranger.check().missing) == {"read people", "read companies", "read deals", "read tasks"}
    with pytest.raises(AuthError):
        next(iter(stranger.read("deals")))


@pytest.mark.parametrize("file", MAPPINGS, ids=lambda file: file.stem)
def test_the_mappings_fit_the_live_schema(file: Path, office: Office) -> None:
    loaded = load(file)
    schema = office.kinto.describe(loaded.object)
    assert [str(finding.error) for finding in check(loaded, schema, spec=Kinto.spec)] == []


def test_a_field_of_the_company_is_in_the_live_schema(office: Office) -> None:
    data = office.bucket.request("GET", "collections/deals")["data"]["schema"]
    data["properties"]["budget"] = {"type": "string", "title": "Budget code", "maxLength": 8}
    office.bucket.request("PATCH", "collections/deals", {"schema": data})
    field = office.kinto.describe("deals").fields["budget"]
    assert (field.label, field.custom, field.max_length) == ("Budget code", True, 8)


# Writing


def test_a_deal_written_in_canonical_words_can_be_read_back(office: Office) -> None:
    there = office.bucket
    with connect("kinto", url=there.url, user=there.user, password=there.password, bucket=there.name) as store:
        made = store.create("deal", {"name": "Roof", "amount": {"amount": "12345678901234567890.12", "currency": "EUR"}})
        deal = store.get("deal", made.id or "")
        assert deal.amount is not None
        assert (deal.name, str(deal.amount.amount), deal.amount.currency) == ("Roof", "12345678901234567890.12", "EUR")


def test_null_clears_and_absent_says_nothing_at_any_depth(office: Office) -> None:
    (made,) = office.make("people", {"name": {"given": "Ada", "family": "King"}, "notes": "Keep me", "website": "w"})
    (receipt,) = office.write("people", update(made, {"name": {"family": None}, "website": None}))
    assert receipt.record is not None
    assert {name: receipt.record.get(name) for name in ("name", "notes", "website")} == {
        "name": {"given": "Ada", "family": None},
        "notes": "Keep me",
        "website": None,
    }


def test_a_stale_write_is_refused_and_brings_the_record_as_it_is_with_the_same_call(office: Office) -> None:
    (made,) = office.make("people", {"name": {"given": "Ada"}})
    theirs = office.somebody(made["id"], {"notes": "theirs"})
    office.wire.calls.clear()
    (receipt,) = office.write("people", update(made, {"notes": "ours"}))
    assert (receipt.outcome, receipt.current) == ("conflict", theirs)
    assert office.wire.calls == ["POST /v1/batch"]


def test_a_stale_change_within_an_object_is_refused_whenever_it_became_stale(office: Office) -> None:
    (made,) = office.make("people", {"name": {"given": "Ada", "family": "King"}})
    change = update(made, {"name": {"given": "Ida"}})
    theirs: list[Raw] = []
    office.wire.before["POST"] = lambda: theirs.append(office.somebody(made["id"], {"name": {"given": "Eve"}}))
    receipts = [office.write("people", change)[0] for _ in range(2)]
    assert [(receipt.outcome, receipt.current) for receipt in receipts] == [("conflict", theirs[0])] * 2
    assert office.kinto.lookup("people", [made["id"]]) == theirs


def test_a_stale_delete_is_refused(office: Office) -> None:
    (made,) = office.make("people", {"name": {"given": "Ada"}})
    theirs = office.somebody(made["id"], {"name": {"given": "Eve"}})
    (receipt,) = office.write("people", delete(made))
    assert (receipt.outcome, receipt.current) == ("conflict", theirs)
    assert office.kinto.lookup("people", [made["id"]]) == [theirs]


def test_without_a_version_the_values_are_compared(office: Office) -> None:
    (made,) = office.make("people", {"name": {"given": "Ada"}, "notes": "old"})
    change = Change("update", "l", made["id"], {"notes": "new"}, expect={"notes": "old"})
    assert outcomes(office.write("people", change)) == ["written"]
    assert outcomes(office.write("people", change)) == ["unchanged"]
    office.somebody(made["id"], {"notes": "theirs"})
    (receipt,) = office.write("people", change)
    assert (receipt.outcome, (receipt.current or {})["notes"]) == ("conflict", "theirs")


def test_a_change_between_comparing_and_writing_is_not_overwritten(office: Office) -> None:
    (made,) = office.make("people", {"notes": "old"})
    office.wire.before["POST"] = lambda: office.somebody(made["id"], {"notes": "theirs"})
    (receipt,) = office.write("people", Change("update", "l", made["id"], {"notes": "new"}, expect={"notes": "old"}))
    assert (receipt.outcome, (receipt.current or {})["notes"]) == ("conflict", "theirs")


def test_what_is_gone_cannot_be_changed_and_need_not_be_deleted(office: Office) -> None:
    (made,) = office.make("people", {"notes": "x"})
    office.somebody(made["id"], None)
    assert outcomes(office.write("people", update(made, {"notes": "y"}))) == ["conflict"]
    assert outcomes(office.write("people", delete(made))) == ["unchanged"]


def test_made_twice_under_one_key_is_made_once(office: Office) -> None:
    change = Change("create", "l", patch={"notes": "one"}, key="person_1")
    first, second = (office.write("people", change)[0] for _ in range(2))
    assert (first.outcome, second.outcome, first.record) == ("written", "written", second.record)
    assert len(office.read("people")[0].records) == 1


def test_a_deleted_record_can_be_made_again_under_its_key(office: Office) -> None:
    change = Change("create", "l", patch={"notes": "one"}, key="person_1")
    (made,) = office.write("people", change)
    office.write("people", delete(made.record or {}))
    assert outcomes(office.write("people", change)) == ["written"]
    assert list(office.kinto.find("people", ["person_1", "person_2"])) == ["person_1"]


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_when_the_answer_is_lost_the_record_is_looked_at_and_nothing_is_sent_again(office: Office, action: str) -> None:
    (made,) = office.make("people", {"notes": "old"})
    change = {
        "create": Change("create", "l", patch={"notes": "new"}, key="person_9"),
        "update": update(made, {"notes": "new"}),
        "delete": delete(made),
    }[action]
    office.wire.calls.clear()
    office.wire.lose = "POST"
    (receipt,) = office.write("people", change)
    assert receipt.outcome == "written"
    assert [call.split()[0] for call in office.wire.calls] == ["POST", "GET"]


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_when_the_request_may_be_on_its_way_still_that_is_what_is_said(office: Office, action: str) -> None:
    (made,) = office.make("people", {"notes": "old"})
    change = {
        "create": Change("create", "l", patch={"notes": "new"}, key="person_9"),
        "update": update(made, {"notes": "new"}),
        "delete": delete(made),
    }[action]
    office.wire.drop = "POST"
    assert outcomes(office.write("people", change)) == ["ambiguous"]


def test_a_refused_record_does_not_take_its_neighbours_with_it(office: Office) -> None:
    good = [Change("create", f"l{number}", patch={"notes": "x"}, key=f"person_{number}") for number in range(4)]
    bad = Change("create", "bad", patch={"tags": "none"}, key="person_bad")
    receipts = office.write("people", *good[:2], bad, *good[2:])
    assert outcomes(receipts) == ["written", "written", "rejected", "written", "written"]
    assert "array" in receipts[2].reason
    assert office.wire.calls == ["POST /v1/batch"]


def test_more_changes_than_the_server_takes_at_a_time_are_sent_in_halves(office: Office) -> None:
    changes = [Change("create", f"l{number}", patch={"notes": "x"}, key=f"person_{number}") for number in range(40)]
    assert set(outcomes(office.write("people", *changes))) == {"written"}
    assert len(office.wire.calls) == 3


def test_of_writers_at_the_same_time_one_wins(office: Office) -> None:
    (made,) = office.make("people", {"notes": "old"})

    def race(number: int) -> str:
        return office.connector().write("people", [update(made, {"notes": f"by {number}"})])[0].outcome

    with ThreadPoolExecutor(8) as threads:
        raced = list(threads.map(race, range(8)))
    assert sorted(raced) == ["conflict"] * 7 + ["written"]


# Reading


def test_every_record_is_read_once_and_the_next_read_finds_nothing(office: Office) -> None:
    made = office.make("people", *persons(60))
    office.kinto = office.connector(page_size=10)
    pages = office.read("people")
    assert [raw["id"] for page in pages for raw in page.records] == [raw["id"] for raw in made]
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    office.wire.calls.clear()
    (page,) = office.read("people", pages[-1].cursor)
    assert (page.records, page.complete, len(office.wire.calls)) == ([], True, 1)


def test_a_thousand_records_are_two_calls(office: Office) -> None:
    office.make("people", *persons(1000))
    office.wire.calls.clear()
    assert sum(len(page.records) for page in office.read("people")) == 1000
    assert len(office.wire.calls) <= 2


@pytest.mark.parametrize("stop", range(4))
def test_a_read_goes_on_from_any_page_without_loss(office: Office, stop: int) -> None:
    made = office.make("people", *persons(30))
    office.kinto = office.connector(page_size=10)
    first = office.read("people")[: stop + 1]
    rest = office.read("people", first[-1].cursor)
    assert {raw["id"] for page in (*first, *rest) for raw in page.records} == {raw["id"] for raw in made}


def test_what_changes_while_it_is_read_comes_again_and_what_goes_comes_as_a_tombstone(office: Office) -> None:
    made = office.make("people", *persons(25))
    office.kinto = office.connector(page_size=10)
    reading = office.kinto.read("people")
    first = next(reading)
    changed = office.somebody(made[0]["id"], {"notes": "changed"})
    office.somebody(made[1]["id"], None)
    new = office.somebody("late", {"notes": "new"})
    rest = list(reading)
    assert made[0] in first.records
    assert [raw for page in rest for raw in page.records if raw["id"] in (made[0]["id"], "late")] == [changed, new]
    assert [stone.id for page in rest for stone in page.tombstones] == [made[1]["id"]]


def test_the_next_read_brings_what_changed_and_what_went(office: Office) -> None:
    one, two, _ = office.make("people", *persons(3))
    (page,) = office.read("people")
    office.somebody(one["id"], None)
    changed = office.somebody(two["id"], {"notes": "changed"})
    (later,) = office.read("people", page.cursor)
    assert (later.records, [stone.id for stone in later.tombstones]) == ([changed], [one["id"]])
    assert later.tombstones[0].at is not None


def test_records_with_one_instant_are_all_read_where_a_page_ends_among_them(office: Office) -> None:
    for number in range(9):
        office.somebody(f"p{number}", {"last_modified": 1600000000000 + number // 3})
    for size in (4, 5, 6, 7):
        office.kinto = office.connector(page_size=size)
        assert sorted(raw["id"] for page in office.read("people") for raw in page.records) == [f"p{n}" for n in range(9)]


def test_a_server_that_lost_its_history_is_noticed(office: Office) -> None:
    office.make("people", *persons(2))
    (page,) = office.read("people")
    with pytest.raises(CursorGoneError):
        office.read("people", {"since": page.cursor["since"] + 1})


def test_an_empty_collection_is_read_to_its_end(office: Office) -> None:
    (page,) = office.read("people")
    assert (page.records, page.complete) == ([], True)
    made = office.make("people", *persons(1))
    (later,) = office.read("people", page.cursor)
    assert later.records == made


def test_a_scan_lists_what_is_there_and_no_tombstones(office: Office) -> None:
    made = office.make("people", *persons(25))
    for raw in made[:3]:
        office.somebody(raw["id"], None)
    office.kinto = office.connector(page_size=10)
    items = [item for page in office.kinto.scan("people") for item in page.items]
    assert items == [(raw["id"], str(raw["last_modified"])) for raw in made[3:]]


def test_ids_that_look_like_numbers_are_found(office: Office) -> None:
    made = [office.somebody(id, {"notes": id}) for id in ("123", "1e3", "true")]
    found = office.kinto.lookup("people", ["123", "1e3", "true", "none", 'no"id'])
    assert sorted(raw["id"] for raw in found) == sorted(raw["id"] for raw in made)


def test_a_signature_goes_to_the_server_and_nowhere_else(office: Office) -> None:
    office.read("people")
    assert all(request.headers["authorization"].startswith("Basic ") for request in office.wire.sent)
    assert all(office.bucket.password not in str(request.url) for request in office.wire.sent)
