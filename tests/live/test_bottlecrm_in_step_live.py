"""The engine between a real BottleCRM and a real Kinto: companies, people, deals and tasks, and what points from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from aios_connect.connection import Connection
from aios_connect.connectors import Connector
from aios_connect.mappings import load
from aios_connect.store import Store
from aios_connect.sync import apply_plan, load_plan, make_plan, read_job
from aios_connect.sync.jobs import Job, KindRule
from aios_connect.testing.servers.bottlecrm import BottleCRMServer
from aios_connect.testing.servers.kinto import KintoBucket, kinto
from tests.connectors import bottlecrm_story, kinto_story

from .bottlecrm_world import People

pytestmark = pytest.mark.live

MAPPINGS = Path(__file__).parents[2] / "mappings"
KINDS = ("company", "person", "deal", "task")


class InStep:
    """A CRM, a store, and the job between them."""

    def __init__(self, folder: Path, store: Store, crm: Connector, there: Connector) -> None:
        rule = KindRule(between=("crm", "store"), create=("crm", "store"), deletes="follow")
        self.job = Job(job="step", connections=("crm", "store"), kinds=dict.fromkeys(KINDS, rule))
        self.connections = {name: Connection(name, one, _mappings(one)) for name, one in (("crm", crm), ("store", there))}
        self._folder = folder
        self._store = store

    def run(self) -> int:
        """Read, plan, apply; how many lines were written to a vendor."""
        read_job(self.job, self.connections, self._store, run="run_read", now=_now)
        path = self._folder / "plan.jsonl"
        make_plan(self.job, self.connections, self._store, path, now=_now)
        written = sum(1 for line in load_plan(path).lines() if not line.local)
        assert apply_plan(path, self.job, self.connections, self._store, now=_now).clean
        return written

    def settle(self) -> None:
        """Run until nothing is to be done; what points at a new record is written when that is there."""
        for _ in range(4):
            if self.run() == 0:
                return
        raise AssertionError("they do not come to rest")


def _mappings(connector: Connector) -> list[Any]:
    files = sorted((MAPPINGS / connector.spec.provider).glob("*.yaml"))
    return [mapping for file in files if (mapping := load(file)).kind in KINDS]


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[KintoBucket]:
    with kinto(tmp_path / "kinto") as server:
        yield server.fresh()


@pytest.fixture
def step(bottlecrm_server: BottleCRMServer, bucket: KintoBucket, tmp_path: Path) -> Iterator[tuple[InStep, People]]:
    company = bottlecrm_server.fresh()
    way = httpx2.HTTPTransport(verify=False)
    crm = bottlecrm_story.connector(way, company.url, company.token)
    there = kinto_story.connector(way, bucket.url, bucket.user, bucket.password, bucket.name)
    crm.provision()
    there.provision()
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield InStep(tmp_path, store, crm, there), People(company)
    store.close()
    way.close()


def records(bucket: KintoBucket, object: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = bucket.request("GET", f"collections/{object}/records")["data"]
    return told


def test_two_systems_come_to_rest_and_hold_the_same_in_both_directions(step: tuple[InStep, People], bucket: KintoBucket) -> None:
    job, people = step
    account = people.make("accounts", {"name": "Harbor Lane", "number_of_employees": 40})
    person = people.make(
        "contacts", {"first_name": "Zoë", "last_name": "O'Hara", "email": "zoe@harbor.example.com", "account": account}
    )
    values = {"name": "Office cleaning", "stage": "PROPOSAL", "amount": "27450.50", "currency": "EUR", "account": account}
    deal = people.make("deals", {**values, "contacts": [person]})
    people.make(
        "tasks",
        {"title": "Ask for the floor plan", "status": "New", "priority": "High", "due_date": "2026-11-24", "opportunity": deal},
    )
    bucket.request("PUT", "collections/companies/records/north", {"name": "Northgate Robotics", "employees": 120})
    job.settle()
    (kept,) = records(bucket, "deals")
    assert (kept["name"], kept["stage"], kept["amount"]) == (
        "Office cleaning",
        "Proposal",
        {"value": "27450.5", "currency": "EUR"},
    )
    (zoe,) = records(bucket, "people")
    assert (kept["person"], kept["company"]) == (zoe["id"], zoe["company"])
    (task,) = records(bucket, "tasks")
    assert (task["due_at"], task["deal"], task["status"]) == ("2026-11-24T00:00:00Z", kept["id"], "open")
    assert {row["name"]: row["number_of_employees"] for row in people.rows("accounts")} == {
        "Harbor Lane": 40,
        "Northgate Robotics": 120,
    }

    bucket.request(
        "PATCH",
        f"collections/deals/records/{kept['id']}",
        {"amount": {"value": "26000", "currency": "EUR"}, "stage": "Negotiation"},
    )
    bucket.request("PATCH", f"collections/tasks/records/{task['id']}", {"status": "done"})
    people.change("contacts", person, {"title": "Bursar", "account": None})
    job.settle()
    there = people.one("deals", deal)
    assert (there["amount"], there["stage"]) == ("26000.00", "NEGOTIATION")
    assert [row["status"] for row in people.rows("tasks")] == ["Completed"]
    (zoe,) = records(bucket, "people")
    assert (zoe["job_title"], zoe["company"]) == ("Bursar", None)


def test_what_was_deleted_in_bottlecrm_is_found_by_listing_ids_and_goes_on_the_other_side(
    step: tuple[InStep, People], bucket: KintoBucket
) -> None:
    job, people = step
    gone = people.make("contacts", {"first_name": "Sam", "last_name": "Lee", "email": "sam@example.com"})
    people.make("contacts", {"first_name": "Wen", "last_name": "Zhao", "email": "wen@example.com"})
    job.settle()
    people.remove("contacts", gone)
    job.settle()
    assert [raw["name"]["family"] for raw in records(bucket, "people")] == ["Zhao"]
