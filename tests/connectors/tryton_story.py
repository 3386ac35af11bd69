"""A short story that a connector tells: once with a real Tryton, to be recorded, and offline ever after."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from aios_connect_tryton import Tryton

from aios_connect.connectors import Change, Context, Http, Raw, Receipt
from aios_connect.connectors.credentials import Credentials, MemoryTokenStore

__all__ = ["ADDRESS", "CASSETTE", "connector", "tell"]

ADDRESS = "https://tryton.example.com"
CASSETTE = Path(__file__).parents[2] / "cassettes" / "tryton" / "a-deal.yaml"


def connector(transport: httpx2.BaseTransport, url: str, database: str, user: str, password: str) -> Tryton:
    """A connector whose own clock stands still, so that instants come from Tryton alone."""

    def now() -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    tokens = MemoryTokenStore(now=now)
    tokens.put("crm", {"password": password})
    credentials = Credentials("crm", Tryton.spec.auth[0], tokens, now=now, sleep=lambda _: None)
    http = Http(provider="tryton", base_url=url, credentials=credentials, transport=transport, now=now, sleep=lambda _: None)
    settings = {"url": url, "database": database, "user": user, "overlap": "0"}
    return Tryton(Context("crm", settings, credentials, http, now, lambda _: None, Path()))


def tell(tryton: Tryton) -> dict[str, Any]:
    """A customer, a person and a deal are made; the deal goes on; an outdated change is refused. What came of it."""
    identity = tryton.check()
    made = tryton.provision()
    patch: Raw = {"name": "Harbor Lane", "contacts": {"phone": "+15035550105"}, "address": {"city": "Portland", "country": "US"}}
    (company,) = tryton.write("companies", [Change("create", "plan.1", patch=patch, key="company-1")])
    patch = {"name": "Zoë O'Hara", "contacts": {"email": "zoe@harbor.example.com"}}
    (person,) = tryton.write("people", [Change("create", "plan.2", patch=patch, key="person-1")])
    patch = {
        "description": "Office cleaning, 18 months",
        "party": {"company": int(company.id or 0)},
        "contact": {"person": int(person.id or 0)},
        "employee": 1,
        "amount": "27450.5",
        "currency": "EUR",
    }
    poison: Raw = {"description": "Too exact", "amount": "0.001"}
    deal, refused = tryton.write(
        "opportunities", [Change("create", "plan.3", patch=patch, key="deal-1"), Change("create", "plan.4", patch=poison)]
    )
    ahead: Raw = {"state": "opportunity", "amount": "26000"}
    (moved,) = tryton.write("opportunities", [Change("update", "plan.5", deal.id, ahead, version=deal.version)])
    (stale,) = tryton.write("opportunities", [Change("update", "plan.6", deal.id, {"amount": "1"}, version=deal.version)])
    (people,) = tryton.read("people")
    (later,) = tryton.read("people", people.cursor)
    return {
        "identity": identity,
        "made": made,
        "receipts": {"company": company, "person": person, "deal": deal, "refused": refused, "moved": moved, "stale": stale},
        "people": people,
        "later": later,
        "scan": [item for page in tryton.scan("opportunities") for item in page.items],
    }


def outcomes(told: dict[str, Receipt]) -> dict[str, str]:
    """What became of each change."""
    return {name: receipt.outcome for name, receipt in told.items()}
