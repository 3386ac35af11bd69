"""The fake Salesforce, held against what others say of the real one: a live organisation's describes, and simple-salesforce as its client."""

from __future__ import annotations

import gzip
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aios_connect_salesforce.sandbox import EVIDENCE, TOKEN, Hazards, SalesforceVendor, described, furnish
from simple_salesforce.api import Salesforce as Client
from simple_salesforce.exceptions import (
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from aios_connect.sandbox import SimClock

from .salesforce_office import URL, connector, session

SPECS = Path(os.environ.get("AIOS_SPECS", "")) / "salesforce"
LIVE = ("Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "Event")
needs_specs = pytest.mark.skipif(not os.environ.get("AIOS_SPECS"), reason="AIOS_SPECS is not set")


def client(vendor: SalesforceVendor) -> Any:
    """simple-salesforce, signed in to the fake."""
    return Client(instance_url=URL, session_id=TOKEN, session=session(vendor), version="61.0")


def live(object: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(gzip.decompress((SPECS / f"describe.{object}.json.gz").read_bytes()))
    return told


def kind_of(value: object) -> str:
    return "number" if isinstance(value, int) and not isinstance(value, bool) else type(value).__name__


def content(caught: pytest.ExceptionInfo[SalesforceMalformedRequest]) -> Any:
    """What was said."""
    return caught.value.content


@needs_specs
@pytest.mark.parametrize("object", LIVE)
def test_a_field_of_the_fake_is_one_of_a_live_organisation_with_the_same_type_and_rights(object: str) -> None:
    theirs = {one["name"]: one for one in live(object)["fields"]}
    facts = (
        "type",
        "length",
        "precision",
        "scale",
        "createable",
        "updateable",
        "nillable",
        "defaultedOnCreate",
        "compoundFieldName",
    )
    for field in described(SalesforceVendor().tables[object], "v61.0")["fields"]:
        there = theirs[field["name"]]
        assert {name: field[name] for name in facts} == {name: there[name] for name in facts}, f"{object}.{field['name']}"
        assert set(field["referenceTo"]) <= set(there["referenceTo"]), f"{object}.{field['name']}"


@needs_specs
@pytest.mark.parametrize("object", LIVE)
def test_a_describe_has_the_shape_of_a_live_one(object: str) -> None:
    ours, theirs = described(SalesforceVendor().tables[object], "v61.0"), live(object)
    optional = {"associateEntityType", "associateParentEntity", "sobjectDescribeOption"}
    assert set(theirs) - optional == set(ours)
    for name, value in ours.items():
        assert value is None or theirs[name] is None or kind_of(value) == kind_of(theirs[name]), name
    kinds: dict[str, set[str]] = {}
    for there in theirs["fields"]:
        for name, value in there.items():
            kinds.setdefault(name, set()).add(kind_of(value))
    for field in ours["fields"]:
        assert set(field) == set(kinds)
        assert {name: kind_of(value) for name, value in field.items() if kind_of(value) not in kinds[name]} == {}
    assert (ours["keyPrefix"], ours["label"], ours["mergeable"]) == (theirs["keyPrefix"], theirs["label"], theirs["mergeable"])


@needs_specs
@pytest.mark.parametrize("object", ["Task", "User", "Organization", "PermissionSet", "FieldPermissions"])
def test_a_field_without_a_live_describe_is_one_of_the_table_of_standard_objects(object: str) -> None:
    known = json.loads(gzip.decompress((SPECS / "standard-objects.2019.json.gz").read_bytes()))[object]["fields"]
    assert {name for name in SalesforceVendor().tables[object].fields if name not in known} == set()


def test_every_behaviour_names_its_evidence() -> None:
    routes = {name for name in dir(SalesforceVendor) if "route" in getattr(getattr(SalesforceVendor, name), "__dict__", {})}
    assert routes - set(EVIDENCE) == set()
    assert all(EVIDENCE.values())


def test_the_same_seed_gives_the_same_organisation() -> None:
    one, other = furnish(SalesforceVendor(seed=7)), furnish(SalesforceVendor(seed=7))
    assert [list(one.records[name]) for name in one.records] == [list(other.records[name]) for name in other.records]


def test_simple_salesforce_makes_reads_changes_and_deletes() -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    sf = client(vendor)
    made = sf.Contact.create({"FirstName": "Wen", "LastName": "Zhao", "Email": "wen@example.com"})
    assert made["success"]
    assert sf.Contact.get(made["id"])["Name"] == "Wen Zhao"
    assert sf.Contact.update(made["id"], {"Title": "Facilities lead"}) == 204
    assert sf.query("SELECT Title FROM Contact WHERE Id = '" + made["id"][:15] + "'")["records"][0]["Title"] == "Facilities lead"
    assert sf.Contact.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Contact.get(made["id"])
    assert sf.query("SELECT Id FROM Contact")["totalSize"] == 0
    assert sf.query("SELECT Id FROM Contact", include_deleted=True)["totalSize"] == 1


def test_simple_salesforce_reads_all_pages() -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    for number in range(4_321):
        vendor.people_make("Contact", {"LastName": f"L{number}"})
    found = client(vendor).query_all("SELECT Id, LastName FROM Contact ORDER BY Id")
    assert [one["LastName"] for one in found["records"]] == [f"L{number}" for number in range(4_321)]
    assert len(vendor.log) == 3


def test_simple_salesforce_puts_by_an_external_id() -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    connector(vendor).provision()
    sf = client(vendor)
    assert sf.Contact.upsert("aios_key__c/k-1", {"LastName": "Berg"}) == 201
    assert sf.Contact.upsert("aios_key__c/k-1", {"LastName": "Berge"}) == 200
    assert [row["LastName"] for row in vendor.records["Contact"]] == ["Berge"]
    assert sf.Contact.get_by_custom_id("aios_key__c", "k-1")["LastName"] == "Berge"
    with pytest.raises(SalesforceMalformedRequest, match="duplicate value found"):
        sf.Contact.create({"LastName": "Other", "aios_key__c": "k-1"})


def test_simple_salesforce_describes() -> None:
    sf = client(SalesforceVendor(hazards=Hazards.none()))
    assert "Opportunity" in {one["name"] for one in sf.describe()["sobjects"]}
    fields = {one["name"]: one for one in sf.Opportunity.describe()["fields"]}
    assert (fields["Amount"]["type"], fields["Amount"]["scale"]) == ("currency", 2)
    assert sf.limits()["DailyApiRequests"]["Max"] > 0


def test_simple_salesforce_hears_what_was_deleted_and_updated() -> None:
    clock = SimClock()
    vendor = SalesforceVendor(clock, hazards=Hazards.none())
    sf, start = client(vendor), clock.now()
    clock.sleep(60)
    kept, gone = (vendor.people_make("Lead", {"LastName": name, "Company": "C"})["Id"] for name in ("A", "B"))
    vendor.records["Lead"].remove(gone)
    clock.sleep(60)
    assert [one["id"] for one in sf.Lead.deleted(start, clock.now())["deletedRecords"]] == [gone]
    assert sf.Lead.updated(start, clock.now())["ids"] == [kept]


def test_the_log_of_deletes_has_what_is_in_no_bin_for_fifteen_days_and_is_not_asked_further_back_than_thirty() -> None:
    clock = SimClock()
    vendor = SalesforceVendor(clock, hazards=Hazards.none())
    sf, start = client(vendor), clock.now()
    clock.sleep(60)
    gone = vendor.people_make("Lead", {"LastName": "B", "Company": "C"})["Id"]
    vendor.records["Lead"].remove(gone)
    vendor.records["Lead"].empty_bin()
    clock.sleep(86_400)
    assert sf.query("SELECT Id FROM Lead", include_deleted=True)["totalSize"] == 0
    assert [one["id"] for one in sf.Lead.deleted(start, clock.now())["deletedRecords"]] == [gone]
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_REPLICATION_DATE"):
        sf.Lead.deleted(clock.now() - timedelta(seconds=30), clock.now())
    clock.sleep(15 * 86_400)
    assert sf.Lead.deleted(start, clock.now())["deletedRecords"] == []
    clock.sleep(15 * 86_400)
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_REPLICATION_DATE"):
        sf.Lead.deleted(start, clock.now())


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id, Nickname FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Nobody", "INVALID_TYPE"),
        ("SELECT Id FROM Contact WHERE LastName = 'A' AND Id != null OR FirstName = 'B'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE SystemModstamp > '2026-01-05T09:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact LIMIT", "MALFORMED_QUERY"),
        ("SELECT Id Contact", "MALFORMED_QUERY"),
    ],
)
def test_a_query_that_is_wrong_is_refused_with_its_code(soql: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        client(SalesforceVendor()).query(soql)
    assert content(caught)[0]["errorCode"] == code


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("", "Åse Jon Wen Priya Olav Anne-Marie"),
        ("WHERE LastName LIKE 'O\\'H%'", "Jon"),
        ("WHERE lastname = 'ZHAO'", "Wen"),
        ("WHERE Salutation = null AND Title != null", "Jon Priya"),
        ("WHERE (Salutation = 'Dr.' OR Salutation = 'Mr.') AND NOT Title = 'Caretaker'", "Åse"),
        ("WHERE Title IN ('Owner', 'Caretaker')", "Jon Olav"),
        ("WHERE Title NOT IN ('Owner', 'Caretaker') AND Salutation != 'Dr.'", "Wen Priya Anne-Marie"),
        ("WHERE IsDeleted = false ORDER BY FirstName DESC LIMIT 2", "Åse Wen"),
        ("ORDER BY Title, Id LIMIT 2 OFFSET 1", "Olav Wen"),
        ("WHERE CreatedDate < 2026-01-05T09:44:00Z", "Åse Jon"),
    ],
)
def test_a_query_finds_what_it_asks_for(where: str, found: str) -> None:
    vendor = furnish(SalesforceVendor(hazards=Hazards.none()))
    rows = client(vendor).query(f"SELECT FirstName, Account.Name FROM Contact {where}")["records"]
    assert [row["FirstName"] for row in rows] == found.split()


def test_a_field_of_the_record_that_is_pointed_at_comes_along() -> None:
    vendor = furnish(SalesforceVendor(hazards=Hazards.none()))
    (row,) = client(vendor).query("SELECT Id, Account.Name, Owner.Name FROM Contact WHERE LastName = 'Zhao'")["records"]
    assert (row["Account"]["Name"], row["Owner"]["Name"]) == ("Sotra Robotics", "Leila Haddad")
    assert client(vendor).query("SELECT COUNT() FROM Contact")["totalSize"] == 6


def test_ids_differ_by_the_case_of_a_letter() -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    ids = [vendor.people_make("Contact", {"LastName": str(number)})["Id"] for number in range(62)]
    assert len({id[:15].casefold() for id in ids}) < len({id[:15] for id in ids}) == len({id.casefold() for id in ids}) == 62


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Nickname": "Z"}, "INVALID_FIELD"),
        ({"Birthdate": "yesterday"}, "JSON_PARSER_ERROR"),
        ({"Name": "Wen Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"LastName": None}, "REQUIRED_FIELD_MISSING"),
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG"),
        ({"Email": "none"}, "INVALID_EMAIL_ADDRESS"),
        ({"AccountId": "no id"}, "MALFORMED_ID"),
        ({"AccountId": "0035j0000000Ba6AAE"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"AccountId": "0015j0000000000AAA"}, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_code(change: dict[str, Any], code: str) -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    with pytest.raises(SalesforceMalformedRequest) as caught:
        client(vendor).Contact.create({"LastName": "Zhao", **change})
    assert content(caught)[0]["errorCode"] == code
    assert len(vendor.records["Contact"]) == 0


def test_all_or_none_is_none_when_one_is_refused() -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    given = [{"attributes": {"type": "Contact"}, "LastName": name} for name in ("A", None, "C")]
    body = json.dumps({"allOrNone": True, "records": given})
    results = client(vendor).restful("composite/sobjects", method="POST", data=body)
    assert [one["errors"][0]["statusCode"] for one in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ]
    assert len(vendor.records["Contact"]) == 0


def together(vendor: SalesforceVendor, *parts: dict[str, Any], **more: Any) -> Any:
    body = {"compositeRequest": [{"referenceId": f"r{number}", **part} for number, part in enumerate(parts)], **more}
    return client(vendor).restful("composite", method="POST", data=json.dumps(body))


def new_contacts(*names: str | None) -> dict[str, Any]:
    given = [{"attributes": {"type": "Contact"}, "LastName": name} for name in names]
    return {"method": "POST", "url": "/services/data/v61.0/composite/sobjects", "body": {"allOrNone": False, "records": given}}


def soql(query: str) -> dict[str, Any]:
    return {"method": "GET", "url": f"/services/data/v61.0/query?{urlencode({'q': query})}"}


def test_several_requests_are_one_call_of_the_day_and_one_that_fails_takes_no_other_with_it() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=0, daily=2))
    parts = (new_contacts("A", None), soql("SELECT Nickname FROM Contact"), soql("SELECT LastName FROM Contact"))
    told = together(vendor, *parts)["compositeResponse"]
    assert [(one["referenceId"], one["httpStatusCode"]) for one in told] == [("r0", 200), ("r1", 400), ("r2", 200)]
    assert [one["success"] for one in told[0]["body"]] == [True, False]
    assert told[1]["body"][0]["errorCode"] == "INVALID_FIELD"
    assert [row["LastName"] for row in told[2]["body"]["records"]] == ["A"]
    assert client(vendor).limits()["DailyApiRequests"]["Remaining"] == 0


def test_several_requests_are_all_or_none_if_that_is_asked_for() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=0))
    told = together(vendor, new_contacts("A"), soql("SELECT Nickname FROM Contact"), allOrNone=True)["compositeResponse"]
    assert [one["httpStatusCode"] for one in told] == [400, 400]
    assert told[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert len(vendor.records["Contact"]) == 0


def test_headers_of_a_call_are_not_those_of_the_requests_in_it() -> None:
    vendor = furnish(SalesforceVendor())
    lead = {"method": "POST", "url": "/services/data/v61.0/sobjects/Lead", "body": {"LastName": "Moe", "Company": "Moe"}}
    told = together(vendor, lead, {**lead, "httpHeaders": {"Sforce-Auto-Assign": "FALSE"}})["compositeResponse"]
    owners = [vendor.records["Lead"].rows_of(one["body"]["id"])["OwnerId"] == vendor.user for one in told]
    assert owners == [False, True]


@pytest.mark.parametrize(
    "parts",
    [
        [soql("SELECT Id FROM Contact")] * 5 + [new_contacts("A")],
        [{"method": "GET", "url": "/services/data/v61.0/sobjects/Contact/describe"}] * 26,
        [{**soql("SELECT Id FROM Contact"), "httpHeaders": {"Authorization": "Bearer other"}}],
        [soql("SELECT Id FROM Contact"), {**soql("SELECT Id FROM Contact"), "referenceId": "r0"}],
        [{"method": "GET", "url": "/services/data/v61.0/limits"}],
    ],
)
def test_more_than_fits_into_a_call_is_refused(parts: list[dict[str, Any]]) -> None:
    vendor = SalesforceVendor()
    with pytest.raises(SalesforceMalformedRequest):
        together(vendor, *parts)
    assert len(vendor.records["Contact"]) == 0


def test_a_single_record_is_written_only_if_it_has_not_changed() -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    id = vendor.people_make("Account", {"Name": "A"})["Id"]
    vendor.clock.sleep(60)
    vendor.people_change("Account", id, {"Name": "B"})
    with pytest.raises(SalesforceGeneralError) as caught:
        client(vendor).Account.update(id, {"Name": "C"}, headers={"If-Unmodified-Since": "Mon, 05 Jan 2026 09:00:30 GMT"})
    assert caught.value.status == 412
    assert (
        client(vendor).Account.update(id, {"Name": "C"}, headers={"If-Unmodified-Since": "Mon, 05 Jan 2026 09:01:00 GMT"}) == 204
    )


def test_who_saves_a_person_whose_address_is_taken_is_warned_by_a_duplicate_rule() -> None:
    vendor = furnish(SalesforceVendor())
    sf = client(vendor)
    taken = {"LastName": "Zhao", "Email": "ZHAO@sotrarobotics.example.com"}
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.Contact.create(taken)
    (match,) = content(caught)[0]["duplicateResut"]["matchResults"][0]["matchRecords"]
    assert sf.Contact.get(match["record"]["Id"])["LastName"] == "Zhao"
    assert sf.Contact.create(taken, headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"})["success"]


def test_who_makes_a_lead_finds_it_given_to_somebody_else() -> None:
    vendor = furnish(SalesforceVendor())
    sf = client(vendor)
    lead = {"LastName": "Moe", "Company": "Moe"}
    assert sf.Lead.get(sf.Lead.create(lead)["id"])["OwnerId"] != vendor.user
    assert sf.Lead.get(sf.Lead.create(lead, headers={"Sforce-Auto-Assign": "FALSE"})["id"])["OwnerId"] == vendor.user


def test_who_keeps_a_query_open_for_long_finds_it_closed() -> None:
    vendor = SalesforceVendor(hazards=Hazards(page=2))
    for number in range(5):
        vendor.people_make("Contact", {"LastName": str(number)})
    sf = client(vendor)
    first = sf.query("SELECT Id FROM Contact")
    for _ in range(10):
        sf.query("SELECT Id FROM Contact")
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_QUERY_LOCATOR"):
        sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)


def test_who_asks_for_two_long_texts_gets_a_tenth_of_the_rows() -> None:
    vendor = SalesforceVendor()
    name, text = "Story__c", vendor.tables["Contact"].fields["Description"]
    vendor.add_field("Contact", type(text)(name, "textarea", 32_000, creatable=True, updatable=True, nillable=True))
    for number in range(300):
        vendor.people_make("Contact", {"LastName": str(number)})
    assert len(client(vendor).query("SELECT Id, Description FROM Contact")["records"]) == 300
    assert len(client(vendor).query(f"SELECT Id, Description, {name} FROM Contact")["records"]) == 200


def test_who_writes_many_records_meets_a_locked_one() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=3))
    given = [{"attributes": {"type": "Contact"}, "LastName": str(number)} for number in range(4)]
    results = client(vendor).restful("composite/sobjects", method="POST", data=json.dumps({"records": given}))
    assert [one["success"] for one in results] == [True, True, False, True]
    assert results[2]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_who_calls_too_often_is_refused_for_the_day() -> None:
    vendor = SalesforceVendor(hazards=Hazards(daily=3))
    sf = client(vendor)
    for _ in range(3):
        sf.limits()
    with pytest.raises(SalesforceRefusedRequest, match="REQUEST_LIMIT_EXCEEDED"):
        sf.limits()
    vendor.clock.sleep(86_400)
    assert sf.limits()
