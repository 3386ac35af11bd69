"""A real HubSpot account, anonymised by its owner: what of it maps, what is kept as it was written, what is set aside and why.

The tables are those of a warehouse, of the folder that ``AIOS_SAMPLES`` names (fivetran/dbt_hubspot_source, Apache-2.0). They are
played back into a fake account in the order of time. Names and e-mails are hashes in them: an e-mail that is none must not be
taken for an address, or everybody without one would be the same person.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aios_connect_hubspot.sandbox import HubSpotVendor
from sqlalchemy import select

from aios_connect.connection import Connection
from aios_connect.mappings import CompiledMapping, load, loads
from aios_connect.sandbox import SimClock
from aios_connect.store import Store
from aios_connect.store.tables import quarantine
from aios_connect.sync import Job, KindRule, make_plan, open_exceptions, read_job
from aios_connect.sync.keys import keys_of

from .hubspot_office import connector

SAMPLES = Path(os.environ.get("AIOS_SAMPLES", "")) / "crm-csv" / "fivetran-hubspot"
FOLDER = Path(__file__).parents[2] / "mappings" / "hubspot"
KINDS = {
    "owners": "user",
    "companies": "company",
    "contacts": "person",
    "deals": "deal",
    "tickets": "intake",
    "activities": "activity",
    "tasks": "task",
}
STRICT = {
    "owners": "fields: {emails.work: {on_error: error}}",
    "contacts": "fields: {emails.work: {on_error: error}}",
    "tickets": "fields: {status: {otherwise: error}}",
}
"""What a company would lay over the shipped mappings to have every odd value set aside."""

COLUMNS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "companies": (
        "company",
        "id",
        {
            "property_address_2": "address2",
            **{f"property_{name}": name for name in ("name", "description", "industry", "address")},
        }
        | {f"property_{name}": name for name in ("city", "state", "country", "annualrevenue", "hs_all-funky-a9384-syntax")},
    ),
    "contacts": (
        "contact",
        "id",
        {f"property_{name}": name for name in ("email", "firstname", "lastname", "company", "jobtitle", "annualrevenue")},
    ),
    "deals": (
        "deal",
        "deal_id",
        {"owner_id": "hubspot_owner_id", "deal_pipeline_id": "pipeline", "deal_pipeline_stage_id": "dealstage"}
        | {f"property_{name}": name for name in ("dealname", "description", "amount", "closedate")},
    ),
    "tickets": (
        "ticket",
        "id",
        {f"property_{name}": name for name in ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hubspot_owner_id")}
        | {"property_hs_ticket_category": "hs_ticket_category", "property_hs_ticket_priority": "hs_ticket_priority"},
    ),
    "calls": ("engagement_call", "engagement_id", {"property_hs_timestamp": "hs_timestamp"}),
    "emails": (
        "engagement_email",
        "engagement_id",
        {f"property_{name}": name for name in ("hs_timestamp", "hs_email_subject", "hs_email_text", "hubspot_owner_id")},
    ),
    "meetings": (
        "engagement_meeting",
        "engagement_id",
        {"title": "hs_meeting_title", "body": "hs_meeting_body", "meeting_outcome": "hs_meeting_outcome"}
        | {"start_time": "hs_meeting_start_time", "end_time": "hs_meeting_end_time"},
    ),
    "notes": (
        "engagement_note",
        "engagement_id",
        {f"property_{name}": name for name in ("hs_timestamp", "hs_note_body", "hubspot_owner_id")},
    ),
    "tasks": (
        "engagement_task",
        "engagement_id",
        {f"property_{name}": name for name in ("hs_timestamp", "hs_task_type", "hubspot_owner_id")},
    ),
}
"""Object -> table, column of the id, column -> property."""

INSTANTS = ("hs_timestamp", "hs_meeting_start_time", "hs_meeting_end_time", "closedate")

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="AIOS_SAMPLES names no folder with the account")


def table(name: str) -> list[dict[str, str]]:
    with open(SAMPLES / f"{name}_data.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def instant(text: str) -> datetime:
    """An instant of the warehouse: UTC, written without a zone."""
    return datetime.fromisoformat(text.replace(" ", "T", 1) if text[11:13].isdigit() else f"{text[:10]}T0{text[11:]}").replace(
        tzinfo=UTC
    )


def account() -> HubSpotVendor:
    """The account, its records made in the order in which they were."""
    rows = []
    for object, (name, key, columns) in COLUMNS.items():
        for row in table(name):
            values = {own: row[column] for column, own in columns.items() if row.get(column)}
            values |= {own: instant(values[own]).isoformat() for own in INSTANTS if own in values}
            made = next((row[column] for column in ("property_createdate", "property_hs_createdate") if row.get(column)), "")
            rows.append((instant(made) if made else datetime(2019, 1, 1, tzinfo=UTC), object, row[key], values))
    rows.sort(key=lambda row: row[0])
    clock = SimClock(rows[0][0] - timedelta(hours=1))
    vendor = HubSpotVendor(clock)
    known = vendor.properties["companies"]
    known["hs_all-funky-a9384-syntax"] = {**known["city"], "name": "hs_all-funky-a9384-syntax", "hubspotDefined": False}
    for row in table("owner"):
        owner = {"id": row["owner_id"], "email": row["email"], "firstName": row["first_name"], "lastName": row["last_name"]}
        stamps = {"createdAt": instant(row["created_at"]).isoformat(), "updatedAt": instant(row["updated_at"]).isoformat()}
        vendor.owners.append({**owner, **stamps, "userId": 1, "type": row["type"], "archived": False})
    ids = {}
    for at, object, id, values in rows:
        clock.sleep((at - clock.now()).total_seconds())
        ids[object, id] = vendor.records[object].create(values, by="a person").id
    for row in table("contact"):
        survivor = ids["contacts", row["id"]]
        for part in filter(None, row["property_hs_calculated_merged_vids"].split(";")):
            survivor = vendor.merged("contacts", survivor, ids["contacts", part.partition(":")[0]]).id
    clock.sleep(3600)
    return vendor


def mapping(object: str, *, strict: bool = False) -> CompiledMapping:
    overlay = f"connector: hubspot\nobject: {object}\n{STRICT[object]}\n" if strict and object in STRICT else None
    return (
        loads((FOLDER / f"{object}.yaml").read_text(encoding="utf-8"), overlay=overlay)
        if strict
        else load(FOLDER / f"{object}.yaml")
    )


def connection(vendor: HubSpotVendor, *, strict: bool = False) -> Connection:
    return Connection("crm", connector(vendor), [mapping(object, strict=strict) for object in KINDS])


def merged_away() -> int:
    return sum(
        len(row["property_hs_calculated_merged_vids"].split(";"))
        for row in table("contact")
        if row["property_hs_calculated_merged_vids"]
    )


def living() -> dict[str, int]:
    """How many records there must be, by what the tables say."""
    counts = {object: len(table(name)) for object, (name, _, _) in COLUMNS.items()}
    counts["contacts"] -= merged_away()
    counts["activities"] = sum(counts.pop(object) for object in ("calls", "emails", "meetings", "notes"))
    return counts | {"owners": len(table("owner"))}


def test_the_whole_account_maps_and_what_is_no_address_is_kept_as_it_was_written() -> None:
    crm = connection(account())
    kept: Counter[str] = Counter()
    read: dict[str, int] = {}
    for object, kind in KINDS.items():
        reading = crm.read(kind)
        leaves = [found for _, found in reading.leaves()]
        assert reading.problems == []
        read[object] = len(leaves)
        kept.update(f"{object}: {leaf}" for found in leaves for leaf, value in found.items() if str(value).startswith("raw:"))
        assert not any(key.startswith("email:") for found in leaves for key in keys_of(kind, found))
        if kind == "person":
            assert len({stone.id for stone in reading.gone}) == merged_away() * 2  # each merge makes a new record
            assert all(stone.reason == "merged" for stone in reading.gone)
    assert read == living()
    assert kept == {
        "contacts: emails.work": living()["contacts"],
        "owners: emails.work": len(table("owner")),
        "tickets: status": len(table("ticket")),
    }


def test_what_a_stricter_company_sets_aside_is_counted_with_its_reason(store: Store, tmp_path: Path) -> None:
    vendor = account()
    connections = {"crm": connection(vendor, strict=True)}
    job = Job(job="all", connections=("crm",), kinds={kind: KindRule() for kind in KINDS.values()})
    reports = {report.object: report for report in read_job(job, connections, store, run="run_1", now=vendor.clock.now)}
    assert {object: report.read for object, report in reports.items()} == living()
    aside = {object: report.quarantined for object, report in reports.items() if report.quarantined}
    assert aside == {object: living()[object] for object in STRICT}
    with store.read() as tx:
        rows = tx.execute(select(quarantine.c.object, quarantine.c.reason, quarantine.c.id)).all()
    assert all(row.id for row in rows)
    reasons = Counter((row.object, row.reason.partition(": ")[0], row.reason.rpartition("' ")[2]) for row in rows)
    assert {(object, leaf) for object, leaf, _ in reasons} == {
        ("owners", "emails.work"),
        ("contacts", "emails.work"),
        ("tickets", "status"),
    }
    assert reasons["contacts", "emails.work", "is not an e-mail address"] == living()["contacts"]
    assert reasons["owners", "emails.work", "is not an e-mail address"] == living()["owners"]


def test_nobody_is_taken_for_somebody_else_and_owners_that_are_not_there_are_named(store: Store, tmp_path: Path) -> None:
    """Owners without a name all have the hash of nothing for one: a person is asked, and nobody is merged."""
    vendor = account()
    connections = {"crm": connection(vendor)}
    job = Job(job="all", connections=("crm",), kinds={kind: KindRule() for kind in KINDS.values()})
    read_job(job, connections, store, run="run_1", now=vendor.clock.now)
    make_plan(job, connections, store, tmp_path / "plan.jsonl", now=vendor.clock.now)
    said = [(item.code, item.summary) for item in open_exceptions(store)]
    assert {code for code, _ in said} == {"duplicate_review", "unresolved_reference"}
    asked = [re.findall(r"^crm (\w+)/(\d+) ", summary)[0] for code, summary in said if code == "duplicate_review"]
    owners = table("owner")
    assert {object for object, _ in asked} == {"owners"}
    assert len(asked) == len(owners) - len({(row["first_name"], row["last_name"]) for row in owners})
    known = {row["owner_id"] for row in owners} - {id for _, id in asked}
    named = [row["owner_id"] for row in table("deal")] + [row["property_hubspot_owner_id"] for row in table("ticket")]
    named += [row["property_hubspot_owner_id"] for name in ("task", "email", "note") for row in table(f"engagement_{name}")]
    assert Counter(code for code, _ in said)["unresolved_reference"] == sum(id not in known for id in named if id)


def test_a_property_with_a_strange_name_is_read_like_any_other() -> None:
    vendor = account()
    reading = connector(vendor).read("companies")
    told = [raw["properties"].get("hs_all-funky-a9384-syntax") for page in reading for raw in page.records]
    assert Counter(filter(None, told)) == Counter(
        row["property_hs_all-funky-a9384-syntax"] for row in table("company") if row["property_hs_all-funky-a9384-syntax"]
    )
