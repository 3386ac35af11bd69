"""The connection to an organisation as a whole: signing in, the address, the vendor's client, the sandbox, the mappings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aios_connect_salesforce import Salesforce
from aios_connect_salesforce.sandbox import REFRESH, TOKEN, Hazards, SalesforceVendor, furnish

from aios_connect import connect
from aios_connect.connectors import AuthError, ConfigError, NotFoundError, RejectedError
from aios_connect.connectors.credentials import MemoryTokenStore
from aios_connect.mappings import check, load, run_examples
from aios_connect.sandbox import load_playground, transport

from .salesforce_office import calls, connector, everything, session

FILES = sorted((Path(__file__).parents[2] / "mappings" / "salesforce").glob("*.yaml"))


def test_the_check_says_who_and_where_we_are() -> None:
    identity = connector(furnish(SalesforceVendor())).check()
    assert (identity.account, identity.user) == ("Fjord Facility Services", "integration@example.com")
    assert identity.details == {"edition": "Enterprise Edition", "sandbox": "false", "deletes": "told of all"}


def test_who_may_not_see_all_data_is_told_how_deletes_are_found() -> None:
    identity = connector(furnish(SalesforceVendor(forbidden=frozenset({"all data"})))).check()
    assert "aios reconcile finds the others" in identity.details["deletes"]
    assert identity.missing.keys() == connector(furnish(SalesforceVendor())).check().missing.keys(), "it is no fault"


def test_an_organisation_that_does_not_tell_what_the_user_may_do_is_connected_all_the_same() -> None:
    vendor = furnish(SalesforceVendor())
    del vendor.tables["UserPermissionAccess"]
    assert "not supported" in connector(vendor).check().details["deletes"]


def test_a_refresh_token_is_used_once_and_its_successor_kept() -> None:
    vendor = SalesforceVendor()
    tokens = MemoryTokenStore(now=vendor.clock.now)
    tokens.put("crm", {"refresh_token": REFRESH, "client_secret": "office"})
    for _ in range(3):
        connector(vendor, tokens=tokens).describe("Contact")  # each a new process
        vendor.clock.sleep(7_201)
    kept = tokens.get("crm")
    assert kept is not None
    assert kept.values["refresh_token"] == f"{REFRESH}.3"
    assert [call for call in calls(vendor) if "token" in call] == ["POST /services/oauth2/token"] * 3


def test_no_token_is_in_an_address() -> None:
    vendor = SalesforceVendor()
    salesforce = connector(vendor, secrets={"refresh_token": REFRESH, "client_secret": "office"})
    salesforce.check()
    everything(salesforce, "Contact")
    addresses = [f"{entry.call.path}?{entry.call.query}" for entry in vendor.log]
    kept = vendor.log[1].call.headers["authorization"].removeprefix("Bearer ")
    assert not [one for one in addresses if REFRESH in one or kept in one]


def test_an_organisation_that_is_elsewhere_is_said_with_its_address() -> None:
    vendor = SalesforceVendor()
    tokens = MemoryTokenStore(now=vendor.clock.now)
    home = "https://acme.my.salesforce.com"
    tokens.put("crm", {"access_token": TOKEN, "refresh_token": REFRESH, "instance_url": home})
    with pytest.raises(ConfigError, match="acme") as caught:
        connector(vendor, tokens=tokens).check()
    assert home in caught.value.hint


def test_a_sign_in_that_was_withdrawn_asks_to_connect_again() -> None:
    with pytest.raises(AuthError) as caught:
        connector(SalesforceVendor(), secrets={"refresh_token": "withdrawn", "client_secret": "office"}).check()
    assert "aios connect" in caught.value.hint


def test_settings_that_make_no_sense_are_said() -> None:
    with pytest.raises(ConfigError, match="duplicates"):
        connector(SalesforceVendor(), duplicates="maybe")
    with pytest.raises(NotFoundError) as caught:
        connector(SalesforceVendor()).describe("Quote")
    assert "Opportunity" in caught.value.hint
    with pytest.raises(RejectedError, match="setup"):
        connector(SalesforceVendor()).write("User", [])


def test_the_client_that_is_handed_out_is_signed_in() -> None:
    vendor = furnish(SalesforceVendor())
    client = connector(vendor).native()
    client.session = session(vendor)
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 6


def test_the_sandbox_is_one_to_play_with() -> None:
    ground = load_playground("salesforce")
    assert dict(ground.contents) == {
        "User": 5,
        "Account": 5,
        "Contact": 6,
        "Lead": 3,
        "Opportunity": 5,
        "OpportunityContactRole": 5,
        "Task": 4,
        "Event": 2,
    }
    assert set(ground.hazards) == {
        *("page", "wide", "locators", "daily", "locks", "one_session", "duplicates", "assignment", "job", "results", "abouts")
    }
    assert all(why for _, why in ground.hazards.values())
    assert load_playground("salesforce", hazards=False).hazards == {}
    assert abs(ground.vendor.clock.now() - datetime.now(UTC)) < timedelta(hours=1)


def test_a_program_reads_the_sandbox_by_canonical_names() -> None:
    ground = load_playground("salesforce")
    settings: dict[str, Any] = {"url": "https://fjord.my.salesforce.com", "client_id": "sandbox"}
    secrets: dict[str, Any] = dict(zip(("client_secret", "refresh_token"), ground.secret.split("\n"), strict=True))
    with connect("salesforce", transport=transport(ground.vendor), **settings, **secrets) as crm:
        people = {person.names.family: person for person in crm.read("person")}
        assert people["Zhao"].job_title == "Facilities lead"
        assert people["Moe"].custom["lead_company"] == "Moe Bakery"
        deals = {deal.name: deal for deal in crm.read("deal")}
        amount = deals["Clean-room contract"].amount
        assert amount is not None
        assert (str(amount.amount), amount.currency) == ("1480000", "NOK")
        assert {company.name for company in crm.read("company")} >= {"Sotra Robotics"}
        assert len(list(crm.read("user"))) == 4
        assert {task.subject for task in crm.read("task")} == {"Call", "Send Letter/Quote", "Order floor wax"}
        assert {event.title for event in crm.read("event")} == {"Walk through the plant", "Meeting"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_examples_of_a_mapping_hold(file: Path) -> None:
    results = run_examples(load(file))
    assert results
    assert [(result.name, result.differences) for result in results if result.differences] == []


@pytest.mark.parametrize("currencies", [(), ("NOK",), ("NOK", "EUR")], ids=["one", "one of several", "two"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mapping_fits_the_live_schema_whatever_the_currencies(file: Path, currencies: tuple[str, ...]) -> None:
    loaded = load(file)
    schema = connector(SalesforceVendor(currencies=currencies)).describe(loaded.object)
    assert [str(finding.error) for finding in check(loaded, schema, spec=Salesforce.spec) if finding.severity != "note"] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_record_of_the_company_is_mapped_without_a_problem(file: Path) -> None:
    loaded = load(file)
    vendor = furnish(SalesforceVendor(hazards=Hazards.none()))
    records = [raw for page in everything(connector(vendor), loaded.object) for raw in page.records]
    assert records
    assert [loaded.get(raw)[1] for raw in records if loaded.get(raw)[1]] == []
