"""The world of Tryton: a real one on loopback, and somebody else who works there.

Its clock is the real one: what the suite lets pass is added to what the suite sees, not to what Tryton does. A wait is as long as
Tryton's shortest step, a second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import httpx2
from aios_connect_tryton import Tryton

from aios_connect.connectors import Connector, Raw
from aios_connect.sandbox import SimClock
from aios_connect.testing.conformance import Sample, World
from aios_connect.testing.conformance.wire import Sent
from aios_connect.testing.servers import TrytonDatabase

__all__ = ["TrytonWorld"]


class ShortTryton(Tryton):
    """Tryton with short pages, so that a few records make several."""

    spec = replace(
        Tryton.spec,
        objects={
            name: replace(spec, page_size=3, scan_size=3, lookup_size=6, batch_size=min(5, spec.batch_size))
            for name, spec in Tryton.spec.objects.items()
        },
    )


class _Clock(SimClock):
    """The real time, and what the suite let pass on top."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self._start = datetime.now(UTC)

    def now(self) -> datetime:
        return super().now() + (datetime.now(UTC) - self._start)


class TrytonWorld(World):
    """Two databases; a world takes one, empties it, and gives it back."""

    databases: ClassVar[list[TrytonDatabase]] = []

    connector = ShortTryton
    pages = r"model\..*\.search_read$"
    writes = r"model\.(party\.party|sale\.opportunity)\.(create|write|delete|lead|opportunity|lost|cancel|convert)$"
    calls_to_read = 4
    offline = False
    left_out = {
        "employees": "they belong to a company's set-up; tests/live/test_tryton_live.py reads them",
        "company": "there is one, ours; tests/live/test_tryton_live.py reads it",
    }
    samples = {
        "companies": Sample(
            lambda n: {"name": f"Company {n}", "contacts": {"phone": f"+1503555{n % 10000:04}"}},
            text="name",
            bad={"lang": "imagined"},
        ),
        "people": Sample(
            lambda n: {"name": f"Ann {n}", "contacts": {"email": f"ann{n}@example.com"}}, text="name", bad={"lang": "imagined"}
        ),
        "opportunities": Sample(
            lambda n: {"description": f"Deal {n}", "amount": f"{n}.5", "currency": "EUR"},
            text="description",
            bad={"amount": "0.001"},
            link=("party.company", "companies"),
        ),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock = _Clock()
        self.database = self.databases.pop()
        self.rpc = self.database.rpc()
        self.settings = {"url": self.database.url, "database": self.database.name, "user": self.database.user, "overlap": "0"}
        self.secrets = {"password": self.database.password}
        there = {row["name"]: row["id"] for row in self._rows("party.category", [], "name")}
        for name in {"Person", "Company"} - there.keys():
            (there[name],) = self.rpc("model.party.category.create", [{"name": name}])
        self._category = {"people": there["Person"], "companies": there["Company"]}
        self._empty()

    def transport(self) -> httpx2.BaseTransport:
        return httpx2.HTTPTransport()

    def open(self, *, now: Callable[[], datetime] | None = None, **options: Any) -> Connector:
        """The connector's clock is the real one, whatever the suite let pass."""
        wrong = timedelta(0) if now is None else now() - self.clock.now()
        return super().open(now=lambda: datetime.now(UTC) + wrong, **options)

    def close(self) -> None:
        super().close()
        self.databases.append(self.database)

    def wait(self, seconds: float = 86_400.0) -> None:
        time.sleep(1.05)

    def label(self, sent: Sent) -> str:
        return str(json.loads(sent.body)["method"])

    def make(self, object: str, values: Raw) -> str:
        if object == "opportunities":
            row = {"description": values["description"], "amount": _decimal(values["amount"]), "company": self.database.company}
            row["employee"] = next(iter(self.database.employees.values()))
            return str(self.rpc("model.sale.opportunity.create", [row])[0])
        contacts = [{"type": type, "value": value} for type, value in values["contacts"].items()]
        row = {"name": values["name"], "categories": [["add", [self._category[object]]]]}
        return str(self.rpc("model.party.party.create", [{**row, "contact_mechanisms": [["create", contacts]]}])[0])

    def change(self, object: str, id: str, values: Raw) -> None:
        if object == "opportunities":
            row = dict(values)
            if "party" in row:
                row["party"] = int(row["party"]["company"])
            self.rpc("model.sale.opportunity.write", [int(id)], row)
        else:
            self.rpc("model.party.party.write", [int(id)], dict(values))

    def remove(self, object: str, id: str) -> None:
        if object == "opportunities":
            self.rpc("model.sale.opportunity.cancel", [int(id)])
            self.rpc("model.sale.opportunity.delete", [int(id)])
        else:
            self.rpc("model.party.party.delete", [int(id)])

    def truth(self, object: str) -> dict[str, Raw]:
        if object == "opportunities":
            rows = self._rows("sale.opportunity", [], "description", "party", "party.categories", "amount", "currency.code")
            return {str(row["id"]): self._opportunity(row) for row in rows}
        domain = [["categories", "where", [["id", "=", self._category[object]]]], *self._not_ours()]
        rows = self._rows("party.party", domain, "name", "contact_mechanisms.type", "contact_mechanisms.value")
        return {str(row["id"]): {"name": row["name"], "contacts": _contacts(row)} for row in rows}

    def _opportunity(self, row: Raw) -> Raw:
        company = self._category["companies"] in ((row.get("party.") or {}).get("categories") or ())
        amount, currency = row["amount"], row.get("currency.") or {}
        return {
            "description": row["description"],
            "party": {"company": row["party"] if company else None},
            "amount": amount and format(Decimal(amount["decimal"]).normalize(), "f"),
            "currency": currency.get("code"),
        }

    def _rows(self, model: str, domain: list[Any], *fields: str) -> list[Raw]:
        rows: list[Raw] = self.rpc(f"model.{model}.search_read", domain, 0, None, None, list(fields), active_test=False)
        return rows

    def _not_ours(self) -> list[Any]:
        own = self._rows("company.company", [], "party", "employees.party")
        ids = {party for row in own for party in (row["party"], *(one["party"] for one in row["employees."]))}
        return [["id", "not in", sorted(ids)]]

    def _empty(self) -> None:
        deals = [row["id"] for row in self._rows("sale.opportunity", [], "id")]
        if deals:
            self.rpc("model.sale.opportunity.cancel", deals)
            self.rpc("model.sale.opportunity.delete", deals)
        parties = [row["id"] for row in self._rows("party.party", self._not_ours(), "id")]
        if parties:
            self.rpc("model.party.party.delete", parties)


def _contacts(row: Raw) -> Raw:
    return {one["type"]: one["value"] for one in reversed(row["contact_mechanisms."])}


def _decimal(text: str) -> Raw:
    return {"__class__": "Decimal", "decimal": text}
