"""A short story that a connector tells: once with a real BottleCRM, to be recorded, and offline ever after."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from aios_connect_bottlecrm import BottleCRM

from aios_connect.connectors import Change, Context, Http, Raw
from aios_connect.connectors.credentials import Credentials, MemoryTokenStore

__all__ = ["ADDRESS", "CASSETTE", "INTAKE_KEY", "SECRET", "connector", "tell"]

ADDRESS = "https://crm.example.com"
CASSETTE = Path(__file__).parents[2] / "cassettes" / "bottlecrm" / "a-deal.yaml"
SECRET = "whsec_only-an-example"  # of no webhook
INTAKE_KEY = "key-of-no-lead-webhook"


def connector(
    transport: httpx2.BaseTransport, url: str = ADDRESS, token: str = "any", *, intake: str = "", **more: Any
) -> BottleCRM:
    """A connector whose own clock stands still, so that instants come from BottleCRM alone."""

    def now() -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC)

    tokens = MemoryTokenStore(now=now)
    tokens.put("crm", {"key": token, "webhook_secret": SECRET, "intake_key": INTAKE_KEY})
    settings = {"url": url, "intake": intake}
    credentials = Credentials("crm", BottleCRM.spec.auth[0], tokens, settings=settings, now=now, sleep=lambda _: None)
    http = Http(
        provider="bottlecrm", base_url=url, credentials=credentials, transport=transport, now=now, sleep=lambda _: None, **more
    )
    return BottleCRM(Context("crm", settings, credentials, http, now, lambda _: None, Path()))


def tell(crm: BottleCRM) -> dict[str, Any]:
    """A company, a person, a deal and a task are made; the deal goes on; what is outdated or wrong is refused; the task goes."""

    def create(object: str, line: str, patch: Raw) -> Any:
        return crm.write(object, [Change("create", line, patch=patch, key=f"key-{line}")])[0]

    before = crm.check()
    made = crm.provision()
    company = create("accounts", "plan.2", {"name": "Harbor Lane", "annual_revenue": "123456.70", "currency": "EUR"})
    namesake = create("accounts", "plan.3", {"name": "HARBOR LANE"})
    person = create(
        "contacts",
        "plan.4",
        {"first_name": "Zoë", "last_name": "O'Hara", "email": "zoe@harbor.example.com", "account": company.id},
    )
    deal = create(
        "deals",
        "plan.5",
        {
            "name": "Office cleaning, 18 months",
            "stage": "PROPOSAL",
            "amount": "27450.50",
            "currency": "EUR",
            "account": company.id,
            "contact": person.id,
        },
    )
    task = create(
        "tasks",
        "plan.6",
        {
            "title": "Ask for the floor plan",
            "status": "New",
            "priority": "High",
            "due_at": "2026-11-24T09:00:00Z",
            "opportunity": deal.id,
        },
    )
    ahead = {"stage": "CLOSED_LOST", "amount": "26000", "closed_on": "2026-12-18", "contact": None}
    seen = {"stage": "PROPOSAL", "amount": "27450.50", "closed_on": None, "contact": person.id}
    (moved,) = crm.write("deals", [Change("update", "plan.7", deal.id, ahead, seen)])
    (stale,) = crm.write("deals", [Change("update", "plan.8", deal.id, {"stage": "NEGOTIATION"}, {"stage": "PROPOSAL"})])
    (odd,) = crm.write("deals", [Change("update", "plan.9", deal.id, {"amount": "26000.005"}, {"amount": "26000.00"})])
    (kept,) = crm.write("accounts", [Change("delete", "plan.10", company.id, {}, company.record or {})])
    (gone,) = crm.write("tasks", [Change("delete", "plan.11", task.id, {}, task.record or {})])
    return {
        "before": before,
        "made": made,
        "after": crm.check(),
        "schema": crm.describe("deals"),
        "receipts": {
            "company": company,
            "namesake": namesake,
            "person": person,
            "deal": deal,
            "task": task,
            "moved": moved,
            "stale": stale,
            "odd": odd,
            "kept": kept,
            "gone": gone,
        },
        "read": {object: [raw for page in crm.read(object) for raw in page.records] for object in ("contacts", "deals", "tasks")},
        "found": crm.find("deals", ["key-plan.5", "nobody"]),
        "scan": [item for page in crm.scan("deals") for item in page.items],
        "left": crm.lookup("tasks", [str(task.id)]),
    }
