"""What the connector reads of a fake Salesforce: everything, once, whatever happens to records and queries meanwhile, in few calls."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from aios_connect_salesforce.sandbox import REFRESH, Field, Hazards, SalesforceVendor, furnish

from aios_connect.connectors import AuthError, CursorGoneError, Page, RateLimitedError, RejectedError, TruncatedError
from aios_connect.sandbox import Answer, Fault, Schedule

from .salesforce_office import calls, connector, everything, records

N = 1_000


def people(vendor: SalesforceVendor, count: int, apart: float = 0.0) -> list[str]:
    ids = []
    for number in range(count):
        ids.append(str(vendor.people_make("Contact", {"LastName": f"L{number}"})["Id"]))
        vendor.clock.sleep(apart)
    return ids


def test_a_thousand_are_read_looked_up_and_listed_in_one_call_each() -> None:
    vendor = SalesforceVendor()
    ids = people(vendor, N)
    vendor.clock.sleep(86_400)
    salesforce = connector(vendor)
    salesforce.describe("Contact")
    for deed in (
        lambda: records(salesforce, "Contact"),
        lambda: salesforce.lookup("Contact", ids),
        lambda: list(salesforce.scan("Contact")),
    ):
        start = len(vendor.log)
        deed()
        assert len(vendor.log) - start == 1


def test_changes_deletes_and_merges_are_read_in_one_call_and_a_look_at_the_log_of_deletes() -> None:
    vendor = SalesforceVendor()
    ids = people(vendor, 10)
    vendor.clock.sleep(86_400)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    vendor.clock.sleep(86_400)
    vendor.people_change("Contact", ids[0], {"Title": "Caretaker"})
    vendor.records["Contact"].remove(ids[1])
    vendor.merged("Contact", ids[2], ids[3])
    start = len(vendor.log)
    (page,) = everything(salesforce, "Contact", cursor)
    assert calls(vendor, start) == ["GET queryAll", "GET sobjects/Contact/deleted/"]
    assert {raw["Id"] for raw in page.records} == {ids[0], ids[2]}
    assert {stone.id: (stone.reason, stone.survivor) for stone in page.tombstones} == {
        ids[1]: ("deleted", None),
        ids[3]: ("merged", ids[2]),
    }


def stones(pages: list[Page]) -> dict[str, tuple[str, str | None]]:
    return {stone.id: (stone.reason, stone.survivor) for page in pages for stone in page.tombstones}


def test_a_record_that_is_in_no_bin_any_more_is_told_as_deleted() -> None:
    """No query finds it: who asks for deleted records by a query only would keep it for ever."""
    vendor = SalesforceVendor()
    ids = people(vendor, 3)
    vendor.clock.sleep(86_400)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    vendor.clock.sleep(3_600)
    vendor.records["Contact"].remove(ids[0])
    at = vendor.clock.now().replace(microsecond=0)
    vendor.records["Contact"].empty_bin()
    vendor.clock.sleep(3_600)
    assert salesforce._reader.rows("Contact", "SELECT Id FROM Contact WHERE IsDeleted = true") == []
    pages = everything(salesforce, "Contact", cursor)
    assert stones(pages) == {ids[0]: ("deleted", None)}
    assert pages[-1].tombstones[0].at == at
    vendor.clock.sleep(3_600)
    assert stones(everything(salesforce, "Contact", pages[-1].cursor)) == {}


def test_a_contact_role_that_is_deleted_by_itself_is_told_by_the_log_of_deletes() -> None:
    vendor = furnish(SalesforceVendor())
    vendor.clock.sleep(3_600)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "OpportunityContactRole")[-1].cursor
    id = next(iter(vendor.records["OpportunityContactRole"]))["Id"]
    vendor.people_remove("OpportunityContactRole", id)
    vendor.clock.sleep(3_600)
    assert stones(everything(salesforce, "OpportunityContactRole", cursor)) == {id: ("deleted", None)}


def test_what_was_restored_is_not_told_as_deleted_though_the_log_has_it() -> None:
    vendor = SalesforceVendor()
    ids = people(vendor, 3)
    vendor.clock.sleep(86_400)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    vendor.clock.sleep(3_600)
    vendor.records["Contact"].remove(ids[0])
    vendor.records["Contact"].restore(ids[0])
    vendor.clock.sleep(3_600)
    assert stones(everything(salesforce, "Contact", cursor)) == {}


@pytest.mark.parametrize("page", [1, 2_000])
def test_what_was_merged_is_told_with_its_survivor_and_not_as_deleted(page: int) -> None:
    """Also when the read is killed behind the page that told it, and the log is all that the next process sees."""
    vendor = SalesforceVendor(hazards=Hazards(page=page))
    ids = people(vendor, 4, apart=10)
    vendor.clock.sleep(86_400)
    cursor = everything(connector(vendor), "Contact")[-1].cursor
    vendor.clock.sleep(3_600)
    vendor.merged("Contact", ids[0], ids[1])
    vendor.clock.sleep(60)
    vendor.people_change("Contact", ids[2], {"Title": "Owner"})
    vendor.clock.sleep(3_600)
    held: dict[str, tuple[str, str | None]] = {}
    complete = False
    while not complete:
        told = next(iter(connector(vendor).read("Contact", cursor)))
        held |= stones([told])
        cursor, complete = told.cursor, told.complete
    assert held == {ids[1]: ("merged", ids[0])}


def test_who_was_away_for_longer_than_deletes_are_kept_reads_everything() -> None:
    vendor = SalesforceVendor()
    people(vendor, 3)
    vendor.clock.sleep(3_600)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    vendor.clock.sleep(14 * 86_400)
    everything(salesforce, "Contact", cursor)
    vendor.clock.sleep(86_400)
    with pytest.raises(CursorGoneError, match="15 days"):
        list(salesforce.read("Contact", cursor))


def test_a_read_that_was_left_in_the_middle_for_longer_than_deletes_are_kept_reads_everything() -> None:
    vendor = SalesforceVendor(hazards=Hazards(page=2))
    ids = people(vendor, 3)
    vendor.clock.sleep(86_400)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    for id in ids:
        vendor.people_change("Contact", id, {"Title": "Owner"})
    vendor.clock.sleep(3_600)
    page = next(iter(salesforce.read("Contact", cursor)))
    assert not page.complete
    vendor.clock.sleep(15 * 86_400)
    with pytest.raises(CursorGoneError, match="15 days"):
        list(connector(vendor).read("Contact", page.cursor))


@pytest.mark.parametrize("code", ["INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT"])
def test_a_log_of_deletes_that_does_not_reach_back_is_said_and_everything_is_read(code: str) -> None:
    vendor = SalesforceVendor()
    people(vendor, 3)
    vendor.clock.sleep(3_600)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    vendor.clock.sleep(3_600)
    told = [{"message": "startDate before org replication enabled date", "errorCode": code}]
    purged = Fault("purged", "jsforce/jsforce#406", "instead", lambda _, now: Answer.json(told, 400))
    vendor.schedule = Schedule(only={len(vendor.log) + 1: purged})
    with pytest.raises(CursorGoneError, match="log of deletes"):
        list(salesforce.read("Contact", cursor))


def test_the_next_read_begins_where_the_log_of_deletes_can_be_relied_on() -> None:
    """A long transaction was under way: what it deleted is not in the log yet."""
    vendor = SalesforceVendor()
    people(vendor, 3)
    vendor.clock.sleep(86_400)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    vendor.clock.sleep(86_400)
    covered = vendor.clock.now() - timedelta(hours=2)
    told = {"deletedRecords": [], "earliestDateAvailable": covered.isoformat(), "latestDateCovered": covered.isoformat()}
    early = Fault("early", "the test's own", "instead", lambda _, now: Answer.json(told))
    vendor.schedule = Schedule(only={len(vendor.log) + 1: early})
    assert everything(salesforce, "Contact", cursor)[-1].cursor["since"] == covered.isoformat("T", "milliseconds").replace(
        "+00:00", "Z"
    )


def test_a_record_out_of_the_bin_is_read_again() -> None:
    vendor = SalesforceVendor()
    (id,) = people(vendor, 1)
    vendor.records["Contact"].remove(id)
    vendor.clock.sleep(86_400)
    salesforce = connector(vendor)
    pages = everything(salesforce, "Contact")
    assert [raw for page in pages for raw in page.records] == []
    vendor.clock.sleep(86_400)
    vendor.records["Contact"].restore(id)
    assert list(records(salesforce, "Contact", pages[-1].cursor)) == [id]


@pytest.mark.parametrize("apart", [0.0, 30.0])
def test_a_query_that_is_closed_in_the_middle_is_begun_anew_behind_its_place(apart: float) -> None:
    """Thirty at one instant, or each at its own."""
    vendor = SalesforceVendor(hazards=Hazards(page=7))
    ids = people(vendor, 30, apart)
    vendor.clock.sleep(3_600)
    seen = []
    for page in connector(vendor).read("Contact"):
        seen += [raw["Id"] for raw in page.records]
        vendor.closed()
    assert seen == ids
    assert len([call for call in calls(vendor) if call.startswith("GET query")]) <= 2 * 5


def test_a_query_that_is_closed_again_and_again_without_a_row_ends_in_an_error() -> None:
    vendor = SalesforceVendor(hazards=Hazards(page=7))
    people(vendor, 30)
    vendor.clock.sleep(3_600)
    gone = [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]
    always = Fault("closed", "the test's own", "instead", lambda _, now: Answer.json(gone, 400))

    class Closed(Schedule):
        def fault(self, index: int) -> Fault | None:
            return always if index > 1 else None

    salesforce = connector(vendor)
    salesforce.describe("Contact")
    vendor.schedule = Closed()
    with pytest.raises(CursorGoneError):
        everything(salesforce, "Contact")
    assert len(vendor.log) < 12


def test_a_query_that_is_closed_at_each_page_of_records_that_all_change_is_given_up() -> None:
    """What changes while it is read stands behind what is still to be read: no place is sure."""
    vendor = SalesforceVendor(hazards=Hazards(page=7))
    ids = people(vendor, 30, apart=10)
    vendor.clock.sleep(3_600)
    seen = []
    with pytest.raises(TruncatedError, match="again and again") as caught:
        for page in connector(vendor).read("Contact"):
            seen += [raw["Id"] for raw in page.records]
            vendor.clock.sleep(60)
            for id in ids:
                vendor.people_change("Contact", id, {"Title": f"after {len(seen)}"})
            vendor.closed()
    assert caught.value.hint
    assert len(vendor.log) < 20


def test_a_session_that_is_renewed_in_the_middle_of_a_read_takes_its_queries_with_it_and_loses_nothing() -> None:
    """The locator belongs to the session before: it answers 401 for ever (airbytehq/airbyte#84302)."""
    vendor = SalesforceVendor(hazards=Hazards(page=7))
    ids = people(vendor, 30)
    vendor.clock.sleep(3_600)
    salesforce = connector(vendor, secrets={"refresh_token": REFRESH, "client_secret": "office"})
    seen = []
    for number, page in enumerate(salesforce.read("Contact")):
        seen += [raw["Id"] for raw in page.records]
        if number == 1:
            vendor.clock.sleep(7_200)  # the session ends; Salesforce had not said when
    assert seen == ids
    assert [call for call in calls(vendor) if "token" in call] == ["POST /services/oauth2/token"] * 2


def test_who_may_not_sign_in_any_more_hears_it_and_asks_no_further() -> None:
    vendor = SalesforceVendor(hazards=Hazards(page=7))
    people(vendor, 30)
    salesforce = connector(vendor, secrets={"refresh_token": REFRESH, "client_secret": "office"})
    pages = salesforce.read("Contact")
    next(pages)
    vendor.tokens.refresh(vendor.tokens.refresh(f"{REFRESH}.1")["refresh_token"])  # type: ignore[index, arg-type]
    vendor.clock.sleep(7_200)
    with pytest.raises(AuthError, match="reconnect"):
        list(pages)


def test_what_changes_or_goes_while_it_is_read_is_read_now_or_next_time() -> None:
    vendor = SalesforceVendor(hazards=Hazards(page=7))
    ids = people(vendor, 30, apart=10)
    vendor.clock.sleep(3_600)
    salesforce = connector(vendor)
    held: dict[str, Any] = {}
    cursor: Any = None
    for number, page in enumerate(salesforce.read("Contact")):
        held |= {raw["Id"]: raw["Title"] for raw in page.records}
        for stone in page.tombstones:
            held.pop(stone.id, None)
        cursor = page.cursor
        vendor.clock.sleep(60)
        if number == 1:
            vendor.people_change("Contact", ids[0], {"Title": "behind us"})
            vendor.people_change("Contact", ids[-1], {"Title": "before us"})
            vendor.records["Contact"].remove(ids[1])
            vendor.records["Contact"].remove(ids[-2])
            people(vendor, 3)
            vendor.closed()
    for page in everything(salesforce, "Contact", cursor):
        held |= {raw["Id"]: raw["Title"] for raw in page.records}
        for stone in page.tombstones:
            held.pop(stone.id, None)
    assert held == {row["Id"]: row["Title"] for row in vendor.records["Contact"]}


def test_a_record_that_is_changed_before_it_is_read_hides_none_behind_it() -> None:
    """The last row of a page says a later instant than those behind it, and the query is closed there."""
    vendor = SalesforceVendor(hazards=Hazards(page=7))
    ids = people(vendor, 30, apart=10)
    vendor.clock.sleep(3_600)
    seen = []
    for number, page in enumerate(connector(vendor).read("Contact")):
        seen += [raw["Id"] for raw in page.records]
        if number == 0:
            vendor.clock.sleep(60)
            vendor.people_change("Contact", ids[13], {"Title": "Owner"})
        elif number == 1:
            vendor.closed()
    assert set(seen) == set(ids)


def test_when_we_looked_at_a_record_is_not_read() -> None:
    vendor = SalesforceVendor()
    people(vendor, 1)
    (raw,) = records(connector(vendor), "Contact").values()
    assert "LastViewedDate" not in raw
    assert "MailingAddress" not in raw
    assert "MailingCity" in raw


def test_what_a_long_transaction_commits_late_is_read_next_time() -> None:
    """Its records bear an instant of before the read, and were not there when it ran."""
    vendor = SalesforceVendor()
    people(vendor, 1)
    vendor.clock.sleep(86_400)
    salesforce = connector(vendor)
    cursor = everything(salesforce, "Contact")[-1].cursor
    for _ in range(2):
        (late,) = people(vendor, 1)
        vendor.records["Contact"].rows_of(late)["SystemModstamp"] -= timedelta(minutes=9)
        pages = everything(salesforce, "Contact", cursor)
        assert late in {raw["Id"] for page in pages for raw in page.records}
        vendor.clock.sleep(86_400)
        cursor = everything(salesforce, "Contact", pages[-1].cursor)[-1].cursor


def test_a_page_that_gives_fewer_rows_than_its_query_has_is_not_the_end() -> None:
    vendor = SalesforceVendor()
    ids = people(vendor, 5)
    vendor.clock.sleep(3_600)
    salesforce = connector(vendor)
    salesforce.describe("Contact")
    body = vendor.records["Contact"]
    row = {
        "attributes": {},
        "Id": ids[0],
        "SystemModstamp": body.rows_of(ids[0])["SystemModstamp"].isoformat(),
        "IsDeleted": False,
    }
    short = Answer.json({"totalSize": 5, "done": True, "records": [row]})
    vendor.schedule = Schedule(only={len(vendor.log): Fault("short", "the test's own", "instead", lambda _, now: short)})
    assert set(records(salesforce, "Contact")) == set(ids)


def test_a_query_that_always_gives_too_few_rows_is_no_read() -> None:
    vendor = SalesforceVendor()
    salesforce = connector(vendor)
    salesforce.describe("Contact")
    empty = Answer.json({"totalSize": 5, "done": True, "records": []})

    class Short(Schedule):
        def fault(self, index: int) -> Fault | None:
            return Fault("short", "the test's own", "instead", lambda _, now: empty)

    vendor.schedule = Short()
    with pytest.raises(TruncatedError, match="5"):
        everything(salesforce, "Contact")
    assert len(vendor.log) < 10


def test_more_fields_than_fit_into_an_address_are_read_by_their_ids() -> None:
    vendor = SalesforceVendor()
    for number in range(600):
        name = f"A_field_with_a_rather_long_name_{number:03d}__c"
        vendor.add_field("Contact", Field(name, "string", 80, creatable=True, updatable=True, nillable=True))
    people(vendor, 3)
    vendor.people_make("Contact", {"LastName": "Last", "A_field_with_a_rather_long_name_599__c": "found"})
    vendor.clock.sleep(3_600)
    start = len(vendor.log)
    told = records(connector(vendor), "Contact")
    assert [raw["A_field_with_a_rather_long_name_599__c"] for raw in told.values()] == [None, None, None, "found"]
    assert calls(vendor, start) == ["GET sobjects/Contact/describe", "GET queryAll", "POST composite/sobjects/Contact"]


def test_an_id_of_fifteen_characters_finds_its_record_and_none_that_differs_by_case() -> None:
    vendor = SalesforceVendor()
    ids = people(vendor, 62)
    salesforce = connector(vendor)
    found = salesforce.lookup("Contact", [id[:15] for id in ids])
    assert [raw["Id"] for raw in found] == ids
    assert salesforce.lookup("Contact", [ids[0][:14] + "?"]) == []


@pytest.mark.parametrize(
    "key", ["o'Hara", "back\\\\slash\\\\", "two\nlines\tand tabs", "' OR Id != '", '"quoted"', "株式会社", "a" * 80, "007"]
)
def test_a_key_is_found_whatever_is_in_it(key: str) -> None:
    vendor = SalesforceVendor()
    salesforce = connector(vendor)
    salesforce.provision()
    vendor.people_make("Contact", {"LastName": "Other", "aios_key__c": "another"})
    id = vendor.people_make("Contact", {"LastName": "Zhao", "aios_key__c": key})["Id"]
    assert {found: raw["Id"] for found, raw in salesforce.find("Contact", [key, "nobody's"]).items()} == {key: id}


def test_a_thousand_keys_are_found_in_as_few_calls_as_addresses_are_long() -> None:
    vendor = SalesforceVendor()
    salesforce = connector(vendor)
    salesforce.provision()
    keys = [f"person_{number:026d}" for number in range(N)]
    for key in keys:
        vendor.people_make("Contact", {"LastName": "L", "aios_key__c": key})
    salesforce.describe("Contact")
    start = len(vendor.log)
    assert sorted(salesforce.find("Contact", keys)) == keys
    assert len(vendor.log) - start <= 5


def test_a_user_who_is_made_inactive_is_gone() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = connector(vendor)
    pages = everything(salesforce, "User")
    assert {raw["LastName"] for page in pages for raw in page.records} == {"Integration", "Aas", "Borg", "Haddad"}
    leaves = next(row["Id"] for row in vendor.records["User"] if row["LastName"] == "Borg")
    vendor.clock.sleep(86_400)
    vendor.people_change("User", leaves, {"IsActive": False})
    stones = [stone for page in everything(salesforce, "User", pages[-1].cursor) for stone in page.tombstones]
    assert [(stone.id, stone.reason) for stone in stones] == [(leaves, "archived")]


def test_an_amount_keeps_its_digits_however_salesforce_writes_it() -> None:
    vendor = furnish(SalesforceVendor())
    told = {raw["Name"]: raw for raw in records(connector(vendor), "Opportunity").values()}
    assert [told[name]["Amount"] for name in ("Weekly cleaning, surgery", "Clean-room contract", "Window cleaning")] == [
        "27450.5",
        "1480000",
        None,
    ]
    revenue = {raw["Name"]: raw["AnnualRevenue"] for raw in records(connector(vendor), "Account").values()}
    assert revenue["Sotra Robotics"] == "139000000"  # 1.39E+8
    assert {raw["CurrencyIsoCode"] for raw in told.values()} == {"NOK"}


def test_an_organisation_with_several_currencies_says_itself_which() -> None:
    vendor = furnish(SalesforceVendor(currencies=("EUR", "NOK")))
    assert {raw["CurrencyIsoCode"] for raw in records(connector(vendor), "Opportunity").values()} == {"EUR"}


def test_what_a_task_is_about_is_told_by_the_object() -> None:
    vendor = furnish(SalesforceVendor())
    told = {raw["Id"]: raw for raw in records(connector(vendor), "Task").values()}
    about = [(raw["about"], raw["WhatId"]) for raw in told.values()]
    kinds = [({name: bool(id) for name, id in held.items()}, bool(what)) for held, what in about]
    assert kinds == [
        ({"Account": True, "Opportunity": True}, True),
        ({"Account": True, "Opportunity": False}, True),
        ({"Account": False, "Opportunity": False}, False),
        ({"Account": True, "Opportunity": True}, True),
    ]


def test_a_cursor_that_holds_more_than_instants_is_refused() -> None:
    """What is in it is written into a query."""
    salesforce = connector(SalesforceVendor())
    for cursor in ({"since": "2026-01-05T09:00:00Z' OR Id != '"}, {"at": "2026-01-05T09:00:00Z"}, {"page": 7}):
        with pytest.raises(CursorGoneError):
            everything(salesforce, "Contact", cursor)


def test_the_calls_of_the_day_are_kept_by_what_salesforce_says_is_left() -> None:
    """Of 15,000 calls a day a tenth is left to the company's other tools, which have used most of the rest."""
    vendor = SalesforceVendor(hazards=Hazards(daily=15_000))
    salesforce = connector(vendor)
    vendor.used_by_others(13_490)
    salesforce.describe("Contact")
    start = len(vendor.log)
    with pytest.raises(RateLimitedError, match="used up"):
        for _ in range(20):
            salesforce.lookup("Contact", ["0035j0000000000AAA"])
    assert 5 < len(vendor.log) - start < 12
    assert vendor.refused == 0


@pytest.mark.parametrize(("words", "wait"), [("TotalRequests", 3_600), ("ConcurrentRequests (Concurrent API Requests)", 5)])
def test_which_limit_was_reached_says_how_long_to_wait(words: str, wait: float) -> None:
    told = [{"message": f"{words} Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]

    class Busy(Schedule):
        def fault(self, index: int) -> Fault | None:
            return Fault("busy", "the test's own", "instead", lambda _, now: Answer.json(told, 403))

    vendor = SalesforceVendor(schedule=Busy())
    with pytest.raises(RateLimitedError, match="Limit exceeded") as caught:
        everything(connector(vendor), "Contact")
    assert caught.value.retry_after == wait


def test_a_field_that_is_hidden_in_the_meantime_is_named() -> None:
    vendor = SalesforceVendor()
    salesforce = connector(vendor)
    salesforce.describe("Contact")
    del vendor.tables["Contact"].fields["Birthdate"]
    with pytest.raises(RejectedError, match="No such column 'Birthdate'") as caught:
        everything(salesforce, "Contact")
    assert "permission" in caught.value.hint


def test_an_object_that_is_forbidden_names_the_right() -> None:
    vendor = SalesforceVendor(forbidden=frozenset({"read Contact"}))
    with pytest.raises(AuthError, match="INSUFFICIENT_ACCESS") as caught:
        everything(connector(vendor), "Contact")
    assert "permission" in caught.value.hint


def test_tasks_about_too_many_records_name_the_right_that_helps() -> None:
    """singer-io/tap-salesforce#98"""
    forbidden = frozenset({"all data"})
    vendor = SalesforceVendor(hazards=Hazards(abouts=3), forbidden=forbidden)
    for person in people(vendor, 4):
        vendor.records["Task"].create({"Subject": "call", "WhoId": person})
    with pytest.raises(RejectedError, match="distinct who/what") as caught:
        everything(connector(vendor), "Task")
    assert "View All Data" in caught.value.hint
    vendor.forbidden = frozenset()
    assert sum(len(page.records) for page in everything(connector(vendor), "Task")) == 4


def test_a_page_of_a_read_is_asked_for_when_it_is_wanted() -> None:
    vendor = SalesforceVendor(hazards=Hazards(page=7))
    people(vendor, 30)
    salesforce = connector(vendor)
    salesforce.describe("Contact")
    start = len(vendor.log)
    list(islice(salesforce.read("Contact"), 2))
    assert len(vendor.log) - start == 2
