"""What the connector writes to a fake Salesforce: once, never over somebody else, refused by name, in few calls."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from aios_connect_salesforce.sandbox import Hazards, SalesforceVendor, furnish

from aios_connect.connectors import AuthError, Change, ConfigError, Receipt, UnavailableError
from aios_connect.sandbox import FAULTS, Answer, Fault, Schedule, transport

from .salesforce_judge import Judge
from .salesforce_office import URL, calls, connector, create, records, update

N = 1_000


def outcomes(receipts: list[Receipt]) -> list[str]:
    return [receipt.outcome for receipt in receipts]


def provisioned(vendor: SalesforceVendor, **settings: Any) -> Any:
    salesforce = connector(vendor, **settings)
    salesforce.provision()
    return salesforce


def test_a_thousand_are_made_in_one_call_and_changed_and_deleted_in_two_each() -> None:
    """Five lists of 200 in a call that counts as one; an update and a delete look before they write."""
    vendor = SalesforceVendor(hazards=Hazards(locks=0))
    salesforce = provisioned(vendor)
    salesforce.describe("Contact")
    assert salesforce.spec.objects["Contact"].batch_size == N
    start = len(vendor.log)
    made = salesforce.write("Contact", [create(number, LastName=f"L{number}") for number in range(N)])
    assert calls(vendor, start) == ["POST composite"]
    ids = [str(receipt.id) for receipt in made]
    assert [vendor.records["Contact"].rows_of(id)["LastName"] for id in ids] == [f"L{number}" for number in range(N)]
    raws = salesforce.lookup("Contact", ids)
    start = len(vendor.log)
    assert set(outcomes(salesforce.write("Contact", [update(raw, Title="Owner") for raw in raws]))) == {"written"}
    assert calls(vendor, start) == ["POST composite/sobjects/Contact", "POST composite"]
    start = len(vendor.log)
    salesforce.write("Contact", [Change("delete", f"d{id}", id) for id in ids])
    assert calls(vendor, start) == ["POST composite/sobjects/Contact", "POST composite"]
    assert len(vendor.records["Contact"]) == 0


def test_a_list_that_is_refused_is_halved_and_the_others_of_its_call_are_sent_once() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=0))
    salesforce = provisioned(vendor)
    salesforce.describe("Contact")
    changes = [create(number, LastName=f"L{number}") for number in range(N)]
    for number in (250, 777):
        changes[number].patch["Birthdate"] = "yesterday"
    start = len(vendor.log)
    receipts = salesforce.write("Contact", changes)
    assert [number for number, receipt in enumerate(receipts) if receipt.outcome == "rejected"] == [250, 777]
    assert sorted(row["LastName"] for row in vendor.records["Contact"]) == sorted(
        f"L{number}" for number in range(N) if number not in (250, 777)
    )
    assert len(vendor.log) - start <= 9  # both are halved in the same calls


def test_a_list_whose_results_are_missing_is_looked_up_and_the_others_are_believed() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=0))
    salesforce = provisioned(vendor)
    salesforce.describe("Contact")

    def cut(true: Answer, now: object) -> Answer:
        told = json.loads(true.body)
        told["compositeResponse"][1]["body"].pop()
        told["compositeResponse"][2] = {**told["compositeResponse"][2], "httpStatusCode": 500, "body": None}
        return replace(true, body=json.dumps(told).encode())

    vendor.schedule = Schedule(only={len(vendor.log): Fault("cut", "the test's own", "after", cut)})
    receipts = salesforce.write("Contact", [create(number, LastName=f"L{number}") for number in range(700)])
    assert set(outcomes(receipts)) == {"written"}
    assert {receipt.found for receipt in receipts[:200] + receipts[600:]} == {False}
    assert {receipt.found for receipt in receipts[200:600]} == {True}, "results have no names: which is missing cannot be said"
    there = [vendor.records["Contact"].rows_of(str(receipt.id))["LastName"] for receipt in receipts]
    assert there == [f"L{number}" for number in range(700)]
    assert len(vendor.records["Contact"]) == 700


def test_an_answer_that_leaves_a_whole_list_out_is_looked_up() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=0))
    salesforce = provisioned(vendor)
    salesforce.describe("Contact")

    def cut(true: Answer, now: object) -> Answer:
        told = json.loads(true.body)
        told["compositeResponse"].pop(0)
        return replace(true, body=json.dumps(told).encode())

    vendor.schedule = Schedule(only={len(vendor.log): Fault("cut", "the test's own", "after", cut)})
    start = len(vendor.log)
    receipts = salesforce.write("Contact", [create(number, LastName=f"L{number}") for number in range(N)])
    assert {(receipt.outcome, receipt.found) for receipt in receipts} == {("written", True)}
    assert calls(vendor, start) == ["POST composite", "POST composite"], "a thousand keys are found in one call"
    assert len(vendor.records["Contact"]) == N


def test_after_a_call_whose_answer_was_lost_fewer_lists_go_in_one() -> None:
    """Triggers and flows run for each record: a thousand may take longer than anybody waits."""
    vendor = SalesforceVendor(hazards=Hazards(locks=0))
    salesforce = provisioned(vendor)
    salesforce.describe("Contact")
    vendor.schedule = Schedule(only={len(vendor.log): FAULTS["timeout_after"]})
    salesforce.write("Contact", [create(number, LastName=f"L{number}") for number in range(600)])
    start = len(vendor.log)
    more = salesforce.write("Contact", [create(number, LastName=f"L{number}") for number in range(600, 1_200)])
    assert calls(vendor, start) == ["POST composite", "POST composite"]
    assert set(outcomes(more)) == {"written"}
    assert len(vendor.records["Contact"]) == 1_200


def test_results_that_come_in_another_order_are_those_of_their_own_lists() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=0))
    salesforce = provisioned(vendor)
    salesforce.describe("Contact")

    def turned(true: Answer, now: object) -> Answer:
        told = json.loads(true.body)
        return replace(true, body=json.dumps({"compositeResponse": told["compositeResponse"][::-1]}).encode())

    vendor.schedule = Schedule(only={len(vendor.log): Fault("turned", "the test's own", "after", turned)})
    receipts = salesforce.write("Contact", [create(number, LastName=f"L{number}") for number in range(500)])
    there = [vendor.records["Contact"].rows_of(str(receipt.id))["LastName"] for receipt in receipts]
    assert there == [f"L{number}" for number in range(500)]


def test_the_contacts_of_a_thousand_opportunities_are_changed_in_few_calls() -> None:
    """Each by its role; one call for what is there, and three of two lists with the roles that are in the way of each."""
    vendor = furnish(SalesforceVendor(hazards=Hazards(locks=0)))
    salesforce = provisioned(vendor)
    one, other = [row["Id"] for row in vendor.records["Contact"]][:2]
    for number in range(500):
        vendor.people_make(
            "Opportunity",
            {
                "Name": f"D{number}",
                "StageName": "Prospecting",
                "CloseDate": "2026-03-01",
                "ContactId": one if number % 2 else None,
            },
        )
    raws = [raw for raw in records(salesforce, "Opportunity").values() if raw["Name"].startswith("D")]
    salesforce.describe("OpportunityContactRole")
    start = len(vendor.log)
    receipts = salesforce.write("Opportunity", [update(raw, ContactId=other) for raw in raws])
    assert set(outcomes(receipts)) == {"written"}
    assert len(vendor.log) - start <= 5
    assert {raw["ContactId"] for raw in salesforce.lookup("Opportunity", [raw["Id"] for raw in raws])} == {other}


def test_a_field_is_made_for_our_key_and_given_to_the_user_and_to_be_unique() -> None:
    vendor = SalesforceVendor()
    salesforce = connector(vendor)
    assert salesforce.provision() == [f"field aios_key__c on {name}" for name in ("Account", "Contact", "Lead", "Opportunity")]
    assert salesforce.provision() == []
    field = vendor.tables["Contact"].fields["aios_key__c"]
    assert (field.external, field.length) == (True, 80)
    assert len(vendor.records["FieldPermissions"]) == 4


def test_where_the_user_may_make_no_fields_the_check_says_how_an_administrator_does() -> None:
    vendor = SalesforceVendor(forbidden=frozenset({"fields"}))
    salesforce = connector(vendor)
    assert salesforce.provision() == []
    missing = salesforce.check().missing
    assert len(missing) == 4
    told = missing["create Contact without the risk of making one twice"]
    assert "aios_key__c" in told
    assert "Object Manager > Contact" in told
    assert "External ID" in told
    with pytest.raises(ConfigError, match="aios_key__c"):
        salesforce.write("Contact", [create(1, LastName="Zhao")])
    assert len(vendor.records["Contact"]) == 0


def test_a_field_that_was_made_and_that_the_user_may_not_see_is_said_by_the_check() -> None:
    vendor = SalesforceVendor(forbidden=frozenset({"create FieldPermissions"}))
    salesforce = connector(vendor)
    assert salesforce.provision() == []
    assert len(vendor.unseen) == 4
    assert "visible" in salesforce.check().missing["create Lead without the risk of making one twice"]


def test_what_the_user_may_not_do_is_said_by_the_check() -> None:
    vendor = SalesforceVendor(forbidden=frozenset({"create Lead", "delete Opportunity"}))
    missing = provisioned(vendor).check().missing
    assert missing == {
        "create Lead": "the permission Create on Lead, in the profile or a permission set",
        "delete Opportunity": "the permission Delete on Opportunity, in the profile or a permission set",
    }


def test_an_organisation_with_one_currency_that_nobody_named_is_said_by_the_check() -> None:
    assert "currency" in provisioned(SalesforceVendor(), currency="").check().missing["read amounts with their currency"]
    assert provisioned(SalesforceVendor(currencies=("NOK", "EUR")), currency="").check().missing == {}


def test_a_field_of_that_name_whose_values_may_come_twice_is_refused() -> None:
    vendor = SalesforceVendor()
    plain = replace(vendor.tables["Contact"].fields["Title"], name="aios_key__c")
    vendor.add_field("Contact", plain)
    with pytest.raises(ConfigError, match="unique"):
        connector(vendor).provision()


def test_a_locked_row_is_written_again_and_its_neighbours_are_not() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=3))
    salesforce = provisioned(vendor)
    receipts = salesforce.write("Contact", [create(number, LastName=f"L{number}") for number in range(7)])
    assert outcomes(receipts) == ["written"] * 7
    assert sorted(row["LastName"] for row in vendor.records["Contact"]) == [f"L{number}" for number in range(7)]


def test_a_row_that_stays_locked_is_given_up_after_a_while_and_says_so() -> None:
    vendor = SalesforceVendor(hazards=Hazards(locks=0))
    salesforce = provisioned(vendor)
    vendor.hazards = Hazards(locks=1)
    start, before = len(vendor.log), vendor.clock.now()
    (receipt,) = salesforce.write("Contact", [create(1, LastName="Zhao")])
    assert receipt.outcome == "rejected"
    assert "UNABLE_TO_LOCK_ROW" in receipt.reason
    assert len(vendor.log) - start == 4
    assert (vendor.clock.now() - before).total_seconds() > 5


def test_a_person_whose_address_is_taken_is_refused_and_the_record_it_looks_like_is_named() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    there = next(row for row in vendor.records["Contact"] if row["LastName"] == "Zhao")
    changes = [create(1, LastName="Zhao", Email="zhao@sotrarobotics.example.com"), create(2, LastName="Other")]
    refused, made = salesforce.write("Contact", changes)
    assert (refused.outcome, made.outcome) == ("rejected", "written")
    assert "DUPLICATES_DETECTED" in refused.reason
    assert there["Id"] in refused.reason
    (saved,) = provisioned(vendor, duplicates="save").write("Contact", [changes[0]])
    assert saved.outcome == "written"


def test_a_lead_is_given_to_whom_it_says_and_to_nobody_else() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    owner = next(row["Id"] for row in vendor.records["User"] if row["LastName"] == "Haddad")
    (receipt,) = salesforce.write("Lead", [create(1, LastName="Moe", Company="Moe", OwnerId=owner)])
    assert vendor.records["Lead"].get(str(receipt.id))["OwnerId"] == owner  # type: ignore[index]


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"Nickname": "Z"}, "no field Nickname"),
        ({"Name": "Wen Z"}, "does not let the user set Contact.Name"),
        ({"MailingAddress": {"city": "Bergen"}}, "MailingAddress"),
        ({"Birthdate": "yesterday"}, "JSON_PARSER_ERROR"),
        ({"FirstName": "x" * 41}, r"STRING_TOO_LONG.*FirstName"),
        ({"AccountId": "0035j0000000Ba6AAE"}, "AccountId"),
        ({"Email": "no address"}, "INVALID_EMAIL_ADDRESS"),
        ({"LastName": ""}, r"REQUIRED_FIELD_MISSING.*LastName"),
    ],
)
def test_a_value_that_salesforce_does_not_take_is_refused_by_name_and_its_neighbours_are_written(
    patch: dict[str, Any], words: str
) -> None:
    vendor = SalesforceVendor()
    salesforce = provisioned(vendor)
    changes = [create(number, LastName=f"L{number}") for number in range(4)]
    changes[2].patch.update(patch)
    receipts = salesforce.write("Contact", changes)
    assert outcomes(receipts) == ["written", "written", "rejected", "written"]
    assert re.search(words, receipts[2].reason)
    assert sorted(row["LastName"] for row in vendor.records["Contact"]) == ["L0", "L1", "L3"]


def test_a_field_that_is_set_once_is_not_changed_later() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    raw = next(iter(records(salesforce, "OpportunityContactRole").values()))
    (receipt,) = salesforce.write("OpportunityContactRole", [update(raw, OpportunityId=raw["OpportunityId"])])
    assert receipt.outcome == "rejected"
    assert "does not let the user change OpportunityContactRole.OpportunityId" in receipt.reason


def test_the_contact_of_an_opportunity_is_changed_by_its_roles() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    one, other, *_ = records(salesforce, "Opportunity").values()
    before, new = one["ContactId"], other["ContactId"]

    def roles() -> dict[str, bool]:
        return {
            row["ContactId"]: row["IsPrimary"]
            for row in vendor.records["OpportunityContactRole"]
            if row["OpportunityId"] == one["Id"]
        }

    start = len(vendor.log)
    (receipt,) = salesforce.write("Opportunity", [update(one, ContactId=new, NextStep="Ring")])
    assert receipt.outcome == "written"
    assert len(vendor.log) - start == 5  # with one look at the schema of roles
    assert roles() == {before: False, new: True}
    (raw,) = salesforce.lookup("Opportunity", [one["Id"]])
    assert (raw["ContactId"], raw["NextStep"]) == (new, "Ring")
    assert outcomes(salesforce.write("Opportunity", [update(raw, ContactId=before)])) == ["written"]
    assert roles() == {before: True, new: False}
    assert outcomes(salesforce.write("Opportunity", [update(raw, ContactId=None)])) == ["conflict"]
    (raw,) = salesforce.lookup("Opportunity", [one["Id"]])
    assert outcomes(salesforce.write("Opportunity", [update(raw, ContactId=None)])) == ["written"]
    assert roles() == {before: False, new: False}
    assert salesforce.lookup("Opportunity", [one["Id"]])[0]["ContactId"] is None


def test_a_contact_that_cannot_be_is_refused_with_the_rest_of_its_change() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    one, two, three, *_ = records(salesforce, "Opportunity").values()
    lead = next(iter(vendor.records["Lead"]))["Id"]
    nobody = "0035j0000000000AAA"
    changes = [
        update(one, ContactId=lead, NextStep="Ring"),
        update(two, ContactId=nobody, NextStep="Ring"),
        update(three, NextStep="Ring"),
    ]
    receipts = salesforce.write("Opportunity", changes)
    assert outcomes(receipts) == ["rejected", "rejected", "written"]
    assert "convert the lead" in receipts[0].reason
    assert "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY" in receipts[1].reason
    assert [row["NextStep"] for row in salesforce.lookup("Opportunity", [one["Id"], two["Id"]])] == [None, None]


def test_a_contact_that_was_written_while_the_rest_was_refused_is_said() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    one, other, *_ = records(salesforce, "Opportunity").values()
    (receipt,) = salesforce.write("Opportunity", [update(one, ContactId=other["ContactId"], CloseDate="soon")])
    assert receipt.outcome == "rejected"
    assert re.search("its contact was written.*JSON_PARSER_ERROR", receipt.reason)


def test_a_contact_whose_answer_was_lost_is_looked_up() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    one, other, *_ = records(salesforce, "Opportunity").values()
    salesforce.describe("OpportunityContactRole")
    vendor.schedule = Schedule(only={len(vendor.log) + 2: FAULTS["timeout_after"]})
    (receipt,) = salesforce.write("Opportunity", [update(one, ContactId=other["ContactId"])])
    assert receipt.outcome == "written"
    assert salesforce.lookup("Opportunity", [one["Id"]])[0]["ContactId"] == other["ContactId"]


def test_a_create_whose_answer_was_lost_and_that_is_sent_again_is_found_by_its_key() -> None:
    vendor = SalesforceVendor()
    salesforce = provisioned(vendor)
    changes = [create(number, LastName=f"L{number}") for number in range(3)]
    first = salesforce.write("Contact", changes)
    again = salesforce.write("Contact", changes)
    assert [receipt.id for receipt in again] == [receipt.id for receipt in first]
    assert outcomes(again) == ["written"] * 3
    assert len(vendor.records["Contact"]) == 3


def test_an_update_whose_answer_was_lost_is_compared() -> None:
    vendor = SalesforceVendor()
    salesforce = provisioned(vendor)
    id = vendor.people_make("Contact", {"LastName": "Zhao"})["Id"]
    (raw,) = salesforce.lookup("Contact", [id])
    vendor.schedule = Schedule(only={len(vendor.log) + 1: FAULTS["timeout_after"]})
    (receipt,) = salesforce.write("Contact", [update(raw, Title="Owner")])
    assert receipt.outcome == "written"
    assert receipt.record is not None
    assert receipt.record["Title"] == "Owner"


@pytest.mark.parametrize(
    ("field", "there", "planned", "theirs"),
    [
        ("Title", "Owner", "Owner ", "Manager"),
        ("Birthdate", "1990-05-01", "1990-05-01", "1990-05-02"),
    ],
)
def test_what_means_the_same_to_salesforce_is_no_change_of_somebody_elses(
    field: str, there: str, planned: str, theirs: str
) -> None:
    vendor = SalesforceVendor()
    salesforce = provisioned(vendor)
    id = vendor.people_make("Contact", {"LastName": "Zhao", field: there})["Id"]
    change = Change("update", "1", id, {"FirstName": "Wen"}, {"FirstName": "", field: planned})
    assert outcomes(salesforce.write("Contact", [change])) == ["written"]
    vendor.people_change("Contact", id, {field: theirs, "FirstName": None})
    assert outcomes(salesforce.write("Contact", [change])) == ["conflict"]


def test_an_amount_is_written_digit_by_digit() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    raw = next(iter(records(salesforce, "Opportunity").values()))
    (receipt,) = salesforce.write("Opportunity", [update(raw, Amount="1234567890123456.78", CurrencyIsoCode="NOK")])
    assert receipt.outcome == "written"
    assert salesforce.lookup("Opportunity", [raw["Id"]])[0]["Amount"] == "1234567890123456.78"
    assert b'"Amount":1234567890123456.78' in vendor.log[-2].call.body
    (refused,) = salesforce.write("Opportunity", [Change("update", "1", raw["Id"], {"CurrencyIsoCode": "EUR"})])
    assert refused.outcome == "rejected"
    assert "NOK" in refused.reason


def test_instants_that_are_written_in_another_way_are_the_same() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    raw = next(iter(records(salesforce, "Event").values()))
    patch = {"StartDateTime": raw["StartDateTime"].replace(".000+0000", "Z")}
    assert outcomes(salesforce.write("Event", [Change("update", "1", raw["Id"], patch)])) == ["unchanged"]


def test_an_id_of_fifteen_characters_is_that_of_its_record() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    raw = next(iter(records(salesforce, "Contact").values()))
    patch, expect = {"AccountId": raw["AccountId"][:15]}, {"AccountId": raw["AccountId"]}
    assert outcomes(salesforce.write("Contact", [Change("update", "1", raw["Id"][:15], patch, expect)])) == ["unchanged"]
    assert outcomes(salesforce.write("Contact", [Change("delete", "1", raw["Id"][:15])])) == ["written"]


def test_a_record_that_was_merged_away_is_a_conflict_that_names_where_it_went() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    one, other, *_ = records(salesforce, "Contact").values()
    vendor.merged("Contact", one["Id"], other["Id"])
    for change in (update(other, Title="Owner"), Change("delete", "1", other["Id"])):
        (receipt,) = salesforce.write("Contact", [change])
        assert receipt.outcome == "conflict"
        assert one["Id"] in receipt.reason


def test_what_a_task_is_about_is_written_by_the_object() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    account, deal = (next(iter(vendor.records[name]))["Id"] for name in ("Account", "Opportunity"))
    new = [
        Change("create", "1", patch={"Subject": "A", "about": {"Account": account, "Opportunity": deal}}),
        Change("create", "2", patch={"Subject": "B", "about": {"Account": account}}),
        Change("create", "3", patch={"Subject": "C", "about": {"Contact": account}}),
    ]
    both, one, wrong = salesforce.write("Task", new)
    assert (both.outcome, one.outcome, wrong.outcome) == ("written", "written", "rejected")
    tasks = vendor.records["Task"]
    assert [tasks.rows_of(str(made.id))["WhatId"] for made in (both, one)] == [deal, account]

    def patched(id: str | None, **about: str | None) -> Receipt:
        (raw,) = salesforce.lookup("Task", [str(id)])
        expect = {"about": {name: raw["about"][name] for name in about}}
        (receipt,) = salesforce.write("Task", [Change("update", f"line-{id}", id, {"about": about}, expect)])
        return receipt  # type: ignore[no-any-return]

    theirs = vendor.records["Opportunity"].rows_of(deal)["AccountId"]
    other = next(row["Id"] for row in vendor.records["Account"] if row["Id"] != theirs)
    refused = patched(both.id, Account=other)
    assert (refused.outcome, refused.reason) == ("rejected", "it is about an opportunity, and its account is that one's")
    assert patched(both.id, Account=theirs).outcome == "unchanged"
    assert patched(both.id, Opportunity=None).outcome == "written"
    assert tasks.rows_of(str(both.id))["WhatId"] == theirs, "it is still about the account"
    assert patched(both.id, Account=None).outcome == "written"
    assert tasks.rows_of(str(both.id))["WhatId"] is None
    assert patched(one.id, Account=other, Opportunity=deal).outcome == "written"
    assert tasks.rows_of(str(one.id))["WhatId"] == deal
    assert patched(one.id, Account=other, Opportunity=None).outcome == "written"
    assert tasks.rows_of(str(one.id))["WhatId"] == other
    stale = Change("update", "8", one.id, {"about": {"Account": None}}, {"about": {"Account": account}})
    assert outcomes(salesforce.write("Task", [stale])) == ["unchanged" if account == other else "conflict"]


def test_a_task_with_a_lead_is_about_nothing_else() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    lead, account = (next(iter(vendor.records[name]))["Id"] for name in ("Lead", "Account"))
    patch = {"Subject": "A", "WhoId": lead, "about": {"Account": account}}
    (receipt,) = salesforce.write("Task", [Change("create", "1", patch=patch)])
    assert receipt.outcome == "rejected"
    assert "WhatId" in receipt.reason


def test_a_request_that_is_refused_as_a_whole_is_sent_in_halves_until_the_culprit_is_alone() -> None:
    """A field that was hidden after the schema was read spoils the request for all."""
    vendor = SalesforceVendor()
    salesforce = provisioned(vendor)
    salesforce.describe("Contact")
    del vendor.tables["Contact"].fields["Department"]
    changes = [create(number, LastName=f"L{number}") for number in range(8)]
    changes[5].patch["Department"] = "Sales"
    receipts = salesforce.write("Contact", changes)
    assert outcomes(receipts) == ["written"] * 5 + ["rejected"] + ["written"] * 2
    assert "Department" in receipts[5].reason
    assert len(vendor.records["Contact"]) == 7


def test_a_right_that_is_missing_is_said_and_nothing_is_written() -> None:
    vendor = SalesforceVendor()
    salesforce = provisioned(vendor)
    vendor.forbidden = frozenset({"create Contact"})
    with pytest.raises(AuthError, match="INSUFFICIENT_ACCESS") as caught:
        salesforce.write("Contact", [create(1, LastName="Zhao")])
    assert "permission" in caught.value.hint


def test_a_day_whose_calls_end_in_the_middle_of_a_batch_forgets_no_receipt() -> None:
    vendor = SalesforceVendor()
    salesforce = provisioned(vendor)
    salesforce.describe("Contact")
    changes = [create(number, LastName=f"L{number}") for number in range(4)]
    changes[3].patch["Birthdate"] = "yesterday"
    at = len(vendor.log)
    busy = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]

    class Ended(Schedule):
        def fault(self, index: int) -> Fault | None:
            return Fault("ended", "the test's own", "instead", lambda _, now: Answer.json(busy, 403)) if index > at + 1 else None

    vendor.schedule = Ended()
    receipts = salesforce.write("Contact", changes)
    assert outcomes(receipts) == ["written", "written", "rejected", "rejected"]
    assert "TotalRequests" in receipts[2].reason
    assert len(vendor.records["Contact"]) == 2


def test_requests_hold_only_fields_that_the_describe_lets_be_written() -> None:
    vendor = furnish(SalesforceVendor())
    salesforce = provisioned(vendor)
    judge = Judge(vendor)
    for object in ("Account", "Contact", "Lead", "Opportunity", "Task", "Event"):
        for raw in list(records(salesforce, object).values())[:2]:
            salesforce.write(object, [update(raw, **{"Name" if "Name" in raw and object == "Account" else "Description": "new"})])
    salesforce.write("Contact", [create(number, LastName=f"L{number}") for number in range(3)])
    salesforce.write("Task", [create(1, Subject="Call")])
    assert judge.judged == {"PATCH": 12, "POST": 4}


def test_the_judge_sees_a_field_that_nobody_may_give_to_a_new_record() -> None:
    vendor = SalesforceVendor()
    Judge(vendor)
    given = {"records": [{"attributes": {"type": "Contact"}, "LastName": "Zhao", "CreatedById": "005000000000001AAA"}]}
    with pytest.raises(AssertionError, match="describe calls not creatable"):
        connector(vendor).context.http.request("POST", f"{URL}/services/data/v61.0/composite/sobjects", json=given)


class BrokenOff(httpx2.BaseTransport):
    """Lets a write be done, and answers that it was broken off."""

    def __init__(self, inner: httpx2.BaseTransport, code: str) -> None:
        self.inner = inner
        self.code = code

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self.inner.handle_request(request)
        if request.method == "POST" and request.url.path.endswith("/composite"):
            return httpx2.Response(400, json=[{"errorCode": self.code, "message": "Your request was running for too long"}])
        return answer


@pytest.mark.parametrize("code", ["QUERY_TIMEOUT", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"])
def test_a_write_that_was_broken_off_is_looked_up_and_not_sent_again(code: str) -> None:
    """What has no key cannot be found; it is not known to be there, nor known not to be."""
    vendor = SalesforceVendor(hazards=Hazards.none())
    provisioned(vendor).describe("Contact")
    broken = connector(vendor, through=BrokenOff(transport(vendor), code), attempts=2)
    for object in ("Contact", "Task"):
        vendor_had = len(vendor.records[object])
        patches = [{"LastName": f"L{number}"} if object == "Contact" else {"Subject": f"S{number}"} for number in range(3)]
        changes = [Change("create", f"plan-{n}", patch=patch, key=f"key_{n}") for n, patch in enumerate(patches)]
        receipts = broken.write(object, changes)
        assert set(outcomes(receipts)) == ({"written"} if object == "Contact" else {"ambiguous"})
        assert len(vendor.records[object]) == vendor_had + 3


def test_a_text_that_looks_like_a_reference_to_another_request_is_a_text() -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    salesforce = provisioned(vendor)
    texts = ["@{part0.id}", "write to me @{home}", "plain"]
    made = salesforce.write("Contact", [create(n, LastName="L", Description=text) for n, text in enumerate(texts)])
    assert outcomes(made) == ["written"] * 3
    raws = salesforce.lookup("Contact", [str(receipt.id) for receipt in made])
    assert sorted(raw["Description"] for raw in raws) == sorted(texts)
    changed = salesforce.write("Contact", [update(raw, Title="@{part1.Title}") for raw in raws])
    assert outcomes(changed) == ["written"] * 3
    assert salesforce.lookup("Contact", [str(made[2].id)])[0]["Title"] == "@{part1.Title}"


class Poisoned(httpx2.BaseTransport):
    """Fails over every list that has a certain record in it: over the whole call, or over that list of it."""

    def __init__(self, inner: httpx2.BaseTransport, poison: str, whole: bool = True) -> None:
        self.inner = inner
        self.poison = poison.encode()
        self.whole = whole
        self.calls = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "POST" or self.poison not in request.read():
            return self.inner.handle_request(request)
        self.calls += 1
        error = [{"errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred"}]
        if self.whole:
            return httpx2.Response(500, json=error)
        asked = json.loads(request.read())
        spoiled = [one["referenceId"] for one in asked["compositeRequest"] if self.poison in json.dumps(one).encode()]
        asked["compositeRequest"] = [one for one in asked["compositeRequest"] if one["referenceId"] not in spoiled]
        failed = [{"body": error, "httpHeaders": {}, "httpStatusCode": 500, "referenceId": name} for name in spoiled]
        headers = {"authorization": request.headers["authorization"], "content-type": "application/json"}
        told = self.inner.handle_request(httpx2.Request("POST", request.url, headers=headers, json=asked)).json()
        return httpx2.Response(200, json={"compositeResponse": [*told["compositeResponse"], *failed]})


@pytest.mark.parametrize("whole", [True, False], ids=["over the call", "over the list"])
def test_a_record_over_which_salesforce_fails_does_not_keep_the_others_from_being_written(whole: bool) -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    provisioned(vendor).describe("Contact")
    poisoned = Poisoned(transport(vendor), "L637", whole)
    receipts = connector(vendor, through=poisoned).write("Contact", [create(n, LastName=f"L{n}") for n in range(N)])
    assert [number for number, receipt in enumerate(receipts) if receipt.outcome != "written"] == [637]
    assert receipts[637].outcome == "ambiguous"
    assert len(vendor.records["Contact"]) == N - 1
    assert poisoned.calls <= 1 + 9, "five lists at once, that list, and its halves"


def test_a_task_over_which_salesforce_fails_is_sent_once() -> None:
    """It has no key: whether it is there nobody can tell."""
    vendor = SalesforceVendor(hazards=Hazards.none())
    poisoned = Poisoned(transport(vendor), "S2")
    changes = [Change("create", f"plan-{n}", patch={"Subject": f"S{n}"}) for n in range(4)]
    assert set(outcomes(connector(vendor, through=poisoned).write("Task", changes))) == {"ambiguous"}
    assert poisoned.calls == 1


class Away(httpx2.BaseTransport):
    """Says of the first writes that they are to be sent again later, or is not there at all."""

    def __init__(self, inner: httpx2.BaseTransport, times: int, reached: bool = True) -> None:
        self.inner = inner
        self.times = times
        self.reached = reached

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST" and "composite" in request.url.path and self.times:
            self.times -= 1
            if not self.reached:
                raise httpx2.ConnectError("refused")
            error = [{"errorCode": "SERVER_UNAVAILABLE", "message": "The server is too busy"}]
            return httpx2.Response(503, headers={"retry-after": "1"}, json=error)
        return self.inner.handle_request(request)


@pytest.mark.parametrize("text", ["plain", "@{home}"])
def test_what_is_to_be_sent_again_later_is(text: str) -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    changes = [Change("create", f"plan-{n}", patch={"Subject": text}) for n in range(3)]
    receipts = connector(vendor, through=Away(transport(vendor), 2)).write("Task", changes)
    assert outcomes(receipts) == ["written"] * 3
    assert len(vendor.records["Task"]) == 3


@pytest.mark.parametrize("text", ["plain", "@{home}"])
def test_what_was_never_sent_is_not_in_doubt(text: str) -> None:
    vendor = SalesforceVendor(hazards=Hazards.none())
    away = connector(vendor, through=Away(transport(vendor), 1000, reached=False), attempts=2)
    with pytest.raises(UnavailableError):
        away.write("Task", [Change("create", f"plan-{n}", patch={"Subject": text}) for n in range(3)])
    assert not vendor.records["Task"]
