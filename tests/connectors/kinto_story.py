"""A short story that a connector tells: once with a real Kinto, to be recorded, and offline ever after."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from aios_connect_kinto import Kinto

from aios_connect.connectors import Change, Context, Http, Receipt
from aios_connect.connectors.credentials import Credentials, MemoryTokenStore

__all__ = ["ADDRESS", "CASSETTE", "connector", "outcomes", "tell"]

ADDRESS = "https://kinto.example.com"
CASSETTE = Path(__file__).parents[2] / "cassettes" / "kinto" / "a-deal.yaml"


def connector(transport: httpx2.BaseTransport, url: str, user: str, password: str, bucket: str = "crm", **more: Any) -> Kinto:
    """A connector whose own clock stands still, so that instants come from Kinto alone."""

    def now() -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    tokens = MemoryTokenStore(now=now)
    tokens.put("store", {"password": password})
    settings = {"url": url, "user": user, "bucket": bucket}
    credentials = Credentials("store", Kinto.spec.auth[0], tokens, settings=settings, now=now, sleep=lambda _: None)
    http = Http(
        provider="kinto", base_url=url, credentials=credentials, transport=transport, now=now, sleep=lambda _: None, **more
    )
    return Kinto(Context("store", settings, credentials, http, now, lambda _: None, Path()))


def tell(kinto: Kinto) -> dict[str, Any]:
    """A company, a person and a deal are made; the deal goes on; an outdated change is refused; the person goes. What came of it."""
    before = kinto.check()
    made = kinto.provision()
    (company,) = kinto.write("companies", [Change("create", "plan.1", patch={"name": "Harbor Lane"}, key="company_1")])
    patch = {"name": {"given": "Zoë", "family": "O'Hara"}, "email": {"work": "zoe@harbor.example.com"}, "company": company.id}
    (person,) = kinto.write("people", [Change("create", "plan.2", patch=patch, key="person_1")])
    (twice,) = kinto.write("people", [Change("create", "plan.2", patch=patch, key="person_1")])
    patch = {
        "name": "Office cleaning, 18 months",
        "stage": "Opportunity",
        "amount": {"value": "27450.50", "currency": "EUR"},
        "company": company.id,
        "person": person.id,
    }
    poison = {"name": "Wrong", "tags": "none"}
    deal, refused = kinto.write(
        "deals",
        [Change("create", "plan.3", patch=patch, key="deal_1"), Change("create", "plan.4", patch=poison, key="deal_2")],
    )
    ahead = {"stage": "Lost", "amount": {"value": "26000"}, "person": None}
    (moved,) = kinto.write("deals", [Change("update", "plan.5", deal.id, ahead, version=deal.version)])
    (stale,) = kinto.write("deals", [Change("update", "plan.6", deal.id, {"stage": "Won"}, version=deal.version)])
    (people,) = kinto.read("people")
    (gone,) = kinto.write("people", [Change("delete", "plan.7", person.id, version=person.version)])
    (later,) = kinto.read("people", people.cursor)
    return {
        "before": before,
        "made": made,
        "after": kinto.check(),
        "schema": kinto.describe("deals"),
        "receipts": {
            "company": company,
            "person": person,
            "twice": twice,
            "deal": deal,
            "refused": refused,
            "moved": moved,
            "stale": stale,
            "gone": gone,
        },
        "people": people,
        "later": later,
        "scan": [item for page in kinto.scan("deals") for item in page.items],
        "found": kinto.find("deals", ["deal_1", "deal_2"]),
    }


def outcomes(told: dict[str, Receipt]) -> dict[str, str]:
    """What became of each change."""
    return {name: receipt.outcome for name, receipt in told.items()}
