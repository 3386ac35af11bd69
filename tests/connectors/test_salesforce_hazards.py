"""Each hazard of the fake Salesforce harms a client that does what most do; our connector's own tests show that it comes to no harm."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from aios_connect_salesforce.sandbox import REFRESH, TOKEN, Field, Hazards, SalesforceVendor, furnish

from aios_connect.sandbox import Answer

DATA = "/services/data/v61.0"


def ask(vendor: SalesforceVendor, method: str, path: str, body: Any = None, token: str = TOKEN) -> Answer:
    sent = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return vendor.exchange(method, f"{DATA}/{path}", sent, b"" if body is None else json.dumps(body).encode())


def rows(vendor: SalesforceVendor, soql: str) -> list[Any]:
    """What the first answer brings: its reader knows of no other."""
    found: list[Any] = json.loads(ask(vendor, "GET", f"query?{urlencode({'q': soql})}").body)["records"]
    return found


def people(vendor: SalesforceVendor, count: int) -> list[str]:
    return [vendor.people_make("Contact", {"LastName": f"L{number}"})["Id"] for number in range(count)]


def takes_its_own_write_for_somebody_elses(vendor: SalesforceVendor) -> bool:
    """It knows its writes by the instant at which it sent them."""
    sent = vendor.clock.now()
    id = json.loads(ask(vendor, "POST", "sobjects/Contact", {"LastName": "A"}).body)["id"]
    (row,) = rows(vendor, f"SELECT LastModifiedDate FROM Contact WHERE Id = '{id}'")
    return datetime.fromisoformat(row["LastModifiedDate"].replace("+0000", "+00:00")) > sent


def reads_the_first_page_only(vendor: SalesforceVendor) -> bool:
    people(vendor, 5)
    return len(rows(vendor, "SELECT Id FROM Contact")) < 5


def reads_few_of_its_long_texts(vendor: SalesforceVendor) -> bool:
    vendor.add_field("Contact", Field("Story__c", "textarea", 32_000, creatable=True, updatable=True, nillable=True))
    people(vendor, 5)
    return len(rows(vendor, "SELECT Id, Description, Story__c FROM Contact")) < 5


def comes_back_to_a_query_that_is_closed(vendor: SalesforceVendor) -> bool:
    vendor.hazards = replace(vendor.hazards, page=2)
    people(vendor, 5)
    soql = urlencode({"q": "SELECT Id FROM Contact"})
    first = json.loads(ask(vendor, "GET", f"query?{soql}").body)["nextRecordsUrl"]
    for _ in range(12):
        ask(vendor, "GET", f"query?{soql}")
    return ask(vendor, "GET", first.removeprefix(f"{DATA}/")).status >= 400


def is_refused_within_the_day(vendor: SalesforceVendor) -> bool:
    return any(ask(vendor, "GET", "limits").status == 403 for _ in range(12))


def job(vendor: SalesforceVendor) -> str:
    asked = {"operation": "query", "query": "SELECT Id FROM Contact"}
    return f"jobs/query/{json.loads(ask(vendor, 'POST', 'jobs/query', asked).body)['id']}/results"


def fetches_a_job_before_it_is_done(vendor: SalesforceVendor) -> bool:
    people(vendor, 1)
    return ask(vendor, "GET", job(vendor)).status >= 400


def takes_the_first_part_of_a_job_for_all(vendor: SalesforceVendor) -> bool:
    people(vendor, 5)
    place = job(vendor)
    vendor.clock.sleep(60)
    return len(ask(vendor, "GET", place).body.splitlines()) < 6


def asks_for_all_tasks(vendor: SalesforceVendor) -> bool:
    vendor.forbidden = frozenset({"all data"})
    for person in people(vendor, 5):
        vendor.records["Task"].create({"Subject": "call", "WhoId": person})
    return ask(vendor, "GET", f"query?{urlencode({'q': 'SELECT Id FROM Task'})}").status >= 400


def believes_that_all_were_written(vendor: SalesforceVendor) -> bool:
    given = [{"attributes": {"type": "Contact"}, "LastName": str(number)} for number in range(4)]
    assert ask(vendor, "POST", "composite/sobjects", {"records": given}).status == 200
    return len(vendor.records["Contact"]) < 4


def signs_in_twice_and_goes_on_with_the_first_session(vendor: SalesforceVendor) -> bool:
    refresh, sessions = REFRESH, []
    for _ in range(2):
        form = urlencode({"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "us"}).encode()
        kind = {"content-type": "application/x-www-form-urlencoded", "host": "fjord.my.salesforce.com"}
        told = json.loads(vendor.exchange("POST", "/services/oauth2/token", kind, form).body)
        refresh = told.get("refresh_token", refresh)
        sessions.append(told["access_token"])
        vendor.clock.sleep(1)
    return ask(vendor, "GET", "limits", token=sessions[0]).status == 401


def loses_a_person_whose_address_is_taken(vendor: SalesforceVendor) -> bool:
    return [ask(vendor, "POST", "sobjects/Contact", {"LastName": "A", "Email": "a@example.org"}).status for _ in range(2)] == [
        201,
        400,
    ]


def gives_its_lead_away(vendor: SalesforceVendor) -> bool:
    furnish(vendor)
    id = json.loads(ask(vendor, "POST", "sobjects/Lead", {"LastName": "Moe", "Company": "Moe"}).body)["id"]
    (lead,) = rows(vendor, f"SELECT OwnerId FROM Lead WHERE Id = '{id}'")
    return bool(lead["OwnerId"] != vendor.user)


VICTIMS: dict[str, tuple[Callable[[SalesforceVendor], bool], Any]] = {
    "latency": (takes_its_own_write_for_somebody_elses, 1.0),
    "page": (reads_the_first_page_only, 2),
    "wide": (reads_few_of_its_long_texts, 2),
    "locators": (comes_back_to_a_query_that_is_closed, 10),
    "daily": (is_refused_within_the_day, 10),
    "job": (fetches_a_job_before_it_is_done, 20.0),
    "results": (takes_the_first_part_of_a_job_for_all, 2),
    "abouts": (asks_for_all_tasks, 3),
    "locks": (believes_that_all_were_written, 3),
    "one_session": (signs_in_twice_and_goes_on_with_the_first_session, True),
    "duplicates": (loses_a_person_whose_address_is_taken, True),
    "assignment": (gives_its_lead_away, True),
}
"""Hazard -> a client that does what most do and whom it harms, and how hard it has to be."""


@pytest.mark.parametrize("hazard", VICTIMS)
def test_a_hazard_alone_harms_a_client_and_without_it_nothing_does(hazard: str) -> None:
    harmed, hard = VICTIMS[hazard]
    assert harmed(SalesforceVendor(hazards=replace(Hazards.none(), **{hazard: hard})))
    assert not harmed(SalesforceVendor(hazards=Hazards.none()))
    assert getattr(Hazards(), hazard), "it is on unless it is turned off"


def test_every_hazard_has_its_victim_and_names_its_evidence() -> None:
    assert set(VICTIMS) == set(Hazards.__dataclass_fields__)
    assert Hazards.__doc__ is not None
    for name in Hazards.__dataclass_fields__:
        said = re.split(r"\n {8}(?=\w+:)", Hazards.__doc__.partition(f"        {name}:")[2])[0]
        assert any(mark in said for mark in ("http", "#", "assumed"))
